package cell

import (
	"go/ast"
	"go/types"
	"slices"
)

// stderrTakers are the functions that print to what they are handed first, and do nothing else with it.
var stderrTakers = []string{"fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString", "log.New", "log.SetOutput",
	"log/slog.NewTextHandler", "log/slog.NewJSONHandler"}

// rewriteStderr hands them rt.Stderr(os.Stderr), which keeps its place among what is printed on standard output.
func (c *compilation) rewriteStderr(x *ast.CallExpr, f *types.Func) {
	if len(x.Args) == 0 || !slices.Contains(stderrTakers, f.FullName()) {
		return
	}
	sel, ok := x.Args[0].(*ast.SelectorExpr)
	if !ok {
		return
	}
	v, ok := c.info.Uses[sel.Sel].(*types.Var)
	if !ok || v.Pkg() == nil || v.Pkg().Path() != "os" || v.Name() != "Stderr" {
		return
	}
	c.insert(sel.Pos(), c.alias(runtimePath)+".Stderr(")
	c.insert(sel.End(), ")")
}
