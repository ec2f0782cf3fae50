package mdslib

// How a column's value gets into a Go variable: without loss, or not at all.

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// setTyped decodes the columns of a sample that dst, a struct or map, has a place for.
func setTyped(dst reflect.Value, columns []typedColumn, s *schema, raw []byte) error {
	var few [16][]byte
	fields, err := s.fields(few[:0], raw)
	if err != nil {
		return err
	}
	if dst.Kind() == reflect.Map {
		t := dst.Type()
		dst.Set(reflect.MakeMapWithSize(t, len(fields)))
		for i, name := range s.names {
			value := reflect.New(t.Elem()).Elem()
			if err := setColumn(value, s.encodings[i], fields[i]); err != nil {
				return &SampleError{Sample: -1, Column: name, Err: err}
			}
			dst.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
		}
		return nil
	}
	for _, c := range columns {
		i := slices.Index(s.names, c.name) // there: checkTyped looked
		if err := setColumn(dst.FieldByIndex(c.index), s.encodings[i], fields[i]); err != nil {
			return &SampleError{Sample: -1, Column: c.name, Err: err}
		}
	}
	return nil
}

// setColumn decodes a column's bytes into dst. A []byte takes them as they are.
func setColumn(dst reflect.Value, e *Encoding, data []byte) error {
	if dst.Type() == reflect.TypeFor[[]byte]() {
		dst.SetBytes(data)
		return nil
	}
	if e.name == "json" && dst.Kind() != reflect.Interface {
		if err := json.Unmarshal(data, dst.Addr().Interface()); err != nil {
			return fmt.Errorf("json into %s: %w", dst.Type(), err)
		}
		return nil
	}
	v, err := e.Decode(data)
	if err != nil {
		return err
	}
	return assign(dst, v, e.name)
}

// assign stores a decoded value; encoding is for errors.
func assign(dst reflect.Value, v any, encoding string) error {
	bad := func() error {
		return fmt.Errorf("a %s of %s does not fit into %s", encoding, clip(fmt.Sprint(v)), dst.Type())
	}
	value := reflect.ValueOf(v)
	if v == nil {
		if k := dst.Kind(); k != reflect.Interface && k != reflect.Pointer && k != reflect.Slice && k != reflect.Map {
			return bad()
		}
		dst.SetZero()
		return nil
	}
	if value.Type().AssignableTo(dst.Type()) {
		dst.Set(value)
		return nil
	}
	if dst.Kind() == reflect.Pointer {
		if a, ok := v.(Array); ok && dst.Type() == reflect.TypeFor[*Array]() {
			dst.Set(reflect.ValueOf(&a))
			return nil
		}
		target := reflect.New(dst.Type().Elem())
		if err := assign(target.Elem(), v, encoding); err != nil {
			return err
		}
		dst.Set(target)
		return nil
	}
	if a, ok := v.(Array); ok {
		return assignArray(dst, a)
	}
	if n, ok := asInteger(v); ok && !dst.CanFloat() {
		switch {
		case dst.CanInt():
			signed := int64(n.magnitude)
			if n.negative {
				signed = -signed
			}
			if signed < 0 != n.negative && n.magnitude != 0 || dst.OverflowInt(signed) {
				return bad()
			}
			dst.SetInt(signed)
			return nil
		case dst.CanUint():
			if n.negative || dst.OverflowUint(n.magnitude) {
				return bad()
			}
			dst.SetUint(n.magnitude)
			return nil
		case dst.Kind() == reflect.Bool && !n.negative && n.magnitude < 2:
			dst.SetBool(n.magnitude == 1)
			return nil
		}
		return bad()
	}
	if f, ok := asFloat(v); ok && dst.CanFloat() {
		if dst.SetFloat(f); dst.Float() != f && f == f {
			return bad()
		}
		return nil
	}
	if value.Kind() == reflect.String && dst.Kind() == reflect.String {
		dst.SetString(value.String())
		return nil
	}
	return bad()
}

// assignArray stores an array in a slice or Go array of its element type, one within another for more dimensions.
func assignArray(dst reflect.Value, a Array) error {
	elem, depth := dst.Type(), 0
	for elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array {
		elem, depth = elem.Elem(), depth+1
	}
	data := reflect.ValueOf(a.Data)
	have := data.Type().Elem()
	if depth != len(a.Shape) || elem.Kind() != have.Kind() && !(elem.Kind() == reflect.Int && have.Kind() == reflect.Int64) && !(elem.Kind() == reflect.Uint && have.Kind() == reflect.Uint64) {
		return fmt.Errorf("an array of shape %v of %s does not fit into %s", a.Shape, a.DType(), dst.Type())
	}
	at := 0
	var fill func(dst reflect.Value, shape []int) error
	fill = func(dst reflect.Value, shape []int) error {
		if len(shape) == 0 {
			dst.Set(data.Index(at).Convert(elem))
			at++
			return nil
		}
		if dst.Kind() == reflect.Slice {
			if len(shape) == 1 && have == elem {
				dst.Set(data.Slice3(at, at+shape[0], at+shape[0]).Convert(dst.Type()))
				at += shape[0]
				return nil
			}
			dst.Set(reflect.MakeSlice(dst.Type(), shape[0], shape[0]))
		} else if dst.Len() != shape[0] {
			return fmt.Errorf("an array of shape %v does not fit into %s", a.Shape, dst.Type())
		}
		for i := range shape[0] {
			if err := fill(dst.Index(i), shape[1:]); err != nil {
				return err
			}
		}
		return nil
	}
	return fill(dst, a.Shape)
}
