// Package snapshot carries the variables that a notebook's function refers to into the program that it becomes: the host
// saves them, the program's main function begins with them. It is apart from package rt because cells do not need it.
//
// The program is compiled from the source of the very cells whose values are saved, so a snapshot holds values only, in
// the order of their types: fields by position, private ones of cell types included.
package snapshot

import (
	"bufio"
	"encoding"
	"encoding/gob"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Variable names a variable that travels with a shipped function.
type Variable struct {
	Name    string // the user's name
	Key     string // unique in the program
	Pointer any    // to the variable
}

// TypeRef is the source of a type that was met inside an interface value: the receiving program must know the type.
// Packages stand in it by their paths in ‹›: `map[string]*‹nb/c3›.Point`.
type TypeRef string

// Types are the types that a program knows by their references.
type Types map[TypeRef]reflect.Type

// TypesOf are the types of values. One that has no name which another process could know it by is left out: [Save] refuses
// its values.
func TypesOf(values ...any) Types {
	types := Types{}
	for _, v := range values {
		if ref, err := typeSource(reflect.TypeOf(v)); err == nil {
			types[ref] = reflect.TypeOf(v)
		}
	}
	return types
}

// Save writes the variables' values and reports the types met in interfaces. Pointers and maps that share a value share
// it afterwards, cycles included; a pointer into a slice, a struct or another variable's part gets a value of its own, and
// slices share nothing. A value that cannot travel (channels, functions, private state of other packages) is an error
// that names the variable and the way to it. Types of other packages with a GobEncode, MarshalBinary or MarshalText
// method are left to that.
func Save(w io.Writer, variables []Variable) ([]TypeRef, error) {
	e := &encoder{w: bufio.NewWriter(w), ids: map[address]uint64{}, types: map[reflect.Type]TypeRef{}}
	for _, v := range variables {
		e.begin(reflect.ValueOf(v.Pointer))
	}
	for _, v := range variables {
		e.text(v.Key)
	}
	e.text("")
	for _, v := range variables {
		if err := e.value(v.Name, reflect.ValueOf(v.Pointer).Elem()); err != nil {
			return nil, fmt.Errorf("variable %s cannot travel: %w", v.Name, err)
		}
	}
	return e.refs, e.w.Flush()
}

// Load sets the variables from what [Save] wrote; pointers are by key.
func Load(r io.Reader, pointers map[string]any, types Types) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("snapshot of notebook variables: %w", err)
	}
	d := &decoder{data: data, types: types}
	var targets []reflect.Value
	for {
		key, err := d.text()
		if err != nil {
			return fmt.Errorf("snapshot of notebook variables: %w", err)
		}
		if key == "" {
			break
		}
		target := reflect.ValueOf(pointers[key])
		if !target.IsValid() {
			return fmt.Errorf("snapshot of notebook variables: %s is unknown", key)
		}
		d.known = append(d.known, target)
		targets = append(targets, target.Elem())
	}
	for _, target := range targets {
		if err := d.value(target); err != nil {
			return fmt.Errorf("snapshot of notebook variables: %s: %w", target.Type(), err)
		}
	}
	return nil
}

// cellsPath begins the import paths of cells, userPackage is the package that their private fields belong to.
const (
	cellsPath   = "nb/"
	userPackage = "main"
	mark        = "Ꞷ" // before the names of private types in the source of cells
)

// fromCell tells whether a type is declared by a cell.
func fromCell(t reflect.Type) bool { return strings.HasPrefix(t.PkgPath(), cellsPath) }

var encoders = []reflect.Type{reflect.TypeFor[gob.GobEncoder](), reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.TextMarshaler]()}

// encodesItself tells whether a type is left to its own method. A method that comes from an embedded field says nothing of
// the other fields.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return false
	}
	has := false
	for _, i := range encoders {
		has = has || reflect.PointerTo(t).Implements(i)
	}
	if !has || t.Kind() != reflect.Struct || !fromCell(t) {
		return has
	}
	for i := range t.NumField() {
		f := t.Field(i).Type
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		if t.Field(i).Anonymous && (f.Kind() == reflect.Interface || encodesItself(f)) {
			return false
		}
	}
	return true
}

// isRaw tells the kinds whose values are copied as they are in memory.
func isRaw(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128
}

// kindName is for messages about what cannot travel.
func kindName(x reflect.Type) string {
	switch x.Kind() {
	case reflect.Chan:
		return "channel"
	case reflect.Func:
		return "function value"
	}
	return "raw pointer"
}

// typeSource writes a type as Go source.
func typeSource(x reflect.Type) (TypeRef, error) {
	if name := x.Name(); name != "" {
		first, _ := utf8.DecodeRuneInString(name)
		switch {
		case x.PkgPath() == "":
			return TypeRef(name), nil
		case strings.Contains(name, "["):
			return "", fmt.Errorf("an interface holds a %s, which another program cannot name", x)
		case !unicode.IsUpper(first) && fromCell(x):
			name = mark + name
		case !unicode.IsUpper(first) && x.PkgPath() != userPackage: // main's types are known to the same program only
			return "", fmt.Errorf("an interface holds a %s, which another program cannot name", x)
		}
		return TypeRef("‹" + x.PkgPath() + "›." + name), nil
	}
	var before TypeRef
	switch x.Kind() {
	case reflect.Interface:
		if x.NumMethod() == 0 {
			return "any", nil
		}
		return "", fmt.Errorf("an interface holds a %s, which another program cannot name", x)
	case reflect.Pointer:
		before = "*"
	case reflect.Slice:
		before = "[]"
	case reflect.Array:
		before = TypeRef(fmt.Sprintf("[%d]", x.Len()))
	case reflect.Map:
		key, err := typeSource(x.Key())
		if err != nil {
			return "", err
		}
		before = "map[" + key + "]"
	default:
		return "", fmt.Errorf("an interface holds a %s, which another program cannot name", x)
	}
	elem, err := typeSource(x.Elem())
	return before + elem, err
}
