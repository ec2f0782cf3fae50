package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// notes says, for each name that the cell declares anew with another type, which functions of earlier cells go on with
// what the name meant before, and for a type also which variables do and which methods the new one lacks. A name that
// nobody holds changes without a word.
func (c *compilation) notes() []string {
	var notes []string
	for _, name := range sortedKeys(c.names) {
		old, fresh := c.s.objects[name], c.names[name]
		if old == nil || c.views[name] != nil {
			continue
		}
		was := c.s.places[old]
		if was.cell == 0 || was == c.places[fresh] || sameConstant(old, fresh) {
			continue
		}
		var held []string
		if holders := c.holders(use{owner: owner{was.cell, was.name}}); len(holders) > 0 {
			held = append(held, enumerate(holders)+" still "+plural(holders, "uses", "use")+" the old one")
		}
		if values := c.valuesOf(old); len(values) > 0 {
			held = append(held, enumerate(values)+" still "+plural(values, "is", "are")+" of the old type")
		}
		if lost := c.lostMethods(name, old, fresh); len(lost) > 0 {
			held = append(held, enumerate(lost)+" "+plural(lost, "is no method", "are no methods")+" of it until declared again")
		}
		if len(held) > 0 {
			notes = append(notes, fmt.Sprintf("note: %s; %s (%s)", describe(name, fresh), strings.Join(held, "; "), c.origin(old, was)))
		}
	}
	if o := c.names["main"]; o != nil && c.hard["main"] && !c.parts.isMain && !slices.Contains(slices.Collect(maps.Values(c.info.Uses)), o) {
		notes = append(notes, "note: main is declared, not called: a cell runs its statements, main() too")
	}
	return notes
}

func plural(names []string, one, many string) string {
	if len(names) > 1 {
		return many
	}
	return one
}

// valuesOf lists the variables in force whose types are made of old, if that is a type.
func (c *compilation) valuesOf(old types.Object) []string {
	t, ok := old.(*types.TypeName)
	if !ok {
		return nil
	}
	var names []string
	for _, name := range sortedKeys(c.s.objects) {
		v, ok := c.s.objects[name].(*types.Var)
		if _, anew := c.names[name]; ok && !anew && mentions(v.Type(), map[*types.TypeName]bool{t: true}) {
			names = append(names, name)
		}
	}
	return names
}

// lostMethods lists the methods that a type had and its new declaration lacks.
func (c *compilation) lostMethods(name string, old, fresh types.Object) []string {
	_, wasType := old.(*types.TypeName)
	_, isType := fresh.(*types.TypeName)
	if !wasType || !isType || c.s.types[name] == nil {
		return nil
	}
	var lost []string
	for _, method := range sortedKeys(c.s.types[name].methods) {
		if kept := c.kept[name]; kept == nil || kept.methods[method].text == "" {
			lost = append(lost, method)
		}
	}
	return lost
}

func sameConstant(a, b types.Object) bool {
	x, ok := a.(*types.Const)
	y, ok2 := b.(*types.Const)
	return ok && ok2 && types.Identical(x.Type(), y.Type()) && x.Val().ExactString() == y.Val().ExactString()
}

// describe says what a name is now.
func describe(name string, o types.Object) string {
	switch o.(type) {
	case *types.TypeName:
		return name + " is a new type"
	case *types.Const:
		return name + " is a new constant"
	}
	return name + " is now a " + types.TypeString(o.Type(), types.RelativeTo(o.Pkg()))
}

// origin says where a name was declared before, and as what.
func (c *compilation) origin(o types.Object, at place) string {
	cell := c.cellOf(at)
	switch o.(type) {
	case *types.TypeName, *types.Const:
		return cell
	}
	qualifier := func(p *types.Package) string {
		if fromCell(p) {
			return ""
		}
		return p.Name()
	}
	return types.TypeString(o.Type(), qualifier) + ", " + cell
}

// cellOf names the cell of a place, or is empty.
func (c *compilation) cellOf(at place) string {
	if u := c.s.units[at.cell]; u != nil {
		return fmt.Sprintf("cell[%d]", u.Label)
	}
	return ""
}

// holders lists the functions and methods now in force, and the variables that hold a function literal, that refer to u.
func (c *compilation) holders(u use) []string {
	var names []string
	refers := func(by owner) bool {
		for _, kind := range []useKind{useVariable, useFunction, useType, useConstant} {
			u.kind = kind
			if _, ok := c.s.uses[by][u]; ok {
				return true
			}
		}
		return false
	}
	for name, o := range c.s.objects {
		if _, anew := c.names[name]; anew || c.rebinding(name) {
			continue
		}
		at := c.s.places[o]
		if _, isType := o.(*types.TypeName); isType {
			prefix := at.name + "."
			for by := range c.s.uses {
				if by.cell == at.cell && strings.HasPrefix(by.name, prefix) && refers(by) {
					names = append(names, name+"."+strings.TrimPrefix(by.name, prefix))
				}
			}
			continue
		}
		by := owner{at.cell, at.name}
		if at.function {
			cell := at.cell
			if bound := c.s.bound[by]; len(bound) > 0 {
				cell = bound[len(bound)-1]
			}
			by = owner{cell, implementation(name)}
		}
		if refers(by) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// rebinding tells whether the cell gives the function of that name a new body.
func (c *compilation) rebinding(name string) bool {
	return slices.ContainsFunc(c.rebinds, func(f *types.Func) bool { return f.Name() == name })
}

// enumerate is "a", "a and b", "a, b and c".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// holdLiterals notes what a function literal refers to that a statement puts into a variable: it keeps that alive as a
// declared function does. It reports whether it has rewritten the statement.
func (c *compilation) holdLiterals(left []ast.Expr, right []ast.Expr) bool {
	if len(left) != len(right) || c.current != (owner{}) {
		return false
	}
	if !slices.ContainsFunc(right, func(x ast.Expr) bool { _, ok := x.(*ast.FuncLit); return ok }) {
		return false
	}
	for i := range left {
		c.rewriteNode(left[i])
		if lit, ok := right[i].(*ast.FuncLit); ok {
			if at, ok := c.placeOf(c.objectOf(left[i])); ok {
				c.current = owner{at.cell, at.name}
				c.uses[c.current] = nil
			}
			c.rewriteNode(lit)
			c.current = owner{}
			continue
		}
		c.rewriteNode(right[i])
	}
	return true
}

// objectOf is what an identifier means, or nil.
func (c *compilation) objectOf(e ast.Expr) types.Object {
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	if o := c.info.Defs[id]; o != nil {
		return o
	}
	return c.info.Uses[id]
}

func identifiers(names []*ast.Ident) []ast.Expr {
	list := make([]ast.Expr, len(names))
	for i, id := range names {
		list[i] = id
	}
	return list
}
