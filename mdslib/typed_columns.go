package mdslib

// The columns of a Go type: its fields, their tags, and the encoding that each type has by itself.

import (
	"fmt"
	"image"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// typedColumn is a field that is a column.
type typedColumn struct {
	name     string
	encoding string // "" if neither tag nor type says
	tagged   bool   // the tag says the encoding
	index    []int
	typ      reflect.Type
	at       int // where the shard that checkTyped looked at last has it, as most do
}

// columnsOf returns the columns of a struct; nil for a map with text as keys. text is for a text format's encodings.
func columnsOf(t reflect.Type, text bool) ([]typedColumn, error) {
	if t.Kind() == reflect.Map && t.Key().Kind() == reflect.String {
		return nil, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("mdslib: samples of type %s: want a struct or a map from column names", t)
	}
	var columns []typedColumn
	for _, f := range reflect.VisibleFields(t) {
		tag, hasTag := f.Tag.Lookup("mds")
		if !f.IsExported() || tag == "-" || len(f.Index) > 1 && viaPointer(t, f.Index) {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && !hasTag {
			continue // its fields come by themselves
		}
		name, encoding, _ := strings.Cut(tag, ",")
		c := typedColumn{name: name, encoding: encoding, tagged: encoding != "", index: f.Index, typ: f.Type}
		if name == "" {
			c.name = f.Name
		}
		if encoding == "" {
			c.encoding = encodingOf(f.Type, text)
		}
		if slices.ContainsFunc(columns, func(other typedColumn) bool { return other.name == c.name }) {
			return nil, fmt.Errorf("mdslib: type %s has two fields for column %q", t, c.name)
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("mdslib: type %s has no exported fields, which would be its columns", t)
	}
	return columns, nil
}

// viaPointer tells whether a field lies in an embedded pointer, which may be nil.
func viaPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// isValue tells whether encodings take a type as it is, though it is a pointer or a struct.
func isValue(t reflect.Type) bool {
	return t == reflect.TypeFor[*big.Int]() || t == reflect.TypeFor[Array]() || t == reflect.TypeFor[*Array]() || t.Implements(reflect.TypeFor[image.Image]())
}

// encodingOf is the encoding that a type has by itself, "" for none.
func encodingOf(t reflect.Type, text bool) string {
	switch t {
	case reflect.TypeFor[Decimal]():
		return "str_decimal"
	case reflect.TypeFor[*big.Int]():
		if text {
			return "int"
		}
		return "str_int"
	case reflect.TypeFor[Array](), reflect.TypeFor[*Array]():
		return "ndarray"
	case reflect.TypeFor[Float16]():
		return "float16"
	case reflect.TypeFor[[]byte]():
		return "bytes"
	}
	if isValue(t) {
		return ""
	}
	switch k := t.Kind(); k {
	case reflect.String:
		return "str"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if text {
			return "int"
		}
		return k.String()
	case reflect.Float32, reflect.Float64:
		if text {
			return "float"
		}
		return k.String()
	case reflect.Pointer:
		return encodingOf(t.Elem(), text)
	case reflect.Slice, reflect.Array:
		elem := t.Elem()
		for elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array {
			elem = elem.Elem()
		}
		if d, ok := dtypeOf(elem); ok && elem.Kind() != reflect.Struct {
			return "ndarray:" + d.name
		}
		if isValue(elem) {
			return ""
		}
		return "json"
	case reflect.Map, reflect.Struct:
		return "json"
	}
	return ""
}

// typedEncodings are the columns of a struct with the encodings that given changes.
func typedEncodings(columns []typedColumn, given Columns) (Columns, error) {
	out := Columns{}
	for _, c := range columns {
		out[c.name] = c.encoding
	}
	for name, encoding := range given {
		if _, ok := out[name]; !ok {
			return nil, fmt.Errorf("mdslib: column %q has no field in the type (%s)", name, plan.Nearest(name, out.Names()))
		}
		out[name] = encoding
	}
	for _, c := range columns {
		if out[c.name] == "" {
			return nil, fmt.Errorf("mdslib: column %q: a %s has no encoding by itself: name one in its tag, `mds:\"%s,…\"`", c.name, c.typ, c.name)
		}
	}
	return out, nil
}

// checkTyped compares the columns of a type with those of a shard, and notes where they are in it.
func checkTyped(columns []typedColumn, info *ShardInfo) error {
	for k := range columns {
		c := &columns[k]
		i := slices.Index(info.ColumnNames, c.name)
		if i < 0 {
			return fmt.Errorf("no column %q, only %s", c.name, clip(fmt.Sprintf("%q", info.ColumnNames)))
		}
		if c.tagged && c.encoding != info.ColumnEncodings[i] {
			return fmt.Errorf("column %q is %s, the field's tag says %s", c.name, info.ColumnEncodings[i], c.encoding)
		}
		c.at = i
	}
	return nil
}
