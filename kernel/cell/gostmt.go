package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// rewriteGo makes a goroutine part of the run that starts it, and lets it report its panic instead of ending the process:
//
//	go f(a, 1)           →  { R := Starting(); F := f; A0 := a; const A1 = 1; go func() { defer R.Enter().End(); F(A0, A1) }() }
//	go func() { … }()    →  { R := Starting(); go func() { defer R.Enter().End(); … }() }
//
// The function and its arguments are evaluated before the goroutine starts, as in Go. Built-in functions, and calls
// whose argument is a multi-value call, stay as they are. An operand is visited before what closes it is written.
func (c *compilation) rewriteGo(x *ast.GoStmt) {
	call := x.Call
	rt := c.alias(runtimePath)
	begin := "{ " + reserved + "R := " + rt + ".Starting(); "
	c.plain[call] = true
	if lit, ok := call.Fun.(*ast.FuncLit); ok {
		c.goLiterals[lit] = true
		c.insert(x.Go, begin)
		c.rewriteNode(call)
		c.insert(x.End(), "}")
		return
	}
	sig := c.startable(call)
	if sig == nil {
		c.rewriteNode(call)
		return
	}
	c.s.edit(x.Go, call.Fun.Pos(), begin+reserved+"F := ")
	c.rewriteNode(call.Fun)
	last := call.Fun.End()
	c.insert(last, c.instantiation(call.Fun))
	args := make([]string, len(call.Args))
	for i, arg := range call.Args {
		args[i] = fmt.Sprintf("%sA%d", reserved, i)
		c.s.edit(last, arg.Pos(), "; "+c.holdArgument(args[i], c.info.Types[arg], parameterType(sig, i, call.Ellipsis.IsValid())))
		c.rewriteNode(arg)
		last = arg.End()
	}
	dots := ""
	if call.Ellipsis.IsValid() {
		dots = "..."
	}
	c.s.edit(last, call.End(), fmt.Sprintf("; go func() { defer %sR.Enter().End(); %sF(%s%s) }() }", reserved, reserved, strings.Join(args, ", "), dots))
}

// startable is the signature of a call that can be taken apart, else nil.
func (c *compilation) startable(call *ast.CallExpr) *types.Signature {
	f := c.info.Types[call.Fun]
	if f.IsBuiltin() || f.IsType() {
		return nil
	}
	for _, arg := range call.Args {
		if _, ok := c.info.Types[arg].Type.(*types.Tuple); ok {
			return nil
		}
	}
	sig, _ := f.Type.Underlying().(*types.Signature)
	return sig
}

// instantiation writes the type arguments of a generic function that the compiler would infer from the call.
func (c *compilation) instantiation(f ast.Expr) string {
	id, ok := f.(*ast.Ident)
	if sel, isSel := f.(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return ""
	}
	instance, ok := c.info.Instances[id]
	if !ok || instance.TypeArgs.Len() == 0 {
		return ""
	}
	list := make([]string, instance.TypeArgs.Len())
	for i := range list {
		list[i] = c.typeText(instance.TypeArgs.At(i))
	}
	return "[" + strings.Join(list, ", ") + "]"
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
