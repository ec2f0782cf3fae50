package cell

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// Bounds of what goes unchecked. A round of a quick loop takes some nanoseconds, so that both are a few milliseconds.
const (
	freeRounds    = 1 << 20 // rounds of a quick loop with constant bounds, those of the loops in it multiplied
	skippedRounds = 1 << 10 // rounds between two checks of another quick loop
	quickBody     = 64      // rounds of the loops in it, at most
)

// guard is the check for interruption at the start of loop bodies and before calls that may come back to the function.
func (c *compilation) guard() string {
	rt := c.alias(runtimePath)
	return "if " + rt + ".Stopped() { " + rt + ".Halt() }; "
}

// quickGuard is the check of a loop whose rounds are counted by index: a test of a register most of the time, instead of
// two loads from memory, which are a third of the time of an innermost loop.
func (c *compilation) quickGuard(index string) string {
	rt := c.alias(runtimePath)
	return fmt.Sprintf("if %s&%d == 0 && %s.Stopped() { %s.Halt() }; ", index, skippedRounds-1, rt, rt)
}

func (c *compilation) guardLiteral(x *ast.FuncLit) {
	if c.goLiterals[x] {
		c.insert(x.Body.Lbrace+1, "defer "+reserved+"R.Enter().End(); ")
	}
	if c.called[x] {
		c.guardFunction(x.Body)
	} else {
		c.guardCallback(x.Body)
	}
}

func (c *compilation) guardFor(x *ast.ForStmt) {
	if c.isFree(x) {
		return
	}
	if work, quick := c.work(x.Body, x.Cond, x.Post); quick && work <= quickBody {
		if index := c.forIndex(x); index != nil && countable(index.Type()) {
			c.insert(x.Body.Lbrace+1, c.quickGuard(index.Name()))
			return
		}
	}
	c.insert(x.Body.Lbrace+1, c.guard())
}

func (c *compilation) guardRange(x *ast.RangeStmt) {
	if c.isFree(x) {
		return
	}
	if work, quick := c.work(x.Body); quick && work <= quickBody {
		if index := c.countRange(x); index != "" {
			c.insert(x.Body.Lbrace+1, c.quickGuard(index))
			return
		}
	}
	c.insert(x.Body.Lbrace+1, c.guard())
}

// countRange is the name of the key of a range statement that goes up by one each round, from zero; it gets one if it
// has none. It is "" where keys are of another kind.
func (c *compilation) countRange(x *ast.RangeStmt) string {
	t := c.info.TypeOf(x.X)
	if t == nil || x.Tok == token.ASSIGN {
		return ""
	}
	t = t.Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	switch t := t.(type) {
	case *types.Slice, *types.Array:
	case *types.Basic:
		if t.Kind() != types.UntypedInt && !countable(t) {
			return ""
		}
	default:
		return ""
	}
	const counter = reserved + "N"
	switch key, _ := x.Key.(*ast.Ident); {
	case x.Key == nil:
		c.insert(x.Range, counter+" := ")
		return counter
	case key.Name == "_":
		c.s.edit(key.Pos(), key.End(), counter)
		return counter
	default:
		return key.Name
	}
}

// countable tells whether the mask fits the type.
func countable(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0 && b.Kind() != types.Int8 && b.Kind() != types.Uint8
}

// isFree tells that a loop is over soon by its constant bounds: in image code the innermost loops are of this kind.
func (c *compilation) isFree(loop ast.Stmt) bool {
	work, quick := c.work(loop)
	return quick && work <= freeRounds
}

// work counts the rounds of the loops in nodes, multiplied where they are nested; one for nodes without a loop. quick
// tells that nothing in them takes long otherwise: no call, no waiting, no copy of unknown size, no loop that may be long.
func (c *compilation) work(nodes ...ast.Node) (work int64, quick bool) {
	work, quick = 1, true
	loop := func(rounds int64, ok bool, parts ...ast.Node) bool {
		inner, innerQuick := c.work(parts...)
		quick = quick && ok && innerQuick
		work += min(max(rounds, 0), freeRounds+1) * min(inner, freeRounds+1)
		return false
	}
	for _, node := range nodes {
		if node == nil {
			continue
		}
		ast.Inspect(node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ForStmt:
				rounds, ok := c.forRounds(n)
				return loop(rounds, ok, n.Body)
			case *ast.RangeStmt:
				rounds, ok := c.rangeRounds(n)
				return loop(rounds, ok, n.Body)
			case *ast.CallExpr:
				quick = quick && c.isQuickCall(n)
			case *ast.BinaryExpr:
				quick = quick && (n.Op != token.ADD || !isString(c.info.TypeOf(n)))
			case *ast.AssignStmt:
				quick = quick && (n.Tok != token.ADD_ASSIGN || !isString(c.info.TypeOf(n.Lhs[0])))
			case *ast.UnaryExpr:
				quick = quick && n.Op != token.ARROW
			case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt, *ast.DeferStmt, *ast.FuncLit:
				quick = false
			case *ast.BranchStmt:
				quick = quick && n.Tok != token.GOTO
			}
			return quick
		})
	}
	return work, quick
}

// isString includes what may be one, a type parameter.
func isString(t types.Type) bool {
	if t == nil {
		return true
	}
	b, ok := t.Underlying().(*types.Basic)
	return !ok || b.Info()&types.IsString != 0
}

// isQuickCall recognises conversions of numbers, built-in functions that are an instruction or two, and package math.
func (c *compilation) isQuickCall(call *ast.CallExpr) bool {
	switch tv := c.info.Types[call.Fun]; {
	case tv.IsType():
		b, ok := tv.Type.Underlying().(*types.Basic)
		return ok && b.Info()&types.IsNumeric != 0
	case tv.IsBuiltin():
		id, ok := ast.Unparen(call.Fun).(*ast.Ident)
		return ok && slices.Contains([]string{"len", "cap", "min", "max", "real", "imag", "complex", "append", "panic"}, id.Name)
	}
	f := c.callee(call)
	return f != nil && f.Pkg() != nil && slices.Contains([]string{"math", "math/bits", "math/cmplx"}, f.Pkg().Path())
}

// rangeRounds is the number of rounds of a range over a constant or an array.
func (c *compilation) rangeRounds(x *ast.RangeStmt) (int64, bool) {
	tv := c.info.Types[x.X]
	if tv.Value != nil && tv.Value.Kind() != constant.String {
		return constant.Int64Val(constant.ToInt(tv.Value))
	}
	if tv.Type == nil {
		return 0, false
	}
	a, ok := tv.Type.Underlying().(*types.Array)
	if !ok {
		return 0, false
	}
	return a.Len(), true
}

// forIndex is the variable of `for i := a; …; i++` whose body leaves it alone, else nil.
func (c *compilation) forIndex(x *ast.ForStmt) types.Object {
	init, ok := x.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return nil
	}
	id, ok := init.Lhs[0].(*ast.Ident)
	if !ok {
		return nil
	}
	index := c.info.Defs[id]
	post, ok := x.Post.(*ast.IncDecStmt)
	if !ok || index == nil || post.Tok != token.INC || !c.is(post.X, index) || c.writes(x.Body, index) {
		return nil
	}
	return index
}

// forRounds is the number of rounds of `for i := a; i < b; i++` with constants a and b.
func (c *compilation) forRounds(x *ast.ForStmt) (int64, bool) {
	index := c.forIndex(x)
	cond, ok := x.Cond.(*ast.BinaryExpr)
	if !ok || index == nil || (cond.Op != token.LSS && cond.Op != token.LEQ) || !c.is(cond.X, index) {
		return 0, false
	}
	from, to := c.info.Types[x.Init.(*ast.AssignStmt).Rhs[0]].Value, c.info.Types[cond.Y].Value
	if from == nil || to == nil {
		return 0, false
	}
	a, ok1 := constant.Int64Val(constant.ToInt(from))
	b, ok2 := constant.Int64Val(constant.ToInt(to))
	return b - a + 1, ok1 && ok2 && a >= 0
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
