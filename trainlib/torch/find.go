package torch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"
)

// EnvTorchDir names the environment variable that points at a libtorch: a folder with lib/libtorch_cpu.so and include/, such
// as site-packages/torch.
const EnvTorchDir = "GOMOSAIC_TORCH_DIR"

// Location is a libtorch on this machine.
type Location struct {
	Dir     string // the folder that holds lib/ and include/
	Lib     string // the folder of libtorch_cpu.so
	Include string // the folder of torch/csrc
	Version string // "2.15.0+cu132"
	CUDA    bool   // libtorch_cuda.so lies beside it (the driver may still be missing: see CUDAAvailable)
	CXX11   bool   // built with the C++11 ABI of libstdc++
	From    string // how it was found: "GOMOSAIC_TORCH_DIR", "the binary's own environment", …
}

// NotFoundError is returned by [Find] where there is no libtorch; it lists the places that were looked at.
type NotFoundError struct {
	Looked []string
}

func (e *NotFoundError) Error() string {
	return "torch: no libtorch found (run `make setup` in the clone of gomosaic, or set " + EnvTorchDir + " to a folder such as site-packages/torch); looked at:\n  " +
		strings.Join(e.Looked, "\n  ")
}

// candidate is one place to look at; the pattern may hold wildcards.
type candidate struct {
	pattern string
	from    string
}

// Find looks for a libtorch and returns the first that has its library and headers, in this order: $GOMOSAIC_TORCH_DIR; the
// virtual environment in whose bin/ the running binary lies; $VIRTUAL_ENV; $CONDA_PREFIX (Python's package, then conda's
// libtorch); the .venv of the clone of gomosaic around the working folder or the source; what python3 would import; Debian's
// package. When $GOMOSAIC_TORCH_DIR is set, nothing else is tried. The error is a [*NotFoundError].
func Find() (Location, error) {
	if dir := os.Getenv(EnvTorchDir); dir != "" {
		if l, ok := locate(dir, EnvTorchDir); ok {
			return l, nil
		}
		return Location{}, &NotFoundError{Looked: []string{dir + " (" + EnvTorchDir + "): no lib/libtorch_cpu.so with include/torch there"}}
	}
	const site = "lib/python*/site-packages/torch"
	var all []candidate
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		all = append(all, candidate{filepath.Join(filepath.Dir(filepath.Dir(exe)), site), "the binary's own environment"})
	}
	if v := os.Getenv("VIRTUAL_ENV"); v != "" {
		all = append(all, candidate{filepath.Join(v, site), "VIRTUAL_ENV"})
	}
	if v := os.Getenv("CONDA_PREFIX"); v != "" {
		all = append(all, candidate{filepath.Join(v, site), "CONDA_PREFIX"}, candidate{v, "CONDA_PREFIX"})
	}
	for _, clone := range clones() {
		all = append(all, candidate{filepath.Join(clone, ".venv", site), "the clone's .venv"})
	}
	var looked []string
	try := func(c candidate) (Location, bool) {
		matches, _ := filepath.Glob(c.pattern)
		sort.Strings(matches)
		for _, m := range matches {
			if l, ok := locate(m, c.from); ok {
				return l, true
			}
		}
		looked = append(looked, c.pattern+" ("+c.from+")")
		return Location{}, false
	}
	for _, c := range all {
		if l, ok := try(c); ok {
			return l, nil
		}
	}
	if dir := pythonTorch(); dir != "" {
		if l, ok := try(candidate{dir, "python3"}); ok {
			return l, nil
		}
	} else {
		looked = append(looked, "python3: no module torch")
	}
	for _, dir := range []string{"/usr", "/usr/local/libtorch", "/opt/libtorch"} {
		if l, ok := try(candidate{dir, "the system"}); ok {
			return l, nil
		}
	}
	return Location{}, &NotFoundError{Looked: looked}
}

// locate reports whether dir holds a libtorch with headers.
func locate(dir, from string) (Location, bool) {
	l := Location{Dir: dir, Include: filepath.Join(dir, "include"), From: from}
	triple := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	for _, lib := range []string{"lib", filepath.Join("lib", triple)} {
		if isFile(filepath.Join(dir, lib, "libtorch_cpu.so")) {
			l.Lib = filepath.Join(dir, lib)
			break
		}
	}
	if l.Lib == "" || !isFile(filepath.Join(l.Include, "torch", "csrc", "autograd", "autograd.h")) {
		return l, false
	}
	l.Version = readVersion(l)
	l.CUDA = isFile(filepath.Join(l.Lib, "libtorch_cuda.so"))
	l.CXX11 = cxx11(filepath.Join(l.Lib, "libc10.so"))
	return l, l.Version != ""
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// readVersion takes the version from version.py of the wheel, else from the macros of version.h.
func readVersion(l Location) string {
	if b, err := os.ReadFile(filepath.Join(l.Dir, "version.py")); err == nil {
		for line := range strings.SplitSeq(string(b), "\n") {
			if v, ok := strings.CutPrefix(line, "__version__ = "); ok {
				return strings.Trim(v, "'\" \r")
			}
		}
	}
	for _, h := range []string{"torch/headeronly/version.h", "torch/version.h", "torch/csrc/api/include/torch/version.h"} {
		b, err := os.ReadFile(filepath.Join(l.Include, h))
		if err != nil {
			continue
		}
		part := map[string]string{}
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			if f := strings.Fields(s.Text()); len(f) == 3 && f[0] == "#define" {
				part[strings.TrimPrefix(f[1], "TORCH_VERSION_")] = f[2]
			}
		}
		if part["MAJOR"] != "" {
			return part["MAJOR"] + "." + part["MINOR"] + "." + part["PATCH"]
		}
	}
	return ""
}

// cxx11 reports whether a library was built with libstdc++'s C++11 ABI: the mangled names of c10's own functions say so.
// They are looked for in the file as it is; package debug/elf would be linked into every cell that uses tensors.
func cxx11(libc10 string) bool {
	b, err := os.ReadFile(libc10)
	if err != nil {
		return true
	}
	found := false
	for name := range bytes.SplitSeq(b, []byte{0}) { // string tables
		if bytes.HasPrefix(name, []byte("_ZN3c10")) || bytes.HasPrefix(name, []byte("_ZNK3c10")) {
			if bytes.Contains(name, []byte("__cxx11")) {
				return true
			}
			found = true
		}
	}
	return !found
}

// clones lists the clones of gomosaic to try: around the working folder, and where this package was compiled from (unknown
// in a binary built with -trimpath).
func clones() []string {
	var dirs []string
	from := []string{}
	if wd, err := os.Getwd(); err == nil {
		from = append(from, wd)
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		from = append(from, filepath.Dir(file))
	}
	for _, dir := range from {
		for {
			if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && bytes.HasPrefix(b, []byte("module gomosaic\n")) {
				if len(dirs) == 0 || dirs[0] != dir {
					dirs = append(dirs, dir)
				}
				break
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return dirs
}

// pythonTorch asks python3 where it would import torch from, without importing it.
func pythonTorch() string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "python3", "-c",
		"import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// String says what was found, for `gomosaic doctor`.
func (l Location) String() string {
	kind := "CPU"
	if l.CUDA {
		kind = "CUDA build"
	}
	return fmt.Sprintf("libtorch %s (%s) in %s, by %s", l.Version, kind, l.Dir, l.From)
}

// majorMinor splits "2.15.0+cu132".
func (l Location) majorMinor() (major, minor int, err error) {
	if n, _ := fmt.Sscanf(l.Version, "%d.%d", &major, &minor); n != 2 {
		return 0, 0, fmt.Errorf("torch: cannot read the version %q of %s", l.Version, l.Dir)
	}
	if major < 2 || major == 2 && minor < 1 {
		return 0, 0, errors.New("torch: libtorch " + l.Version + " in " + l.Dir + " is too old: 2.1 is the oldest that works, 2.15 the one that is tested")
	}
	return major, minor, nil
}
