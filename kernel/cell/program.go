package cell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"gomosaic/kernel/cell/rt/snapshot"
	"gomosaic/mdslib/ship"
)

// Captured is a variable that a function of a cell refers to, by itself or by what it calls.
type Captured struct {
	Name string // the user's
	Cell int    // package that holds it
	Key  string // its name there
}

// Program is the source of a program made of a session's declarations: an ordinary module in which each cell is a
// package. The statements of cells are not run; functions, types and captured variables are there.
type Program struct {
	Files map[string]string // by path below the module's folder
	Arch  string            // GOARCH that it is built for; "" is this machine's
}

// drivers are registered by blank import where a program uses the package that they serve, as the host does.
var drivers = map[string][]string{
	"gomosaic/mdslib":              append([]string{"gomosaic/mdslib/codec/brotli", "gomosaic/mdslib/codec/bzip2", "gomosaic/mdslib/local"}, stores...),
	"gomosaic/streamlib":           append([]string{"gomosaic/mdslib/codec/brotli", "gomosaic/mdslib/codec/bzip2"}, stores...),
	"gomosaic/trainlib/checkpoint": stores,
}

// stores are the drivers of package store: 6 MB of a program.
var stores = []string{
	"gomosaic/mdslib/store/azure", "gomosaic/mdslib/store/databricks", "gomosaic/mdslib/store/gs", "gomosaic/mdslib/store/hf",
	"gomosaic/mdslib/store/s3", "gomosaic/mdslib/store/sftp", "gomosaic/mdslib/store/web",
}

var functionSymbol = regexp.MustCompile(`^nb/c(\d+)\.` + reserved + `I_([\pL_][\pL\pN_]*)$`)

// shipped finds the function behind a linker symbol.
func (s *Session) shipped(symbol string) (owner, error) {
	m := functionSymbol.FindStringSubmatch(symbol)
	if m == nil {
		what := "it is " + Demangle(symbol)
		if strings.HasPrefix(symbol, "nb/c") {
			what = "it is a function literal, a method or a generic function"
		}
		return owner{}, fmt.Errorf("ship: only a function that a cell declares at top level (func name…) can run elsewhere; %s: declare it with a name in a cell and pass the name; variables of cells that it uses go with it", what)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || s.units[n] == nil {
		return owner{}, fmt.Errorf("ship: %s belongs to no cell of this session", m[2])
	}
	return owner{n, implementation(m[2])}, nil
}

// closure is what a function reaches.
type closure struct {
	cells     []int // packages, ascending
	variables []Captured
	imports   map[string]bool
}

func (s *Session) reach(from owner) closure {
	cells, seen, variables := map[int]bool{}, map[owner]bool{}, map[Captured]bool{}
	var visit func(owner)
	visit = func(o owner) {
		cells[o.cell] = true
		if seen[o] {
			return
		}
		seen[o] = true
		for u, name := range s.uses[o] {
			cells[u.cell] = true
			switch u.kind {
			case useVariable:
				variables[Captured{name, u.cell, u.name}] = true
			case useFunction:
				visit(u.owner) // a generic function is its own implementation
				by := u.cell
				if bound := s.bound[u.owner]; len(bound) > 0 {
					by = bound[len(bound)-1]
				}
				visit(owner{by, implementation(strings.TrimPrefix(u.name, reserved))})
			case useType:
				visit(u.owner)
				for other := range s.uses {
					if other.cell == u.cell && strings.HasPrefix(other.name, u.name+".") {
						visit(other)
					}
				}
			}
		}
	}
	visit(from)
	var c closure
	c.imports = map[string]bool{}
	var include func(int)
	include = func(n int) {
		unit := s.units[n]
		if unit == nil || slices.Contains(c.cells, n) {
			return
		}
		c.cells = append(c.cells, n)
		for _, path := range unit.Imports {
			c.imports[path] = true
		}
		for _, m := range unit.Cells {
			include(m)
		}
	}
	for n := range cells {
		include(n)
	}
	slices.Sort(c.cells)
	for v := range variables {
		c.variables = append(c.variables, v)
	}
	slices.SortFunc(c.variables, func(a, b Captured) int {
		if a.Cell != b.Cell {
			return a.Cell - b.Cell
		}
		return strings.Compare(a.Key, b.Key)
	})
	return c
}

// Captured lists the variables whose values must travel with a function; symbol is its name in the runtime.
func (s *Session) Captured(symbol string) ([]Captured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.shipped(symbol)
	if err != nil {
		return nil, err
	}
	return s.reach(f).variables, nil
}

// Program writes the program that calls entry with the function behind symbol. variables holds the captured ones
// (written by [snapshot.Save] under the keys cell.Key), types those met in interfaces.
func (s *Session) Program(symbol string, entry ship.Entry, variables []byte, types []snapshot.TypeRef) (*Program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.shipped(symbol)
	if err != nil {
		return nil, err
	}
	reached := s.reach(f)
	p := &Program{Files: map[string]string{"snapshot": string(variables)}, Arch: entry.Arch}
	for _, n := range reached.cells {
		p.Files[fmt.Sprintf("c%d/cell.go", n)] = s.units[n].Source
	}
	p.Files["main.go"] = mainText(f, entry, reached, types)
	return p, nil
}

var packageInType = regexp.MustCompile("‹[^›]*›")

// mainText is the program's main package.
func mainText(f owner, entry ship.Entry, reached closure, types []snapshot.TypeRef) string {
	imports := map[string]string{"reflect": "reflect", snapshotPath: "snapshot", entry.Package: "entry"}
	for _, n := range reached.cells {
		imports[cellPath(n)] = fmt.Sprintf("c%d", n)
	}
	var body, known strings.Builder
	for _, t := range types {
		text := packageInType.ReplaceAllStringFunc(string(t), func(quoted string) string {
			path := strings.Trim(quoted, "‹›")
			if imports[path] == "" {
				imports[path] = fmt.Sprintf("t%d", len(imports))
			}
			return imports[path]
		})
		fmt.Fprintf(&known, "\t\t%q: reflect.TypeFor[%s](),\n", t, text)
	}
	for _, n := range reached.cells {
		fmt.Fprintf(&body, "\tc%d.%sBind()\n", n, reserved)
	}
	body.WriteString("\tdefer snapshot.Begin(variables, map[string]any{\n")
	for _, v := range reached.variables {
		fmt.Fprintf(&body, "\t\t%q: &c%d.%s,\n", fmt.Sprintf("%d.%s", v.Cell, v.Key), v.Cell, v.Key)
	}
	fmt.Fprintf(&body, "\t}, snapshot.Types{\n%s\t})()\n\tentry.%s(c%d.%s)\n", known.String(), entry.Func, f.cell, f.name)
	var b strings.Builder
	b.WriteString("// Code generated from a notebook session. DO NOT EDIT.\npackage main\n\nimport (\n\t_ \"embed\"\n")
	blank := map[string]bool{}
	for path := range reached.imports {
		for _, driver := range drivers[path] {
			blank[driver] = true
		}
	}
	for _, path := range sortedKeys(blank) {
		fmt.Fprintf(&b, "\t_ %q\n", path)
	}
	for _, path := range sortedKeys(imports) {
		fmt.Fprintf(&b, "\t%s %q\n", imports[path], path)
	}
	fmt.Fprintf(&b, ")\n\n//go:embed snapshot\nvar variables []byte\n\nvar _ = reflect.TypeFor[int]\n\nfunc main() {\n%s}\n", body.String())
	return b.String()
}

// BuildProgram compiles a program below folder and returns its path, which is the same for the same program. toolexec is a
// command that calls [RunTool], so that the program's types have the user's names; it may be empty.
func BuildProgram(ctx context.Context, module *Module, folder, toolexec string, p *Program) (string, error) {
	mod, sum, err := module.Outside("nb")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(mod)
	h.Write([]byte(p.Arch))
	for _, name := range sortedKeys(p.Files) {
		fmt.Fprintf(h, "%s %d %s", name, len(p.Files[name]), p.Files[name])
	}
	dir := filepath.Join(folder, "program-"+hex.EncodeToString(h.Sum(nil)[:8]))
	path := filepath.Join(dir, "program")
	lock, err := LockFile(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	files := map[string]string{"go.mod": string(mod), "go.sum": string(sum)}
	for name, text := range p.Files {
		files[name] = text
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	// CGO_ENABLED=0: libtorch is loaded by purego, which needs no C; a program without C runs on any Linux of its kind.
	environ := []string{"CGO_ENABLED=0"}
	if p.Arch != "" {
		environ = append(environ, "GOOS=linux", "GOARCH="+p.Arch)
	}
	_, err = module.tools.Go(ctx, dir, slices.Concat(environ, []string{"build", "-trimpath", "-buildvcs=false", "-toolexec=" + toolexec}, module.outsideFlags(), []string{"-o", path, "."})...)
	if err != nil {
		return "", fmt.Errorf("ship: the program of the notebook's function does not build: %s", Demangle(err.Error()))
	}
	return path, nil
}

// OutsideModule makes go.mod and go.sum of a module that uses the packages of moduleDir: it copies the requirements, so
// that everything is found where it was for that module, without a network.
func OutsideModule(name, moduleDir string) (mod, sum []byte, err error) {
	return (&Module{dir: moduleDir}).Outside(name)
}

// Outside is [OutsideModule] with what the module adds to the clone's requirements.
func (m *Module) Outside(name string) (mod, sum []byte, err error) {
	inside, err := m.read()
	if err != nil {
		return nil, nil, err
	}
	absolute, err := filepath.Abs(m.dir)
	if err != nil {
		return nil, nil, err
	}
	outside := &modfile.File{Syntax: &modfile.FileSyntax{}}
	if err := outside.AddModuleStmt(name); err != nil {
		return nil, nil, err
	}
	if inside.Go != nil {
		if err := outside.AddGoStmt(inside.Go.Version); err != nil {
			return nil, nil, err
		}
	}
	outside.AddNewRequire(inside.Module.Mod.Path, "v0.0.0", false)
	for _, r := range inside.Require {
		outside.AddNewRequire(r.Mod.Path, r.Mod.Version, r.Indirect)
	}
	if err := outside.AddReplace(inside.Module.Mod.Path, "", absolute, ""); err != nil {
		return nil, nil, err
	}
	for _, r := range inside.Replace {
		to := r.New.Path
		if r.New.Version == "" {
			to = absoluteIn(absolute, to)
		}
		for _, v := range m.vendored {
			if v.Path == r.Old.Path {
				to = v.Version
			}
		}
		if err := outside.AddReplace(r.Old.Path, r.Old.Version, to, r.New.Version); err != nil {
			return nil, nil, err
		}
	}
	outside.Cleanup()
	mod, err = outside.Format()
	if err != nil {
		return nil, nil, err
	}
	sum, err = os.ReadFile(m.file("go.sum"))
	if os.IsNotExist(err) {
		err = nil
	}
	return mod, sum, err
}

// WarmPrograms compiles the packages that shipped programs use, in the way that they are built, so that the first one
// only links.
func WarmPrograms(ctx context.Context, module *Module, folder string, packages []string) error {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	for _, path := range append([]string{snapshotPath}, packages...) {
		fmt.Fprintf(&b, "\t_ %q\n", path)
	}
	b.WriteString(")\n\nfunc main() {}\n")
	_, err := BuildProgram(ctx, module, folder, "", &Program{Files: map[string]string{"main.go": b.String()}})
	return err
}
