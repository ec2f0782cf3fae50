package cell

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// hideTag keeps encoders from seeing a field that is exported only because the rewriter renamed it. In a plugin, where
// [restoreNames] makes the field private, it is taken off again; in a shipped program it stays. Tags are part of a struct's
// identity: typeText and the rewriter of struct types follow the same rule.
const hideTag = `json:"-" xml:"-" yaml:"-" toml:"-" bson:"-"`

// hides tells whether a field gets hideTag before the user's tag. An embedded struct does not: encoders take the exported
// fields of a private one too, as they do for any Go program.
func hides(name string, embedded bool, t types.Type) bool {
	if name == "_" || exported(name) {
		return false
	}
	if !embedded {
		return true
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	_, isStruct := t.Underlying().(*types.Struct)
	return !isStruct
}

// hiddenTag is the tag in the generated package.
func hiddenTag(tag string) string {
	if tag == "" {
		return hideTag
	}
	return hideTag + " " + tag
}

// typeText writes a type as Go source for the generated package.
func (c *compilation) typeText(t types.Type) string {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return c.alias("unsafe") + ".Pointer"
		}
		if t.Info()&types.IsUntyped != 0 {
			return c.typeText(types.Default(t))
		}
		return t.Name()
	case *types.Alias:
		return c.namedText(t.Obj(), t.TypeArgs())
	case *types.Named:
		return c.namedText(t.Obj(), t.TypeArgs())
	case *types.TypeParam:
		return t.Obj().Name()
	case *types.Pointer:
		return "*" + c.typeText(t.Elem())
	case *types.Slice:
		return "[]" + c.typeText(t.Elem())
	case *types.Array:
		return "[" + strconv.FormatInt(t.Len(), 10) + "]" + c.typeText(t.Elem())
	case *types.Map:
		return "map[" + c.typeText(t.Key()) + "]" + c.typeText(t.Elem())
	case *types.Chan:
		arrow := map[types.ChanDir]string{types.SendRecv: "chan", types.SendOnly: "chan<-", types.RecvOnly: "<-chan"}[t.Dir()]
		return arrow + " (" + c.typeText(t.Elem()) + ")"
	case *types.Signature:
		return "func" + c.signatureText(t)
	case *types.Struct:
		return c.structText(t)
	case *types.Interface:
		return c.interfaceText(t)
	case *types.Union:
		terms := make([]string, t.Len())
		for i := range terms {
			terms[i] = c.typeText(t.Term(i).Type())
			if t.Term(i).Tilde() {
				terms[i] = "~" + terms[i]
			}
		}
		return strings.Join(terms, "|")
	}
	panic(fmt.Sprintf("cell: type %v of unknown kind %T", t, t))
}

func (c *compilation) namedText(o *types.TypeName, args *types.TypeList) string {
	text := o.Name()
	switch {
	case o.Pkg() == nil:
	case fromCell(o.Pkg()):
		text = c.reference(o)
	default:
		if !o.Exported() {
			c.unnameable = append(c.unnameable, o.Pkg().Path()+"."+o.Name())
		}
		text = c.alias(o.Pkg().Path()) + "." + o.Name()
	}
	if args.Len() == 0 {
		return text
	}
	list := make([]string, args.Len())
	for i := range list {
		list[i] = c.typeText(args.At(i))
	}
	return text + "[" + strings.Join(list, ", ") + "]"
}

// memberName is the generated name of a field or method: only those of cells are renamed.
func (c *compilation) memberName(o types.Object) string {
	if fromCell(o.Pkg()) && c.export == nil {
		return mangle(o.Name())
	}
	return o.Name()
}

func (c *compilation) structText(t *types.Struct) string {
	var b strings.Builder
	b.WriteString("struct{")
	for i := range t.NumFields() {
		f := t.Field(i)
		switch {
		case !f.Embedded():
			b.WriteString(c.memberName(f) + " " + c.typeText(f.Type()))
		case c.export == nil && fromCell(f.Pkg()) && !f.Exported() && types.Universe.Lookup(f.Name()) != nil && isPredeclared(f.Type()):
			b.WriteString(strings.TrimSuffix(c.typeText(f.Type()), f.Name()) + c.embedPredeclared(f.Name()))
		default:
			b.WriteString(c.typeText(f.Type()))
		}
		tag := t.Tag(i)
		if c.export == nil && fromCell(f.Pkg()) && hides(f.Name(), f.Embedded(), f.Type()) {
			tag = hiddenTag(tag)
		}
		if tag != "" {
			b.WriteString(" " + strconv.Quote(tag))
		}
		b.WriteString("; ")
	}
	return b.String() + "}"
}

// isPredeclared tells Go's own types, and pointers to them.
func isPredeclared(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	switch t := t.(type) {
	case *types.Basic:
		return true
	case *types.Named:
		return t.Obj().Pkg() == nil
	case *types.Alias:
		return t.Obj().Pkg() == nil
	}
	return false
}

// embedPredeclared is the name under which the generated package embeds a predeclared type: the name is the field's, which
// other cells must be able to use.
func (c *compilation) embedPredeclared(name string) string {
	c.embedded[name] = true
	return mangle(name)
}

func (c *compilation) interfaceText(t *types.Interface) string {
	var b strings.Builder
	b.WriteString("interface{")
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		b.WriteString(c.memberName(m) + c.signatureText(m.Signature()) + "; ")
	}
	for i := range t.NumEmbeddeds() {
		b.WriteString(c.typeText(t.EmbeddedType(i)) + "; ")
	}
	return b.String() + "}"
}

func (c *compilation) signatureText(t *types.Signature) string {
	tuple := func(x *types.Tuple, variadic bool) string {
		list := make([]string, x.Len())
		for i := range list {
			if variadic && i == x.Len()-1 {
				if s, ok := x.At(i).Type().(*types.Slice); ok {
					list[i] = "..." + c.typeText(s.Elem())
					continue
				}
			}
			list[i] = c.typeText(x.At(i).Type())
		}
		return "(" + strings.Join(list, ", ") + ")"
	}
	text := tuple(t.Params(), t.Variadic())
	if t.Results().Len() > 0 {
		text += " " + tuple(t.Results(), false)
	}
	return text
}

// visitType calls f for t and the types that it is made of, each once. It descends into the declarations of cell types
// and of nobody else's; f returns false to end the visit.
func visitType(t types.Type, f func(types.Type) bool) {
	seen := map[types.Type]bool{}
	var visit func(types.Type) bool
	tuple := func(x *types.Tuple) bool {
		for i := range x.Len() {
			if !visit(x.At(i).Type()) {
				return false
			}
		}
		return true
	}
	visit = func(t types.Type) bool {
		if t == nil || seen[t] {
			return true
		}
		seen[t] = true
		if !f(t) {
			return false
		}
		switch t := t.(type) {
		case *types.Alias:
			return visit(types.Unalias(t))
		case *types.Named:
			for i := range t.TypeArgs().Len() {
				if !visit(t.TypeArgs().At(i)) {
					return false
				}
			}
			if !fromCell(t.Obj().Pkg()) {
				return true
			}
			if !visit(t.Underlying()) {
				return false
			}
			for i := range t.NumMethods() {
				if !visit(t.Method(i).Type()) {
					return false
				}
			}
		case *types.Pointer:
			return visit(t.Elem())
		case *types.Slice:
			return visit(t.Elem())
		case *types.Array:
			return visit(t.Elem())
		case *types.Chan:
			return visit(t.Elem())
		case *types.Map:
			return visit(t.Key()) && visit(t.Elem())
		case *types.Signature:
			return tuple(t.Params()) && tuple(t.Results())
		case *types.Struct:
			for i := range t.NumFields() {
				if !visit(t.Field(i).Type()) {
					return false
				}
			}
		case *types.Interface:
			for i := range t.NumMethods() {
				if !visit(t.Method(i).Type()) {
					return false
				}
			}
		}
		return true
	}
	visit(t)
}

// mentions reports whether t is made of one of the types in set.
func mentions(t types.Type, set map[*types.TypeName]bool) bool {
	found := false
	visitType(t, func(t types.Type) bool {
		if n, ok := t.(*types.Named); ok && (set[n.Obj()] || set[n.Origin().Obj()]) {
			found = true
		}
		return !found
	})
	return found
}

// cellTypes lists the types of cells that t is made of.
func cellTypes(t types.Type) []*types.TypeName {
	var out []*types.TypeName
	visitType(t, func(t types.Type) bool {
		if n, ok := t.(*types.Named); ok && fromCell(n.Obj().Pkg()) {
			out = append(out, n.Origin().Obj())
		}
		return true
	})
	return out
}
