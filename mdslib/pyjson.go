package mdslib

// This file writes JSON text exactly as Python's json.dumps does with its defaults (", " and ": " between items, every
// character outside printable ASCII as \uXXXX), because shard headers and index.json are compared byte for byte. The
// shard writer, the index, merging and the json encoding use it; pyjson_parse.go reads such text.

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Object is a JSON object whose members keep their order, as a Python dict does. The json encoding writes it in this
// order; a Go map is written in the order of its sorted keys.
type Object []Member

// Member is one name and value of an [Object].
type Member struct {
	Name  string
	Value any
}

// maxJSONDepth bounds nesting in both directions; Python stops near 1000 too.
const maxJSONDepth = 1000

// appendPyJSON appends v as json.dumps(v) writes it. Accepted are nil, bool, integers of any size, floats, strings,
// json.Number, [Object], [Array] (as ndarray.tolist()), and by reflection slices, arrays, maps with string or integer
// keys, pointers, and structs with encoding/json's tags.
func appendPyJSON(dst []byte, v any) ([]byte, error) { return appendJSONValue(dst, v, 0) }

func appendJSONValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("JSON nests deeper than %d", maxJSONDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendPyString(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendPyFloat(dst, v, "NaN", "Infinity"), nil
	case float32:
		return appendPyFloat(dst, float64(v), "NaN", "Infinity"), nil
	case *big.Int:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return v.Append(dst, 10), nil
	case json.Number:
		n, err := parsePyJSON([]byte(v))
		if err != nil {
			return nil, fmt.Errorf("json.Number %q: %w", string(v), err)
		}
		switch n.(type) {
		case int64, *big.Int, float64:
			return appendJSONValue(dst, n, depth)
		}
		return nil, fmt.Errorf("json.Number %q is no number", string(v))
	case []byte: // reached only inside a value: a whole column's bytes pass through before
		return nil, fmt.Errorf("bytes are not JSON")
	case Object:
		dst = append(dst, '{')
		for i, m := range v {
			var err error
			if dst, err = appendJSONMember(dst, i, m.Name, m.Value, depth); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			var err error
			if dst, err = appendJSONValue(dst, e, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case Array:
		nested, err := v.nested()
		if err != nil {
			return nil, err
		}
		return appendJSONValue(dst, nested, depth)
	case *Array:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return appendJSONValue(dst, *v, depth)
	case Float16:
		return appendPyFloat(dst, float64(v.Float32()), "NaN", "Infinity"), nil
	}
	return appendJSONReflect(dst, reflect.ValueOf(v), depth)
}

func appendJSONReflect(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case reflect.Float32, reflect.Float64:
		return appendPyFloat(dst, v.Float(), "NaN", "Infinity"), nil
	case reflect.String:
		return appendPyString(dst, v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return appendJSONValue(dst, v.Elem().Interface(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return append(dst, "[]"...), nil
		}
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			var err error
			if dst, err = appendJSONValue(dst, v.Index(i).Interface(), depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case reflect.Map:
		return appendJSONMap(dst, v, depth)
	case reflect.Struct:
		return appendJSONStruct(dst, v, depth)
	}
	return nil, fmt.Errorf("a value of type %s is not JSON", v.Type())
}

// appendJSONMap writes a map's members sorted by the text of their keys, so that equal maps give equal bytes.
func appendJSONMap(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if k := v.Type().Key().Kind(); k != reflect.String && (k < reflect.Int || k > reflect.Uint64) {
		return nil, fmt.Errorf("a map with keys of type %s is not JSON", v.Type().Key())
	}
	names := make([]string, 0, v.Len())
	values := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		var name string
		switch k := it.Key(); k.Kind() {
		case reflect.String:
			name = k.String()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			name = strconv.FormatInt(k.Int(), 10)
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			name = strconv.FormatUint(k.Uint(), 10)
		}
		names = append(names, name)
		values[name] = it.Value().Interface()
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		var err error
		if dst, err = appendJSONMember(dst, i, name, values[name], depth); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendJSONStruct writes the exported fields in declaration order under their encoding/json names.
func appendJSONStruct(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	dst = append(dst, '{')
	n := 0
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if v.Field(i).IsZero() && slices.Contains(strings.Split(options, ","), "omitempty") {
			continue
		}
		var err error
		if dst, err = appendJSONMember(dst, n, name, v.Field(i).Interface(), depth); err != nil {
			return nil, err
		}
		n++
	}
	return append(dst, '}'), nil
}

func appendJSONMember(dst []byte, i int, name string, value any, depth int) ([]byte, error) {
	if i > 0 {
		dst = append(dst, ", "...)
	}
	dst, err := appendPyString(dst, name)
	if err != nil {
		return nil, err
	}
	dst, err = appendJSONValue(append(dst, ": "...), value, depth+1)
	if err != nil {
		return nil, fmt.Errorf("member %q: %w", name, err)
	}
	return dst, nil
}

// appendPyString appends s quoted as json.dumps quotes it: everything but printable ASCII escaped, characters above
// U+FFFF as a surrogate pair, hexadecimal digits in lower case.
func appendPyString(dst []byte, s string) ([]byte, error) {
	const hex = "0123456789abcdef"
	unit := func(dst []byte, u rune) []byte {
		return append(dst, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c >= ' ' && c <= '~':
				dst = append(dst, c)
			case c == '\n':
				dst = append(dst, `\n`...)
			case c == '\r':
				dst = append(dst, `\r`...)
			case c == '\t':
				dst = append(dst, `\t`...)
			case c == '\f':
				dst = append(dst, `\f`...)
			case c == '\b':
				dst = append(dst, `\b`...)
			default:
				dst = unit(dst, rune(c))
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, fmt.Errorf("text is not UTF-8 at byte %d: %s", i, quote(s))
		}
		i += n
		if r >= 0x10000 {
			dst = unit(dst, 0xd800+(r-0x10000)>>10)
			r = 0xdc00 + (r-0x10000)&0x3ff
		}
		dst = unit(dst, r)
	}
	return append(dst, '"'), nil
}

// appendPyFloat appends f as Python's repr(float) does: the shortest digits that read back as f, in scientific notation
// below 1e-4 and from 1e16 on. nan and inf are the words for what JSON has no literal for.
func appendPyFloat(dst []byte, f float64, nan, inf string) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, nan...)
	case math.IsInf(f, 1):
		return append(dst, inf...)
	case math.IsInf(f, -1):
		return append(append(dst, '-'), inf...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !slices.Contains(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// clip shortens a value for an error message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// quote is clip of a text in quotes. Of one of gigabytes it copies the beginning alone.
func quote[T string | []byte](s T) string { return clip(strconv.Quote(string(s[:min(len(s), 100)]))) }
