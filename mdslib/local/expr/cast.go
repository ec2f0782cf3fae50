package expr

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
)

// cast converts x to a type by the rules of ANSI casts; try gives NULL where a value can't be converted.
func (b *binder) cast(x *node, to plan.Type, try bool) (*node, error) {
	if x.typ.Equal(to) {
		return x, nil
	}
	conv, err := b.converter(x.typ, to)
	if err != nil {
		return nil, err
	}
	n := strictNode(to, []*node{x}, func(a []any) (any, error) {
		v, err := conv(a[0])
		if err != nil && try {
			return nil, nil
		}
		return v, err
	})
	n.nullable = n.nullable || try
	n.literal = x.literal && n.constant
	return n, nil
}

type convert func(v any) (any, error)

func malformed(v any, to plan.Type) *Error {
	e := fail("CAST_INVALID_INPUT", "the value %s can't be cast to %s because it is malformed", quoteValue(v), to)
	e.Hint = "use try_cast to get NULL instead"
	return e
}

func castOverflow(v any, to plan.Type) *Error {
	e := fail("CAST_OVERFLOW", "the value %s doesn't fit %s", quoteValue(v), to)
	e.Hint = "use try_cast to get NULL instead"
	return e
}

func quoteValue(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > 60 {
			v = v[:60] + "…"
		}
		return "'" + v + "'"
	case float64:
		return plan.JavaDouble(v)
	case float32:
		return plan.JavaFloat(v)
	}
	return fmt.Sprint(v)
}

// converter is the cast from one type to another, or an error if Spark has none.
func (b *binder) converter(from, to plan.Type) (convert, error) {
	loc := b.env.location()
	switch {
	case from.Equal(to):
		return func(v any) (any, error) { return v, nil }, nil
	case from.Kind == plan.Null:
		return func(any) (any, error) { return nil, nil }, nil
	case to.Kind == plan.String && from.Kind == plan.TimestampNTZ:
		return func(v any) (any, error) { return v.(plan.TimestampValue).String(), nil }, nil
	case to.Kind == plan.String && from.Kind != plan.Map:
		return func(v any) (any, error) { return textOf(v, b.env), nil }, nil
	case from.Kind == plan.Array && to.Kind == plan.Array:
		elem, err := b.converter(*from.Elem, *to.Elem)
		if err != nil {
			return nil, err
		}
		return func(v any) (any, error) {
			out := make([]any, len(v.([]any)))
			for i, e := range v.([]any) {
				if e == nil {
					continue
				}
				var err error
				if out[i], err = elem(e); err != nil {
					return nil, err
				}
			}
			return out, nil
		}, nil
	case to.Integral():
		if c := toInteger(from, to); c != nil {
			return c, nil
		}
	case to.Kind == plan.Float || to.Kind == plan.Double:
		if c := toFloat(from, to); c != nil {
			return c, nil
		}
	case to.Kind == plan.Decimal:
		if c := toDecimal(from, to); c != nil {
			return c, nil
		}
	case to.Kind == plan.Boolean && from.Numeric():
		return func(v any) (any, error) { return toFloat64(v) != 0, nil }, nil
	case to.Kind == plan.Boolean && from.Kind == plan.String:
		return func(v any) (any, error) {
			switch strings.ToLower(trimSpaces(v.(string))) {
			case "t", "true", "y", "yes", "1":
				return true, nil
			case "f", "false", "n", "no", "0":
				return false, nil
			}
			return nil, malformed(v, to)
		}, nil
	case to.Kind == plan.Binary && from.Kind == plan.String:
		return func(v any) (any, error) { return []byte(v.(string)), nil }, nil
	case to.Kind == plan.Date && from.Kind == plan.String:
		return func(v any) (any, error) {
			if d, ok := parseDate(v.(string)); ok {
				return d, nil
			}
			return nil, malformed(v, to)
		}, nil
	case to.Kind == plan.Date && from.Kind == plan.Timestamp:
		return func(v any) (any, error) { return plan.DateOf(v.(plan.TimestampValue).Time().In(loc)), nil }, nil
	case to.Kind == plan.Date && from.Kind == plan.TimestampNTZ:
		return func(v any) (any, error) { return plan.DateOf(v.(plan.TimestampValue).Time()), nil }, nil
	case (to.Kind == plan.Timestamp || to.Kind == plan.TimestampNTZ) && from.Kind == plan.String:
		return func(v any) (any, error) {
			if t, ok := parseTimestamp(v.(string), loc, to.Kind == plan.TimestampNTZ); ok {
				return t, nil
			}
			return nil, malformed(v, to)
		}, nil
	case to.Kind == plan.Timestamp && (from.Kind == plan.Date || from.Kind == plan.TimestampNTZ):
		return func(v any) (any, error) {
			if d, ok := v.(plan.DateValue); ok {
				return plan.TimestampOf(wallClock(d.Time(), loc)), nil
			}
			return plan.TimestampOf(wallClock(v.(plan.TimestampValue).Time(), loc)), nil
		}, nil
	case to.Kind == plan.TimestampNTZ && from.Kind == plan.Date:
		return func(v any) (any, error) { return plan.TimestampOf(v.(plan.DateValue).Time()), nil }, nil
	case to.Kind == plan.TimestampNTZ && from.Kind == plan.Timestamp:
		return func(v any) (any, error) { return wallClockIn(v.(plan.TimestampValue), loc), nil }, nil
	case to.Kind == plan.Timestamp && from.Numeric():
		return secondsToTimestamp, nil
	}
	return nil, fail("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "can't cast %s to %s", from, to)
}

func trimSpaces(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func toInteger(from, to plan.Type) convert {
	k := to.Kind
	switch {
	case from.Kind == plan.Boolean:
		return func(v any) (any, error) {
			if v.(bool) {
				return intOf(k, 1), nil
			}
			return intOf(k, 0), nil
		}
	case from.Integral():
		return func(v any) (any, error) {
			n := toInt64(v)
			if !intFits(k, n) {
				return nil, castOverflow(v, to)
			}
			return intOf(k, n), nil
		}
	case from.Kind == plan.Float || from.Kind == plan.Double:
		return func(v any) (any, error) {
			f := math.Trunc(toFloat64(v))
			// The bounds are exact floats; NaN fails both.
			if !(f >= -0x1p63 && f < 0x1p63) || !intFits(k, int64(f)) {
				return nil, castOverflow(v, to)
			}
			return intOf(k, int64(f)), nil
		}
	case from.Kind == plan.Decimal:
		return func(v any) (any, error) {
			d := v.(plan.DecimalValue)
			n := new(big.Int).Quo(d.Unscaled, pow10(d.Scale))
			if !n.IsInt64() || !intFits(k, n.Int64()) {
				return nil, castOverflow(v, to)
			}
			return intOf(k, n.Int64()), nil
		}
	case from.Kind == plan.String:
		bits := map[plan.Kind]int{plan.Byte: 8, plan.Short: 16, plan.Int: 32, plan.Long: 64}[k]
		return func(v any) (any, error) {
			s := trimSpaces(v.(string))
			n, err := strconv.ParseInt(s, 10, bits)
			if err != nil || strings.ContainsRune(s, '_') {
				return nil, malformed(v, to)
			}
			return intOf(k, n), nil
		}
	case from.Kind == plan.Timestamp:
		return func(v any) (any, error) {
			us := int64(v.(plan.TimestampValue))
			n := us / 1e6
			if us%1e6 < 0 {
				n--
			}
			if !intFits(k, n) {
				return nil, castOverflow(v, to)
			}
			return intOf(k, n), nil
		}
	}
	return nil
}

func toFloat(from, to plan.Type) convert {
	size := 64
	if to.Kind == plan.Float {
		size = 32
	}
	make := func(f float64) any {
		if size == 32 {
			return float32(f)
		}
		return f
	}
	switch {
	case from.Kind == plan.Boolean:
		return func(v any) (any, error) {
			if v.(bool) {
				return make(1), nil
			}
			return make(0), nil
		}
	case from.Kind == plan.Decimal && size == 32:
		return func(v any) (any, error) {
			d := v.(plan.DecimalValue)
			f, _ := strconv.ParseFloat(d.Unscaled.String()+"e"+strconv.Itoa(-d.Scale), 32)
			return float32(f), nil
		}
	case from.Integral() && size == 32:
		return func(v any) (any, error) { return float32(toInt64(v)), nil }
	case from.Numeric():
		return func(v any) (any, error) { return make(toFloat64(v)), nil }
	case from.Kind == plan.String:
		return func(v any) (any, error) {
			f, ok := parseJavaFloat(v.(string), size)
			if !ok {
				return nil, malformed(v, to)
			}
			return make(f), nil
		}
	case from.Kind == plan.Timestamp:
		return func(v any) (any, error) { return make(float64(v.(plan.TimestampValue)) / 1e6), nil }
	}
	return nil
}

// parseJavaFloat reads what Java's parseDouble reads, and Spark's words for infinity and NaN in any case.
func parseJavaFloat(s string, bits int) (float64, bool) {
	s = trimSpaces(s)
	switch strings.ToLower(s) {
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	if n := len(s); n > 1 && strings.ContainsRune("dDfF", rune(s[n-1])) {
		s = s[:n-1]
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil || math.IsInf(f, 0)
}

func toDecimal(from, to plan.Type) convert {
	finish := func(v any, d plan.DecimalValue) (any, error) {
		d, ok := fit(d, to)
		if !ok {
			return nil, fail("NUMERIC_VALUE_OUT_OF_RANGE", "the value %s doesn't fit %s", quoteValue(v), to)
		}
		return d, nil
	}
	switch {
	case from.Kind == plan.Boolean:
		return func(v any) (any, error) {
			n := int64(0)
			if v.(bool) {
				n = 1
			}
			return finish(v, plan.DecimalValue{Unscaled: big.NewInt(n)})
		}
	case from.Integral():
		return func(v any) (any, error) { return finish(v, plan.DecimalValue{Unscaled: big.NewInt(toInt64(v))}) }
	case from.Kind == plan.Decimal:
		return func(v any) (any, error) { return finish(v, v.(plan.DecimalValue)) }
	case from.Kind == plan.Float || from.Kind == plan.Double:
		return func(v any) (any, error) {
			d, ok := parseDecimal(strconv.FormatFloat(toFloat64(v), 'e', -1, 64))
			if !ok { // NaN and infinity
				return nil, nil
			}
			return finish(v, d)
		}
	case from.Kind == plan.String:
		return func(v any) (any, error) {
			d, ok := parseDecimal(trimSpaces(v.(string)))
			if !ok {
				return nil, malformed(v, to)
			}
			return finish(v, d)
		}
	case from.Kind == plan.Timestamp:
		return func(v any) (any, error) {
			return finish(v, plan.DecimalValue{Unscaled: big.NewInt(int64(v.(plan.TimestampValue))), Scale: 6})
		}
	}
	return nil
}

// parseDecimal reads digits with an optional point and exponent.
func parseDecimal(s string) (plan.DecimalValue, bool) {
	mantissa, exponent, hasExp := strings.Cut(strings.ToLower(s), "e")
	e := 0
	if hasExp {
		var err error
		if e, err = strconv.Atoi(exponent); err != nil || e > 1000 || e < -1000 {
			return plan.DecimalValue{}, false
		}
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	if strings.Trim(whole+frac, "0123456789+-") != "" || strings.ContainsAny(frac, "+-") || len(frac) > 1000 {
		return plan.DecimalValue{}, false
	}
	u, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return plan.DecimalValue{}, false
	}
	scale := len(frac) - e
	if scale < 0 {
		return plan.DecimalValue{Unscaled: u.Mul(u, pow10(-scale))}, true
	}
	return plan.DecimalValue{Unscaled: u, Scale: scale}, true
}

// textOf is the cast to string.
func textOf(v any, env Env) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return v
	case []byte:
		return string(v)
	case float64:
		return plan.JavaDouble(v)
	case float32:
		return plan.JavaFloat(v)
	case plan.TimestampValue:
		return v.In(env.location())
	case []any:
		return "[" + joinText(v, env) + "]"
	case plan.StructValue:
		return "{" + joinText(v, env) + "}"
	}
	return fmt.Sprint(v)
}

func joinText(parts []any, env Env) string {
	text := make([]string, len(parts))
	for i, p := range parts {
		if text[i] = "null"; p != nil {
			text[i] = textOf(p, env)
		}
	}
	return strings.Join(text, ", ")
}

// FromText returns the cast of text to a type, for sources whose values are text.
func FromText(t plan.Type, env Env) (func(s string) (any, error), error) {
	conv, err := (&binder{env: env}).converter(plan.Of(plan.String), t)
	if err != nil {
		return nil, err
	}
	return func(s string) (any, error) { return conv(s) }, nil
}

// Converter returns the implicit cast from one type to another, as Union makes it; ok is false where there is none.
func Converter(from, to plan.Type, env Env) (func(v any) (any, error), bool) {
	conv, err := (&binder{env: env}).converter(from, to)
	return conv, err == nil
}

// Widest is the type to which values of both types are brought by Union, CASE and the like.
func Widest(a, b plan.Type) (plan.Type, bool) { return widest(a, b) }
