package torch_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gomosaic/trainlib/torch"
)

// fakeTorch is a folder that looks like a libtorch.
func fakeTorch(t *testing.T, dir, version string) string {
	t.Helper()
	for path, content := range map[string]string{
		"lib/libtorch_cpu.so":                    "",
		"lib/libc10.so":                          "",
		"include/torch/csrc/autograd/autograd.h": "",
		"version.py":                             "from typing import Optional\n__version__ = '" + version + "'\n",
	} {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindLooksWhereItSays(t *testing.T) {
	const site = "lib/python3.12/site-packages/torch"
	for _, env := range []string{torch.EnvTorchDir, "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(env, "")
	}
	t.Run("GOMOSAIC_TORCH_DIR", func(t *testing.T) {
		dir := fakeTorch(t, filepath.Join(t.TempDir(), "with space"), "2.15.0+cpu")
		t.Setenv(torch.EnvTorchDir, dir)
		l, err := torch.Find()
		if err != nil || l.Dir != dir || l.Version != "2.15.0+cpu" || l.CUDA || l.From != torch.EnvTorchDir {
			t.Errorf("%+v, %v", l, err)
		}
		if want := "libtorch 2.15.0+cpu (CPU) in " + dir; !strings.HasPrefix(l.String(), want) {
			t.Errorf("%q, want %q", l.String(), want)
		}
	})
	t.Run("VIRTUAL_ENV before CONDA_PREFIX", func(t *testing.T) {
		venv, conda := t.TempDir(), t.TempDir()
		fakeTorch(t, filepath.Join(venv, site), "2.14.0")
		fakeTorch(t, filepath.Join(conda, site), "2.13.0")
		t.Setenv("VIRTUAL_ENV", venv)
		t.Setenv("CONDA_PREFIX", conda)
		if l, err := torch.Find(); err != nil || l.Version != "2.14.0" {
			t.Errorf("%+v, %v", l, err)
		}
		t.Setenv("VIRTUAL_ENV", t.TempDir())
		if l, err := torch.Find(); err != nil || l.Version != "2.13.0" || l.From != "CONDA_PREFIX" {
			t.Errorf("%+v, %v", l, err)
		}
	})
	t.Run("conda's own libtorch", func(t *testing.T) {
		conda := fakeTorch(t, t.TempDir(), "2.12.1")
		t.Setenv("CONDA_PREFIX", conda)
		if l, err := torch.Find(); err != nil || l.Dir != conda {
			t.Errorf("%+v, %v", l, err)
		}
	})
	t.Run("the variable names an empty folder", func(t *testing.T) {
		t.Setenv(torch.EnvTorchDir, t.TempDir())
		var none *torch.NotFoundError
		if _, err := torch.Find(); !errors.As(err, &none) || !strings.Contains(err.Error(), "make setup") {
			t.Errorf("got %v", err)
		}
	})
}

// compiler is a shell script that stands in for g++: it notes each call in a file and writes what -o names.
func compiler(t *testing.T, body string) (path, calls string) {
	t.Helper()
	dir := t.TempDir()
	path, calls = filepath.Join(dir, "fake g++"), filepath.Join(dir, "calls")
	script := "#!/bin/sh\necho \"$*\" >> '" + calls + "'\n" + body + "\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && echo built > \"$2\"; shift; done\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, calls
}

func location(t *testing.T, version string) torch.Location {
	t.Helper()
	dir := fakeTorch(t, filepath.Join(t.TempDir(), "a torch"), version)
	t.Setenv(torch.EnvTorchDir, dir)
	l, err := torch.Find()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBuildShimOnceForAll(t *testing.T) {
	cxx, calls := compiler(t, "sleep 0.1")
	opts := torch.BuildOptions{Torch: location(t, "2.15.0"), CacheDir: filepath.Join(t.TempDir(), "a cache"), CXX: cxx}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			path, err := torch.BuildShim(context.Background(), opts)
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != "built\n" {
				t.Errorf("%s: %q, %v", path, b, err)
			}
			if name := filepath.Base(filepath.Dir(path)); !strings.HasPrefix(name, "2.15.0-cpu-abi") {
				t.Errorf("folder %s", name)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 3 {
		t.Errorf("%d calls of the compiler, want two units and a link:\n%s", len(lines), b)
	}
	for _, l := range lines {
		if !strings.Contains(l, "-shared") && !strings.Contains(l, "-std=c++20") || strings.Contains(l, "-ltorch ") {
			t.Errorf("command %s", l)
		}
	}
	opts.Torch.Version = "2.11.0"
	if _, err := torch.BuildShim(context.Background(), opts); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(calls); !strings.Contains(string(b), "-std=c++17") {
		t.Error("libtorch 2.11 is not compiled against as C++17")
	}
}

func TestBuildShimErrors(t *testing.T) {
	at := location(t, "2.15.0")
	cache := t.TempDir()
	_, err := torch.BuildShim(context.Background(), torch.BuildOptions{Torch: at, CacheDir: cache, CXX: "no-such-compiler"})
	var build *torch.BuildError
	if !errors.As(err, &build) || !strings.Contains(err.Error(), "apt install g++") || !strings.Contains(build.Command, "no-such-compiler -std=c++20") {
		t.Errorf("without a compiler: %v", err)
	}
	cxx, _ := compiler(t, "echo 'mdstorch.cpp:1: error: out of patience' >&2; exit 1")
	_, err = torch.BuildShim(context.Background(), torch.BuildOptions{Torch: at, CacheDir: cache, CXX: cxx})
	if !errors.As(err, &build) || !strings.Contains(err.Error(), "out of patience") {
		t.Fatalf("a compiler that fails: %v", err)
	}
	if b, err := os.ReadFile(build.Log); err != nil || !strings.Contains(string(b), "out of patience") {
		t.Errorf("log %s: %q, %v", build.Log, b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*", "*.so")); len(left) != 0 {
		t.Errorf("a failed build left %v", left)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	good, _ := compiler(t, "")
	if _, err := torch.BuildShim(ctx, torch.BuildOptions{Torch: at, CacheDir: cache, CXX: good}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	at.Version = "1.13.1"
	if _, err := torch.BuildShim(context.Background(), torch.BuildOptions{Torch: at, CacheDir: cache}); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("libtorch 1.13: %v", err)
	}
}

// TestBuiltShimTravels: a shim that was built serves another machine, which has no compiler, where libtorch is of one version.
func TestBuiltShimTravels(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	location(t, "2.15.0")
	if _, err := torch.BuiltShim(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before it is built: %v", err)
	}
	cxx, _ := compiler(t, "")
	if _, err := torch.BuildShim(t.Context(), torch.BuildOptions{CXX: cxx}); err != nil {
		t.Fatal(err)
	}
	files, err := torch.BuiltShim()
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	there := t.TempDir()
	for path, content := range files {
		full := filepath.Join(there, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(torch.EnvShimDir, there)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	at := location(t, "2.15.0")
	for _, cuda := range []bool{false, true} {
		at.CUDA = cuda
		if path, err := torch.BuildShim(t.Context(), torch.BuildOptions{Torch: at, CXX: "no-such-compiler"}); err != nil || !strings.HasPrefix(path, there) {
			t.Errorf("CUDA %t: %s, %v", cuda, path, err)
		}
	}
	if _, err := torch.BuildShim(t.Context(), torch.BuildOptions{Torch: location(t, "2.14.0"), CXX: "no-such-compiler"}); err == nil {
		t.Error("it serves another libtorch")
	}
}
