package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// jupyterPython is the clone's Python, which has jupyter_client, nbclient and nbconvert.
func jupyterPython(t *testing.T) string {
	t.Helper()
	python := filepath.Join(moduleDir(t), ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Fatalf("there is no %s: type make setup", python)
	}
	return python
}

// jupyterClients is the folder of the clients that are not in .venv: jupyter_kernel_test, papermill, jupyter-console.
func jupyterClients(t *testing.T, python string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(moduleDir(t), "setup", "clients.sh"), python)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("setup/clients.sh: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// TestJupyter runs testdata/*_test.py: Jupyter's own clients against the installed kernel.
func TestJupyter(t *testing.T) {
	python := jupyterPython(t)
	prefix := filepath.Join(t.TempDir(), "a prefix")
	install := exec.Command(gomosaic(t), "install", "--prefix", prefix, "--env", "FROM_KERNELSPEC=yes")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(python, "-m", "unittest", "discover", "-v", "-p", "*_test.py")
	cmd.Dir = "testdata"
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+filepath.Join(prefix, "share", "jupyter"), "XDG_STATE_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONPATH="+jupyterClients(t, python), "JUPYTER_RUNTIME_DIR="+t.TempDir(), "IPYTHONDIR="+t.TempDir(), "JUPYTER_CONFIG_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "skipped") {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}
