package kernel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"

	"gomosaic/display/echarts"
)

// Kernelspec describes an installed kernel to Jupyter (kernel.json).
type Kernelspec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"`
	Protocol      string            `json:"kernel_protocol_version"`
	Env           map[string]string `json:"env"`
	Metadata      map[string]any    `json:"metadata"`
}

// InstallOptions say where a kernelspec goes and what it holds. At most one of Prefix and SysPrefix may be set; the
// zero value installs for the current user.
type InstallOptions struct {
	Prefix      string            // installs into Prefix/share/jupyter/kernels
	SysPrefix   bool              // installs into the active virtual or conda environment, or that of the jupyter on PATH
	Name        string            // of the folder; "" is gomosaic
	DisplayName string            // "" is "Go (gomosaic)"
	Env         map[string]string // set for the kernel process
	Binary      string            // "" is this executable
	DryRun      bool              // only say what would be written
}

// DefaultName is the kernelspec's folder where InstallOptions.Name is empty.
const DefaultName = "gomosaic"

var kernelName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Dir is the folder that the kernelspec is installed in.
func (o InstallOptions) Dir() (string, error) {
	name := o.Name
	if name == "" {
		name = DefaultName
	}
	if !kernelName.MatchString(name) || name == "." || name == ".." {
		return "", fmt.Errorf("kernelspec name %q: Jupyter takes letters, digits, dots, hyphens and underscores", name)
	}
	var data string
	switch {
	case o.Prefix != "" && o.SysPrefix:
		return "", errors.New("choose one of prefix and sys-prefix")
	case o.Prefix != "":
		prefix, err := filepath.Abs(o.Prefix)
		if err != nil {
			return "", err
		}
		data = filepath.Join(prefix, "share", "jupyter")
	case o.SysPrefix:
		prefix, err := sysPrefix()
		if err != nil {
			return "", err
		}
		data = filepath.Join(prefix, "share", "jupyter")
	default:
		var err error
		if data, err = userData(); err != nil {
			return "", err
		}
	}
	return filepath.Join(data, "kernels", name), nil
}

// userData is Jupyter's data folder of this user (jupyter_core.paths.jupyter_data_dir).
func userData() (string, error) {
	if d := os.Getenv("JUPYTER_DATA_DIR"); d != "" {
		return filepath.Abs(d)
	}
	if d := os.Getenv("XDG_DATA_HOME"); d != "" && runtime.GOOS != "darwin" {
		return filepath.Join(d, "jupyter"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// sysPrefix is the environment that the user is in: $VIRTUAL_ENV, $CONDA_PREFIX, or that of the first python3 on PATH.
func sysPrefix() (string, error) {
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if d := os.Getenv(name); d != "" {
			return filepath.Abs(d)
		}
	}
	for _, python := range []string{"python3", "python"} {
		out, err := exec.Command(python, "-c", "import sys; print(sys.prefix)").Output()
		if d := string(bytes.TrimSpace(out)); err == nil && filepath.IsAbs(d) {
			return d, nil
		}
	}
	return "", errors.New("no environment is active ($VIRTUAL_ENV, $CONDA_PREFIX) and there is no python3 on PATH: use --prefix DIR or --user")
}

// spec is the kernelspec to write.
func (o InstallOptions) spec() (Kernelspec, error) {
	binary := o.Binary
	if binary == "" {
		exe, err := os.Executable()
		if err != nil {
			return Kernelspec{}, err
		}
		binary = exe
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return Kernelspec{}, err
	}
	display := o.DisplayName
	if display == "" {
		display = "Go (gomosaic)"
	}
	env := maps.Clone(o.Env)
	if env == nil {
		env = map[string]string{}
	}
	if o.Name != "" && o.Name != DefaultName {
		env[echarts.KernelEnv] = o.Name
	}
	return Kernelspec{
		Argv: []string{binary, "kernel", "{connection_file}"}, DisplayName: display, Language: "go",
		InterruptMode: "message", Protocol: "5.4", Env: env, Metadata: map[string]any{"debugger": false},
	}, nil
}

// Files are the kernelspec folder's files by name.
func (o InstallOptions) Files() (map[string][]byte, error) {
	spec, err := o.spec()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(spec); err != nil {
		return nil, err
	}
	files := map[string][]byte{"kernel.json": b.Bytes()}
	for _, name := range []string{"logo-svg.svg", "logo-32x32.png", "logo-64x64.png"} {
		if files[name], err = logos.ReadFile(name); err != nil {
			return nil, err
		}
	}
	maps.Copy(files, echarts.Files()) // a trusted notebook's charts load the library from this folder
	return files, nil
}

// Install writes the kernelspec and returns its folder. The folder appears whole or not at all: it is written beside its
// place and renamed; an older one of the same name is replaced.
func Install(o InstallOptions) (dir string, err error) {
	if dir, err = o.Dir(); err != nil {
		return "", err
	}
	files, err := o.Files()
	if err != nil {
		return "", err
	}
	if o.DryRun {
		return dir, nil
	}
	kernels := filepath.Dir(dir)
	if err := os.MkdirAll(kernels, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(kernels, ".gomosaic-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return "", err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o644); err != nil {
			return "", err
		}
	}
	old := fresh + "-old"
	if err := os.Rename(dir, old); err == nil {
		defer os.RemoveAll(old)
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := os.Rename(fresh, dir); err != nil {
		os.Rename(old, dir)
		return "", err
	}
	return dir, nil
}

// Uninstall removes the kernelspec that Install with the same options wrote and returns its folder. A folder whose
// kernel.json does not start gomosaic is left alone with an error.
func Uninstall(o InstallOptions) (dir string, err error) {
	if dir, err = o.Dir(); err != nil {
		return "", err
	}
	spec, err := ReadKernelspec(dir)
	if err != nil {
		return "", err
	}
	if len(spec.Argv) != 3 || spec.Argv[1] != "kernel" || spec.Language != "go" {
		return "", fmt.Errorf("%s holds another kernel (%q): not removed", dir, spec.DisplayName)
	}
	if o.DryRun {
		return dir, nil
	}
	return dir, os.RemoveAll(dir)
}

// ReadKernelspec reads dir/kernel.json.
func ReadKernelspec(dir string) (Kernelspec, error) {
	var spec Kernelspec
	path := filepath.Join(dir, "kernel.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(b, &spec); err != nil {
		return spec, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}
