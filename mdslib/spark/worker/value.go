package worker

// From a field's text to the value of its type.

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"gomosaic/mdslib/plan"
)

// taker returns what reads the values of a type that are written in some way; nil values are NULL. Bytes are good until the
// next value is taken.
func taker(t plan.Type, text Text) (func(r *fieldReader) (any, error), error) {
	if text == TextBase64 && t.Kind == plan.Binary {
		var buffer []byte
		return func(r *fieldReader) (any, error) {
			b, err := r.base64(buffer[:0])
			if err != nil || b == nil {
				return nil, err
			}
			buffer = b
			return b, nil
		}, nil
	}
	if text == TextBase64 && t.Kind == plan.String || text == TextFile && t.Kind == plan.Binary {
		var buffer []byte
		return func(r *fieldReader) (any, error) {
			b, err := r.base64(buffer[:0])
			if err != nil || b == nil {
				return nil, err
			}
			buffer = b
			return string(b), nil
		}, nil
	}
	parse, err := parser(t, text)
	if err != nil {
		return nil, err
	}
	return func(r *fieldReader) (any, error) {
		field, err := r.next()
		if err != nil || string(field) == TextNull {
			return nil, err
		}
		v, err := parse(field)
		if err != nil {
			return nil, fmt.Errorf("%q is no %s: %w", clip(field), t, err)
		}
		return v, nil
	}, nil
}

// parser returns what parses the text of a value of a type.
func parser(t plan.Type, text Text) (func(text []byte) (any, error), error) {
	switch {
	case text == TextDays && t.Kind == plan.Date:
		return whole(32, func(n int64) any { return plan.DateValue(n) }), nil
	case text == TextMicros && t.Kind == plan.Timestamp:
		return whole(64, func(n int64) any { return plan.TimestampValue(n) }), nil
	case text == TextJSON && !t.Atomic() && t.Kind != plan.Null:
		return jsonParser(t), nil
	case text != TextPlain:
		return nil, fmt.Errorf("a value of type %s is not written as %s", t, text)
	}
	switch t.Kind {
	case plan.Null:
		return func([]byte) (any, error) { return nil, fmt.Errorf("it is not NULL") }, nil
	case plan.Boolean:
		return func(b []byte) (any, error) { return strconv.ParseBool(string(b)) }, nil
	case plan.Byte:
		return whole(8, func(n int64) any { return int8(n) }), nil
	case plan.Short:
		return whole(16, func(n int64) any { return int16(n) }), nil
	case plan.Int:
		return whole(32, func(n int64) any { return int32(n) }), nil
	case plan.Long:
		return whole(64, func(n int64) any { return n }), nil
	case plan.Float:
		return func(b []byte) (any, error) {
			f, err := strconv.ParseFloat(string(b), 32)
			return float32(f), err
		}, nil
	case plan.Double:
		return func(b []byte) (any, error) { return strconv.ParseFloat(string(b), 64) }, nil
	case plan.Decimal:
		return func(b []byte) (any, error) { return parseDecimal(string(b), t.Scale) }, nil
	case plan.TimestampNTZ:
		return func(b []byte) (any, error) {
			at, err := time.Parse("2006-01-02 15:04:05.999999", string(b))
			return plan.TimestampOf(at), err
		}, nil
	}
	return nil, fmt.Errorf("a value of type %s is not written as %s", t, text)
}

// whole parses whole numbers.
func whole(bits int, value func(int64) any) func([]byte) (any, error) {
	return func(b []byte) (any, error) {
		n, err := strconv.ParseInt(string(b), 10, bits)
		if err != nil {
			return nil, err
		}
		return value(n), nil
	}
}

// parseDecimal parses digits, also such as 1E-7, as a decimal of a scale.
func parseDecimal(text string, scale int) (any, error) {
	digits, exponent, _ := strings.Cut(strings.ToUpper(text), "E")
	shift := 0
	if exponent != "" {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil {
			return nil, err
		}
	}
	before, after, _ := strings.Cut(digits, ".")
	unscaled, ok := new(big.Int).SetString(before+after, 10)
	zeros := scale - len(after) + shift // to append
	if !ok || zeros < 0 || zeros > 100 {
		return nil, fmt.Errorf("it has other digits than a decimal of scale %d", scale)
	}
	unscaled.Mul(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(zeros)), nil))
	return plan.DecimalValue{Unscaled: unscaled, Scale: scale}, nil
}

// clip is the beginning of a text for an error.
func clip(b []byte) []byte { return b[:min(len(b), 80)] }
