package cell

import (
	"go/ast"
	"go/types"
	"slices"
)

// A function is checked for interruption if it may call itself, by whatever way, and before the first statement that may
// lead to that. What comes before (the `if n < 2 { return n }` of a recursion) goes unchecked, which spares half of the
// checks; a function that calls only what ends by itself has no check, and can be inlined as in any Go program.

// endsAlone are packages whose functions call back into no cell, unless they are handed a function or an interface.
var endsAlone = []string{"bytes", "math", "math/big", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "path", "path/filepath", "slices", "maps",
	"sort", "strconv", "strings", "time", "unicode", "unicode/utf16", "unicode/utf8", "errors", "sync/atomic"}

// recursive tells of each function and method that the cell declares whether it may call itself: it calls something
// that is not known, or it is in a cycle of calls.
func (c *compilation) recursive() map[*types.Func]bool {
	calls, recur := map[*types.Func][]*types.Func{}, map[*types.Func]bool{}
	bodies := map[*types.Func]*ast.BlockStmt{}
	for _, file := range c.files() {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Body != nil && !isGenerated(d.Name.Name) {
				if f, ok := c.info.Defs[d.Name].(*types.Func); ok {
					bodies[f] = d.Body
				}
			}
		}
	}
	for f, body := range bodies {
		ast.Inspect(body, func(n ast.Node) bool {
			if callee, ok := c.calls(n); ok {
				if bodies[callee] == nil {
					recur[f] = true
				}
				calls[f] = append(calls[f], callee)
			}
			return true
		})
	}
	for f := range bodies {
		recur[f] = recur[f] || reaches(calls, f, f, map[*types.Func]bool{})
	}
	return recur
}

func reaches(calls map[*types.Func][]*types.Func, from, to *types.Func, seen map[*types.Func]bool) bool {
	seen[from] = true
	for _, f := range calls[from] {
		if f == to || !seen[f] && reaches(calls, f, to, seen) {
			return true
		}
	}
	return false
}

// calls tells whether n is a call that may lead to a function of a cell, and to which if it names one.
func (c *compilation) calls(n ast.Node) (*types.Func, bool) {
	switch n := n.(type) {
	case *ast.RangeStmt: // over a function
		if t := c.info.TypeOf(n.X); t != nil {
			switch t.Underlying().(type) {
			case *types.Signature, *types.Interface: // the latter: of a type parameter
				return nil, true
			}
		}
	case *ast.CallExpr:
		if !c.endsAlone(n) {
			return c.callee(n), true
		}
	}
	return nil, false
}

// callee is the function or method that a call names; nil for function values, conversions and built-in functions.
func (c *compilation) callee(call *ast.CallExpr) *types.Func {
	if f, ok := c.info.Uses[calleeName(call)].(*types.Func); ok {
		return f.Origin()
	}
	return nil
}

// calleeName is the name by which a call calls, without package, receiver and type arguments; nil if there is none.
func calleeName(call *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	}
	return nil
}

// endsAlone tells that a call leads to no other function of a cell.
func (c *compilation) endsAlone(call *ast.CallExpr) bool {
	if tv := c.info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
		return true
	}
	f := c.callee(call)
	if f == nil || f.Pkg() == nil || !slices.Contains(endsAlone, f.Pkg().Path()) {
		return false
	}
	sig := f.Signature()
	if recv := sig.Recv(); recv != nil && !carriesNoCode(recv.Type(), map[types.Type]bool{}) {
		return false
	}
	for v := range sig.Params().Variables() {
		if !carriesNoCode(v.Type(), map[types.Type]bool{}) {
			return false
		}
	}
	return true
}

// carriesNoCode tells that no function can be reached from a value of type t. seen are the types that are being looked at.
func carriesNoCode(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return true
	}
	seen[t] = true
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Kind() != types.UnsafePointer
	case *types.Slice:
		return carriesNoCode(t.Elem(), seen)
	case *types.Array:
		return carriesNoCode(t.Elem(), seen)
	case *types.Pointer:
		return carriesNoCode(t.Elem(), seen)
	case *types.Map:
		return carriesNoCode(t.Key(), seen) && carriesNoCode(t.Elem(), seen)
	case *types.Struct:
		for v := range t.Fields() {
			if !carriesNoCode(v.Type(), seen) {
				return false
			}
		}
		return true
	}
	return false
}

// guardFunction puts the check before the first statement of body that may come back to its function, if there is one.
func (c *compilation) guardFunction(body *ast.BlockStmt) (guarded bool) {
	for _, stmt := range body.List {
		if c.mayRecur(stmt) {
			c.insert(stmt.Pos(), c.guard())
			return true
		}
	}
	return false
}

// mayRecur tells whether a statement calls something that may call the function that it stands in. The body of a
// function literal runs when the literal is called, which is a call of something unknown.
func (c *compilation) mayRecur(stmt ast.Stmt) bool {
	found := false
	ast.Inspect(stmt, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok || found {
			return false
		}
		if f, ok := c.calls(n); ok {
			recur, known := c.recurs[f]
			found = recur || !known
		}
		return true
	})
	return found
}
