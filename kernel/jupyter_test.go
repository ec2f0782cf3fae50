package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// jupyterPython is a Python with jupyter_client, nbclient and nbconvert: $JUPYTER_PYTHON, else the clone's .venv.
func jupyterPython(t *testing.T) string {
	t.Helper()
	if python := os.Getenv("JUPYTER_PYTHON"); python != "" {
		return python
	}
	python := filepath.Join(moduleDir(t), ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skipf("there is no %s: make setup (or set JUPYTER_PYTHON to a Python with nbclient and nbconvert)", python)
	}
	return python
}

// TestJupyter runs testdata/jupyter_test.py: Jupyter's own clients against the installed kernel.
func TestJupyter(t *testing.T) {
	python := jupyterPython(t)
	prefix := filepath.Join(t.TempDir(), "a prefix")
	install := exec.Command(gomosaic(t), "install", "--prefix", prefix, "--env", "FROM_KERNELSPEC=yes")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(python, "-m", "unittest", "-v", "jupyter_test")
	cmd.Dir = "testdata"
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+filepath.Join(prefix, "share", "jupyter"), "XDG_STATE_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}
