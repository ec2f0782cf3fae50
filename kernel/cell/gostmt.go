package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// rewriteGo lets a goroutine started with a named function report its panic instead of ending the process:
//
//	go f(a, 1)  →  { F := f; A0 := a; const A1 = 1; go func() { defer GoEnd(); F(A0, A1) }() }
//
// The function and its arguments are evaluated before the goroutine starts, as in Go. Built-in functions, generic
// functions that are not instantiated, and calls whose argument is a multi-value call stay as they are.
func (c *compilation) rewriteGo(x *ast.GoStmt) {
	call := x.Call
	f := c.info.Types[call.Fun]
	if f.IsBuiltin() || f.IsType() {
		return
	}
	if id, ok := call.Fun.(*ast.Ident); ok {
		if _, ok := c.info.Instances[id]; ok {
			return
		}
	}
	sig, ok := f.Type.Underlying().(*types.Signature)
	if !ok {
		return
	}
	for _, arg := range call.Args {
		if _, ok := c.info.Types[arg].Type.(*types.Tuple); ok {
			return
		}
	}
	c.s.edit(x.Go, call.Fun.Pos(), "{ "+reserved+"F := ")
	last := call.Fun.End()
	args := make([]string, len(call.Args))
	for i, arg := range call.Args {
		args[i] = fmt.Sprintf("%sA%d", reserved, i)
		c.s.edit(last, arg.Pos(), "; "+c.holdArgument(args[i], c.info.Types[arg], parameterType(sig, i, call.Ellipsis.IsValid())))
		last = arg.End()
	}
	dots := ""
	if call.Ellipsis.IsValid() {
		dots = "..."
	}
	c.s.edit(last, call.End(), fmt.Sprintf("; go func() { defer %s.GoEnd(); %sF(%s%s) }() }",
		c.alias(runtimePath), reserved, strings.Join(args, ", "), dots))
}

// holdArgument is the left side of a declaration that keeps an argument as it is: constants stay constants, nil gets
// its parameter's type.
func (c *compilation) holdArgument(name string, tv types.TypeAndValue, parameter types.Type) string {
	switch {
	case tv.Value != nil:
		return "const " + name + " = "
	case tv.IsNil():
		return "var " + name + " " + c.typeText(parameter) + " = "
	}
	return name + " := "
}

func parameterType(sig *types.Signature, i int, spread bool) types.Type {
	last := sig.Params().Len() - 1
	t := sig.Params().At(min(i, last)).Type()
	if s, ok := t.(*types.Slice); ok && sig.Variadic() && i >= last && !spread {
		return s.Elem()
	}
	return t
}
