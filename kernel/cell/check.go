package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// languageVersion is the Go version of cells.
const languageVersion = "go1.26"

// check type-checks the cell: one types.Package of its own, its scope filled with the session's live objects. Top-level
// := and var become package variables (Go infers their types in dependency order), the other statements one function.
func (c *compilation) check() {
	c.fillScope()
	used := c.usedNames()
	decls, rest := c.checkedForm()
	at := c.body
	c.bodyFile.Decls = append(append(c.importDecls(used), decls...), &ast.FuncDecl{
		Name: &ast.Ident{NamePos: at.Lbrace, Name: reserved + "Cell"},
		Type: &ast.FuncType{Func: at.Lbrace, Params: &ast.FieldList{Opening: at.Lbrace, Closing: at.Lbrace}},
		Body: &ast.BlockStmt{Lbrace: at.Lbrace, List: rest, Rbrace: at.Rbrace},
	})
	c.functionFile.Decls = append(c.importDecls(used), c.functionFile.Decls...)
	for _, file := range c.extraFiles {
		if len(file.Imports) == 0 {
			file.Decls = append(c.importDecls(used), file.Decls...)
		}
	}
	c.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Instances: map[*ast.Ident]types.Instance{}}
	if c.looking {
		c.info = &types.Info{}
	}
	config := types.Config{Importer: c.s.importer, GoVersion: languageVersion, DisableUnusedImportCheck: true, Error: c.typeError}
	_ = types.NewChecker(&config, c.s.fset, c.pkg, c.info).Files(c.files()) // typeError has heard of all errors
	c.reportCycles()
	c.checkImplicit()
	for _, id := range c.renamed { // the end of a node is computed from the length of its name
		id.Name = strings.TrimSuffix(id.Name, freshMark)
	}
	for id, name := range c.own {
		id.Name = name
	}
}

// reportCycles brings back the initialisation cycles where they leave a variable without a type (x := x).
func (c *compilation) reportCycles() {
	for _, name := range c.pkg.Scope().Names() {
		if v, ok := c.pkg.Scope().Lookup(name).(*types.Var); ok && v.Type() == types.Typ[types.Invalid] {
			c.errors = append(c.errors, c.cycles...)
			return
		}
	}
}

// fillScope puts the session's objects into the cell's scope, except those that the cell declares anew.
func (c *compilation) fillScope() {
	for name, o := range c.s.objects {
		if c.hard[name] || c.views[name] != nil || (c.declared[name] && !c.fresh[name]) {
			continue
		}
		if path, ok := c.imports[name]; ok && c.imported[path] {
			continue // an import of this cell hides an older variable
		}
		c.pkg.Scope().Insert(o)
	}
	for _, o := range c.keptObjects {
		c.pkg.Scope().Insert(o)
	}
}

// usedNames are the names that the cell leaves to the package scope.
func (c *compilation) usedNames() map[string]bool {
	used := map[string]bool{}
	for _, file := range c.files() {
		for _, id := range file.Unresolved {
			used[id.Name] = true
		}
	}
	for name := range preludeNames {
		if !used[name] || c.hard[name] || (c.declared[name] && !c.fresh[name]) {
			continue
		}
		if _, isImport := c.imports[name]; isImport || c.pkg.Scope().Lookup(name) != nil || c.views[name] != nil {
			continue
		}
		if o := c.s.preludeObject(name); o != nil {
			c.pkg.Scope().Insert(o)
		}
	}
	return used
}

// importDecls imports what is used, in every file of the cell.
func (c *compilation) importDecls(used map[string]bool) []ast.Decl {
	spec := func(name, path string) ast.Decl {
		return &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{&ast.ImportSpec{
			Name: ast.NewIdent(name), Path: &ast.BasicLit{Kind: token.STRING, Value: fmt.Sprintf("%q", path)}}}}
	}
	var decls []ast.Decl
	for _, name := range sortedKeys(c.imports) {
		if used[name] && !c.hard[name] && (!c.declared[name] || c.fresh[name]) && c.pkg.Scope().Lookup(name) == nil && c.views[name] == nil {
			decls = append(decls, spec(name, c.imports[name]))
		}
	}
	for _, name := range sortedKeys(c.keptImports) {
		decls = append(decls, spec(name, c.keptImports[name]))
	}
	for _, path := range c.dots {
		decls = append(decls, spec(".", path))
	}
	return decls
}

// checkedForm turns the cell's statements into declarations and the statements of a function.
func (c *compilation) checkedForm() (decls []ast.Decl, rest []ast.Stmt) {
	temporaries := 0
	for i, st := range c.steps {
		switch {
		case st.stmt == nil: // a magic without Go
		case st.decl != nil:
			decls = append(decls, st.decl)
		case st.define != nil:
			spec := &ast.ValueSpec{Values: st.define.Rhs}
			assigned := map[int]*ast.Ident{} // left sides that exist already, by way of a temporary variable
			isNew, named := false, true
			for j, left := range st.define.Lhs {
				id, ok := left.(*ast.Ident)
				if !ok {
					d := c.diagnose(left.Pos(), "non-name "+c.s.source(left.Pos(), left.End())+" on left side of :=")
					d.Hint = "= assigns to fields and elements"
					c.errors = append(c.errors, d)
					named = false
					continue
				}
				if id.Name != "_" && (id.Obj == nil || id.Obj.Decl != st.define) {
					temporaries++
					id = &ast.Ident{NamePos: id.Pos(), Name: fmt.Sprintf("%sT%d", reserved, temporaries)}
					assigned[j] = id
				} else if id.Name != "_" {
					isNew = true
				}
				spec.Names = append(spec.Names, id)
			}
			if !isNew {
				assign := *st.define
				assign.Tok = token.ASSIGN
				if named && !slices.ContainsFunc(st.define.Lhs, func(e ast.Expr) bool { id, ok := e.(*ast.Ident); return ok && id.Name != "_" }) {
					c.fail(st.define.TokPos, "no new variables on left side of :=")
				}
				rest = append(rest, &assign)
				continue
			}
			decls = append(decls, &ast.GenDecl{TokPos: st.define.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
			for j := range st.define.Lhs {
				if t := assigned[j]; t != nil {
					rest = append(rest, &ast.AssignStmt{Lhs: []ast.Expr{st.define.Lhs[j]}, TokPos: st.define.TokPos, Tok: token.ASSIGN,
						Rhs: []ast.Expr{&ast.Ident{NamePos: st.define.Rhs[0].Pos(), Name: t.Name}}})
				}
			}
		default:
			rest = append(rest, c.checkedStatement(st, i))
		}
	}
	return decls, rest
}

// checkedStatement remembers the last expression, whose value is shown, and makes it legal as a statement.
func (c *compilation) checkedStatement(st *step, i int) ast.Stmt {
	last := i == len(c.steps)-1
	e, ok := st.stmt.(*ast.ExprStmt)
	switch {
	case ok && st.isShellPart():
		return discarded(e)
	case ok && c.isKept(st, i):
		st.kept = true
		if _, isCall := e.X.(*ast.CallExpr); isCall { // whether it has a value is not known yet
			c.keptCalls[e.X.Pos()] = true
			return e
		}
		return discarded(e)
	case i >= len(c.steps)-c.parts.listed && !ok:
		c.fail(st.stmt.Pos(), "expected an expression: the cell ends with a list of them, and this is a statement")
		return st.stmt
	case i >= len(c.steps)-c.parts.listed:
		c.listed = append(c.listed, e.X)
		return discarded(e)
	case !ok || !last:
		return st.stmt
	}
	if call, ok := e.X.(*ast.CallExpr); ok {
		c.lastCall = call
		return st.stmt
	}
	c.show = e.X
	return discarded(e)
}

// discarded is `_ = x`.
func discarded(e *ast.ExprStmt) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{&ast.Ident{NamePos: e.Pos(), Name: "_"}}, TokPos: e.Pos(), Tok: token.ASSIGN, Rhs: []ast.Expr{e.X}}
}

// typeError sorts go/types' errors: what a notebook allows is let through.
func (c *compilation) typeError(err error) {
	e, ok := err.(types.Error)
	if c.looking {
		return
	}
	if !ok {
		c.errors = append(c.errors, Diagnostic{Cell: c.label, Line: 1, Column: 1, Message: err.Error()})
		return
	}
	switch {
	case strings.Contains(e.Msg, "declared and not used") && !strings.HasPrefix(e.Msg, "label "):
		c.unused = append(c.unused, e.Pos)
	case strings.HasPrefix(e.Msg, "implicit assignment to unexported field") && strings.Contains(e.Msg, "literal of type "+userPackage+"."):
		// go/types compares package pointers here, and the package of an earlier cell is another one.
		if c.implicit == nil {
			c.implicit = map[token.Pos]bool{}
		}
		c.implicit[e.Pos] = true
	case strings.HasPrefix(e.Msg, "initialization cycle"):
		// Functions may use the variable that is being set: statements run in order, and functions are variables.
		c.cycles = append(c.cycles, c.diagnose(e.Pos, e.Msg))
	case strings.HasSuffix(e.Msg, "is not used") && (c.keptCalls[e.Pos] || c.lastCall != nil && e.Pos == c.lastCall.Pos()):
		// len(x), float64(x) and the like are no statements, but as a cell's last expression they are shown.
	case strings.HasPrefix(e.Msg, "use of untyped nil in assignment") && c.isShown(e.Pos):
	case c.missing[strings.TrimPrefix(e.Msg, "undefined: ")]: // its import is reported
	case strings.HasPrefix(e.Msg, "\t"): // continuation of the error before
	default:
		if c.isShown(e.Pos) { // the cell has no such assignment
			e.Msg = strings.Replace(e.Msg, " in assignment to _ identifier", "", 1)
		}
		d := c.diagnose(e.Pos, e.Msg)
		d.Hint = c.hint(e)
		c.errors = append(c.errors, d)
	}
}

// isShown tells whether an expression that the cell shows begins at p.
func (c *compilation) isShown(p token.Pos) bool {
	return c.show != nil && c.show.Pos() == p || slices.ContainsFunc(c.listed, func(e ast.Expr) bool { return e.Pos() == p })
}
