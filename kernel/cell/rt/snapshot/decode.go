package snapshot

import (
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// decoder reads what encoder wrote.
type decoder struct {
	data  []byte
	known []reflect.Value // pointers and maps by their numbers
	types Types
}

var errDamaged = errors.New("the snapshot is damaged")

// basicTypes are the types that every program knows.
var basicTypes = func() Types {
	types := Types{}
	for _, t := range []reflect.Type{reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[int](), reflect.TypeFor[int8](),
		reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](),
		reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](), reflect.TypeFor[float32](),
		reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128]()} {
		types[TypeRef(t.String())] = t
	}
	return types
}()

func (d *decoder) number() (uint64, error) {
	n, size := binary.Uvarint(d.data)
	if size <= 0 {
		return 0, errDamaged
	}
	d.data = d.data[size:]
	return n, nil
}

func (d *decoder) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.data)) {
		return nil, errDamaged
	}
	taken := d.data[:n]
	d.data = d.data[n:]
	return taken, nil
}

func (d *decoder) text() (string, error) {
	n, err := d.number()
	if err != nil {
		return "", err
	}
	b, err := d.take(n)
	return string(b), err
}

func (d *decoder) byte() (byte, error) {
	b, err := d.take(1)
	if err != nil || b[0] > known {
		return 0, errDamaged
	}
	return b[0], nil
}

// length reads the number of elements of a type; each of them takes a byte at least, or no memory.
func (d *decoder) length(elem reflect.Type) (int, error) {
	n, err := d.number()
	if err != nil || n > uint64(len(d.data)) && elem.Size() > 0 || n > 1<<31 {
		return 0, errDamaged
	}
	return int(n), nil
}

// value sets v, which is addressable and not marked as got by a private field.
func (d *decoder) value(v reflect.Value) error {
	t := v.Type()
	if isRaw(t.Kind()) {
		return d.raw(v.Addr().UnsafePointer(), t.Size())
	}
	if encodesItself(t) {
		data, err := d.text()
		if err != nil {
			return err
		}
		return unmarshal(v.Addr().Interface(), []byte(data))
	}
	switch t.Kind() {
	case reflect.String:
		s, err := d.text()
		v.SetString(s)
		return err
	case reflect.Array:
		return d.elements(v)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Name != "_" {
				if err := d.value(open(v.Field(i))); err != nil {
					return err
				}
			}
		}
		return nil
	}
	how, err := d.byte()
	switch {
	case err != nil:
		return err
	case how == absent:
		v.SetZero()
		return nil
	case how == known:
		id, err := d.number()
		if err != nil || id >= uint64(len(d.known)) || d.known[id].Type() != t {
			return errDamaged
		}
		v.Set(d.known[id])
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		d.known = append(d.known, reflect.ValueOf(v.Interface()))
		return d.value(v.Elem())
	case reflect.Slice:
		n, err := d.length(t.Elem())
		if err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(t, n, n))
		return d.elements(v)
	case reflect.Map:
		return d.entries(v)
	case reflect.Interface:
		return d.dynamic(v)
	}
	return errDamaged
}

func (d *decoder) raw(to unsafe.Pointer, size uintptr) error {
	b, err := d.take(uint64(size))
	copy(unsafe.Slice((*byte)(to), size), b)
	return err
}

func (d *decoder) elements(v reflect.Value) error {
	elem := v.Type().Elem()
	if v.Len() > 0 && isRaw(elem.Kind()) {
		return d.raw(v.Index(0).Addr().UnsafePointer(), uintptr(v.Len())*elem.Size())
	}
	for i := range v.Len() {
		if err := d.value(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) entries(v reflect.Value) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	d.known = append(d.known, reflect.ValueOf(v.Interface()))
	n, err := d.length(t.Key())
	if err != nil {
		return err
	}
	for range n {
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		if err := d.value(key); err != nil {
			return err
		}
		if err := d.value(value); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}

func (d *decoder) dynamic(v reflect.Value) error {
	ref, err := d.text()
	if err != nil {
		return err
	}
	t := basicTypes[TypeRef(ref)]
	if t == nil {
		t = d.types[TypeRef(ref)]
	}
	if t == nil || !t.AssignableTo(v.Type()) {
		return fmt.Errorf("an interface holds the unknown type %s", ref)
	}
	inside := reflect.New(t).Elem()
	if err := d.value(inside); err != nil {
		return err
	}
	v.Set(inside)
	return nil
}

func unmarshal(pointer any, data []byte) error {
	switch x := pointer.(type) {
	case gob.GobDecoder:
		return x.GobDecode(data)
	case encoding.BinaryUnmarshaler:
		return x.UnmarshalBinary(data)
	case encoding.TextUnmarshaler:
		return x.UnmarshalText(data)
	}
	return fmt.Errorf("%T has no encoding of its own", pointer)
}
