package cell

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

// place says where an object of the session lives, which is not always where it was declared last: `x := 2` in a new
// cell assigns the old x when the types agree.
type place struct {
	cell     int        // sequence number of the package nb/c<cell>, or 0
	path     string     // import path where cell is 0 (predeclared names)
	name     string     // in that package
	view     types.Type // not nil: the same memory seen as this type, a newer version of the declared one
	function bool       // a variable that holds a declared function
	pointer  bool       // name is a function that returns a pointer to it
}

// placeObjects decides where each object of the cell lives and what the session will know under its name.
func (c *compilation) placeObjects() {
	s := c.s
	for _, name := range c.pkg.Scope().Names() {
		o := c.pkg.Scope().Lookup(name)
		if o.Pkg() != c.pkg || s.objects[name] == o || strings.HasPrefix(name, reserved) {
			continue
		}
		if old := c.views[name]; old != nil {
			c.placeView(name, o, old)
			continue
		}
		switch o := o.(type) {
		case *types.Var:
			c.placeVariable(name, o)
		case *types.Func:
			c.placeFunction(name, o)
		default:
			c.places[o] = place{cell: c.seq, name: mangle(name)}
			c.names[name] = o
		}
	}
}

func (c *compilation) placeView(name string, o, old types.Object) {
	if k, ok := o.(*types.Const); ok {
		c.places[o] = place{cell: c.seq, name: mangle(name)}
		c.constants = append(c.constants, k)
	} else {
		at := c.s.places[old]
		at.view = o.Type()
		c.places[o] = at
	}
	c.names[name] = o
}

func (c *compilation) placeVariable(name string, o *types.Var) {
	base := strings.TrimSuffix(name, freshMark)
	if base != name {
		old := c.s.objects[base]
		if viewed := c.views[base]; viewed != nil {
			old = c.pkg.Scope().Lookup(base)
			at := c.s.places[viewed]
			at.view, at.function = old.Type(), false
			c.places[old] = at
		}
		if v, ok := old.(*types.Var); ok && types.Identical(v.Type(), o.Type()) {
			at, ok := c.places[old]
			if !ok {
				at = c.s.places[old]
			}
			c.places[o] = at
			return
		}
	}
	at := place{cell: c.seq, name: mangle(base)}
	c.places[o] = at
	c.newVars = append(c.newVars, declaration{base, o})
	if base == name {
		c.names[base] = o
		return
	}
	renamed := types.NewVar(o.Pos(), c.pkg, base, o.Type())
	c.places[renamed] = at
	c.names[base] = renamed
}

func (c *compilation) placeFunction(name string, o *types.Func) {
	c.names[name] = o
	at := place{cell: c.seq, name: mangle(name)}
	if o.Signature().TypeParams().Len() > 0 {
		c.places[o] = at
		return
	}
	at.function = true
	if old := c.s.objects[name]; old != nil {
		was := c.s.places[old]
		if was.function && was.view == nil && types.Identical(old.Type(), o.Type()) {
			c.places[o] = was
			c.rebinds = append(c.rebinds, o)
			return
		}
	}
	c.places[o] = at
	c.functions = append(c.functions, o)
}

// placeOf finds an object's place, in this cell or the session.
func (c *compilation) placeOf(o types.Object) (place, bool) {
	if at, ok := c.places[o]; ok {
		return at, true
	}
	at, ok := c.s.places[o]
	return at, ok
}

// reference is the Go text that means the object in the generated package.
func (c *compilation) reference(o types.Object) string {
	if c.export != nil {
		return c.export.reference(c, o)
	}
	at, ok := c.placeOf(o)
	switch {
	case !ok:
		return o.Name()
	case at.cell == c.seq:
		return at.name
	case at.pointer:
		return "(*" + c.alias(at.path) + "." + at.name + "())"
	case at.cell == 0:
		return c.alias(at.path) + "." + at.name
	}
	c.cells[at.cell] = true
	text := fmt.Sprintf("%sC%d.%s", reserved, at.cell, at.name)
	if at.view != nil {
		text = fmt.Sprintf("(*(*%s)(%s.Pointer(&%s)))", c.typeText(at.view), c.alias("unsafe"), text)
	}
	return text
}

// alias is the name under which the generated package imports a path.
func (c *compilation) alias(path string) string {
	if c.export != nil {
		return c.export.importName(path)
	}
	a := c.aliases[path]
	if a == "" {
		a = fmt.Sprintf("%sP%d", reserved, len(c.aliases))
		c.aliases[path] = a
	}
	return a
}

// owner identifies a function (by its implementation's name), a method (T.m) or a type of a cell package, and use an
// object that one refers to, by its place.
type owner struct {
	cell int
	name string
}

type use struct {
	owner
	kind useKind
}

type useKind int

const (
	useVariable useKind = iota
	useFunction
	useType
	useConstant
)

// record notes that the function being rewritten refers to o.
func (c *compilation) record(o types.Object) {
	if c.current == (owner{}) {
		return
	}
	at, ok := c.placeOf(o)
	if !ok || at.cell == 0 {
		return
	}
	u := use{owner: owner{at.cell, at.name}}
	switch o := o.(type) {
	case *types.TypeName:
		u.kind = useType
	case *types.Func:
		u.kind = useFunction
	case *types.Const:
		u.kind = useConstant
	case *types.Var:
		if at.function {
			u.kind = useFunction
			break
		}
		for _, t := range cellTypes(o.Type()) { // methods are reached through the variable's type
			c.record(t)
		}
	default:
		return
	}
	if c.uses[c.current] == nil {
		c.uses[c.current] = map[use]string{}
	}
	c.uses[c.current][u] = strings.TrimSuffix(o.Name(), freshMark)
}

// implementation is the name of the Go function behind a function variable; name is the user's.
func implementation(name string) string { return reserved + "I_" + name }

// isGenerated tells names of the rewriter from the user's.
func isGenerated(id string) bool { return strings.HasPrefix(id, reserved) }

// exported is token.IsExported, for readers of this package.
func exported(name string) bool { return token.IsExported(name) }
