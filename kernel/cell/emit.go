package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// emitter writes the package of a cell: declarations first, then ꞶBind (functions that replace earlier ones) and ꞶRun
// (the statements, in the user's order).
type emitter struct {
	c        *compilation
	top, run strings.Builder
	order    map[types.Object]int // go/types' initialisation order of variables
	specs    []*ast.ValueSpec     // var declarations, in the user's order
	done     map[*ast.ValueSpec]bool
	inits    []string // init functions that have not been called
	keeps    []string // assignments that let go of the values that a magic kept
}

// emit makes the unit.
func (c *compilation) emit() {
	e := &emitter{c: c, order: c.initOrder(), done: map[*ast.ValueSpec]bool{}}
	c.unit = &Unit{Seq: c.seq, Label: c.label, code: c.code}
	e.declarations()
	e.statements()
	if len(c.blanks) == 0 && e.top.Len() == 0 && e.run.Len() == 0 {
		return
	}
	e.variables()
	e.functions()
	c.unit.Source = e.header() + e.top.String()
	c.unit.Loader = e.loader()
}

// line starts a piece of the user's text: frames of panics and the compiler's messages then name the cell.
func (e *emitter) line(b *strings.Builder, p token.Pos) {
	if cell, line, column, ok := e.c.s.locate(p); ok {
		fmt.Fprintf(b, "//line cell[%d]:%d:%d\n", cell, line, column)
	}
}

// declarations writes types, constants, functions and methods.
func (e *emitter) declarations() {
	for _, k := range e.c.constants {
		fmt.Fprintf(&e.top, "const %s %s = %s\n", mangle(k.Name()), e.c.typeText(k.Type()), k.Val().ExactString())
	}
	for _, file := range e.c.extraFiles {
		if e.c.s.fragmentAt(file.FileStart) != nil {
			for _, decl := range file.Decls {
				e.declaration(decl)
			}
		}
	}
	for _, st := range e.c.steps {
		if st.decl != nil {
			e.declaration(st.decl)
		}
	}
	for _, decl := range e.c.functionFile.Decls {
		e.declaration(decl)
	}
}

func (e *emitter) declaration(decl ast.Decl) {
	c := e.c
	switch d := decl.(type) {
	case *ast.GenDecl:
		if d.Tok == token.IMPORT || d.Tok == token.VAR {
			return
		}
		e.line(&e.top, d.Pos())
		e.top.WriteString(c.s.render(d.Pos(), d.End()) + "\n")
		if d.Tok == token.TYPE {
			for _, spec := range d.Specs {
				spec := spec.(*ast.TypeSpec)
				c.keep(spec.Name.Name).declaration = c.piece("type ", spec)
			}
		}
	case *ast.FuncDecl:
		if isGenerated(d.Name.Name) {
			return
		}
		e.line(&e.top, d.Pos())
		e.top.WriteString(c.s.render(d.Pos(), d.End()) + "\n")
		if d.Recv != nil {
			c.keep(receiverBase(d.Recv.List[0].Type)).methods[d.Name.Name] = c.piece("", d)
		}
	}
}

// keep is where the source of a type is kept for the day it gets another method.
func (c *compilation) keep(name string) *typeSource {
	if c.kept[name] == nil {
		c.kept[name] = &typeSource{methods: map[string]piece{}}
	}
	return c.kept[name]
}

// statements writes the body of ꞶRun.
func (e *emitter) statements() {
	for _, st := range e.c.steps {
		if st.decl != nil && st.decl.Tok == token.VAR {
			for _, spec := range st.decl.Specs {
				e.specs = append(e.specs, spec.(*ast.ValueSpec))
			}
		}
	}
	e.inits = e.c.inits
	e.write(e.c.steps[:e.c.setup])
	if e.c.whole != nil {
		e.runInits()
		e.openMagic(e.c.whole)
	}
	e.write(e.c.steps[e.c.setup:])
	e.runInits()
	if e.c.parts.isMain && e.c.hard["main"] {
		if f, ok := e.c.pkg.Scope().Lookup("main").(*types.Func); ok {
			e.run.WriteString(e.c.reference(f) + "()\n")
		}
	}
	if e.c.whole != nil {
		e.closeMagic(e.c.whole)
	}
}

// runInits calls the cell's init functions, once: before its first statement, after the declarations above that.
func (e *emitter) runInits() {
	for _, name := range e.inits {
		e.run.WriteString(name + "()\n")
	}
	e.inits = nil
}

// step writes one statement.
func (e *emitter) step(st *step) {
	switch {
	case st.decl != nil && st.decl.Tok == token.VAR:
		for _, spec := range st.decl.Specs {
			e.variableSpec(spec.(*ast.ValueSpec))
		}
	case st.decl != nil:
	case st.define != nil:
		e.line(&e.run, st.stmt.Pos())
		left := make([]string, len(st.define.Lhs))
		for i, x := range st.define.Lhs {
			left[i] = e.target(x.(*ast.Ident))
		}
		e.assign(left, st.define.Rhs)
	default:
		e.line(&e.run, st.stmt.Pos())
		if e.c.isListed(st.stmt) {
			if e.shows(st.stmt) == showValue { // the last one: the others are arguments of the same call
				e.run.WriteString(e.c.alias(runtimePath) + ".Show(" + e.c.listText() + ")\n")
			}
		} else if st.kept {
			e.run.WriteString(e.keep(st.stmt.(*ast.ExprStmt)) + "\n")
		} else {
			e.run.WriteString(e.statement(st.stmt) + "\n")
		}
	}
}

func (e *emitter) target(id *ast.Ident) string {
	o := e.c.info.Defs[id]
	if o == nil {
		o = e.c.info.Uses[id]
	}
	if id.Name == "_" || o == nil {
		return "_"
	}
	return e.c.reference(o)
}

func (e *emitter) assign(left []string, right []ast.Expr) {
	e.run.WriteString(strings.Join(left, ", ") + " = " + e.c.s.render(right[0].Pos(), right[len(right)-1].End()) + "\n")
}

// variableSpec writes `var …` as an assignment, after the specs that go/types initialises before it.
func (e *emitter) variableSpec(spec *ast.ValueSpec) {
	if e.done[spec] {
		return
	}
	e.done[spec] = true
	if at, ok := e.initialised(spec); ok {
		for _, other := range e.specs {
			if before, ok := e.initialised(other); ok && before < at {
				e.variableSpec(other)
			}
		}
	}
	e.line(&e.run, spec.Pos())
	left := make([]string, len(spec.Names))
	isNamed := false
	for i, id := range spec.Names {
		left[i] = e.target(id)
		isNamed = isNamed || left[i] != "_"
		if o := e.c.info.Defs[id]; len(spec.Values) == 0 && o != nil && left[i] != "_" {
			fmt.Fprintf(&e.run, "%s = *new(%s); ", left[i], e.c.typeText(o.Type()))
		}
	}
	if spec.Type != nil && !isNamed { // `var _ fmt.Stringer = T{}`: the type stands nowhere else
		e.run.WriteString("var " + e.c.s.render(spec.Pos(), spec.End()) + "\n")
		return
	}
	if spec.Type != nil && slices.Contains(left, "_") {
		e.run.WriteString("var _ " + e.c.s.render(spec.Type.Pos(), spec.Type.End()) + "; ")
	}
	if len(spec.Values) == 0 {
		e.run.WriteString("\n")
		return
	}
	e.assign(left, spec.Values)
}

// initialised is the place of a spec with values in go/types' order.
func (e *emitter) initialised(spec *ast.ValueSpec) (int, bool) {
	if len(spec.Values) == 0 {
		return 0, false
	}
	at, ok := e.order[e.c.info.Defs[spec.Names[0]]]
	return at, ok
}

// shown is what becomes of a statement's value.
type shown int

const (
	showNothing shown = iota
	showValue
	showError // nil is nothing to show
)

// shows tells whether a statement is the cell's last expression, whose value is shown.
func (e *emitter) shows(stmt ast.Stmt) shown {
	x, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return showNothing
	}
	if n := len(e.c.listed); x.X == e.c.show || n > 0 && x.X == e.c.listed[n-1] {
		return showValue
	}
	call, ok := x.X.(*ast.CallExpr)
	if !ok || call != e.c.lastCall {
		return showNothing
	}
	tv := e.c.info.Types[call]
	if tuple, ok := tv.Type.(*types.Tuple); tv.IsVoid() || ok && tuple.Len() == 0 || e.prints(call.Fun) {
		return showNothing
	}
	if types.Identical(tv.Type, types.Universe.Lookup("error").Type()) {
		return showError
	}
	return showValue
}

// isListed tells whether a statement is one of the expressions with which the cell ends.
func (c *compilation) isListed(stmt ast.Stmt) bool {
	x, ok := stmt.(*ast.ExprStmt)
	return ok && slices.Contains(c.listed, x.X)
}

// listText renders the expressions with which the cell ends.
func (c *compilation) listText() string {
	text := make([]string, len(c.listed))
	for i, x := range c.listed {
		text[i] = c.s.render(x.Pos(), x.End())
	}
	return strings.Join(text, ", ")
}

// statement renders one statement; the value of the last expression is shown.
func (e *emitter) statement(stmt ast.Stmt) string {
	text := e.c.s.render(stmt.Pos(), stmt.End())
	rt := func(f string) string { return e.c.alias(runtimePath) + "." + f + "(" + text + ")" }
	switch e.shows(stmt) {
	case showValue:
		return rt("Show")
	case showError:
		return rt("ShowError")
	}
	return text
}

// prints tells whether f is one of fmt's printing functions, whose results nobody wants to see.
func (e *emitter) prints(f ast.Expr) bool {
	id, ok := f.(*ast.Ident)
	if sel, isSel := f.(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return false
	}
	o, ok := e.c.info.Uses[id].(*types.Func)
	return ok && o.Pkg() != nil && o.Pkg().Path() == "fmt" && strings.Contains(o.Name(), "rint") && !strings.HasPrefix(o.Name(), "S")
}

// variables declares what the cell's variables and functions live in.
func (e *emitter) variables() {
	for _, v := range e.c.newVars {
		e.line(&e.top, v.object.Pos())
		fmt.Fprintf(&e.top, "var %s %s\n", mangle(v.name), e.c.typeText(v.object.Type()))
	}
	for _, name := range sortedKeys(e.c.embedded) {
		fmt.Fprintf(&e.top, "type %s = %s\n", mangle(name), name)
	}
	for _, f := range e.c.functions {
		fmt.Fprintf(&e.top, "var %s func%s\n", mangle(f.Name()), e.c.signatureText(f.Signature()))
	}
}

// functions writes what sets function variables: the package's own as it is loaded, those of earlier cells in ꞶBind,
// which also a shipped program calls.
func (e *emitter) functions() {
	e.top.WriteString("func init() {\n")
	for _, f := range e.c.functions {
		fmt.Fprintf(&e.top, "\t%s = %s\n", mangle(f.Name()), implementation(f.Name()))
	}
	fmt.Fprintf(&e.top, "}\nfunc %sBind() {\n", reserved)
	for _, f := range e.c.rebinds {
		fmt.Fprintf(&e.top, "\t%s = %s\n", e.c.reference(f), implementation(f.Name()))
	}
	fmt.Fprintf(&e.top, "}\nfunc %sRun() {\n%sBind()\n%s}\n", reserved, reserved, e.run.String())
}

// header is the package clause and the imports; it comes last, as emission finds what is used.
func (e *emitter) header() string {
	var b strings.Builder
	c := e.c
	b.WriteString("package " + packageName + "\n\n")
	rt := c.alias(runtimePath)
	body := e.top.String()
	used := func(name string) bool { return strings.Contains(body, name+".") } // a variable's type may not be written after all
	for _, path := range sortedKeys(c.aliases) {
		if name := c.aliases[path]; name == rt || used(name) {
			fmt.Fprintf(&b, "import %s %q\n", name, path)
			c.unit.Imports = append(c.unit.Imports, path)
		}
	}
	for _, path := range c.blanks {
		fmt.Fprintf(&b, "import _ %q\n", path)
		c.unit.Imports = append(c.unit.Imports, path)
	}
	for n := range c.cells {
		if used(fmt.Sprintf("%sC%d", reserved, n)) {
			c.unit.Cells = append(c.unit.Cells, n)
		}
	}
	slices.Sort(c.unit.Cells)
	for _, n := range c.unit.Cells {
		fmt.Fprintf(&b, "import %sC%d %q\n", reserved, n, cellPath(n))
	}
	fmt.Fprintf(&b, "var _ = %s.Halt\n", rt)
	fmt.Fprintf(&b, "var %sPackage any = struct{ %s struct{} }{} // brings the name of the package that private fields belong to: see typenames.go\n", reserved, packageName)
	return b.String()
}

// loader is the plugin's second file: it registers ꞶRun, and the variables for snapshots.
func (e *emitter) loader() string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport %sRT %q\n\nfunc init() {\n\t%sRT.Register(%d, %sRun, map[string]any{", packageName, reserved, runtimePath, reserved, e.c.seq, reserved)
	for _, v := range e.c.newVars {
		fmt.Fprintf(&b, "%q: &%s, ", mangle(v.name), mangle(v.name))
	}
	b.WriteString("})\n}\n")
	return b.String()
}
