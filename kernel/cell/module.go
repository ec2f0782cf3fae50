package cell

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Module is where the packages of cells come from: the clone of gomosaic, through its own go.mod or through one that a
// session keeps beside it (go's -modfile), with further requirements and local folders. The main module is the clone
// either way, so that packages which the host links compile to the same archives. Safe for concurrent use.
type Module struct {
	tools  *Toolchain
	dir    string // the clone
	folder string // of go.mod, go.sum and overlay.json; empty: the clone's own

	mu     sync.Mutex
	pinned map[string]string // module → version that the running host has
	locals []*local

	vendored []module.Version // by Vendor: path, and folder relative to a module made by Outside
}

// Requirement is a module at a version.
type Requirement struct{ Path, Version string }

func (r Requirement) String() string { return r.Path + " " + r.Version }

// NewModule is the module of the clone in dir, as it is.
func NewModule(tools *Toolchain, dir string) *Module { return &Module{tools: tools, dir: dir} }

// Setenv changes a setting by which the go command reaches modules, such as GOPRIVATE; others are left alone.
func (m *Module) Setenv(name, value string) { m.tools.Setenv(name, value) }

// Extend makes a module that begins as a copy of m and is changed by [Module.Get] and [Module.Use]; its files are in
// folder. pinned are the modules that the running host links, by path.
func (m *Module) Extend(folder string, pinned map[string]string) (*Module, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range []string{"go.mod", "go.sum", "overlay.json"} {
		data, err := os.ReadFile(m.file(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := writeFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	x := &Module{tools: m.tools, dir: m.dir, folder: folder, pinned: pinned, locals: slices.Clone(m.locals)}
	return x, nil
}

// Open makes a module of the clone's with the given files, which are kept in folder.
func (m *Module) Open(folder string, goMod, goSum []byte) (*Module, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{"go.mod": goMod, "go.sum": goSum} {
		if old, err := os.ReadFile(filepath.Join(folder, name)); err == nil && bytes.Equal(old, data) {
			continue
		}
		if err := writeFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	return &Module{tools: m.tools, dir: m.dir, folder: folder}, nil
}

// Files are the module's go.mod and go.sum.
func (m *Module) Files() (goMod, goSum []byte, err error) {
	if goMod, err = os.ReadFile(m.file("go.mod")); err != nil {
		return nil, nil, err
	}
	goSum, err = os.ReadFile(m.file("go.sum"))
	return goMod, goSum, err
}

// Packages are the packages that patterns of the go command name, without those that nobody outside can import.
func (m *Module) Packages(ctx context.Context, patterns ...string) ([]Preload, error) {
	out, err := m.list(ctx, append([]string{"-f", "{{.Name}}\t{{.ImportPath}}"}, patterns...)...)
	if err != nil {
		return nil, errors.New(goWords(err.Error()))
	}
	var found []Preload
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if name != "main" && !strings.Contains("/"+path+"/", "/internal/") {
			found = append(found, Preload{Name: name, Path: path})
		}
	}
	return found, nil
}

// Tools is the toolchain that lists and compiles the module's packages.
func (m *Module) Tools() *Toolchain { return m.tools }

// Dir is the clone.
func (m *Module) Dir() string { return m.dir }

func (m *Module) file(name string) string {
	if m.folder == "" {
		return filepath.Join(m.dir, name)
	}
	return filepath.Join(m.folder, name)
}

// flags makes the go command see the module; mod is the value of -mod.
func (m *Module) flags(mod string) []string {
	if m.folder == "" {
		return []string{"-mod=" + mod}
	}
	return append([]string{"-mod=" + mod, "-modfile=" + m.file("go.mod")}, m.outsideFlags()...)
}

// outsideFlags are the flags for a module made by [Module.Outside].
func (m *Module) outsideFlags() []string {
	if m.folder == "" {
		return nil
	}
	flags := slices.Clone(m.tools.userFlags)
	if _, err := os.Stat(m.file("overlay.json")); err == nil {
		flags = append(flags, "-overlay="+m.file("overlay.json"))
	}
	return flags
}

// list runs go list. A checksum that go.sum lacks is looked up: the versions are settled, only a package of a module
// that was not needed before is.
func (m *Module) list(ctx context.Context, args ...string) ([]byte, error) {
	run := func(mod string) ([]byte, error) {
		return m.tools.Go(ctx, m.dir, slices.Concat([]string{"list"}, m.flags(mod), args)...)
	}
	out, err := run("readonly")
	if err != nil && m.folder != "" && (strings.Contains(err.Error(), "missing go.sum entry") || strings.Contains(err.Error(), "updates to go.mod needed")) {
		return run("mod")
	}
	return out, err
}

// read parses go.mod.
func (m *Module) read() (*modfile.File, error) { return readModFile(m.file("go.mod")) }

func readModFile(path string) (*modfile.File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the module whose packages cells import: %w", err)
	}
	return modfile.Parse(path, data, nil)
}

// requirements are the versions in force, by module.
func requirements(mod *modfile.File) map[string]string {
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions
}

// Requires tells whether a required module may hold the package.
func (m *Module) Requires(pkg string) bool {
	mod, err := m.read()
	if err != nil {
		return false
	}
	if within(pkg, mod.Module.Mod.Path) {
		return true
	}
	for _, r := range mod.Require {
		if within(pkg, r.Mod.Path) {
			return true
		}
	}
	return false
}

func within(pkg, path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") }

// Linked are the modules in an executable, by path; the main module is not among them.
func Linked(binary string) (map[string]string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	linked := map[string]string{}
	for _, d := range info.Deps {
		linked[d.Path] = d.Version
	}
	return linked, nil
}

// BuildHost builds the host's main package with what the module requires, as the host was built: -trimpath, so that
// archives and host agree.
func (m *Module) BuildHost(ctx context.Context, mainPackage, output string, flags ...string) error {
	args := slices.Concat([]string{"build", "-trimpath", "-buildvcs=false"}, m.flags("readonly"), flags, []string{"-o", output, mainPackage})
	if _, err := m.tools.Go(ctx, m.dir, args...); err != nil {
		return errors.New(goWords(err.Error()))
	}
	return nil
}

// ConflictError says that a requirement changes modules that the running host has at other versions: it takes a host
// that is built with them.
type ConflictError struct {
	Wanted    string // what was asked for
	Conflicts []Conflict
}

// Conflict is one module of a [ConflictError].
type Conflict struct{ Path, Host, Wanted string }

// Error names every module with both versions.
func (e *ConflictError) Error() string {
	var b strings.Builder
	for i, c := range e.Conflicts {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s needs %s %s, and this kernel is running with %s", e.Wanted, c.Path, c.Wanted, c.Host)
	}
	return b.String()
}

// Get requires modules, path[@version] each, as `go get` does, and returns what changed. The error is a *[ConflictError]
// where that would change a module that the host has; with force it is done nevertheless, for a host to be built. The
// module is unchanged after an error.
func (m *Module) Get(ctx context.Context, force bool, args ...string) ([]Requirement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.change(strings.Join(args, " "), force, func(next *Module) error {
		_, err := m.tools.Go(ctx, m.dir, slices.Concat([]string{"get", "-modfile=" + next.file("go.mod")}, next.outsideFlags(), args)...)
		if err != nil {
			return m.explain(err, args)
		}
		return nil
	})
}

// change makes an edited copy of the module's files, and puts it in their place if nothing is in the way.
func (m *Module) change(wanted string, force bool, edit func(next *Module) error) ([]Requirement, error) {
	folder, err := os.MkdirTemp(filepath.Dir(m.folder), ".module-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := os.CopyFS(folder, os.DirFS(m.folder)); err != nil {
		return nil, err
	}
	next := &Module{tools: m.tools, dir: m.dir, folder: folder, locals: m.locals}
	before, err := m.read()
	if err != nil {
		return nil, err
	}
	if err := edit(next); err != nil {
		return nil, err
	}
	after, err := next.read()
	if err != nil {
		return nil, err
	}
	old, fresh := requirements(before), requirements(after)
	conflict := &ConflictError{Wanted: wanted}
	for _, path := range sortedKeys(m.pinned) {
		if v := fresh[path]; v != "" && v != m.pinned[path] {
			conflict.Conflicts = append(conflict.Conflicts, Conflict{path, m.pinned[path], v})
		}
	}
	if len(conflict.Conflicts) > 0 && !force {
		return nil, conflict
	}
	var changed []Requirement
	for _, path := range sortedKeys(fresh) {
		if fresh[path] != old[path] {
			changed = append(changed, Requirement{path, fresh[path]})
		}
	}
	for _, name := range []string{"overlay.json", "go.sum", "go.mod"} { // go.mod last: it refers to the others
		if err := os.Rename(next.file(name), m.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	m.locals = next.locals
	return changed, nil
}

// unreachable are the go command's words for a proxy or a repository that cannot be asked.
var unreachable = []string{"dial tcp", "no such host", "connection refused", "network is unreachable", "i/o timeout", "module lookup disabled by GOPROXY=off", "Could not resolve host", "proxyconnect"}

// explain says in the user's terms why go get failed.
func (m *Module) explain(err error, args []string) error {
	text := err.Error()
	for _, sign := range unreachable {
		if !strings.Contains(text, sign) {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "offline: %s is not in the module cache, and GOPROXY cannot be asked", strings.Join(args, " "))
		for _, arg := range args {
			if at := m.cached(arg); len(at) > 0 {
				path, _, _ := strings.Cut(arg, "@")
				fmt.Fprintf(&b, "\nthe cache has %s at %s", path, strings.Join(at, ", "))
			}
		}
		return fmt.Errorf("%s\n%s", b.String(), finalLine(text))
	}
	return errors.New(goWords(text))
}

// cached lists the versions of a module that the module cache holds, newest last.
func (m *Module) cached(arg string) []string {
	path, _, _ := strings.Cut(arg, "@")
	escaped, err := module.EscapePath(path)
	if err != nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(m.tools.ModCache, "cache", "download", filepath.FromSlash(escaped), "@v", "*.zip"))
	versions := make([]string, len(files))
	for i, file := range files {
		versions[i] = strings.TrimSuffix(filepath.Base(file), ".zip")
	}
	semver.Sort(versions)
	return versions
}

// goWords are the go command's own words, without ours before them.
func goWords(text string) string {
	if head, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(head, "go ") {
		text = rest
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && strings.Count(line, "\t") < 3 && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go: downloading") && !strings.HasPrefix(line, "go: added") && !strings.HasPrefix(line, "go: upgraded") {
			lines = append(lines, strings.TrimPrefix(line, "go: "))
		}
	}
	return strings.Join(lines[:min(len(lines), 20)], "\n")
}

func finalLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// pin notes that the host now holds packages of a module at a version.
func (m *Module) pin(path, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pinned == nil {
		m.pinned = map[string]string{}
	}
	if m.pinned[path] == "" {
		m.pinned[path] = version
	}
}

// has tells whether the host holds packages of a module.
func (m *Module) has(path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pinned[path] != ""
}

// Unpin says which modules a fresh host links: nothing else is loaded.
func (m *Module) Unpin(linked map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pinned = linked
}

// overlay is go's -overlay file: files that are not where the go command sees them.
type overlay struct{ Replace map[string]string }

func (m *Module) readOverlay() (overlay, error) {
	o := overlay{Replace: map[string]string{}}
	data, err := os.ReadFile(m.file("overlay.json"))
	if errors.Is(err, os.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(data, &o)
}

func (m *Module) writeOverlay(o overlay) error {
	data, err := json.MarshalIndent(o, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(m.file("overlay.json"), data, 0o644)
}
