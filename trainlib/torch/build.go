package torch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"gomosaic/trainlib/shim"
)

// BuildOptions tell [BuildShim] what to build against and where to; the zero value takes what [Find] finds and the user's
// cache directory.
type BuildOptions struct {
	Torch    Location // the libtorch; zero: Find()
	CacheDir string   // default os.UserCacheDir()/gomosaic/shim
	CXX      string   // the compiler; default $CXX, else g++
	NoBuild  bool     // a shim that is not there is an error that wraps fs.ErrNotExist
}

const (
	shimName     = "libmdstorch.so"
	shimCUDAName = "libmdstorch_cuda.so"
	logName      = "build.log"
)

// BuildError is returned by [BuildShim] when the compiler is missing or fails.
type BuildError struct {
	Command string // the command to type
	Log     string // the file that holds the compiler's words; "" when it never ran
	Tail    string // the end of it
	Err     error
}

func (e *BuildError) Error() string {
	s := fmt.Sprintf("torch: building the libtorch shim: %v; the command was:\n  %s", e.Err, e.Command)
	if e.Tail != "" {
		s += "\n" + e.Tail + "\n(the whole log is " + e.Log + ")"
	}
	return s
}

func (e *BuildError) Unwrap() error { return e.Err }

// EnvShimDir names the environment variable of a folder of built shims, in which [BuildShim] looks before it builds one: a
// launcher that knows a machine to have no compiler brings [BuiltShim] along.
const EnvShimDir = "GOMOSAIC_SHIM_DIR"

// BuildShim makes sure that the shim for a libtorch is built and returns the path of libmdstorch.so. One build serves every
// process of the user: it is kept under
//
//	<cache>/gomosaic/shim/<torch version>-<cpu|cuda>-abi<0|1>-<hash of sources>/   (cuda: with NCCL and CUDA graphs)
//
// A file lock keeps two processes from building the same thing, and the library appears by rename, whole or not at all. It
// takes some 15 s on two cores. Errors about the compiler are [*BuildError].
func BuildShim(ctx context.Context, opts BuildOptions) (string, error) {
	if opts.Torch.Dir == "" {
		l, err := Find()
		if err != nil {
			return "", err
		}
		opts.Torch = l
	}
	if opts.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("torch: no cache directory for the shim: %w", err)
		}
		opts.CacheDir = filepath.Join(base, "gomosaic", "shim")
	}
	if opts.CXX == "" {
		if opts.CXX = os.Getenv("CXX"); opts.CXX == "" {
			opts.CXX = "g++"
		}
	}
	major, minor, err := opts.Torch.majorMinor()
	if err != nil {
		return "", err
	}
	hash, err := shim.Hash()
	if err != nil {
		return "", err
	}
	kind, abi := "cpu", 0
	if opts.Torch.CXX11 {
		abi = 1
	}
	b := builder{opts: opts, abi: abi, std: "c++20"}
	if major == 2 && minor < 12 { // from 2.12 on the headers ask for C++20
		b.std = "c++17"
	}
	if opts.Torch.CUDA && b.hasCUDAHeaders() {
		// without the headers everything but NCCL and CUDA graphs works; once they are installed, another folder is built
		kind, b.cuda = "cuda", true
	}
	name := func(kind string) string { return fmt.Sprintf("%s-%s-abi%d-%s", opts.Torch.Version, kind, abi, hash) }
	if brought := os.Getenv(EnvShimDir); brought != "" {
		kinds := []string{kind}
		if opts.Torch.CUDA { // the headers are for building alone
			kinds = []string{"cuda", kind}
		}
		for _, k := range kinds {
			if lib := filepath.Join(brought, name(k), shimName); isFile(lib) {
				return lib, nil
			}
		}
	}
	dir := filepath.Join(opts.CacheDir, name(kind))
	lib := filepath.Join(dir, shimName)
	if isFile(lib) {
		return lib, nil
	}
	if opts.NoBuild {
		return "", fs.ErrNotExist
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("torch: %w", err)
	}
	unlock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if isFile(lib) { // another process built it meanwhile
		return lib, nil
	}
	b.dir = dir
	return lib, b.build(ctx)
}

// BuiltShim returns the files of the shim for the libtorch that [Find] finds, by their paths in a folder for [EnvShimDir]. It is
// an error that wraps fs.ErrNotExist that the shim was not built yet.
func BuiltShim() (map[string][]byte, error) {
	lib, err := BuildShim(context.Background(), BuildOptions{NoBuild: true})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{shimName, shimCUDAName} {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(lib), name))
		if err == nil {
			files[filepath.Base(filepath.Dir(lib))+"/"+name] = data
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("torch: %w", err)
		}
	}
	return files, nil
}

// lockFile takes an exclusive lock that ends with the process, however it ends.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("torch: locking %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// builder compiles the shim's translation units side by side and links them.
type builder struct {
	opts BuildOptions
	dir  string
	abi  int
	std  string
	cuda bool // build the second library, too
}

func (b *builder) build(ctx context.Context) error {
	work, err := os.MkdirTemp(b.dir, "build-*")
	if err != nil {
		return fmt.Errorf("torch: %w", err)
	}
	defer os.RemoveAll(work)
	if err := shim.Unpack(work); err != nil {
		return fmt.Errorf("torch: unpacking the shim's sources: %w", err)
	}
	if _, err := exec.LookPath(b.opts.CXX); err != nil {
		return &BuildError{Command: b.whole(), Err: fmt.Errorf("no C++ compiler %q (Debian/Ubuntu: sudo apt install g++)", b.opts.CXX)}
	}
	logPath := filepath.Join(b.dir, logName)
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("torch: %w", err)
	}
	defer log.Close()
	run := func(ctx context.Context, args []string) error {
		cmd := exec.CommandContext(ctx, b.opts.CXX, args...)
		cmd.Dir = work
		out, err := cmd.CombinedOutput()
		line := quoted(b.opts.CXX, args)
		fmt.Fprintf(log, "%s\n%s", line, out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &BuildError{Command: line, Log: logPath, Tail: tail(out), Err: err}
		}
		return nil
	}
	units := map[string][]string{"mdstorch": b.flags(), "mdstorch_c10d": b.flags()}
	if b.cuda {
		units["mdstorch_cuda"] = append(b.flags(), b.cudaIncludes()...)
	}
	group, gctx := errgroup.WithContext(ctx)
	for u, flags := range units {
		group.Go(func() error { return run(gctx, append(flags, "-c", u+".cpp", "-o", u+".o")) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// -ltorch would pull in libtorch_cuda, cuBLAS and cuDNN on a CUDA build
	if err := run(ctx, []string{"-shared", "-o", shimName, "mdstorch.o", "mdstorch_c10d.o", "-L" + b.opts.Torch.Lib, "-ltorch_cpu", "-lc10"}); err != nil {
		return err
	}
	if b.cuda {
		args := []string{"-shared", "-o", shimCUDAName, "mdstorch_cuda.o", "-L" + b.opts.Torch.Lib,
			"-ltorch_cuda", "-lc10_cuda", "-ltorch_cpu", "-lc10", "-Wl,--unresolved-symbols=ignore-in-shared-libs"}
		if err := run(ctx, args); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(work, shimCUDAName), filepath.Join(b.dir, shimCUDAName)); err != nil {
			return fmt.Errorf("torch: %w", err)
		}
	}
	if err := os.Rename(filepath.Join(work, shimName), filepath.Join(b.dir, shimName)); err != nil {
		return fmt.Errorf("torch: %w", err)
	}
	return nil
}

func (b *builder) flags() []string {
	inc := b.opts.Torch.Include
	return []string{"-std=" + b.std, "-O2", "-fPIC", "-fvisibility=hidden", fmt.Sprintf("-D_GLIBCXX_USE_CXX11_ABI=%d", b.abi),
		"-I.", "-I" + inc, "-I" + filepath.Join(inc, "torch", "csrc", "api", "include")}
}

// cudaIncludes are the folders of the pip packages nvidia-* beside torch, and of the system's toolkit. CUDA 13 keeps nv/target,
// which its own headers want, one folder deeper.
func (b *builder) cudaIncludes() []string {
	var dirs []string
	for _, p := range []string{"nvidia/*/include", "nvidia/*/*/include"} {
		found, _ := filepath.Glob(filepath.Join(filepath.Dir(b.opts.Torch.Dir), p))
		dirs = append(dirs, found...)
	}
	toolkits := []string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH"), "/usr/local/cuda"}
	if nvcc, err := exec.LookPath("nvcc"); err == nil {
		toolkits = append(toolkits, filepath.Dir(filepath.Dir(nvcc)))
	}
	for _, toolkit := range toolkits {
		if toolkit != "" {
			dirs = append(dirs, filepath.Join(toolkit, "include"))
		}
	}
	var flags []string
	for _, dir := range dirs {
		flags = append(flags, "-I"+dir)
		if cccl := filepath.Join(dir, "cccl"); isFile(filepath.Join(cccl, "nv", "target")) {
			flags = append(flags, "-I"+cccl)
		}
	}
	return flags
}

// cudaHeaders are one of each package that the second library needs: cuda-runtime, cuda-crt, cuda-cccl, nccl.
var cudaHeaders = []string{"cuda_runtime_api.h", "crt/host_config.h", "nv/target", "nccl.h"}

func (b *builder) hasCUDAHeaders() bool {
	has := map[string]bool{}
	for _, flag := range b.cudaIncludes() {
		for _, h := range cudaHeaders {
			if isFile(filepath.Join(strings.TrimPrefix(flag, "-I"), h)) {
				has[h] = true
			}
		}
	}
	return len(has) == len(cudaHeaders)
}

// whole is the build as one command that can be typed in the folder of the sources.
func (b *builder) whole() string {
	args := append(b.flags(), "-shared", "mdstorch.cpp", "mdstorch_c10d.cpp", "-o", filepath.Join(b.dir, shimName), "-L"+b.opts.Torch.Lib, "-ltorch_cpu", "-lc10")
	return "cd trainlib/shim/src && " + quoted(b.opts.CXX, args)
}

func quoted(name string, args []string) string {
	var s strings.Builder
	for i, a := range append([]string{name}, args...) {
		if i > 0 {
			s.WriteByte(' ')
		}
		if strings.ContainsAny(a, " \t'\"$&;()*?\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		s.WriteString(a)
	}
	return s.String()
}

// tail is the end of a compiler's output: enough to see the first lines of the last error.
func tail(out []byte) string {
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(lines) > 30 {
		lines = lines[len(lines)-30:]
	}
	return strings.Join(lines, "\n")
}
