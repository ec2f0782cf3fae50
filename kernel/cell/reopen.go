package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// reopen handles methods for types of earlier cells. Go adds no method to a type that exists, so the type, and every
// cell type whose structure reaches it, is declared anew in this cell's package from its kept source, with all methods.
// Old variables whose types mention them are declared to the checker with the same type text and are later referred to
// as views of the same memory; the layout is the same by construction.
func (c *compilation) reopen() {
	if len(c.reopened) == 0 {
		return
	}
	s := c.s
	anew := map[*types.TypeName]bool{}
	for name := range c.reopened {
		anew[s.objects[name].(*types.TypeName)] = true
	}
	for grown := true; grown; {
		grown = false
		for name := range s.types {
			t, ok := s.objects[name].(*types.TypeName)
			if ok && !anew[t] && !c.hard[name] && mentions(t.Type(), anew) {
				anew[t] = true
				grown = true
			}
		}
	}
	var names []string
	for t := range anew {
		names = append(names, t.Name())
	}
	slices.Sort(names)
	for _, name := range names {
		c.redeclare(name, anew)
		c.hard[name] = true
	}
	c.viewOld(anew)
}

// piece keeps the source of a declaration behind a prefix, and what its names mean.
func (c *compilation) piece(prefix string, n ast.Node) piece {
	cell, line, _, _ := c.s.locate(n.Pos())
	p := piece{prefix + c.s.source(n.Pos(), n.End()), cell, line, map[int]types.Object{}}
	ast.Inspect(n, func(x ast.Node) bool {
		if id, ok := x.(*ast.Ident); ok {
			o := c.info.Uses[id]
			_, isImport := o.(*types.PkgName)
			if _, placed := c.placeOf(o); isImport || placed {
				p.means[len(prefix)+int(id.Pos()-n.Pos())] = o
			}
		}
		return true
	})
	return p
}

// redeclare adds the kept source of a type and of the methods that this cell does not replace.
func (c *compilation) redeclare(name string, anew map[*types.TypeName]bool) {
	add := func(p piece) {
		file, f, _ := c.s.parse("package main\n", p.text, "\n", p.cell, p.line)
		c.extraFiles = append(c.extraFiles, file)
		ast.Inspect(file, func(x ast.Node) bool {
			if id, ok := x.(*ast.Ident); ok {
				if o := p.means[c.s.offset(f, id.Pos())]; o != nil {
					c.rebind(id, o, anew)
				}
			}
			return true
		})
	}
	kept := c.s.types[name]
	add(kept.declaration)
	for _, method := range sortedKeys(kept.methods) {
		if !c.overridden[name+"."+method] {
			add(kept.methods[method])
		}
	}
}

// rebind lets a name in kept source mean what it meant where it was written, if it has changed hands since. The size and
// layout of a type hang on that.
func (c *compilation) rebind(id *ast.Ident, meant types.Object, anew map[*types.TypeName]bool) {
	if t, ok := meant.(*types.TypeName); ok && anew[t] {
		return // the type as it is declared now
	}
	if pkg, ok := meant.(*types.PkgName); ok {
		path := pkg.Imported().Path()
		_, hidden := c.s.objects[id.Name]
		if c.imports[id.Name] == path && !hidden && !c.hard[id.Name] && !c.declared[id.Name] {
			return
		}
		name := fmt.Sprintf("%sK%d", reserved, len(c.keptImports))
		c.keptImports[name] = path
		c.renameForCheck(id, name)
		return
	}
	at, _ := c.s.places[meant]
	if now := c.s.objects[id.Name]; now != nil && !c.hard[id.Name] && (now == meant || c.s.places[now] == at) {
		return
	}
	name := fmt.Sprintf("%sO%d", reserved, len(c.keptObjects))
	var o types.Object
	switch meant := meant.(type) {
	case *types.TypeName:
		if t, ok := meant.Type().(*types.Named); ok && t.TypeParams().Len() == 0 || !ok {
			o = types.NewTypeName(meant.Pos(), c.pkg, name, nil)
			types.NewAlias(o.(*types.TypeName), meant.Type())
		}
	case *types.Const:
		o = types.NewConst(meant.Pos(), c.pkg, name, meant.Type(), meant.Val())
	case *types.Func:
		o = types.NewFunc(meant.Pos(), c.pkg, name, meant.Signature())
	case *types.Var:
		o = types.NewVar(meant.Pos(), c.pkg, name, meant.Type())
	}
	if o == nil || mentions(meant.Type(), anew) {
		d := c.diagnose(c.body.Lbrace, fmt.Sprintf("a method cannot be added here: the declaration of its type refers to an older %s", id.Name))
		d.Hint = "declare the type again in this cell"
		c.errors = append(c.errors, d)
		return
	}
	c.keptObjects = append(c.keptObjects, o)
	c.places[o] = at
	c.renameForCheck(id, name)
}

// renameForCheck gives an identifier another name until the cell is checked.
func (c *compilation) renameForCheck(id *ast.Ident, name string) {
	c.own[id] = id.Name
	id.Name = name
}

// viewOld declares to the checker, under their names, the session's variables, functions and constants whose types
// mention a type declared anew.
func (c *compilation) viewOld(anew map[*types.TypeName]bool) {
	imports := map[string]string{}
	qualifier := func(p *types.Package) string {
		if fromCell(p) {
			return ""
		}
		if imports[p.Path()] == "" {
			imports[p.Path()] = fmt.Sprintf("%sQ%d", reserved, len(imports))
		}
		return imports[p.Path()]
	}
	var decls strings.Builder
	for _, name := range sortedKeys(c.s.objects) {
		o := c.s.objects[name]
		if c.hard[name] || !mentions(o.Type(), anew) {
			continue
		}
		switch o := o.(type) {
		case *types.Var, *types.Func:
			if sig, ok := o.Type().(*types.Signature); ok && sig.TypeParams().Len() > 0 {
				continue // generic functions keep the old type
			}
			fmt.Fprintf(&decls, "var %s %s\n", name, types.TypeString(o.Type(), qualifier))
		case *types.Const:
			fmt.Fprintf(&decls, "const %s %s = %s\n", name, types.TypeString(o.Type(), qualifier), o.Val().ExactString())
		default:
			continue
		}
		c.views[name] = o
	}
	header := "package main\n"
	for _, path := range sortedKeys(imports) {
		header += fmt.Sprintf("import %s %q\n", imports[path], path)
	}
	file, _, _ := c.s.parse("", header+decls.String(), "", c.label, 1)
	delete(c.s.fragments, c.s.fset.File(file.FileStart)) // no text of the user's: nothing to rewrite or to emit
	c.extraFiles = append(c.extraFiles, file)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
