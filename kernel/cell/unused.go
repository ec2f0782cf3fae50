package cell

import (
	"go/ast"
	"go/token"
)

// discardUnused uses the variables that nothing uses: a notebook tolerates them, the compiler does not.
func (c *compilation) discardUnused() {
	for _, p := range c.unused {
		for _, file := range c.files() {
			if file.FileStart <= p && p <= file.FileEnd && c.s.fragmentAt(p) != nil {
				c.discard(file, p)
			}
		}
	}
}

// discard adds `_ = x` after the statement that declares x at p, or in the block whose header declares it. An unused
// variable of a type switch loses its declaration.
func (c *compilation) discard(file *ast.File, p token.Pos) {
	in := func(n ast.Node) bool { return n.Pos() <= p && p < n.End() }
	name := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Pos() == p {
			name = id.Name
		}
		return name == ""
	})
	if name == "" {
		return
	}
	header := func(part ast.Node, at token.Pos) {
		if in(part) {
			c.insert(at, " _ = "+name+"; ")
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
			if n.Comm != nil {
				header(n.Comm, n.Colon+1)
			}
		case *ast.IfStmt:
			if n.Init != nil && !insideLiteral(n.Init, p) {
				header(n.Init, n.Body.Lbrace+1)
			}
		case *ast.ForStmt:
			if n.Init != nil && !insideLiteral(n.Init, p) {
				header(n.Init, n.Body.Lbrace+1)
			}
		case *ast.SwitchStmt:
			if n.Init != nil && !insideLiteral(n.Init, p) && in(n.Init) {
				c.insert(n.Init.End(), "; _ = "+name+"; switch ")
				c.s.edit(n.Switch, n.Init.Pos(), "{ ")
				c.insert(n.End(), "}")
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if e != nil {
					header(e, n.Body.Lbrace+1)
				}
			}
		case *ast.TypeSwitchStmt:
			if a, ok := n.Assign.(*ast.AssignStmt); ok && in(a.Lhs[0]) {
				c.s.edit(a.Lhs[0].Pos(), a.Rhs[0].Pos(), "")
			}
		}
		for _, stmt := range list {
			if labeled, ok := stmt.(*ast.LabeledStmt); ok {
				stmt = labeled.Stmt
			}
			switch stmt.(type) {
			case *ast.AssignStmt, *ast.DeclStmt:
				if in(stmt) && !insideLiteral(stmt, p) {
					c.insert(stmt.End(), "; _ = "+name)
				}
			}
		}
		return true
	})
}

// insideLiteral tells whether p is in the body of a function literal within n: its own statements are looked at then.
func insideLiteral(n ast.Node, p token.Pos) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && lit.Body.Pos() <= p && p < lit.Body.End() {
			found = true
		}
		return !found
	})
	return found
}
