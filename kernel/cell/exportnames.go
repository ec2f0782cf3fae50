package cell

// The names of an exported program: of what the notebook declares, of imports, of what the program adds.

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// nameThings gives every top-level name its own in the program.
func (x *Exporter) nameThings() {
	given := map[string]bool{"main": true, "init": true}
	for name := range x.used {
		given[name] = x.used[name]
	}
	for _, name := range x.imports {
		given[name] = true
	}
	for _, t := range x.order {
		if t.isLocal() {
			t.goName = t.name
			continue
		}
		t.goName = t.name
		if given[t.name] || types.Universe.Lookup(t.name) != nil {
			t.goName = x.unique(t.name, given)
		}
		given[t.goName] = true
		x.taken[t.goName] = true
	}
}

// unique is the first of name2, name3, … that nobody has.
func (x *Exporter) unique(name string, given map[string]bool) string {
	for i := 2; ; i++ {
		if n := fmt.Sprintf("%s%d", name, i); !x.taken[n] && !given[n] {
			return n
		}
	}
}

// fresh is a name for what the program adds: the wanted one, or that with a number.
func (x *Exporter) fresh(name string) string {
	if x.taken[name] {
		name = x.unique(name, nil)
	}
	x.taken[name] = true
	return name
}

// preludeUsed tells whether a cell uses a predeclared name as such.
func (x *Exporter) preludeUsed(name string) bool {
	o := x.s.prelude[name]
	if o == nil {
		return false
	}
	for _, cell := range x.cells {
		if cell.compilation != nil && slices.Contains(slices.Collect(maps.Values(cell.info.Uses)), o) {
			return true
		}
	}
	return false
}

// importNames decides under which names packages are imported: the user's where they agree.
func (x *Exporter) importNames() {
	given := map[string]bool{}
	add := func(path, name string) {
		if x.imports[path] != "" {
			return
		}
		if given[name] {
			name = x.unique(name, given)
		}
		x.imports[path], given[name] = name, true
	}
	for _, cell := range x.cells {
		if cell.compilation == nil {
			continue
		}
		var idents []*ast.Ident
		for id := range cell.info.Uses {
			idents = append(idents, id)
		}
		slices.SortFunc(idents, func(a, b *ast.Ident) int { return int(a.Pos() - b.Pos()) })
		for _, id := range idents {
			if name, ok := cell.info.Uses[id].(*types.PkgName); ok {
				add(name.Imported().Path(), name.Name())
			}
		}
	}
}

// importName is the name of a package that text refers to which the exporter writes.
func (x *Exporter) importName(path string) string {
	name := x.imports[path]
	if name == "" {
		name = path[strings.LastIndex(path, "/")+1:]
		if pkg, err := x.s.importer.Import(path); err == nil {
			name = pkg.Name()
		}
		name = x.fresh(name)
		x.imports[path] = name
	}
	return name
}

// reference is the name of an object in the exported program.
func (x *Exporter) reference(c *compilation, o types.Object) string {
	if t := x.thingOf(c, o); t != nil {
		return t.goName
	}
	at, _ := c.placeOf(o)
	if at.path == runtimePath {
		name := strings.TrimSuffix(o.Name(), freshMark)
		x.used[name] = true
		return name
	}
	return x.importName(at.path) + "." + at.name
}

// versionName is the name of the Go function behind a function of the notebook.
func (x *Exporter) versionName(t *thing, f *types.Func) string {
	if len(t.versions) < 2 {
		return t.goName
	}
	for i, v := range t.versions {
		if v == f {
			return x.numbered(t, i+1)
		}
	}
	return t.goName
}

// numbered is name1, name2, … for the versions of a function, with a mark where the user has such a name.
func (x *Exporter) numbered(t *thing, i int) string {
	name := fmt.Sprintf("%s%d", t.goName, i)
	for x.taken[name] {
		name += "_"
	}
	return name
}
