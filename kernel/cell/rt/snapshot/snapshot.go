// Package snapshot carries the variables that a notebook's function refers to into the program that it becomes: the host
// saves them, the program's main function begins with them. It is apart from package rt because cells do not need it:
// encoding/gob would be linked into every one.
package snapshot

import (
	"encoding"
	"encoding/gob"
	"errors"
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

// TypeRef is the source of a type that was met inside an interface value: the receiving program registers it with gob.
// Packages stand in it by their paths in ‹›: `map[string]*‹nb/c3›.Point`.
type TypeRef string

// record stands before each variable in a snapshot.
type record struct {
	Key  string
	Zero bool // nothing follows: the variable has its zero value
}

// boxed carries the value of an interface variable.
type boxed struct{ Value any }

// Save writes the variables' values (encoding/gob; fields of cell types are exported by the rewriter, so private state
// travels). A value that gob would refuse or silently lose is an error that names the variable and the way to it.
// Pointers that share a value are separate afterwards; a pointer to a zero value within a struct arrives as nil, and
// empty slices and maps as nil ones, as gob has it.
func Save(w io.Writer, variables []Variable) ([]TypeRef, error) {
	enc := gob.NewEncoder(w)
	t := &traveller{plain: map[reflect.Type]bool{}, types: map[reflect.Type]bool{}}
	for _, v := range variables {
		value := reflect.ValueOf(v.Pointer).Elem()
		if err := t.visit(v.Name, value, nil); err != nil {
			return nil, fmt.Errorf("variable %s cannot travel: %w", v.Name, err)
		}
		if err := enc.Encode(record{v.Key, value.IsZero()}); err != nil {
			return nil, err
		}
		if value.IsZero() {
			continue
		}
		var err error
		if value.Kind() == reflect.Interface {
			err = enc.Encode(boxed{value.Interface()})
		} else {
			err = enc.EncodeValue(value)
		}
		if err != nil {
			return nil, fmt.Errorf("variable %s cannot travel: %w", v.Name, err)
		}
	}
	return t.refs, enc.Encode(record{})
}

// Load sets the variables from what [Save] wrote; pointers are by key.
func Load(r io.Reader, pointers map[string]any) error {
	dec := gob.NewDecoder(r)
	for {
		var rec record
		if err := dec.Decode(&rec); err != nil {
			return fmt.Errorf("snapshot of notebook variables: %w", err)
		}
		if rec.Key == "" {
			return nil
		}
		if rec.Zero {
			continue
		}
		target := reflect.ValueOf(pointers[rec.Key])
		if !target.IsValid() {
			return fmt.Errorf("snapshot of notebook variables: %s is unknown", rec.Key)
		}
		if target.Elem().Kind() != reflect.Interface {
			if err := dec.DecodeValue(target); err != nil {
				return fmt.Errorf("snapshot of notebook variables: %s: %w", rec.Key, err)
			}
			continue
		}
		var box boxed
		if err := dec.Decode(&box); err != nil {
			return fmt.Errorf("snapshot of notebook variables: %s: %w", rec.Key, err)
		}
		target.Elem().Set(reflect.ValueOf(box.Value))
	}
}

// traveller looks at values before they are encoded.
type traveller struct {
	plain map[reflect.Type]bool // types whose values need not be looked at
	types map[reflect.Type]bool // registered with gob
	refs  []TypeRef
}

var (
	gobEncoder    = reflect.TypeFor[gob.GobEncoder]()
	binaryEncoder = reflect.TypeFor[encoding.BinaryMarshaler]()
	textEncoder   = reflect.TypeFor[encoding.TextMarshaler]()
)

// encodesItself tells whether gob leaves the type to its own method.
func encodesItself(t reflect.Type) bool {
	for _, i := range []reflect.Type{gobEncoder, binaryEncoder, textEncoder} {
		if t.Implements(i) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

// isPlain tells whether all values of the type travel.
func (t *traveller) isPlain(x reflect.Type) bool {
	if known, ok := t.plain[x]; ok {
		return known
	}
	t.plain[x] = false // while it is looked at: recursive types are not plain, their values may have cycles
	ok := true
	switch x.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr, reflect.Interface:
		ok = false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		ok = t.isPlain(x.Elem())
	case reflect.Map:
		ok = t.isPlain(x.Key()) && t.isPlain(x.Elem())
	case reflect.Struct:
		for i := range x.NumField() {
			ok = ok && x.Field(i).IsExported() && t.isPlain(x.Field(i).Type)
		}
	}
	ok = ok || encodesItself(x) && x.Kind() != reflect.Interface
	t.plain[x] = ok
	return ok
}

func (t *traveller) visit(path string, v reflect.Value, above []uintptr) error {
	x := v.Type()
	if t.isPlain(x) {
		return nil
	}
	path = strings.ReplaceAll(path, "Ꞷ", "")
	switch x.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		if v.IsNil() {
			return nil
		}
		return fmt.Errorf("%s is a %s (%s)", path, kindName(x), x)
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if err := t.visit(path, v.Elem(), above); err != nil {
			return err
		}
		if err := t.register(v.Elem().Type()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		for _, p := range above {
			if p == v.Pointer() {
				return fmt.Errorf("%s leads back to itself (%s)", path, x)
			}
		}
		return t.visit(path, v.Elem(), append(above, v.Pointer()))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := t.visit(fmt.Sprintf("%s[%d]", path, i), v.Index(i), above); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			at := fmt.Sprintf("%s[%v]", path, it.Key())
			if err := errors.Join(t.visit(at, it.Key(), above), t.visit(at, it.Value(), above)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range x.NumField() {
			f := x.Field(i)
			if f.Name == "_" {
				continue
			}
			if !f.IsExported() {
				return fmt.Errorf("%s is a %s, whose field %s is private to its package", path, x, f.Name)
			}
			if err := t.visit(path+"."+f.Name, v.Field(i), above); err != nil {
				return err
			}
		}
	}
	return nil
}

func kindName(x reflect.Type) string {
	switch x.Kind() {
	case reflect.Chan:
		return "channel"
	case reflect.Func:
		return "function value"
	}
	return "raw pointer"
}

// register makes gob know a type met in an interface, here and by its reference in the receiving program.
func (t *traveller) register(x reflect.Type) (err error) {
	if t.types[x] {
		return nil
	}
	t.types[x] = true
	if x.Name() != "" && x.PkgPath() == "" {
		return nil // gob knows the basic types
	}
	text, err := typeSource(x)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil { // gob keeps one name for T and *T
			err = fmt.Errorf("an interface holds a %s where another held the same type with or without *: %v", x, p)
		}
	}()
	gob.Register(reflect.Zero(x).Interface())
	t.refs = append(t.refs, TypeRef(text))
	return nil
}

// typeSource writes a type as Go source.
func typeSource(x reflect.Type) (string, error) {
	if name := x.Name(); name != "" {
		switch first, _ := utf8.DecodeRuneInString(name); {
		case x.PkgPath() == "":
			return name, nil
		case strings.Contains(name, "[") || !unicode.IsUpper(first):
			return "", fmt.Errorf("an interface holds a %s, which another program cannot name", x)
		}
		return "‹" + x.PkgPath() + "›." + name, nil
	}
	var before string
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
		before = fmt.Sprintf("[%d]", x.Len())
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
