package cell

// Literals without field names of structs that an earlier cell declares: job{7}. To go/types the package of that cell is
// another one, whose unexported fields cannot be set so, and it looks at such a value no further; here it is compared with
// its field after all.

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
)

// checkImplicit reports the values that do not fit into the unexported fields they stand for.
func (c *compilation) checkImplicit() {
	if len(c.implicit) == 0 {
		return
	}
	for _, file := range c.files() {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			for i, e := range lit.Elts {
				if c.implicit[e.Pos()] {
					c.checkField(e, structOf(c.info.TypeOf(lit)).Field(i).Type())
				}
			}
			return true
		})
	}
}

// checkField reports a value that a field of a type does not take, in go/types' words.
func (c *compilation) checkField(e ast.Expr, field types.Type) {
	value := c.info.Types[e]
	if value.Type == nil || value.Type == types.Typ[types.Invalid] || fits(value, field) {
		return
	}
	what := "value of type " + types.TypeString(value.Type, nil)
	switch {
	case value.Value != nil:
		what = types.TypeString(value.Type, nil) + " constant"
	case value.Addressable():
		what = "variable of type " + types.TypeString(value.Type, nil)
	}
	c.typeError(types.Error{Fset: c.s.fset, Pos: e.Pos(),
		Msg: fmt.Sprintf("cannot use %s (%s) as %s value in struct literal", c.s.source(e.Pos(), e.End()), what, types.TypeString(field, nil))})
}

// fits tells whether a field takes a value. Of constants their size counts, too, which a package of their own tells.
func fits(value types.TypeAndValue, field types.Type) bool {
	if value.Value == nil {
		return types.AssignableTo(value.Type, field)
	}
	p := types.NewPackage(userPackage, userPackage)
	p.Scope().Insert(types.NewConst(token.NoPos, p, "value", value.Type, value.Value))
	name := types.NewTypeName(token.NoPos, p, "field", nil)
	types.NewAlias(name, field)
	p.Scope().Insert(name)
	_, err := types.Eval(token.NewFileSet(), p, token.NoPos, "struct{f field}{value}")
	return err == nil
}
