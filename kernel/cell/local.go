package cell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// local is a folder of the user's whose packages cells import.
type local struct {
	path string // of the module
	dir  string
	lang string // its go.mod's Go version
}

// localVersion is the version under which a folder is required: one is needed, and not looked at.
func localVersion(modulePath string) string {
	_, major, _ := module.SplitPathVersion(modulePath)
	if major = strings.TrimLeft(major, "/."); major == "" {
		major = "v0"
	}
	return strings.TrimSuffix(major, "-unstable") + ".0.0"
}

// Use makes the packages in a folder importable, and returns the import path of the folder and what else is now required.
// A folder with a go.mod is a module, whose path that is; its requirements, replacements, checksums and vendored packages
// count. A folder without one is given the path as, or its own name.
func (m *Module) Use(ctx context.Context, dir, as string) (path string, changed []Requirement, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	if info, err := os.Stat(dir); err != nil {
		return "", nil, err
	} else if !info.IsDir() {
		return "", nil, fmt.Errorf("%s is a file: %%use wants the folder of a package or a module", dir)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, err = m.change(dir, false, func(next *Module) (err error) {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			path, err = next.useModule(dir)
		} else {
			path, err = as, next.useFolder(dir, &as)
			path = as
		}
		if err != nil {
			return err
		}
		_, err = m.tools.Go(ctx, m.dir, slices.Concat([]string{"list"}, next.flags("mod"), []string{"-deps", "-f", "{{.ImportPath}}", path + "/..."})...)
		if err != nil {
			return m.explain(err, []string{"what " + path + " imports"})
		}
		return nil
	})
	changed = slices.DeleteFunc(changed, func(r Requirement) bool { return r.Version == localVersion(r.Path) && m.isLocal(r.Path) })
	return path, changed, err
}

// useFolder requires a folder that is no module, by a go.mod in the overlay.
func (m *Module) useFolder(dir string, as *string) error {
	if *as == "" {
		*as = filepath.Base(dir)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(files) == 0 {
		return fmt.Errorf("%s has no go.mod and no Go files", dir)
	}
	if err := module.CheckImportPath(*as); err != nil {
		return fmt.Errorf("%s cannot be imported by its name (%w): give it another, `%%use DIR PATH`", dir, err)
	}
	first, _, _ := strings.Cut(*as, "/")
	if _, err := os.Stat(filepath.Join(m.tools.Root, "src", first)); err == nil && !strings.Contains(first, ".") {
		return fmt.Errorf("%q is the standard library's: give the folder another import path, `%%use DIR PATH`, for example my/%s", first, *as)
	}
	mod, err := m.read()
	if err != nil {
		return err
	}
	if within(*as, mod.Module.Mod.Path) {
		return fmt.Errorf("%q belongs to the module of the packages that come with the kernel: give the folder another import path, `%%use DIR PATH`", *as)
	}
	lang := strings.TrimPrefix(languageVersion, "go")
	if err := m.overlayModule(*as, dir, lang); err != nil {
		return err
	}
	if err := m.replace(mod, *as, localVersion(*as), dir); err != nil {
		return err
	}
	m.addLocal(&local{*as, dir, lang})
	return m.write(mod)
}

// overlayModule lets the go command see a go.mod in a folder that has none.
func (m *Module) overlayModule(modulePath, dir, lang string) error {
	o, err := m.readOverlay()
	if err != nil {
		return err
	}
	files := filepath.Join(filepath.Dir(m.folder), "overlay")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	escaped, err := module.EscapePath(modulePath)
	if err != nil {
		escaped = modulePath // a path without a dot
	}
	file := filepath.Join(files, strings.ReplaceAll(escaped, "/", "+")+".mod")
	if err := writeFile(file, fmt.Appendf(nil, "module %s\n\ngo %s\n", modfile.AutoQuote(modulePath), lang), 0o644); err != nil {
		return err
	}
	o.Replace[filepath.Join(dir, "go.mod")] = file
	return m.writeOverlay(o)
}

// useModule requires a folder's module and what its go.mod, go.sum and vendor folder say.
func (m *Module) useModule(dir string) (modulePath string, err error) {
	theirs, err := readModFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	if theirs.Module == nil {
		return "", fmt.Errorf("%s: no module line", filepath.Join(dir, "go.mod"))
	}
	modulePath = theirs.Module.Mod.Path
	mod, err := m.read()
	if err != nil {
		return "", err
	}
	if modulePath == mod.Module.Mod.Path {
		return "", fmt.Errorf("%s is the module %s itself: its packages can be imported already", dir, modulePath)
	}
	if err := m.replace(mod, modulePath, localVersion(modulePath), dir); err != nil {
		return "", err
	}
	lang := "1.16"
	if theirs.Go != nil {
		lang = theirs.Go.Version
	}
	m.addLocal(&local{modulePath, dir, lang})
	have := requirements(mod)
	for _, r := range theirs.Require {
		if v := have[r.Mod.Path]; r.Mod.Path != mod.Module.Mod.Path && (v == "" || semver.Compare(v, r.Mod.Version) < 0) {
			if err := mod.AddRequire(r.Mod.Path, r.Mod.Version); err != nil {
				return "", err
			}
		}
	}
	settled := map[string]bool{mod.Module.Mod.Path: true} // where the kernel's own packages are, cells' are too
	for _, r := range mod.Replace {
		settled[r.Old.Path] = true
	}
	for _, r := range theirs.Replace {
		if settled[r.Old.Path] {
			continue
		}
		to := r.New.Path
		if r.New.Version == "" {
			to = absoluteIn(dir, to)
			m.addLocal(&local{r.Old.Path, to, lang})
		}
		if err := mod.AddReplace(r.Old.Path, r.Old.Version, to, r.New.Version); err != nil {
			return "", err
		}
	}
	if err := m.useVendored(mod, dir); err != nil {
		return "", err
	}
	if err := m.addSums(filepath.Join(dir, "go.sum")); err != nil {
		return "", err
	}
	return modulePath, m.write(mod)
}

// useVendored requires the modules in a vendor folder, as they lie there: no network, no module cache. One that the clone
// requires at the same version is taken from where the clone takes it.
func (m *Module) useVendored(mod *modfile.File, dir string) error {
	f, err := os.Open(filepath.Join(dir, "vendor", "modules.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lang, current := "1.16", module.Version{}
	use := func() error {
		if current.Path == "" || current.Path == mod.Module.Mod.Path {
			return nil
		}
		vendored := filepath.Join(dir, "vendor", filepath.FromSlash(current.Path))
		if _, err := os.Stat(vendored); err != nil {
			return nil // only its go.mod was needed
		}
		if v := m.host()[current.Path]; v != "" && v == current.Version {
			return nil
		}
		if err := m.overlayModule(current.Path, vendored, lang); err != nil {
			return err
		}
		return m.replace(mod, current.Path, current.Version, vendored)
	}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			if err := use(); err != nil {
				return err
			}
			lang = "1.16"
			current = module.Version{}
			if w := strings.Fields(rest); len(w) >= 2 && strings.HasPrefix(w[1], "v") {
				current = module.Version{Path: w[0], Version: w[1]}
			}
		} else if _, v, ok := strings.Cut(line, "go "); ok && strings.HasPrefix(line, "##") {
			lang = strings.TrimSpace(v)
		}
	}
	return use()
}

// host are the requirements of the clone.
func (m *Module) host() map[string]string {
	mod, err := readModFile(filepath.Join(m.dir, "go.mod"))
	if err != nil {
		return nil
	}
	return requirements(mod)
}

// Vendor returns the files of the folders that the go command sees as modules by way of an overlay only, for a module made
// by [Module.Outside]: they are copied to below dir, with their go.mod, and required there.
func (m *Module) Vendor(dir string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, err := m.readOverlay()
	if err != nil {
		return nil, err
	}
	mod, err := m.read()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, r := range slices.Clone(mod.Replace) {
		goMod := o.Replace[filepath.Join(r.New.Path, "go.mod")]
		if goMod == "" {
			continue
		}
		to := path.Join(dir, r.Old.Path)
		if files[to+"/go.mod"], err = os.ReadFile(goMod); err != nil {
			return nil, err
		}
		err := filepath.WalkDir(r.New.Path, func(file string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "go.mod" {
				if err == nil && d.IsDir() && file != r.New.Path && strings.HasPrefix(d.Name(), ".") {
					return filepath.SkipDir
				}
				return err
			}
			rel, err := filepath.Rel(r.New.Path, file)
			if err != nil {
				return err
			}
			files[path.Join(to, filepath.ToSlash(rel))], err = os.ReadFile(file)
			return err
		})
		if err != nil {
			return nil, err
		}
		m.vendored = append(m.vendored, module.Version{Path: r.Old.Path, Version: "./" + to})
	}
	return files, nil
}

// addSums adds a go.sum's lines.
func (m *Module) addSums(file string) error {
	theirs, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ours, err := os.ReadFile(m.file("go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(ours)+"\n"+string(theirs)), "\n")
	slices.Sort(lines)
	return writeFile(m.file("go.sum"), []byte(strings.Join(slices.Compact(lines), "\n")+"\n"), 0o644)
}

// replace requires a module that is a folder.
func (m *Module) replace(mod *modfile.File, modulePath, version, dir string) error {
	if err := mod.AddRequire(modulePath, version); err != nil {
		return err
	}
	return mod.AddReplace(modulePath, "", dir, "")
}

func (m *Module) write(mod *modfile.File) error {
	mod.Cleanup()
	data, err := mod.Format()
	if err != nil {
		return err
	}
	return writeFile(m.file("go.mod"), data, 0o644)
}

func (m *Module) addLocal(l *local) {
	m.locals = append(slices.DeleteFunc(slices.Clone(m.locals), func(x *local) bool { return x.path == l.path }), l)
}

func (m *Module) isLocal(modulePath string) bool {
	return slices.ContainsFunc(m.locals, func(l *local) bool { return l.path == modulePath })
}

// localOf is the local module that a package belongs to, or nil.
func (m *Module) localOf(pkg string) *local {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ownerOf(pkg)
}

// ownerOf is localOf for a caller that holds m.mu.
func (m *Module) ownerOf(pkg string) *local {
	var found *local
	for _, l := range m.locals {
		if within(pkg, l.path) && (found == nil || len(l.path) > len(found.path)) {
			found = l
		}
	}
	return found
}

// fingerprint tells one state of a package's folder from another: names, sizes and times of its files.
func fingerprint(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && !strings.HasSuffix(e.Name(), "_test.go") && path.Ext(e.Name()) != "" {
			fmt.Fprintf(&b, "%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
