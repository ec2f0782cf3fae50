package cell

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Archives knows the compiled packages that cells can import: a list of import path, package name and archive file in
// Go's build cache, kept in a file of ours under a key of everything that it depends on. The archives serve three ends:
// export data for the check, import data for the compiler, code for the linker. Safe for concurrent use.
type Archives struct {
	tools  *Toolchain
	base   *Module
	module *Module // base, or the session's that extends it
	index  string  // file
	lock   string
	docs   docs

	mu       sync.Mutex
	packages map[string]archive // of base

	// What the session's module adds.
	added      map[string]archive
	sources    map[string]source // local packages
	current    map[string]string // local package → path of its newest generation
	generation int
	epoch      int // of hosts: see Forget
}

type archive struct{ name, file string }

// OpenArchives opens the list for a module, and makes it by the go command if it is missing, or if Go's
// build cache has dropped one of its files. roots are listed beside the standard library: the host's main package and
// what cells import without asking. progress may be nil.
func OpenArchives(ctx context.Context, module *Module, cacheDir string, roots []string, progress func(string)) (*Archives, error) {
	key, err := moduleKey(module, roots)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return nil, err
	}
	a := &Archives{tools: module.tools, base: module, module: module, packages: map[string]archive{},
		index: filepath.Join(cacheDir, "archives-"+key), lock: filepath.Join(cacheDir, "archives.lock")}
	if a.read() {
		return a, nil
	}
	lock, err := LockFile(ctx, a.lock)
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()
	if a.read() { // another kernel was faster
		return a, nil
	}
	if progress != nil {
		progress("compiling the packages that cells can import (" + a.tools.Version + "; once)")
	}
	if err := a.list(ctx, append([]string{"-e"}, append(roots, "std")...)...); err != nil {
		return nil, err
	}
	pruneArchives(cacheDir, a.index)
	return a, a.write()
}

// Extend makes the packages of a session's module known, which extends the one that the list was opened for. What it
// adds is the session's own and not kept.
func (a *Archives) Extend(module *Module) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.module = module
	a.added, a.sources, a.current = map[string]archive{}, map[string]source{}, map[string]string{}
}

// Forget drops what the session's module added, for a fresh host that has not loaded it: local packages are read anew
// under the user's paths. Sessions that use the list's importers must be reset.
func (a *Archives) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.module != a.base {
		a.added, a.sources, a.current = map[string]archive{}, map[string]source{}, map[string]string{}
		a.epoch++
	}
}

// Key names the state of the sources, the Go version and all else that archives depend on.
func (a *Archives) Key() string { return strings.TrimPrefix(filepath.Base(a.index), "archives-") }

// pruneArchives keeps the newest lists: the others belong to sources that are gone.
func pruneArchives(cacheDir, keep string) {
	const lists = 8
	files, _ := filepath.Glob(filepath.Join(cacheDir, "archives-*"))
	stamps, _ := filepath.Glob(filepath.Join(cacheDir, "programs-*"))
	for _, stamp := range stamps {
		if _, err := os.Stat(filepath.Join(cacheDir, "archives-"+strings.TrimPrefix(filepath.Base(stamp), "programs-"))); err != nil {
			os.Remove(stamp)
		}
	}
	slices.SortFunc(files, func(a, b string) int { return modified(b).Compare(modified(a)) })
	for i, file := range files {
		if i >= lists && file != keep {
			os.Remove(file)
		}
	}
}

// read loads the list; false if it is missing or names a file that is not there.
func (a *Archives) read() bool {
	data, err := os.ReadFile(a.index)
	if err != nil {
		return false
	}
	packages := map[string]archive{}
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		f := strings.SplitN(sc.Text(), "\t", 3)
		if len(f) != 3 {
			return false
		}
		if _, err := os.Stat(f[2]); err != nil {
			return false
		}
		packages[f[0]] = archive{f[1], f[2]}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.packages = packages
	return len(packages) > 0
}

func (a *Archives) write() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b bytes.Buffer
	for _, path := range sortedKeys(a.packages) {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", path, a.packages[path].name, a.packages[path].file)
	}
	return writeFile(a.index, b.Bytes(), 0o644)
}

// list asks the go command for archives, which compiles what is not in its cache.
func (a *Archives) list(ctx context.Context, args ...string) error {
	out, err := a.module.list(ctx, append([]string{"-export", "-deps", "-trimpath", "-buildmode=plugin",
		"-f", "{{if .Export}}{{.ImportPath}}\t{{.Name}}\t{{.Export}}\t{{with .Module}}{{.Path}} {{.Version}}{{end}}\t" + sourceFormat + "{{end}}"}, args...)...)
	if err != nil {
		return errors.New(a.module.originalPlaces(err.Error()))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(line, "\t", 5)
		if len(f) < 5 || f[1] == "main" {
			continue
		}
		path, found := f[0], archive{f[1], f[2]}
		if a.module == a.base {
			a.packages[path] = found
			continue
		}
		modulePath, version, _ := strings.Cut(f[3], " ")
		known, ok := a.packages[path]
		switch {
		case ok && known == found:
		case ok && (version == "" || a.module.has(modulePath)): // the standard library, the clone, what the host links
			return fmt.Errorf("package %s would be another one than the kernel's own: a replace line or a build tag in GOFLAGS changes it", path)
		default:
			a.added[path] = found
			if _, from, ok := parseSource(f[4]); ok && a.module.localOf(path) != nil {
				a.sources[path] = from
			} else if modulePath != "" {
				a.module.pin(modulePath, version)
			}
		}
	}
	return nil
}

// lookup finds a listed package; a.mu is held.
func (a *Archives) lookup(path string) (archive, bool) {
	if found, ok := a.added[path]; ok {
		return found, true
	}
	found, ok := a.packages[path]
	return found, ok
}

// all are the listed packages; a.mu is held.
func (a *Archives) all() map[string]archive {
	if len(a.added) == 0 {
		return a.packages
	}
	all := maps.Clone(a.packages)
	maps.Copy(all, a.added)
	return all
}

// resolve is the path under which the newest generation of a package is compiled; most have one only.
func (a *Archives) resolve(path string) (now string, epoch int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.current[path]; now != "" {
		return now, a.epoch
	}
	return path, a.epoch
}

// File is the archive of a package. One that is not listed yet is looked for in the standard library and in the
// module's requirements; the error names the missing path.
func (a *Archives) File(path string) (string, error) {
	a.mu.Lock()
	known, ok := a.lookup(path)
	a.mu.Unlock()
	if ok {
		if _, err := os.Stat(known.file); err == nil {
			return known.file, nil
		}
	}
	ctx := context.Background()
	lock, err := LockFile(ctx, a.lock)
	if err != nil {
		return "", err
	}
	defer lock.Unlock()
	list := a.list
	if a.module.localOf(path) != nil {
		list = func(ctx context.Context, _ ...string) error { return a.listLocal(ctx, path) }
	}
	if err := list(ctx, path); err != nil {
		return "", fmt.Errorf("package %s: %s", path, firstReason(err))
	}
	a.mu.Lock()
	if now := a.current[path]; now != "" {
		path = now
	}
	known, ok = a.lookup(path)
	a.mu.Unlock()
	if !ok {
		return "", fmt.Errorf("package %s has no Go code to import", path)
	}
	if a.module != a.base {
		return known.file, nil
	}
	return known.file, a.write()
}

// notThere is said of packages that no module and no part of the standard library provides.
const notThere = "not in the standard library and not in a required module"

// has tells whether a package is listed.
func (a *Archives) has(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.lookup(path)
	return ok
}

// firstReason takes the go command's own words out of its output.
func firstReason(err error) string {
	var reasons []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "go list: exit status") || line == "" || strings.Count(line, "\t") > 2 || strings.HasPrefix(line, "#") {
			continue
		}
		reasons = append(reasons, line)
	}
	if len(reasons) == 0 {
		return err.Error()
	}
	if strings.Contains(reasons[0], "is not in std") || strings.Contains(reasons[0], "no required module provides package") || strings.Contains(reasons[0], "import lookup disabled by -mod=readonly") {
		return notThere
	}
	return strings.Join(reasons[:min(len(reasons), 5)], "; ")
}

// Refresh lists everything anew, after archives vanished under a running session.
func (a *Archives) Refresh(ctx context.Context) error {
	lock, err := LockFile(ctx, a.lock)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	a.mu.Lock()
	paths := sortedKeys(a.all())
	a.mu.Unlock()
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasPrefix(p, "vendor/") })
	if err := a.list(ctx, append([]string{"-e"}, paths...)...); err != nil {
		return err
	}
	if a.module != a.base {
		return nil
	}
	return a.write()
}

// Each calls f with every known package.
func (a *Archives) Each(f func(path, file string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.all()
	for _, path := range sortedKeys(all) {
		f(path, all[path].file)
	}
}
