package cell

import (
	"fmt"
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
		c.redeclare(name)
		c.hard[name] = true
	}
	c.viewOld(anew)
}

// redeclare adds the kept source of a type and of the methods that this cell does not replace.
func (c *compilation) redeclare(name string) {
	add := func(p piece) {
		file, _, _ := c.s.parse("package main\n", p.text, "\n", p.cell, p.line)
		c.extraFiles = append(c.extraFiles, file)
	}
	kept := c.s.types[name]
	add(kept.declaration)
	for _, method := range sortedKeys(kept.methods) {
		if !c.overridden[name+"."+method] {
			add(kept.methods[method])
		}
	}
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
