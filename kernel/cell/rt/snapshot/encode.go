package snapshot

import (
	"bufio"
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"reflect"
	"unsafe"
)

// encoder writes values, each by its type: numbers and booleans as they are in memory, lengths as varints before texts,
// slices and maps, one byte (absent, fresh, known) before what may be nil or shared.
type encoder struct {
	w     *bufio.Writer // keeps its first error
	ids   map[address]uint64
	next  uint64
	above []address // slices that are being written, which must not hold themselves
	types map[reflect.Type]TypeRef
	refs  []TypeRef
}

// address is where a pointer or a map leads to. A struct and its first field have one address but two types.
type address struct {
	pointer unsafe.Pointer
	of      reflect.Type
	length  int // of slices
}

// What stands before a pointer, map, slice, function or interface.
const (
	absent byte = iota
	fresh
	known // a number follows: which of the pointers and maps before
)

func (e *encoder) number(n uint64) { _, _ = e.w.Write(binary.AppendUvarint(nil, n)) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	_, _ = e.w.WriteString(s)
}

func (e *encoder) byte(b byte) { _ = e.w.WriteByte(b) }

// begin numbers what a variable's pointer leads to.
func (e *encoder) begin(pointer reflect.Value) {
	e.ids[address{pointer.UnsafePointer(), pointer.Type(), 0}] = e.next
	e.next++
}

// remember numbers a pointer or map; again tells that it has been met before.
func (e *encoder) remember(v reflect.Value) (id uint64, again bool) {
	at := address{v.UnsafePointer(), v.Type(), 0}
	if id, again = e.ids[at]; !again {
		e.ids[at] = e.next
		e.next++
	}
	return id, again
}

// value writes v, which is addressable and not marked as got by a private field. path leads to it, for messages.
func (e *encoder) value(path string, v reflect.Value) error {
	t := v.Type()
	if isRaw(t.Kind()) {
		_, _ = e.w.Write(unsafe.Slice((*byte)(v.Addr().UnsafePointer()), t.Size()))
		return nil
	}
	if encodesItself(t) {
		data, err := marshal(v.Addr().Interface())
		e.text(string(data))
		return err
	}
	switch t.Kind() {
	case reflect.String:
		e.text(v.String())
		return nil
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		if v.IsNil() {
			e.byte(absent)
			return nil
		}
		return fmt.Errorf("%s is a %s (%s)", path, kindName(t), t)
	case reflect.Interface:
		return e.dynamic(path, v)
	case reflect.Pointer:
		if v.IsNil() {
			e.byte(absent)
			return nil
		}
		if e.shared(v) {
			return nil
		}
		return e.value(path, v.Elem())
	case reflect.Slice:
		return e.slice(path, v)
	case reflect.Array:
		return e.elements(path, v)
	case reflect.Map:
		return e.entries(path, v)
	case reflect.Struct:
		return e.fields(path, v)
	}
	return fmt.Errorf("%s is a %s", path, t)
}

// shared writes how a pointer or map is met: known says all, after fresh its content follows.
func (e *encoder) shared(v reflect.Value) bool {
	id, again := e.remember(v)
	if again {
		e.byte(known)
		e.number(id)
		return true
	}
	e.byte(fresh)
	return false
}

func (e *encoder) slice(path string, v reflect.Value) error {
	if v.IsNil() {
		e.byte(absent)
		return nil
	}
	e.byte(fresh)
	e.number(uint64(v.Len()))
	if v.Len() == 0 {
		return nil
	}
	at := address{v.UnsafePointer(), v.Type(), v.Len()}
	for _, a := range e.above {
		if a == at {
			return fmt.Errorf("%s leads back to itself (%s)", path, v.Type())
		}
	}
	e.above = append(e.above, at)
	err := e.elements(path, v)
	e.above = e.above[:len(e.above)-1]
	return err
}

func (e *encoder) elements(path string, v reflect.Value) error {
	if n := v.Len(); n > 0 && isRaw(v.Type().Elem().Kind()) {
		_, err := e.w.Write(unsafe.Slice((*byte)(v.Index(0).Addr().UnsafePointer()), n*int(v.Type().Elem().Size())))
		return err
	}
	for i := range v.Len() {
		if err := e.value(fmt.Sprintf("%s[%d]", path, i), v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) entries(path string, v reflect.Value) error {
	if v.IsNil() {
		e.byte(absent)
		return nil
	}
	if e.shared(v) {
		return nil
	}
	e.number(uint64(v.Len()))
	for it := v.MapRange(); it.Next(); {
		at := fmt.Sprintf("%s[%v]", path, it.Key())
		for _, part := range []reflect.Value{it.Key(), it.Value()} {
			if err := e.value(at, addressable(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *encoder) fields(path string, v reflect.Value) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue
		}
		if !f.IsExported() && f.PkgPath != userPackage {
			return fmt.Errorf("%s is a %s, whose field %s is private to its package", path, t, f.Name)
		}
		if err := e.value(path+"."+f.Name, open(v.Field(i))); err != nil {
			return err
		}
	}
	return nil
}

// dynamic writes an interface: the type's reference, then the value.
func (e *encoder) dynamic(path string, v reflect.Value) error {
	if v.IsNil() {
		e.byte(absent)
		return nil
	}
	inside := addressable(v.Elem())
	ref, ok := e.types[inside.Type()]
	if !ok {
		var err error
		if ref, err = typeSource(inside.Type()); err != nil {
			if private := e.value(path, inside); private != nil { // says more
				return private
			}
			return fmt.Errorf("%s: %w", path, err)
		}
		e.types[inside.Type()] = ref
		if basicTypes[ref] == nil {
			e.refs = append(e.refs, ref)
		}
	}
	e.byte(fresh)
	e.text(string(ref))
	return e.value(path, inside)
}

// addressable is a copy of v in a variable.
func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Elem()
}

// open is an addressable field without the mark of being private.
func open(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem()
}

func marshal(pointer any) ([]byte, error) {
	switch x := pointer.(type) {
	case gob.GobEncoder:
		return x.GobEncode()
	case encoding.BinaryMarshaler:
		return x.MarshalBinary()
	case encoding.TextMarshaler:
		return x.MarshalText()
	}
	return nil, fmt.Errorf("%T has no encoding of its own", pointer)
}
