package cell

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
)

// displayPath is our package display, which cells get by the paths under which gophernotes offers its own.
const displayPath = "gomosaic/display"

var displayPaths = map[string]bool{"display": true, "github.com/gopherdata/gophernotes": true}

// resolveImports loads what the cell imports and puts it beside the session's imports.
func (c *compilation) resolveImports() {
	maps.Copy(c.imports, c.s.imports)
	c.dots = append(c.dots, c.s.dots...)
	for _, spec := range c.parts.imports {
		if displayPaths[spec.path] {
			spec.path = displayPath
		}
		pkg, err := c.s.importer.Import(spec.path)
		if err != nil {
			d := c.diagnoseAt(spec.offset, "cannot import "+spec.path+": "+err.Error())
			if spec.path == "C" {
				d.Message = "cannot import C: cells have no cgo"
			}
			d.Hint = c.adviseImport(spec.path, err)
			c.errors = append(c.errors, d)
			c.missing[cmp.Or(spec.name, path.Base(spec.path))] = true
			continue
		}
		c.imported[spec.path] = true
		switch spec.name {
		case "":
			c.imports[pkg.Name()] = spec.path
		case ".":
			c.dots = append(c.dots, spec.path)
		case "_":
			c.blanks = append(c.blanks, pkg.Path())
		default:
			c.imports[spec.name] = spec.path
		}
	}
}

// collect notes which names the cell declares at top level.
func (c *compilation) collect() {
	c.assignParameters()
	for _, stmt := range c.unlabeled() {
		st := &step{stmt: stmt}
		switch x := stmt.(type) {
		case *ast.AssignStmt:
			if x.Tok == token.DEFINE {
				st.define = x
				for _, left := range x.Lhs {
					if id, ok := left.(*ast.Ident); ok && id.Obj != nil && id.Obj.Decl == x {
						c.declareVariable(id)
					}
				}
			}
		case *ast.DeclStmt:
			st.decl = x.Decl.(*ast.GenDecl)
			for _, spec := range st.decl.Specs {
				c.declareSpec(st.decl.Tok, spec)
			}
		}
		c.steps = append(c.steps, st)
	}
	c.placeMagics()
	for _, decl := range c.functionFile.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			c.declareFunction(f)
		}
	}
	for name := range c.hard { // the type itself is declared here: nothing to reopen
		delete(c.reopened, name)
	}
	for name := range c.declared {
		_, isImport := c.imports[name]
		if !c.hard[name] && (c.s.objects[name] != nil || isImport || preludeNames[name] != (preludeName{})) {
			c.fresh[name] = true
		}
	}
}

// unlabeled are the cell's statements, with labels of declarations taken off as statements of their own: in
// `L: x := 1` x is the session's as anywhere else.
func (c *compilation) unlabeled() []ast.Stmt {
	var list []ast.Stmt
	for _, stmt := range c.body.List {
		for labeled, ok := stmt.(*ast.LabeledStmt); ok; labeled, ok = stmt.(*ast.LabeledStmt) {
			inner := labeled.Stmt
			for l, ok := inner.(*ast.LabeledStmt); ok; l, ok = inner.(*ast.LabeledStmt) {
				inner = l.Stmt
			}
			assign, _ := inner.(*ast.AssignStmt)
			if _, isDecl := inner.(*ast.DeclStmt); !isDecl && (assign == nil || assign.Tok != token.DEFINE) {
				break
			}
			stmt = labeled.Stmt
			labeled.Stmt = &ast.EmptyStmt{Semicolon: labeled.Colon + 1, Implicit: true}
			list = append(list, labeled)
		}
		list = append(list, stmt)
	}
	return list
}

// parametersDirective marks a cell in which := gives a number, a text or a boolean to a variable that exists, as = does, so
// that 1 is a float64's. Who writes the cell, as papermill does, need not know what the notebook declares.
const parametersDirective = "//gomosaic:parameters"

// assignParameters makes assignments of the definitions that [parametersDirective] means.
func (c *compilation) assignParameters() {
	if !slices.ContainsFunc(c.bodyFile.Comments, func(g *ast.CommentGroup) bool {
		return slices.ContainsFunc(g.List, func(line *ast.Comment) bool { return line.Text == parametersDirective })
	}) {
		return
	}
	for _, stmt := range c.body.List {
		x, ok := stmt.(*ast.AssignStmt)
		if !ok || x.Tok != token.DEFINE || len(x.Lhs) != 1 || len(x.Rhs) != 1 {
			continue
		}
		name, ok := x.Lhs[0].(*ast.Ident)
		if _, isVariable := c.s.objects[name.Name].(*types.Var); ok && isVariable && isPlain(x.Rhs[0]) {
			x.Tok = token.ASSIGN
			name.Obj = nil
			c.assigns[x] = true
		}
	}
}

// isPlain tells whether an expression is a number, a text, or true or false.
func isPlain(x ast.Expr) bool {
	if sign, ok := x.(*ast.UnaryExpr); ok && sign.Op == token.SUB {
		x = sign.X
	}
	switch x := x.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return x.Name == "true" || x.Name == "false"
	}
	return false
}

// editAssigned writes = for the := of a parameter.
func (c *compilation) editAssigned(x *ast.AssignStmt) {
	if c.assigns[x] {
		c.s.edit(x.TokPos, x.TokPos+token.Pos(len(":=")), "=")
	}
}

func (c *compilation) declareVariable(id *ast.Ident) {
	if id.Name == "_" {
		return
	}
	c.declared[id.Name] = true
	if id.Obj != nil {
		c.variables[id.Obj] = id.Name
	}
}

func (c *compilation) declareSpec(tok token.Token, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			if tok == token.VAR {
				c.declareVariable(id)
			} else {
				c.hard[id.Name] = true
			}
		}
	case *ast.TypeSpec:
		c.hard[spec.Name.Name] = true
	}
}

func (c *compilation) declareFunction(f *ast.FuncDecl) {
	if f.Body == nil {
		d := c.diagnose(f.Name.Pos(), "missing function body")
		if strings.HasPrefix(strings.TrimSpace(c.code[c.s.offset(c.s.fragmentAt(f.Pos()), f.End()):]), "{") {
			d.Hint = slipHint(d.Message, "")
		}
		c.errors = append(c.errors, d)
	}
	if f.Recv == nil {
		c.hard[f.Name.Name] = true
		return
	}
	if len(f.Recv.List) != 1 {
		return // go/types reports it
	}
	base := receiverBase(f.Recv.List[0].Type)
	if c.s.types[base] == nil {
		return
	}
	if _, ok := c.s.objects[base].(*types.TypeName); ok {
		c.reopened[base] = true
	}
	c.overridden[base+"."+f.Name.Name] = true
}

// receiverBase is the type name in a receiver: T of T, *T, T[K], (*T).
func receiverBase(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// rename gives redeclared variables a name of their own for the check, so that `x := x + 1` has the old x on its right.
// Which identifier means which is go/parser's resolution: it has the sequential scoping of a function body.
func (c *compilation) rename() {
	keys := map[*ast.Ident]bool{} // of struct literals: field names
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			switch lit.Type.(type) {
			case *ast.MapType, *ast.ArrayType:
				return true
			}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						keys[id] = true
					}
				}
			}
			return true
		})
	}
	freshen := func(id *ast.Ident) {
		if !strings.HasSuffix(id.Name, freshMark) {
			id.Name += freshMark
			c.renamed = append(c.renamed, id)
		}
	}
	ast.Inspect(c.bodyFile, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Obj != nil && !keys[id] && c.fresh[c.variables[id.Obj]] {
			freshen(id)
		}
		return true
	})
	for _, id := range c.functionFile.Unresolved {
		if c.fresh[id.Name] {
			freshen(id)
		}
	}
}
