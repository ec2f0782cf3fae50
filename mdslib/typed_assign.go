package mdslib

// How a column's value gets into a Go variable: without loss, or not at all.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// setTyped decodes the columns of a sample that dst, a struct or map, has a place for. Only if own is set may what dst
// holds then alias raw.
func setTyped(dst reflect.Value, columns []typedColumn, s *schema, raw []byte, own bool) error {
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
			if err := setColumn(value, s.encodings[i], fields[i], own); err != nil {
				return &SampleError{Sample: -1, Column: name, Err: err}
			}
			dst.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
		}
		return nil
	}
	for k := range columns {
		c := &columns[k]
		i := c.at
		if i >= len(s.names) || s.names[i] != c.name {
			i = slices.Index(s.names, c.name) // there: checkTyped looked
		}
		if err := setColumn(dst.FieldByIndex(c.index), s.encodings[i], fields[i], own); err != nil {
			return &SampleError{Sample: -1, Column: c.name, Err: err}
		}
	}
	return nil
}

// setColumn decodes a column's bytes into dst. A []byte takes them as they are, a [][]byte the files of a list of images.
func setColumn(dst reflect.Value, e *Encoding, data []byte, own bool) error {
	if dst.Type() == reflect.TypeFor[[]byte]() {
		if !own {
			data = append(dst.Bytes()[:0], data...)
		}
		dst.SetBytes(data)
		return nil
	}
	if setPlain(dst, e.kind, data, own) {
		return nil
	}
	if !own {
		data = bytes.Clone(data)
	}
	if e.IsImageList() && dst.Type() == reflect.TypeFor[[][]byte]() {
		files, err := e.Images(data)
		if err == nil {
			dst.Set(reflect.ValueOf(files))
		}
		return err
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

// setPlain stores a number or text in a variable of its kind, without the way over an interface value that assign goes. It
// returns false, with dst as it was, for anything else and for what does not fit.
func setPlain(dst reflect.Value, kind reflect.Kind, data []byte, own bool) bool {
	var n int64 // or a uint64's bits
	switch kind {
	case reflect.Int8:
		n = int64(int8(data[0]))
	case reflect.Uint8:
		n = int64(data[0])
	case reflect.Int16:
		n = int64(int16(binary.LittleEndian.Uint16(data)))
	case reflect.Uint16:
		n = int64(binary.LittleEndian.Uint16(data))
	case reflect.Int32:
		n = int64(int32(binary.LittleEndian.Uint32(data)))
	case reflect.Uint32:
		n = int64(binary.LittleEndian.Uint32(data))
	case reflect.Int64, reflect.Uint64:
		n = int64(binary.LittleEndian.Uint64(data))
	case reflect.Float32:
		bits := binary.LittleEndian.Uint32(data)
		switch to := dst.Addr().Interface().(type) {
		case *float32: // keeps a NaN's bits
			*to = math.Float32frombits(bits)
		case *float64:
			*to = float64(math.Float32frombits(bits))
		default:
			return false
		}
		return true
	case reflect.Float64:
		to, ok := dst.Addr().Interface().(*float64)
		if ok {
			*to = math.Float64frombits(binary.LittleEndian.Uint64(data))
		}
		return ok
	case reflect.String:
		if dst.Kind() != reflect.String || !utf8.Valid(data) {
			return false
		}
		if own {
			dst.SetString(unsafe.String(unsafe.SliceData(data), len(data)))
		} else if dst.String() != string(data) {
			dst.SetString(string(data))
		}
		return true
	default:
		return false
	}
	switch {
	case dst.CanInt():
		if kind == reflect.Uint64 && n < 0 || dst.OverflowInt(n) {
			return false
		}
		dst.SetInt(n)
		return true
	case dst.CanUint():
		if kind != reflect.Uint64 && n < 0 || dst.OverflowUint(uint64(n)) {
			return false
		}
		dst.SetUint(uint64(n))
		return true
	}
	return false
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
	if f, ok := v.(float32); ok && dst.Type() == reflect.TypeFor[Float16]() {
		half := Float16Of(float64(f))
		if half.Float32() != f && f == f {
			return bad()
		}
		dst.Set(reflect.ValueOf(half))
		return nil
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
