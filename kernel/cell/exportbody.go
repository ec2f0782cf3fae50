package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// bodyWriter writes one cell: declarations that belong to the package, and the statements of the cell's function.
type bodyWriter struct {
	x        *Exporter
	c        *compilation
	top, run strings.Builder
	docs     map[*ast.CommentGroup]bool // comments that go with a function
	pulled   map[*ast.ValueSpec]bool
}

// export edits the cell's names and takes its text apart.
func (x *Exporter) export(cell *exportedCell) *bodyWriter {
	c := cell.compilation
	c.export = x
	w := &bodyWriter{x: x, c: c, docs: map[*ast.CommentGroup]bool{}, pulled: map[*ast.ValueSpec]bool{}}
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		w.editNames(file)
	}
	c.discardUnused()
	w.functions()
	w.statements()
	return w
}

// editNames replaces names that mean something else in the program.
func (w *bodyWriter) editNames(file *ast.File) {
	c := w.c
	selected := map[*ast.Ident]bool{}
	var self types.Object
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.IMPORT {
				return false
			}
		case *ast.AssignStmt:
			c.editAssigned(n)
		case *ast.FuncDecl:
			self = c.info.Defs[n.Name]
		case *ast.SelectorExpr:
			selected[n.Sel] = true
		case *ast.Ident:
			if n.Name == "_" || !n.Pos().IsValid() || c.s.fragmentAt(n.Pos()) == nil || isGenerated(n.Name) {
				return true
			}
			o := c.info.Uses[n]
			if o == nil {
				o = c.info.Defs[n]
			}
			switch x := o.(type) {
			case nil:
				return true
			case *types.PkgName:
				w.edit(n, w.x.importName(x.Imported().Path()))
				return true
			case *types.Var:
				if x.IsField() {
					return true
				}
			case *types.Func:
				if x.Signature().Recv() != nil {
					return true
				}
				if t := w.x.thingOf(c, o); t != nil && (o == self || c.info.Defs[n] == o) {
					w.edit(n, w.x.versionName(t, x))
					return true
				}
			}
			if _, ok := c.placeOf(o); ok {
				w.edit(n, c.reference(o))
				return true
			}
			if pkg := o.Pkg(); !selected[n] && pkg != nil && !fromCell(pkg) && o.Parent() == pkg.Scope() { // by a dot import
				w.edit(n, w.x.importName(pkg.Path())+"."+o.Name())
			}
		}
		return true
	})
}

func (w *bodyWriter) edit(id *ast.Ident, text string) {
	if text != id.Name {
		w.c.s.edit(id.Pos(), id.End(), text)
	}
}

// functions writes the cell's functions and methods, with the comments above them.
func (w *bodyWriter) functions() {
	c := w.c
	inits := 0
	for _, decl := range c.functionFile.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || isGenerated(f.Name.Name) {
			continue
		}
		if f.Recv == nil && f.Name.Name == "init" {
			inits++
			name := w.x.fresh(fmt.Sprintf("init%d", c.label))
			c.s.edit(f.Name.Pos(), f.Name.End(), name)
			w.run.WriteString("\t" + name + "()\n")
		}
		if doc := w.docOf(f); doc != "" {
			w.top.WriteString(doc + "\n")
		}
		w.top.WriteString(c.s.render(f.Pos(), f.End()) + "\n\n")
	}
}

// docOf is the comment that ends on the line above a function. It stands among the statements, as [split] left it.
func (w *bodyWriter) docOf(f *ast.FuncDecl) string {
	c := w.c
	at := c.s.offset(c.s.fragmentAt(f.Pos()), f.Pos())
	for _, group := range c.bodyFile.Comments {
		body := c.s.fragmentAt(group.Pos())
		from, to := c.s.offset(body, group.Pos()), c.s.offset(body, group.End())
		if to <= at && strings.TrimSpace(c.code[to:at]) == "" && strings.Count(c.code[to:at], "\n") == 1 {
			w.docs[group] = true
			return body.text[from:to]
		}
	}
	return ""
}

// gap writes what stands between two statements: comments and blank lines.
func (w *bodyWriter) gap(from, to token.Pos) {
	c := w.c
	f := c.s.fragmentAt(from)
	begin, end := c.s.offset(f, from), c.s.offset(f, to)
	text := []byte(f.text[begin:max(begin, end)])
	for group := range w.docs {
		a, b := c.s.offset(f, group.Pos())-begin, c.s.offset(f, group.End())-begin
		if a >= 0 && b <= len(text) {
			blank(text[a:b])
		}
	}
	// A build constraint means nothing in a cell, but gofmt would lift it to the head of the file.
	w.run.WriteString(strings.NewReplacer("//go:build", "// go:build", "// +build", "// + build").Replace(string(text)))
}

// statements writes the body of the cell's function.
func (w *bodyWriter) statements() {
	c := w.c
	fronts := w.fronts()
	at := c.body.Lbrace + 1
	for i := 0; i < len(c.steps); i++ {
		st := c.steps[i]
		if st.stmt == nil {
			offset := c.s.fragmentAt(c.body.Lbrace + 2)
			here := w.pos(offset, st.magic.Offset)
			fronts(st.magic.Offset)
			w.gap(at, here)
			at = here
			i = w.magic(i) - 1
			continue
		}
		begin := st.stmt.Pos()
		if st.decl != nil && st.decl.Tok != token.VAR && st.decl.Doc != nil {
			begin = st.decl.Doc.Pos()
		}
		fronts(c.offset(st.stmt))
		if st.magic != nil && st.isShellPart() {
			end := i
			for end < len(c.steps) && c.steps[end].magic == st.magic {
				at = c.steps[end].stmt.End() + 1
				end++
			}
			i = w.magic(i) - 1
			continue
		}
		w.gap(at, begin)
		at = st.stmt.End()
		switch {
		case st.decl != nil && st.decl.Tok == token.VAR:
			w.variables(st.decl)
		case st.decl != nil:
			w.top.WriteString(c.s.render(begin, st.decl.End()) + "\n\n")
		case st.define != nil:
			w.define(st.define)
		case c.isListed(st.stmt):
			w.run.WriteString(w.x.showName() + "(" + c.listText() + ")")
			i = len(c.steps) - 1
			at = c.steps[i].stmt.End()
		default:
			if x, ok := st.stmt.(*ast.ExprStmt); ok && st.kept {
				if _, isCall := x.X.(*ast.CallExpr); !isCall {
					w.run.WriteString("_ = ")
				}
			}
			w.run.WriteString(w.statement(st.stmt))
		}
	}
	fronts(len(c.code) + 1)
	w.gap(at, c.body.Rbrace)
	if c.parts.isMain && c.hard["main"] {
		if f, ok := c.pkg.Scope().Lookup("main").(*types.Func); ok {
			w.run.WriteString("\n" + c.reference(f) + "()\n")
		}
	}
}

// pos is the position of a byte of the cell in its body file.
func (w *bodyWriter) pos(f *fragment, offset int) token.Pos {
	return w.c.s.fset.File(w.c.body.Lbrace).Pos(offset + f.prefix)
}

// fronts writes magics as comments, up to a byte of the cell: those that concern the kernel, and those that measure the
// Go behind them, which the program runs once.
func (w *bodyWriter) fronts() func(until int) {
	next := 0
	return func(until int) {
		for ; next < len(w.c.magics) && w.c.magics[next].Offset < until; next++ {
			if use := &w.c.magics[next]; use.Kind == magic.Front || use.Kind == magic.Code && (use.Args != "" || use.Whole) {
				w.comment(use)
			}
		}
	}
}

// magic writes the steps that belong to a magic without Go of its own as a call, and returns the index behind them. What
// concerns the kernel alone becomes a comment.
func (w *bodyWriter) magic(i int) int {
	c := w.c
	use, end := c.steps[i].magic, i+1
	for end < len(c.steps) && c.steps[end].magic == use {
		end++
	}
	e := &emitter{c: c}
	var args []string
	switch use.Name {
	case magic.Shell:
		args = e.shellParts(use, c.steps[i:end])
	case "bash", "cd", "env", "writefile":
		args = []string{strconv.Quote(use.Args)}
		if use.Whole {
			args = append(args, strconv.Quote(use.Body))
		}
	default:
		w.comment(use)
		return end
	}
	w.run.WriteString("\n" + e.magicFunction(use.Name) + "(" + strings.Join(args, ", ") + ")\n")
	return end
}

// comment writes a magic's line as a comment.
func (w *bodyWriter) comment(use *magic.Use) {
	line, _, _ := strings.Cut(w.c.code[use.Offset:], "\n")
	w.run.WriteString("\n// " + line + "\n")
}

// statement writes a statement; the value of the cell's last expression is printed.
func (w *bodyWriter) statement(stmt ast.Stmt) string {
	c := w.c
	text := c.s.render(stmt.Pos(), stmt.End())
	switch (&emitter{c: c}).shows(stmt) {
	case showValue:
		return w.x.showName() + "(" + text + ")"
	case showError:
		return "if err := " + text + "; err != nil {\n" + w.x.showName() + "(err)\n}"
	}
	return text
}

func (x *Exporter) showName() string {
	if x.show == "" {
		x.show = x.fresh("show")
	}
	return x.show
}
