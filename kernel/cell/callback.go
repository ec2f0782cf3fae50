package cell

import (
	"go/ast"
	"go/types"
	"strings"
)

// Functions that a library may call in a loop of its own (the less of a sort, the function of a walk, an iterator) are
// where such a loop can be stopped: they are checked for interruption when they are entered, unless one of their
// statements is checked already, see guardFunction. These are function literals, but for those that the code around them
// only calls; functions declared at top level, which later cells may hand on; and methods, unless they are so small that
// the compiler may put them in the place of their calls: of those only the ones by which the standard library calls back,
// and those that this cell hands on.

// callbackMethods are methods that the standard library calls in loops as long as the data.
var callbackMethods = map[string]string{
	"Less":     "(int, int) (bool)",     // sort.Interface
	"Read":     "([]byte) (int, error)", // io.Reader
	"Write":    "([]byte) (int, error)", // io.Writer
	"ReadByte": "() (byte, error)",      // io.ByteReader
	"ReadRune": "() (rune, int, error)", // io.RuneReader
}

// guardCallback puts the check at the entry of a function that has no other.
func (c *compilation) guardCallback(body *ast.BlockStmt) {
	if !c.guardFunction(body) {
		c.insert(body.Lbrace+1, c.guard())
	}
}

// inlined is how many nodes a function has at most that the compiler puts in the place of its calls (inlineMaxBudget of
// cmd/compile).
const inlined = 80

// isCallback tells of a declared function or method whether a library may call it back.
func (c *compilation) isCallback(f *types.Func, body *ast.BlockStmt) bool {
	sig := f.Signature()
	if c.handedOn[f] || sig.Recv() == nil && sig.TypeParams().Len() == 0 {
		return true
	}
	nodes := 0
	ast.Inspect(body, func(n ast.Node) bool {
		if n != nil {
			nodes++
		}
		return true
	})
	return nodes > inlined || callbackMethods[f.Name()] == tupleText(sig.Params())+" "+tupleText(sig.Results())
}

func tupleText(t *types.Tuple) string {
	var list []string
	for v := range t.Variables() {
		list = append(list, types.TypeString(v.Type(), nil))
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// findCallbacks tells which functions and local variables the cell uses otherwise than to call them or to assign to them,
// and which function literals the code around them only calls: where they stand, or by the name of a local variable.
func (c *compilation) findCallbacks() {
	c.handedOn, c.called = map[types.Object]bool{}, map[*ast.FuncLit]bool{}
	held := map[*ast.FuncLit]types.Object{} // by a variable
	plain := map[*ast.Ident]bool{}          // uses to call or to assign
	hold := func(left, right []ast.Expr) {
		for i, x := range left {
			id, ok := x.(*ast.Ident)
			if !ok {
				continue
			}
			plain[id] = true
			if len(left) != len(right) {
				continue
			}
			if lit, ok := right[i].(*ast.FuncLit); ok {
				held[lit] = c.objectOf(id)
			}
		}
	}
	for _, file := range c.files() {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok {
					c.called[lit] = true
				} else if id := calleeName(n); id != nil {
					plain[id] = true
				}
			case *ast.AssignStmt:
				hold(n.Lhs, n.Rhs)
			case *ast.ValueSpec:
				hold(identifiers(n.Names), n.Values)
			}
			return true
		})
	}
	for id, o := range c.info.Uses {
		if f, ok := o.(*types.Func); ok {
			o = f.Origin()
		}
		c.handedOn[o] = c.handedOn[o] || !plain[id]
	}
	for lit, o := range held {
		if o != nil && o.Parent() != c.pkg.Scope() && !c.handedOn[o] {
			c.called[lit] = true
		}
	}
}
