package cell

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A package that the host has loaded stays as it is until the host ends. A local package whose files change gets a new
// generation instead, as a type that a cell declares anew does: the package, and the local ones that import it, are copied
// to a module of their own, example.com/mine/changed2, where they import each other under the new paths. Cells go on to
// import the user's path; values made by the older generation keep its types.

// Update brings local packages up to date whose files changed since they were listed, and returns their import paths. The
// error holds the compiler's messages.
func (a *Archives) Update(ctx context.Context) ([]string, error) {
	if a.module.folder == "" {
		return nil, nil
	}
	a.mu.Lock()
	stale := map[string]source{} // by the user's path
	for path, from := range a.sources {
		if fingerprint(from.dir) != from.state {
			stale[path] = from
		}
	}
	for grown := len(stale) > 0; grown; {
		grown = false
		for path, from := range a.sources {
			_, is := stale[path]
			if !is && slices.ContainsFunc(from.imports, func(p string) bool { _, is := stale[p]; return is }) {
				stale[path], grown = from, true
			}
		}
	}
	a.mu.Unlock()
	if len(stale) == 0 {
		return nil, nil
	}
	return sortedKeys(stale), a.regenerate(ctx, stale)
}

// regenerate makes and lists a new generation of packages.
func (a *Archives) regenerate(ctx context.Context, sources map[string]source) error {
	for path, from := range sources {
		from.state = fingerprint(from.dir) // before the files are read: a change meanwhile is seen the next time
		sources[path] = from
	}
	a.mu.Lock()
	a.generation++
	n, redirect := a.generation, maps.Clone(a.current)
	a.mu.Unlock()
	fresh, err := a.module.addGeneration(n, sources, redirect)
	if err != nil {
		return err
	}
	var paths []string
	for _, path := range sortedKeys(fresh) {
		paths = append(paths, fresh[path])
	}
	if err := a.list(ctx, paths...); err != nil {
		return errors.New(goWords(err.Error()))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	users := map[string]string{} // generation's path → user's
	for path, now := range a.current {
		users[now] = path
	}
	for path, now := range fresh {
		users[now] = path
	}
	for path, from := range sources {
		from.imports = slices.Clone(a.sources[fresh[path]].imports)
		for i, p := range from.imports {
			if users[p] != "" {
				from.imports[i] = users[p]
			}
		}
		delete(a.sources, fresh[path])
		a.sources[path], a.current[path] = from, fresh[path]
	}
	return nil
}

// listLocal lists a local package for the first time. After a change of others it is copied, too: it may import them.
func (a *Archives) listLocal(ctx context.Context, path string) error {
	a.mu.Lock()
	changed := a.generation > 0
	a.mu.Unlock()
	if !changed {
		return a.list(ctx, path)
	}
	out, err := a.module.list(ctx, "-deps", "-f", sourceFormat, path)
	if err != nil {
		return err
	}
	fresh := map[string]source{}
	a.mu.Lock()
	for line := range strings.Lines(string(out)) {
		if p, from, ok := parseSource(line); ok && a.module.localOf(p) != nil {
			if _, known := a.sources[p]; !known {
				fresh[p] = from
			}
		}
	}
	a.mu.Unlock()
	return a.regenerate(ctx, fresh)
}

// source is a local package as it was listed, under the user's path.
type source struct {
	dir     string
	state   string   // fingerprint
	imports []string // user's paths
	embeds  []string // files below dir
}

const sourceFormat = "{{.ImportPath}}\t{{.Dir}}\t{{join .Imports \",\"}}\t{{join .EmbedFiles \",\"}}"

func parseSource(line string) (path string, s source, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if len(f) != 4 {
		return "", s, false
	}
	list := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	}
	return f[0], source{dir: f[1], state: fingerprint(f[1]), imports: list(f[2]), embeds: list(f[3])}, true
}

// addGeneration copies packages to modules of generation n, and returns their new paths; redirect holds those of other
// packages.
func (m *Module) addGeneration(n int, sources map[string]source, redirect map[string]string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	owners, fresh := map[string]*local{}, map[string]string{}
	for path := range sources {
		if owners[path] = m.ownerOf(path); owners[path] == nil {
			return nil, fmt.Errorf("%s is in no local module", path)
		}
		fresh[path] = generationPath(owners[path].path, n) + strings.TrimPrefix(path, owners[path].path)
	}
	maps.Copy(redirect, fresh)
	_, err := m.change("", true, func(next *Module) error {
		mod, err := next.read()
		if err != nil {
			return err
		}
		for path, l := range owners {
			root := m.generationDir(n, l)
			if err := copyPackage(sources[path], filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(path, l.path))), redirect); err != nil {
				return err
			}
			module := fmt.Appendf(nil, "module %s\n\ngo %s\n", generationPath(l.path, n), l.lang)
			if err := os.WriteFile(filepath.Join(root, "go.mod"), module, 0o644); err != nil {
				return err
			}
			if err := next.replace(mod, generationPath(l.path, n), localVersion(generationPath(l.path, n)), root); err != nil {
				return err
			}
		}
		return next.write(mod)
	})
	return fresh, err
}

func generationPath(modulePath string, n int) string {
	return fmt.Sprintf("%s/changed%d", modulePath, n)
}

func (m *Module) generationDir(n int, l *local) string {
	return filepath.Join(filepath.Dir(m.folder), "changed", strconv.Itoa(n), strings.ReplaceAll(l.path, "/", "+"))
}

// sourcePlace is a file at the head of a compiler's message; the go command writes it relative to the clone.
var sourcePlace = regexp.MustCompile(`(?m)^\s*((?:\.\.?)?/.*?\.go):\d+`)

// originalPlaces names the user's files in the compiler's messages, instead of their copies.
func (m *Module) originalPlaces(text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sourcePlace.ReplaceAllStringFunc(text, func(place string) string {
		file, line, _ := strings.Cut(strings.TrimSpace(place), ".go:")
		file = absoluteIn(m.dir, file) + ".go"
		for _, l := range m.locals {
			copies := filepath.Join(filepath.Dir(m.folder), "changed") + "/"
			if rest, ok := strings.CutPrefix(file, copies); ok {
				_, rest, _ = strings.Cut(rest, "/") // behind the generation
				if rest, ok := strings.CutPrefix(rest, strings.ReplaceAll(l.path, "/", "+")+"/"); ok {
					return filepath.Join(l.dir, rest) + ":" + line
				}
			}
		}
		return file + ":" + line
	})
}

// copyPackage copies a package's files, with imports of the named packages under their new paths.
func copyPackage(from source, dir string, fresh map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from.dir)
	if err != nil {
		return err
	}
	names := slices.Clone(from.embeds)
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), "_test.go") && filepath.Ext(e.Name()) != "" {
			names = append(names, e.Name())
		}
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from.dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if filepath.Ext(name) == ".go" {
			data = redirectImports(data, fresh)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// redirectImports writes new import paths into a file; one that does not parse is left for the compiler to report.
func redirectImports(file []byte, fresh map[string]string) []byte {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "", file, parser.ImportsOnly)
	if err != nil {
		return file
	}
	for _, spec := range slices.Backward(parsed.Imports) {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || fresh[path] == "" {
			continue
		}
		from, to := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
		file = slices.Concat(file[:from], []byte(strconv.Quote(fresh[path])), file[to:])
	}
	return file
}
