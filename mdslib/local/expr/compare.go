package expr

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"gomosaic/mdslib/plan"
)

// Compare orders two values of one type as Spark's ORDER BY does: strings and binary by bytes, NaN above all numbers,
// -0.0 equal to 0.0, arrays and structs part by part with NULL first. Neither may be nil.
func Compare(a, b any) int {
	switch x := a.(type) {
	case bool:
		y := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	case int8:
		return cmp.Compare(x, b.(int8))
	case int16:
		return cmp.Compare(x, b.(int16))
	case int32:
		return cmp.Compare(x, b.(int32))
	case int64:
		return cmp.Compare(x, b.(int64))
	case float32:
		return compareFloats(float64(x), float64(b.(float32)))
	case float64:
		return compareFloats(x, b.(float64))
	case string:
		return strings.Compare(x, b.(string))
	case []byte:
		return bytes.Compare(x, b.([]byte))
	case plan.DateValue:
		return cmp.Compare(x, b.(plan.DateValue))
	case plan.TimestampValue:
		return cmp.Compare(x, b.(plan.TimestampValue))
	case plan.DecimalValue:
		return compareDecimals(x, b.(plan.DecimalValue))
	case []any:
		return compareParts(x, b.([]any))
	case plan.StructValue:
		return compareParts(x, b.(plan.StructValue))
	}
	return 0
}

func compareFloats(x, y float64) int {
	switch {
	case x == y:
		return 0
	case math.IsNaN(x):
		if math.IsNaN(y) {
			return 0
		}
		return 1
	case math.IsNaN(y) || x < y:
		return -1
	}
	return 1
}

func compareParts(x, y []any) int {
	for i := range min(len(x), len(y)) {
		switch {
		case x[i] == nil && y[i] == nil:
			continue
		case x[i] == nil:
			return -1
		case y[i] == nil:
			return 1
		}
		if c := Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// AppendKey appends bytes to key that are equal for two values if and only if GROUP BY and DISTINCT take them for equal
// (NULLs are). Values of one position must be of one type.
func AppendKey(key []byte, v any) []byte {
	number := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(append(key, 1), n) }
	text := func(s string) []byte { return append(number(uint64(len(s))), s...) }
	switch v := v.(type) {
	case nil:
		return append(key, 0)
	case bool:
		if v {
			return append(key, 2)
		}
		return append(key, 1)
	case int8:
		return number(uint64(v))
	case int16:
		return number(uint64(v))
	case int32:
		return number(uint64(v))
	case int64:
		return number(uint64(v))
	case float32:
		return number(floatKey(float64(v)))
	case float64:
		return number(floatKey(v))
	case string:
		return text(v)
	case []byte:
		return append(number(uint64(len(v))), v...)
	case plan.DateValue:
		return number(uint64(v))
	case plan.TimestampValue:
		return number(uint64(v))
	case plan.DecimalValue:
		return text(v.Unscaled.String())
	case []any:
		return appendKeys(number(uint64(len(v))), v)
	case plan.StructValue:
		return appendKeys(number(uint64(len(v))), v)
	}
	return key
}

func appendKeys(key []byte, parts []any) []byte {
	for _, p := range parts {
		key = AppendKey(key, p)
	}
	return key
}

func floatKey(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}
