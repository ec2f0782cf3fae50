package cell

import (
	"go/ast"
	"go/types"
	"strings"
)

// Functions that a library may call in a loop of its own (the less of a sort, the function of a walk, an iterator) are
// where such a loop can be stopped: they are checked for interruption when they are entered, unless one of their
// statements is checked already, see guardFunction. These are function literals, but for those that the code around them
// only calls; functions declared at top level, which later cells may hand on; and methods by which the standard library
// calls back.

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

// isCallback tells of a declared function or method whether a library may call it back.
func isCallback(f *types.Func) bool {
	sig := f.Signature()
	if sig.Recv() == nil {
		return sig.TypeParams().Len() == 0
	}
	return callbackMethods[f.Name()] == tupleText(sig.Params())+" "+tupleText(sig.Results())
}

func tupleText(t *types.Tuple) string {
	var list []string
	for v := range t.Variables() {
		list = append(list, types.TypeString(v.Type(), nil))
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// onlyCalled finds the function literals that the code around them only calls: where they stand, or by the name of a
// local variable that has no other use.
func (c *compilation) onlyCalled() map[*ast.FuncLit]bool {
	found := map[*ast.FuncLit]bool{}
	held := map[*ast.FuncLit]types.Object{} // by a variable
	plain := map[*ast.Ident]bool{}          // uses of variables to call or to assign
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
				switch f := ast.Unparen(n.Fun).(type) {
				case *ast.FuncLit:
					found[f] = true
				case *ast.Ident:
					plain[f] = true
				}
			case *ast.AssignStmt:
				hold(n.Lhs, n.Rhs)
			case *ast.ValueSpec:
				hold(identifiers(n.Names), n.Values)
			}
			return true
		})
	}
	handedOn := map[types.Object]bool{}
	for id, o := range c.info.Uses {
		handedOn[o] = handedOn[o] || !plain[id]
	}
	for lit, o := range held {
		if o != nil && o.Parent() != c.pkg.Scope() && !handedOn[o] {
			found[lit] = true
		}
	}
	return found
}
