package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/kernel/host"
)

// TestPreloadedPackagesAreLinked compares preload.go with host.Preloaded: a package that cells use without an import
// must be part of this binary.
func TestPreloadedPackagesAreLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	for _, p := range host.Preloaded {
		if !slices.Contains(linked, p.Path) {
			t.Errorf("preload.go does not import %s", p.Path)
		}
	}
	for _, driver := range []string{"gomosaic/mdslib/codec/brotli", "gomosaic/mdslib/codec/bzip2", "gomosaic/mdslib/local", "gomosaic/mdslib/local/arrowipc", "gomosaic/mdslib/local/parquet", "gomosaic/mdslib/spark", "gomosaic/mdslib/store/azure", "gomosaic/mdslib/store/databricks", "gomosaic/mdslib/store/gs", "gomosaic/mdslib/store/hf", "gomosaic/mdslib/store/s3", "gomosaic/mdslib/store/sftp", "gomosaic/mdslib/store/web", "gomosaic/display/arrowtable", "gomosaic/display/echarts"} {
		if !slices.Contains(linked, driver) {
			t.Errorf("preload.go does not import the driver %s", driver)
		}
	}
}

// built builds the command, which tests of its exit status and output run.
func built(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "go mosaic")
	if out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func TestCommand(t *testing.T) {
	binary := built(t)
	module, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		stdin  string
		status int
		want   string // part of standard output or error
	}{
		{"", "", 2, "Usage"},
		{"help", "", 0, "doctor"},
		{"nonsense", "", 2, `no command "nonsense"`},
		{"version", "", 0, "clone " + module},
		{"kernel", "", 2, "CONNECTION_FILE"},
		{"kernel missing.json", "", 1, "missing.json"},
		{"install --prefix x --user", "", 2, "at most one"},
		{"install --env novalue", "", 2, "KEY=VALUE"},
		{"install --prefix x --dry-run --name my-go --env A=b", "", 0, `"A": "b"`},
		{"uninstall --prefix x", "", 1, "kernel.json"},
		{"order --json", `{"streams":[{"sizes":[3,2]}],"world":{"num_nodes":1,"ranks_per_node":1,"workers_per_rank":1},"args":{"batch_size":2},"epoch":0}`, 0, `"ids":[0,1,2,3,4`},
		{"order", "no json", 1, "error"},
		{"mds help", "", 0, "rebuild-index SET"},
		{"mds verify", "", 2, "want a data set"},
		{"mds verify missing", "", 1, "no data set there"},
	} {
		cmd := exec.Command(binary, strings.Fields(c.args)...)
		cmd.Stdin = strings.NewReader(c.stdin)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(strings.ReplaceAll(string(out), ": [", ":["), c.want) {
			t.Errorf("gomosaic %s: status %d, want %d with %q:\n%s", c.args, got, c.status, c.want, out)
		}
	}
	if _, err := os.Stat("x"); !os.IsNotExist(err) {
		t.Error("the dry run wrote something")
	}
}

func TestInstalledKernelspecNamesThisBinary(t *testing.T) {
	binary, prefix := built(t), filepath.Join(t.TempDir(), "a prefix")
	for _, env := range [][]string{nil, {"HOME=", "PATH="}} { // works with next to no environment set
		cmd := exec.Command(binary, "install", "--prefix", prefix)
		if env != nil {
			cmd.Env = env
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	b, err := os.ReadFile(filepath.Join(prefix, "share", "jupyter", "kernels", "gomosaic", "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct{ Argv []string }
	if err := json.Unmarshal(b, &spec); err != nil || len(spec.Argv) != 3 || spec.Argv[0] != binary {
		t.Errorf("%v %s", err, b)
	}
}

func TestCloneIsFoundAboveTheBinary(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clone")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module gomosaic\n\ngo 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "sub"))
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := clone(); got != real && got != dir {
		t.Errorf("clone %q, want %q", got, dir)
	}
}
