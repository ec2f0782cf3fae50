package cell

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// shortLoop is the number of rounds up to which a loop with constant bounds goes unguarded: it cannot run for long by
// itself, and in image code the innermost loops are of this kind.
const shortLoop = 64

// guard is the check for interruption at the start of loop bodies and of functions that call others.
func (c *compilation) guard() string {
	rt := c.alias(runtimePath)
	return "if " + rt + ".Stop.Load() != 0 { " + rt + ".Halt() }; "
}

func (c *compilation) guardLiteral(x *ast.FuncLit) {
	text := ""
	if c.goLiterals[x] {
		text = "defer " + c.alias(runtimePath) + ".GoEnd(); "
	}
	if c.calls(x.Body) {
		text += c.guard()
	}
	c.insert(x.Body.Lbrace+1, text)
}

// calls tells whether a body calls a function: leaf functions need no guard.
func (c *compilation) calls(body ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if tv := c.info.Types[call.Fun]; !tv.IsType() && !tv.IsBuiltin() {
				found = true
			}
		}
		return !found
	})
	return found
}

// isShortRange recognises range over a small constant or array.
func (c *compilation) isShortRange(x *ast.RangeStmt) bool {
	tv := c.info.Types[x.X]
	if tv.Value != nil {
		n, ok := constant.Int64Val(constant.ToInt(tv.Value))
		return ok && n <= shortLoop
	}
	if tv.Type == nil {
		return false
	}
	a, ok := tv.Type.Underlying().(*types.Array)
	return ok && a.Len() <= shortLoop
}

// isShort recognises `for i := a; i < b; i++` with constants b-a ≤ shortLoop and a body that leaves i alone.
func (c *compilation) isShort(x *ast.ForStmt) bool {
	init, ok := x.Init.(*ast.AssignStmt)
	if !ok || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return false
	}
	id, ok := init.Lhs[0].(*ast.Ident)
	if !ok {
		return false
	}
	index := c.info.Defs[id]
	cond, ok := x.Cond.(*ast.BinaryExpr)
	if !ok || index == nil || (cond.Op != token.LSS && cond.Op != token.LEQ) || !c.is(cond.X, index) {
		return false
	}
	from, to := c.info.Types[init.Rhs[0]].Value, c.info.Types[cond.Y].Value
	if from == nil || to == nil {
		return false
	}
	a, ok1 := constant.Int64Val(constant.ToInt(from))
	b, ok2 := constant.Int64Val(constant.ToInt(to))
	if !ok1 || !ok2 || b-a > shortLoop {
		return false
	}
	post, ok := x.Post.(*ast.IncDecStmt)
	return ok && post.Tok == token.INC && c.is(post.X, index) && !c.writes(x.Body, index)
}

func (c *compilation) is(e ast.Expr, o types.Object) bool {
	id, ok := e.(*ast.Ident)
	return ok && c.info.Uses[id] == o
}

// writes tells whether body changes o or takes its address.
func (c *compilation) writes(body ast.Node, o types.Object) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				found = found || c.is(left, o)
			}
		case *ast.IncDecStmt:
			found = found || c.is(n.X, o)
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND && c.is(n.X, o)
		case *ast.RangeStmt:
			found = found || c.is(n.Key, o) || c.is(n.Value, o)
		}
		return !found
	})
	return found
}
