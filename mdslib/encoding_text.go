package mdslib

// Byte and text columns: bytes, str, str_int, str_float, str_decimal, json.

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

func appendBytes(_ []byte, v any) ([]byte, error) { // a []byte has passed through before
	return nil, wantGot("[]byte", v)
}

func decodeBytes(data []byte) (any, error) { return data, nil }

func appendStr(dst []byte, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		r := reflect.ValueOf(v)
		if _, decimal := v.(Decimal); decimal || r.Kind() != reflect.String {
			return nil, wantGot("string", v)
		}
		s = r.String()
	}
	return appendText(dst, s)
}

func appendText(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("want UTF-8 text, got %s", quote(s))
	}
	return append(dst, s...), nil
}

func decodeStr(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: text of %d bytes is not UTF-8", ErrFormat, len(data))
	}
	return unsafe.String(unsafe.SliceData(data), len(data)), nil // the bytes belong to the sample and never change
}

func appendStrInt(dst []byte, v any) ([]byte, error) {
	if b, ok := v.(*big.Int); ok && b != nil {
		return b.Append(dst, 10), nil
	}
	n, ok := asInteger(v)
	if !ok {
		return nil, wantGot("an integer", v)
	}
	if n.negative {
		dst = append(dst, '-')
	}
	return strconv.AppendUint(dst, n.magnitude, 10), nil
}

func decodeStrInt(data []byte) (any, error) {
	s := strings.TrimSpace(string(data))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if len(s) <= 4300 { // Python's own limit (sys.get_int_max_str_digits)
		if n, ok := new(big.Int).SetString(s, 10); ok {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%w: %s is no integer", ErrFormat, quote(s))
}

func appendStrFloat(dst []byte, v any) ([]byte, error) {
	f, ok := asFloat(v)
	if !ok {
		return nil, wantGot("a float", v)
	}
	return appendPyFloat(dst, f, "nan", "inf"), nil
}

func decodeStrFloat(data []byte) (any, error) {
	s := strings.TrimSpace(string(data))
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && f == 0 || strings.ContainsAny(s, "xXpP_") {
		return nil, fmt.Errorf("%w: %s is no float", ErrFormat, quote(s))
	}
	return f, nil
}

func appendStrDecimal(dst []byte, v any) ([]byte, error) {
	var text string
	switch v := v.(type) {
	case Decimal:
		text = string(v)
	case string:
		text = v
	case *big.Int:
		if v == nil {
			return nil, wantGot("Decimal", nil)
		}
		return v.Append(dst, 10), nil
	default:
		return nil, wantGot("Decimal or its text", v)
	}
	d, err := ParseDecimal(text)
	if err != nil {
		return nil, err
	}
	return append(dst, d...), nil
}

func decodeStrDecimal(data []byte) (any, error) {
	if _, err := ParseDecimal(string(data)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return Decimal(data), nil
}

func appendJSON(dst []byte, v any) ([]byte, error) { return appendPyJSON(dst, v) }

func decodeJSON(data []byte) (any, error) {
	v, err := parsePyJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return plain(v), nil
}
