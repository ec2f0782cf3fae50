package cell

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Waits of cells that an interruption ends: channel operations, select, time.Sleep, WaitGroup.Wait and the like become
// calls of package rt, whose channel.go has the table. Only tokens are replaced, so that lines and comments stay.
// What this file does not know (a channel of type parameter's type) waits as in plain Go: the host leaves a cell behind
// that is interrupted there.

// rewriteReceive is <-c.
func (c *compilation) rewriteReceive(x *ast.UnaryExpr) {
	if c.plain[x] || !c.isChannel(x.X) {
		return
	}
	name := "Receive"
	if tuple, ok := c.info.Types[x].Type.(*types.Tuple); ok && tuple.Len() == 2 {
		name = "Receive2"
	}
	c.s.edit(x.OpPos, x.OpPos+token.Pos(len("<-")), c.alias(runtimePath)+"."+name+"(")
	c.insert(x.End(), ")")
}

// isChannel tells whether e has a channel's type; that of a type parameter has not.
func (c *compilation) isChannel(e ast.Expr) bool {
	t := c.info.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// keepUntypedOK leaves v, ok = <-c alone where ok is a variable of a boolean type of its own: a receive gives it an
// untyped boolean, a call a bool.
func (c *compilation) keepUntypedOK(left, right []ast.Expr) {
	if len(left) != 2 || len(right) != 1 {
		return
	}
	receive, ok := ast.Unparen(right[0]).(*ast.UnaryExpr)
	if !ok || receive.Op != token.ARROW {
		return
	}
	if id, ok := left[1].(*ast.Ident); ok && id.Name == "_" {
		return
	}
	t := c.info.TypeOf(left[1])
	if t != nil && !types.Identical(t, types.Typ[types.Bool]) && !types.IsInterface(t) {
		c.plain[receive] = true
	}
}

// rewriteSend is c <- v.
func (c *compilation) rewriteSend(x *ast.SendStmt) {
	rewrite := !c.plain[x] && c.isChannel(x.Chan)
	if rewrite {
		c.insert(x.Chan.Pos(), c.alias(runtimePath)+".To(")
	}
	c.rewriteNode(x.Chan)
	if rewrite {
		c.s.edit(x.Arrow, x.Arrow+token.Pos(len("<-")), ").Send(")
	}
	c.rewriteNode(x.Value)
	if rewrite {
		c.insert(x.Value.End(), ")")
	}
}

// rewriteChannelRange is for v := range c.
func (c *compilation) rewriteChannelRange(x *ast.RangeStmt) {
	rt := c.alias(runtimePath) + "."
	const rangeLen = token.Pos(len("range"))
	if x.Tok == token.ASSIGN {
		c.rewriteNode(x.Key)
		c.insert(x.Range+rangeLen, " "+rt+"Each(")
		c.rewriteNode(x.X)
		c.insert(x.X.End(), ")")
	} else {
		key := "_"
		if id, ok := x.Key.(*ast.Ident); ok {
			key = id.Name
			c.insert(id.End(), ", "+reserved+"O, "+reserved+"C")
			c.s.edit(x.Range, x.Range+rangeLen, rt+"First(")
		} else {
			c.s.edit(x.Range, x.Range+rangeLen, key+", "+reserved+"O, "+reserved+"C := "+rt+"First(")
		}
		c.rewriteNode(x.X)
		c.insert(x.X.End(), "); "+reserved+"O; "+key+", "+reserved+"O = "+rt+"Receive2("+reserved+"C)")
	}
	c.insert(x.Body.Lbrace+1, c.guard())
	c.rewriteNode(x.Body)
}

// rewriteSelect gives a select that waits a case more. The operations of its own cases stay as they are.
func (c *compilation) rewriteSelect(x *ast.SelectStmt) {
	waits := true
	for _, stmt := range x.Body.List {
		clause := stmt.(*ast.CommClause)
		switch comm := clause.Comm.(type) {
		case nil:
			waits = false
		case *ast.SendStmt:
			c.plain[comm] = true
		case *ast.ExprStmt:
			c.plain[ast.Unparen(comm.X)] = true
		case *ast.AssignStmt:
			c.plain[ast.Unparen(comm.Rhs[0])] = true
		}
	}
	if !waits {
		return
	}
	text := "case <-" + c.alias(runtimePath) + ".Done(): panic(" + c.alias(runtimePath) + ".Halted()) "
	if len(x.Body.List) > 0 {
		text = "; " + text
	}
	c.insert(x.Body.Rbrace, text)
}

// waitCalls are the calls that wait, by full name, and what takes a method value of theirs.
var waitCalls = map[string]string{
	"(*sync.WaitGroup).Wait":                   "Wait",
	"(*golang.org/x/sync/errgroup.Group).Wait": "WaitFor",
}

// goCalls are the calls whose last argument becomes a goroutine.
var goCalls = map[string]string{
	"(*sync.WaitGroup).Go":                      "Go",
	"time.AfterFunc":                            "Go",
	"context.AfterFunc":                         "AfterFunc",
	"iter.Pull":                                 "Seq",
	"iter.Pull2":                                "Seq2",
	"(*golang.org/x/sync/errgroup.Group).Go":    "GoError",
	"(*golang.org/x/sync/errgroup.Group).TryGo": "GoError",
}

// rewriteWait rewrites calls that wait or that start goroutines.
func (c *compilation) rewriteWait(x *ast.CallExpr, f *types.Func) {
	rt := c.alias(runtimePath) + "."
	name := f.FullName()
	if name == "time.Sleep" {
		ast.Inspect(x.Fun, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				c.skipped[id] = true
			}
			return true
		})
		c.s.edit(x.Fun.Pos(), x.Fun.End(), rt+"Sleep")
		return
	}
	if start := goCalls[name]; start != "" && len(x.Args) > 0 {
		arg := x.Args[len(x.Args)-1]
		c.insert(arg.Pos(), rt+start+"(")
		c.insert(arg.End(), ")")
		return
	}
	sel, ok := x.Fun.(*ast.SelectorExpr)
	if !ok || c.plain[x] {
		return
	}
	if wait := waitCalls[name]; wait != "" && len(x.Args) == 0 {
		c.insert(x.Pos(), rt+wait+"(")
		c.s.edit(x.Lparen, x.Rparen+1, ")")
		return
	}
	if name == "(*sync.Cond).Wait" {
		address := ""
		t := c.info.TypeOf(sel.X)
		if _, pointer := t.Underlying().(*types.Pointer); !pointer {
			address = "&"
		} else {
			t = t.Underlying().(*types.Pointer).Elem()
		}
		if named, ok := types.Unalias(t).(*types.Named); !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "sync" {
			return // by way of an embedded field
		}
		c.insert(x.Pos(), rt+"WaitCond("+address)
		c.s.edit(sel.X.End(), x.Rparen+1, ")")
		c.skipped[sel.Sel] = true
	}
}
