package mdslib

// Integer and float columns: little-endian two's complement and IEEE 754.

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// integer is a whole number of 65 bits: sign and magnitude.
type integer struct {
	negative  bool
	magnitude uint64
}

func integerOf(v int64) integer {
	if v < 0 {
		return integer{true, -uint64(v)}
	}
	return integer{false, uint64(v)}
}

// asInteger returns v if it is of an integer type; bools are not.
func asInteger(v any) (n integer, ok bool) {
	switch v := v.(type) {
	case int:
		return integerOf(int64(v)), true
	case int64:
		return integerOf(v), true
	case int32:
		return integerOf(int64(v)), true
	case int16:
		return integerOf(int64(v)), true
	case int8:
		return integerOf(int64(v)), true
	case uint:
		return integer{magnitude: uint64(v)}, true
	case uint64:
		return integer{magnitude: v}, true
	case uint32:
		return integer{magnitude: uint64(v)}, true
	case uint16:
		return integer{magnitude: uint64(v)}, true
	case uint8:
		return integer{magnitude: uint64(v)}, true
	case *big.Int:
		if v == nil || v.BitLen() > 64 {
			return integer{}, false
		}
		return integer{v.Sign() < 0, new(big.Int).Abs(v).Uint64()}, true
	case nil, Float16:
		return integer{}, false
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integerOf(r.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return integer{magnitude: r.Uint()}, true
	}
	return integer{}, false
}

// asFloat returns v if it is of a float type.
func asFloat(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case Float16:
		return float64(v.Float32()), true
	case nil:
		return 0, false
	}
	if r := reflect.ValueOf(v); r.CanFloat() {
		return r.Float(), true
	}
	return 0, false
}

// numberOf reads what the sized integer encodings take: integers, whole floats and decimal text.
func numberOf(want string, v any) (integer, error) {
	if n, ok := asInteger(v); ok {
		return n, nil
	}
	if f, ok := asFloat(v); ok {
		if f != math.Trunc(f) || math.Abs(f) >= 1<<64 { // also NaN; numpy would silently drop the fraction
			return integer{}, wantGot(want+" (a fraction would be lost)", v)
		}
		return integer{f < 0, uint64(math.Abs(f))}, nil
	}
	if s, ok := v.(string); ok {
		digits, negative := strings.CutPrefix(strings.TrimSpace(s), "-")
		if magnitude, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return integer{negative && magnitude != 0, magnitude}, nil
		}
	}
	return integer{}, wantGot(want, v)
}

func appendInt(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
	case int:
		return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
	}
	n, ok := asInteger(v)
	if !ok {
		return nil, wantGot("an integer", v)
	}
	return appendSignedInteger(dst, "int", 8, n)
}

func appendSignedInteger(dst []byte, name string, bytes int, n integer) ([]byte, error) {
	limit := uint64(1) << (8*bytes - 1)
	if n.negative && n.magnitude > limit || !n.negative && n.magnitude >= limit {
		return nil, outOfRange(name, n)
	}
	bits := n.magnitude
	if n.negative {
		bits = -bits
	}
	return appendBits(dst, bits, bytes), nil
}

func outOfRange(name string, n integer) error {
	sign := ""
	if n.negative {
		sign = "-"
	}
	return fmt.Errorf("%s%d is out of range for %s", sign, n.magnitude, name)
}

// appendBits appends the low bytes of bits, lowest first.
func appendBits(dst []byte, bits uint64, bytes int) []byte {
	for range bytes {
		dst = append(dst, byte(bits))
		bits >>= 8
	}
	return dst
}

func appendSigned(name string, bytes int) func([]byte, any) ([]byte, error) {
	return func(dst []byte, v any) ([]byte, error) {
		n, err := numberOf(name, v)
		if err != nil {
			return nil, err
		}
		return appendSignedInteger(dst, name, bytes, n)
	}
}

func appendUnsigned(name string, bytes int) func([]byte, any) ([]byte, error) {
	return func(dst []byte, v any) ([]byte, error) {
		n, err := numberOf(name, v)
		if err != nil {
			return nil, err
		}
		return appendUnsignedInteger(dst, name, bytes, n)
	}
}

func appendUnsignedInteger(dst []byte, name string, bytes int, n integer) ([]byte, error) {
	if n.negative || bytes < 8 && n.magnitude>>(8*bytes) != 0 {
		return nil, outOfRange(name, n)
	}
	return appendBits(dst, n.magnitude, bytes), nil
}

// floatOf reads what the float encodings take: floats, integers and decimal text.
func floatOf(want string, v any) (float64, error) {
	if f, ok := asFloat(v); ok {
		return f, nil
	}
	if n, ok := asInteger(v); ok {
		f := float64(n.magnitude)
		if n.negative {
			f = -f
		}
		return f, nil
	}
	if s, ok := v.(string); ok && !strings.ContainsAny(s, "xX_pP") { // Python's float() reads no hexadecimal text
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return f, nil
		}
	}
	return 0, wantGot(want, v)
}

func appendFloat16(dst []byte, v any) ([]byte, error) {
	if h, ok := v.(Float16); ok {
		return binary.LittleEndian.AppendUint16(dst, uint16(h)), nil
	}
	f, err := floatOf("float16", v)
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint16(dst, uint16(Float16Of(f))), nil
}

func appendFloat32(dst []byte, v any) ([]byte, error) {
	if f, ok := v.(float32); ok { // keeps a NaN's bits
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(f)), nil
	}
	f, err := floatOf("float32", v)
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
}

func appendFloat64(dst []byte, v any) ([]byte, error) {
	f, err := floatOf("float64", v)
	if err != nil {
		return nil, err
	}
	return appendFloat64Bits(dst, f), nil
}

func appendFloat64Bits(dst []byte, f float64) []byte {
	bits := math.Float64bits(f)
	if bits == goNaN {
		bits = pythonNaN
	}
	return binary.LittleEndian.AppendUint64(dst, bits)
}

// math.NaN() and Python's float("nan") differ in the last bit; the same input must give the same bytes. NaNs with another
// payload are written as they are.
const (
	goNaN     = 0x7FF8000000000001
	pythonNaN = 0x7FF8000000000000
)

func decodeUint8(b []byte) (any, error)  { return b[0], nil }
func decodeInt8(b []byte) (any, error)   { return int8(b[0]), nil }
func decodeUint16(b []byte) (any, error) { return binary.LittleEndian.Uint16(b), nil }
func decodeInt16(b []byte) (any, error)  { return int16(binary.LittleEndian.Uint16(b)), nil }
func decodeUint32(b []byte) (any, error) { return binary.LittleEndian.Uint32(b), nil }
func decodeInt32(b []byte) (any, error)  { return int32(binary.LittleEndian.Uint32(b)), nil }
func decodeUint64(b []byte) (any, error) { return binary.LittleEndian.Uint64(b), nil }
func decodeInt64(b []byte) (any, error)  { return int64(binary.LittleEndian.Uint64(b)), nil }

func decodeFloat16(b []byte) (any, error) {
	return Float16(binary.LittleEndian.Uint16(b)).Float32(), nil
}

func decodeFloat32(b []byte) (any, error) {
	return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil
}

func decodeFloat64(b []byte) (any, error) {
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}
