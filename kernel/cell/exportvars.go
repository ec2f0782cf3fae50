package cell

// The variables that an exported cell declares: its function's own, or the package's.

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// local tells whether the identifier declares a variable of the cell's function.
func (w *bodyWriter) local(id *ast.Ident) bool {
	if o := w.c.info.Defs[id]; o != nil {
		t := w.x.thingOf(w.c, o)
		return t != nil && t.isLocal()
	}
	return false
}

// define writes :=, or = where the variables are the package's; those that are not are declared before.
func (w *bodyWriter) define(d *ast.AssignStmt) {
	c := w.c
	var locals, others []*ast.Ident
	for _, left := range d.Lhs {
		id, ok := left.(*ast.Ident)
		switch {
		case !ok || id.Name == "_":
		case w.local(id):
			locals = append(locals, id)
		default:
			others = append(others, id)
		}
	}
	left := c.s.render(d.Lhs[0].Pos(), d.Lhs[len(d.Lhs)-1].End())
	right := c.s.render(d.Rhs[0].Pos(), d.Rhs[len(d.Rhs)-1].End())
	op := ":="
	if len(locals) == 0 {
		op = "="
	} else if len(others) > 0 && !w.allLocal(others) {
		op = "="
		for _, id := range locals {
			fmt.Fprintf(&w.run, "var %s %s\n", id.Name, c.typeText(c.info.Defs[id].Type()))
		}
	}
	fmt.Fprintf(&w.run, "%s %s %s", left, op, right)
}

// allLocal tells whether identifiers that := assigns are variables of the function, too.
func (w *bodyWriter) allLocal(ids []*ast.Ident) bool {
	for _, id := range ids {
		o := w.c.info.Uses[id]
		if o == nil {
			o = w.c.info.Defs[id]
		}
		if t := w.x.thingOf(w.c, o); o == nil || t == nil || !t.isLocal() {
			return false
		}
	}
	return true
}

// variables writes a var declaration.
func (w *bodyWriter) variables(d *ast.GenDecl) {
	at := token.NoPos
	for _, spec := range d.Specs {
		if at.IsValid() {
			w.gap(at, spec.Pos())
		}
		at = spec.End()
		w.variableSpec(spec.(*ast.ValueSpec))
	}
	if d.Rparen.IsValid() {
		w.gap(at, d.Rparen)
	}
}

func (w *bodyWriter) variableSpec(spec *ast.ValueSpec) {
	c := w.c
	if w.pulled[spec] {
		return
	}
	w.pulled[spec] = true
	if c.pullsForward() { // after those that it uses
		order := c.initOrder()
		var before []*ast.ValueSpec
		for _, st := range c.steps {
			if st.decl == nil || st.decl.Tok != token.VAR {
				continue
			}
			for _, other := range st.decl.Specs {
				other := other.(*ast.ValueSpec)
				if len(other.Values) > 0 && len(spec.Values) > 0 && order[c.info.Defs[other.Names[0]]] < order[c.info.Defs[spec.Names[0]]] {
					before = append(before, other)
				}
			}
		}
		slices.SortStableFunc(before, func(a, b *ast.ValueSpec) int {
			return order[c.info.Defs[a.Names[0]]] - order[c.info.Defs[b.Names[0]]]
		})
		for _, other := range before {
			w.variableSpec(other)
		}
	}
	locals := 0
	for _, id := range spec.Names {
		if w.local(id) || id.Name == "_" {
			locals++
		}
	}
	if locals > 0 && locals == len(spec.Names) {
		w.run.WriteString("var " + c.s.render(spec.Pos(), spec.End()) + "\n")
		return
	}
	for _, id := range spec.Names {
		o := c.info.Defs[id]
		switch {
		case id.Name == "_" || o == nil:
		case w.local(id):
			fmt.Fprintf(&w.run, "var %s %s\n", id.Name, c.typeText(o.Type()))
		case len(spec.Values) == 0 && w.x.thingOf(c, o).declarations() > 1:
			fmt.Fprintf(&w.run, "%s = *new(%s)\n", c.reference(o), c.typeText(o.Type()))
		}
	}
	if len(spec.Values) > 0 {
		fmt.Fprintf(&w.run, "%s = %s\n", c.s.render(spec.Names[0].Pos(), spec.Names[len(spec.Names)-1].End()),
			c.s.render(spec.Values[0].Pos(), spec.Values[len(spec.Values)-1].End()))
	}
}
