package cell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Toolchain is the Go installation that compiles cells. It must be the one that built the host.
type Toolchain struct {
	Version string // go1.26.8
	Root    string // GOROOT
	ToolDir string // where compile and link are

	ModCache string // GOMODCACHE

	goTool    string
	envMu     sync.Mutex
	env       []string
	userFlags []string // of the user's GOFLAGS, those that a session's module keeps
}

// goEnv are the settings of the user's that child go commands keep, read once: GOFLAGS and a go.work of the user's must
// not change how archives are built, or they would not fit the host.
var goEnv = []string{"GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOVCS", "GOAUTH", "GOCACHE"}

// networkEnv are those by which go commands reach modules: a session may change them.
var networkEnv = []string{"GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOVCS", "GOAUTH"}

// Setenv changes a setting by which go commands reach modules, for those that start from now on. Other names are left
// alone: how packages are compiled must not change.
func (t *Toolchain) Setenv(name, value string) {
	if !slices.Contains(networkEnv, name) {
		return
	}
	t.envMu.Lock()
	defer t.envMu.Unlock()
	t.env = append(without(t.env, name), name+"="+value)
}

// environ is the environment of a command, which the caller may append to.
func (t *Toolchain) environ() []string {
	t.envMu.Lock()
	defer t.envMu.Unlock()
	return slices.Clip(t.env)
}

// FindToolchain looks for go on PATH, else in the GOROOT that this program was built with.
func FindToolchain(ctx context.Context) (*Toolchain, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		path = filepath.Join(os.Getenv("GOROOT"), "bin", "go")
		if _, err := os.Stat(path); err != nil {
			return nil, errors.New("cells are compiled by the Go toolchain, and no go command is on PATH: install " + runtime.Version())
		}
	}
	t := &Toolchain{goTool: path}
	t.env = append(without(os.Environ(), "GOFLAGS", "GOWORK", "GOTOOLCHAIN", "CGO_ENABLED", "GOOS", "GOARCH", "GO111MODULE", "GOROOT"),
		"GOTOOLCHAIN=local", "GOWORK=off", "CGO_ENABLED=1", "GOFLAGS=-mod=readonly", "GO111MODULE=on")
	theirs := without(t.env, "GOFLAGS")
	if flags, ok := os.LookupEnv("GOFLAGS"); ok {
		theirs = append(theirs, "GOFLAGS="+flags)
	}
	out, err := command(ctx, os.TempDir(), theirs, t.goTool, append([]string{"env", "-json", "GOVERSION", "GOROOT", "GOTOOLDIR", "GOFLAGS"}, goEnv...)...)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	t.Version, t.Root, t.ToolDir = settings["GOVERSION"], settings["GOROOT"], settings["GOTOOLDIR"]
	if t.Version != runtime.Version() {
		return nil, fmt.Errorf("gomosaic was built by %s and cells would be by %s (%s): rebuild gomosaic, or put the older go first on PATH", runtime.Version(), t.Version, path)
	}
	t.ModCache = settings["GOMODCACHE"]
	for _, flag := range strings.Fields(settings["GOFLAGS"]) {
		if name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "="); name == "tags" || name == "modcacherw" {
			t.userFlags = append(t.userFlags, flag)
		}
	}
	for _, name := range goEnv {
		if settings[name] != "" {
			t.env = append(without(t.env, name), name+"="+settings[name])
		}
	}
	return t, nil
}

// without leaves out the named variables of an environment.
func without(env []string, names ...string) []string {
	var out []string
next:
	for _, kv := range env {
		for _, name := range names {
			if strings.HasPrefix(kv, name+"=") {
				continue next
			}
		}
		out = append(out, kv)
	}
	return out
}

// Go runs a go command in dir, with extra environment settings taken from leading KEY=value arguments, and returns its
// standard output. The error holds its standard error.
func (t *Toolchain) Go(ctx context.Context, dir string, args ...string) ([]byte, error) {
	env := t.environ()
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "-") {
		env = append(env, args[0])
		args = args[1:]
	}
	return command(ctx, dir, env, t.goTool, args...)
}

// Tool runs compile or link.
func (t *Toolchain) Tool(ctx context.Context, dir, name string, args ...string) error {
	_, err := command(ctx, dir, t.environ(), filepath.Join(t.ToolDir, name), args...)
	return err
}

func command(ctx context.Context, dir string, env []string, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(errs.String() + "\n" + out.String())
		if len(args) > 0 && filepath.Base(path) == "go" {
			return out.Bytes(), fmt.Errorf("go %s: %w\n%s", args[0], err, text)
		}
		return out.Bytes(), fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, text)
	}
	return out.Bytes(), nil
}
