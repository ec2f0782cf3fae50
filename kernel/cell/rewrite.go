package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// rewrite makes the text edits of one file: names by their places, fields and methods with the reserved rune, guards
// for interruption, waits that it ends, goroutines that report their panics. The syntax tree is never printed: the user's text is kept.
func (c *compilation) rewrite(file *ast.File) {
	if c.s.fragmentAt(file.FileStart) == nil {
		return
	}
	for _, decl := range file.Decls {
		c.rewriteNode(decl)
	}
}

func (c *compilation) rewriteNode(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.GenDecl:
			if x.Tok == token.IMPORT {
				return false
			}
		case *ast.TypeSpec:
			return c.rewriteType(x)
		case *ast.FuncDecl:
			c.rewriteFunction(x)
			return false
		case *ast.AssignStmt:
			c.editAssigned(x)
			c.keepUntypedOK(x.Lhs, x.Rhs)
			return !c.holdLiterals(x.Lhs, x.Rhs)
		case *ast.ValueSpec:
			c.keepUntypedOK(identifiers(x.Names), x.Values)
			if x.Type == nil && c.holdLiterals(identifiers(x.Names), x.Values) {
				return false
			}
		case *ast.FuncLit:
			c.guardLiteral(x)
		case *ast.ForStmt:
			c.guardFor(x)
		case *ast.RangeStmt:
			if c.isChannel(x.X) {
				c.rewriteChannelRange(x)
				return false
			}
			c.guardRange(x)
		case *ast.BranchStmt:
			if x.Tok == token.GOTO {
				c.insert(x.Pos(), "{ "+c.guard())
				c.insert(x.End(), "}")
			}
			return false // its label is no object
		case *ast.LabeledStmt:
			c.rewriteNode(x.Stmt)
			return false
		case *ast.StructType:
			for _, field := range x.Fields.List {
				c.rewriteField(field)
			}
		case *ast.CallExpr:
			c.rewriteCall(x)
		case *ast.GoStmt:
			c.rewriteGo(x)
			return false
		case *ast.SelectStmt:
			c.rewriteSelect(x)
		case *ast.SendStmt:
			c.rewriteSend(x)
			return false
		case *ast.UnaryExpr:
			if x.Op == token.ARROW {
				c.rewriteReceive(x)
			}
		case *ast.SelectorExpr:
			c.selected[x.Sel] = true
		case *ast.Ident:
			c.rewriteIdent(x)
		}
		return true
	})
}

func (c *compilation) insert(p token.Pos, text string) {
	if text != "" {
		c.s.edit(p, p, text)
	}
}

// rewriteType notes, for a type declared at top level, what its declaration refers to.
func (c *compilation) rewriteType(x *ast.TypeSpec) bool {
	o := c.info.Defs[x.Name]
	if o == nil || o.Parent() != c.pkg.Scope() || c.current != (owner{}) {
		return true
	}
	c.current = owner{c.seq, mangle(x.Name.Name)}
	defer func() { c.current = owner{} }()
	c.rewriteIdent(x.Name)
	if x.TypeParams != nil {
		c.rewriteNode(x.TypeParams)
	}
	c.rewriteNode(x.Type)
	return false
}

func (c *compilation) rewriteFunction(x *ast.FuncDecl) {
	if isGenerated(x.Name.Name) { // the function that holds the cell's statements
		c.rewriteNode(x.Body)
		return
	}
	o, ok := c.info.Defs[x.Name].(*types.Func)
	if !ok {
		return
	}
	c.self = o
	switch {
	case x.Recv != nil:
		c.current = owner{c.seq, mangle(receiverBase(x.Recv.List[0].Type)) + "." + x.Name.Name}
		c.rewriteNode(x.Recv)
		c.rewriteIdent(x.Name)
	case o.Signature().TypeParams().Len() > 0:
		c.current = owner{c.seq, mangle(x.Name.Name)}
		c.rewriteIdent(x.Name)
	case x.Name.Name == "init": // there may be several
		name := fmt.Sprintf("%s%d", implementation("init"), len(c.inits))
		c.inits = append(c.inits, name)
		c.s.edit(x.Name.Pos(), x.Name.End(), name)
	case x.Name.Name == "_":
	default:
		c.current = owner{c.seq, implementation(x.Name.Name)}
		c.s.edit(x.Name.Pos(), x.Name.End(), implementation(x.Name.Name))
	}
	c.rewriteNode(x.Type)
	if x.Body != nil {
		if c.isCallback(o, x.Body) {
			c.guardCallback(x.Body)
		} else {
			c.guardFunction(x.Body)
		}
		c.rewriteNode(x.Body)
	}
	c.self, c.current = nil, owner{}
}

// rewriteIdent replaces one name by what it means in the generated package.
func (c *compilation) rewriteIdent(id *ast.Ident) {
	if id.Name == "_" || !id.Pos().IsValid() || c.skipped[id] {
		return
	}
	o := c.info.Uses[id]
	if o == nil {
		o = c.info.Defs[id]
	}
	switch x := o.(type) {
	case nil:
		return
	case *types.PkgName:
		c.s.edit(id.Pos(), id.End(), c.alias(x.Imported().Path()))
		return
	case *types.Var:
		if x.IsField() {
			c.markMember(id, x)
			return
		}
	case *types.Func:
		if recv := x.Signature().Recv(); recv != nil {
			c.markMember(id, x)
			if fromCell(x.Pkg()) {
				for _, t := range cellTypes(recv.Type()) {
					c.record(t)
				}
			}
			return
		}
		if at, ok := c.placeOf(o); ok && o == c.self && at.function {
			c.s.edit(id.Pos(), id.End(), implementation(o.Name())) // recursion needs no way through the variable
			return
		}
	}
	if _, ok := c.placeOf(o); ok {
		c.record(o)
		if text := c.reference(o); text != id.Name {
			c.s.edit(id.Pos(), id.End(), text)
		}
		return
	}
	if pkg := o.Pkg(); !c.selected[id] && pkg != nil && !fromCell(pkg) && o.Parent() == pkg.Scope() { // by a dot import
		c.s.edit(id.Pos(), id.End(), c.alias(pkg.Path())+"."+o.Name())
	}
}

func (c *compilation) markMember(id *ast.Ident, member types.Object) {
	if fromCell(member.Pkg()) && !member.Exported() {
		c.insert(id.Pos(), reserved)
	}
}

// rewriteField gives unexported fields their tag. A list that mixes exported and unexported names is taken apart, as
// the two kinds differ in tags: `A, b int` becomes `A int; b int "…"`.
func (c *compilation) rewriteField(field *ast.Field) {
	t := c.info.TypeOf(field.Type)
	tag := ""
	if field.Tag != nil {
		tag, _ = strconv.Unquote(field.Tag.Value) // the parser has read it
	}
	written := func(hidden bool) string {
		switch {
		case hidden:
			return " " + strconv.Quote(hiddenTag(tag))
		case tag != "":
			return " " + strconv.Quote(tag)
		}
		return ""
	}
	if len(field.Names) == 0 {
		id := embeddedName(field.Type)
		if o := c.info.Uses[id]; o != nil && o.Pkg() == nil {
			c.skipped[id] = true
			c.s.edit(id.Pos(), id.End(), c.embedPredeclared(id.Name))
		}
		if id != nil && hides(id.Name, true, t) {
			c.retag(field, written(true))
		}
		return
	}
	last := field.Names[len(field.Names)-1]
	hidden := hides(last.Name, false, t)
	if slices.ContainsFunc(field.Names, func(id *ast.Ident) bool { return hides(id.Name, false, t) != hidden }) {
		var b strings.Builder
		for _, name := range field.Names[:len(field.Names)-1] {
			c.skipped[name] = true
			b.WriteString(mangle(name.Name) + " " + c.typeText(t) + written(hides(name.Name, false, t)) + "; ")
		}
		c.s.edit(field.Names[0].Pos(), last.Pos(), b.String())
	}
	if hidden {
		c.retag(field, written(true))
	}
}

// retag gives a field a tag in the place of its own.
func (c *compilation) retag(field *ast.Field, tag string) {
	if field.Tag != nil {
		c.s.edit(field.Type.End(), field.Tag.End(), tag)
		return
	}
	c.insert(field.Type.End(), tag)
}

// embeddedName is the name of an embedded field: T of T, *T, p.T, T[K].
func embeddedName(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			return x.Sel
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// rewriteCall wraps recover, which must not swallow an interruption, and finds calls that wait or start goroutines.
func (c *compilation) rewriteCall(x *ast.CallExpr) {
	fun := ast.Unparen(x.Fun)
	id, ok := fun.(*ast.Ident)
	if sel, isSel := fun.(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return
	}
	if id.Name == "recover" && c.info.Types[x.Fun].IsBuiltin() {
		c.insert(x.Pos(), c.alias(runtimePath)+".Recovered(")
		c.insert(x.End(), ")")
	}
	if f, ok := c.info.Uses[id].(*types.Func); ok && f.Pkg() != nil {
		if guard := testGuards[f.FullName()]; guard != "" && len(x.Args) > 0 {
			arg := x.Args[len(x.Args)-1]
			c.insert(arg.Pos(), c.alias(gotestPath)+"."+guard+"(")
			c.insert(arg.End(), ")")
			return
		}
		c.rewriteWait(x, f)
		c.rewriteStderr(x, f)
	}
}

// testGuards are package gotest's functions around the last argument of methods that run it on another goroutine.
var testGuards = map[string]string{"(*testing.T).Run": "Test", "(*testing.B).Run": "Benchmark", "(*testing.B).RunParallel": "Parallel"}
