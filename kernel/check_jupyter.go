package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"gomosaic/trainlib/torch"
)

// prefix is the environment that belongs to the installation.
func (o DoctorOptions) prefix() string {
	if o.Prefix == "" && o.ModuleDir != "" {
		return filepath.Join(o.ModuleDir, ".venv")
	}
	return o.Prefix
}

// kernelDirs lists the folders in which Jupyter looks for kernelspecs, in its order.
func kernelDirs(o DoctorOptions) []string {
	var data []string
	for d := range strings.SplitSeq(os.Getenv("JUPYTER_PATH"), string(os.PathListSeparator)) {
		if d != "" {
			data = append(data, d)
		}
	}
	if d, err := userData(); err == nil {
		data = append(data, d)
	}
	for _, prefix := range []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX"), o.prefix(), "/usr/local", "/usr"} {
		if prefix != "" {
			data = append(data, filepath.Join(prefix, "share", "jupyter"))
		}
	}
	var dirs []string
	for _, d := range data {
		if d = filepath.Join(d, "kernels"); !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// installAgain is the command that installs the kernelspec of that folder anew; "" is the user's own.
func installAgain(dir string) string {
	exe, err := os.Executable()
	if err != nil {
		exe = "gomosaic"
	}
	kernels, name := filepath.Split(dir)
	prefix, ok := strings.CutSuffix(filepath.Clean(kernels), "/share/jupyter/kernels")
	command := shellWord(exe) + " install --user"
	if ok {
		command = shellWord(exe) + " install --prefix " + shellWord(prefix)
	}
	if dir != "" && name != DefaultName {
		command += " --name " + name
	}
	return command
}

// checkKernelspec looks for kernelspecs of gomosaic and runs their binaries.
func checkKernelspec(ctx context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "kernelspec", Grade: Fail, Detail: "not installed where Jupyter looks", Fix: installAgain("")}
	var works []string
	for _, dir := range kernelDirs(o) {
		found, _ := filepath.Glob(filepath.Join(dir, "*", "kernel.json"))
		for _, path := range found {
			spec, err := ReadKernelspec(filepath.Dir(path))
			if err != nil || len(spec.Argv) != 3 || spec.Argv[1] != "kernel" || spec.Language != "go" {
				continue // another kernel
			}
			out, err := programOutput(ctx, nil, spec.Argv[0], "version")
			if err != nil {
				return Finding{Check: "kernelspec", Grade: Fail, Detail: fmt.Sprintf("%s starts %s, which does not run: %v", filepath.Dir(path), spec.Argv[0], err), Fix: installAgain(filepath.Dir(path))}
			}
			if line, _, _ := strings.Cut(out, "\n"); strings.HasPrefix(line, "gomosaic ") {
				works = append(works, filepath.Dir(path))
			}
		}
	}
	if len(works) > 0 {
		return Finding{Check: "kernelspec", Grade: OK, Detail: strings.Join(works, ", ")}
	}
	return f
}

// checkJupyter looks for a Jupyter on PATH or in the clone's environment.
func checkJupyter(ctx context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "jupyter", Grade: Warn, Detail: "none on PATH or in the clone (optional: any client of Jupyter kernels will do)", Fix: makeTarget(o, "setup")}
	for _, path := range []string{filepath.Join(o.prefix(), "bin", "jupyter"), "jupyter"} {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		python := filepath.Join(filepath.Dir(path), "python")
		if _, err := os.Stat(python); err != nil {
			python = "python3"
		}
		out, err := programOutput(ctx, nil, python, "-c", `import importlib.metadata as m
for name in ("jupyterlab", "notebook", "jupyter_client", "nbclient"):
    try: print(name, m.version(name), end=", ")
    except m.PackageNotFoundError: pass`)
		out = strings.TrimSuffix(strings.TrimSpace(out), ",")
		if err != nil || out == "" {
			f.Detail = fmt.Sprintf("%s: its Python %s has no jupyter_client", path, python)
			continue
		}
		return Finding{Check: "jupyter", Grade: OK, Detail: out + " at " + path}
	}
	return f
}

// checkGPU asks the driver's own tool, and libtorch whether it can use what that finds; without a GPU training runs on the CPU.
func checkGPU(ctx context.Context, _ DoctorOptions) Finding {
	if out, err := programOutput(ctx, nil, "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"); err == nil && out != "" {
		return usableGPU(ctx, strings.Join(strings.Split(out, "\n"), "; "))
	}
	if lib := cudaDriver(); lib != "" {
		return Finding{Check: "gpu", Grade: Warn, Detail: lib + " is there, but nvidia-smi finds no GPU: training runs on the CPU", Fix: "nvidia-smi"}
	}
	return Finding{Check: "gpu", Grade: OK, Detail: "none: training runs on the CPU"}
}

// usableGPU tells whether training will run on the GPUs that the driver has found.
func usableGPU(ctx context.Context, gpus string) Finding {
	f := Finding{Check: "gpu", Grade: Warn}
	const name = "CUDA_VISIBLE_DEVICES"
	if visible, set := os.LookupEnv(name); set && (visible == "" || visible == "-1") {
		f.Detail, f.Fix = gpus+", but "+name+" hides it: training runs on the CPU", "unset "+name
		return f
	}
	if torch.Load(ctx) == nil && !torch.CUDAAvailable() { // why it does not load is the check of libtorch's to say
		f.Detail = gpus + ", but libtorch cannot use it (an installation for the CPU?): training runs on the CPU"
		f.Fix = "rm -rf .venv && make setup"
		return f
	}
	return Finding{Check: "gpu", Grade: OK, Detail: gpus}
}

// cudaDriver is the path of NVIDIA's driver library, "" without one.
func cudaDriver() string {
	if runtime.GOOS != "linux" {
		return ""
	}
	for _, pattern := range []string{"/usr/lib/*-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1", "/usr/local/cuda/compat/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}
