package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// maxBytes is the size that a worker may have: it is copied to every machine of a job. It has S3's client, 6 MB, since tasks on
// executors write to where only they may have the keys to, and Arrow's reader, 3 MB, since that is how Spark gives rows to
// tasks where it runs no shell commands, and that of Parquet files' columns, 1.5 MB.
const maxBytes = 20 << 20

// TestImports holds the worker to what runs on a bare machine: no C, no dlopen, no chart renderer, no plugins. Package display itself, which mdslib reports with, is small.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}{{if .CgoFiles}} cgo{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, path := range []string{"gomosaic/mdslib", "gomosaic/mdslib/codec/brotli", "gomosaic/mdslib/codec/bzip2", "gomosaic/mdslib/spark/worker", "gomosaic/mdslib/store/s3"} {
		if !slices.Contains(imports, path) {
			t.Errorf("the worker does not link %s", path)
		}
	}
	for _, path := range imports {
		for _, refused := range []string{"github.com/ebitengine/purego", "github.com/dop251/goja", "github.com/go-echarts/", "google.golang.org/grpc/", "gomosaic/mdslib/spark/pb", "plugin", "runtime/cgo",
			"github.com/go-zeromq/", "gomosaic/trainlib/torch", "gomosaic/display/echarts", "gomosaic/display/arrowtable", "gomosaic/kernel/host", "gomosaic/kernel/cell", "gomosaic/kernel/wire"} {
			if path == refused || strings.HasPrefix(path, strings.TrimSuffix(refused, "/")+"/") {
				t.Errorf("the worker links %s", path)
			}
		}
		if strings.HasSuffix(path, " cgo") {
			t.Errorf("the worker links C: %s", path)
		}
	}
}

// build builds the worker as it is shipped.
func build(t *testing.T, arch string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gomosaic-worker")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestBuildsAreSmallAndStatic(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := build(t, arch)
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.1f MiB", arch, float64(stat.Size())/(1<<20))
		if stat.Size() > maxBytes {
			t.Errorf("%s: %d bytes, at most %d may be", arch, stat.Size(), maxBytes)
		}
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s: machine %v", arch, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: dynamically linked (%v)", arch, p.Type)
			}
		}
	}
}

func TestVersionRuns(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the worker is built for linux: run this on linux")
	}
	out, err := exec.Command(build(t, runtime.GOARCH), "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "gomosaic-worker ") || !strings.Contains(string(out), runtime.Version()) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
	}{
		{nil, 2}, {[]string{"nonsense"}, 2}, {[]string{"verify"}, 2}, {[]string{"verify", "-x"}, 2}, {[]string{"verify", "/no such folder"}, 1}, {[]string{"help"}, 0},
	} {
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), c.args, nil, &stdout, &stderr); got != c.status || stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%q: status %d, want %d: %s%s", c.args, got, c.status, &stdout, &stderr)
		}
	}
}
