package expr

import (
	"math"
	"math/big"
	"slices"

	"gomosaic/mdslib/plan"
)

// arithmeticErrors are the classes of error that try_add and its like turn into NULL.
var arithmeticErrors = []string{"DIVIDE_BY_ZERO", "REMAINDER_BY_ZERO", "ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE"}

func mathFunctions() map[string]function {
	const D, L, I = plan.Double, plan.Long, plan.Int
	ofDouble := func(fn func(x float64) float64) function {
		return strict(D, 1, 1, func(a []any) (any, error) { return fn(a[0].(float64)), nil }, D)
	}
	// positive is a logarithm: NULL at and below its bound.
	logarithm := func(above float64, fn func(x float64) float64) function {
		return function{1, 1, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, D)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(D), args, func(a []any) (any, error) {
				if x := a[0].(float64); x > above || x != x {
					return fn(x), nil
				}
				return nil, nil
			}).orNull(true), nil
		}}
	}
	ln := logarithm(0, math.Log)
	power := strict(D, 2, 2, func(a []any) (any, error) { return math.Pow(a[0].(float64), a[1].(float64)), nil }, D)
	sign := function{1, 1, func(b *binder, args []*node) (*node, error) {
		return strict(D, 1, 1, func(a []any) (any, error) {
			switch x := a[0].(float64); {
			case x > 0:
				return 1.0, nil
			case x < 0:
				return -1.0, nil
			default:
				return x, nil
			}
		}, D).bind(b, args)
	}}
	operator := func(op string) function {
		return function{2, 2, func(b *binder, a []*node) (*node, error) { return b.binary(op, a[0], a[1]) }}
	}
	// try turns the errors of overflow and division by zero into NULL.
	try := func(op string) function {
		return function{2, 2, func(b *binder, a []*node) (*node, error) {
			n, err := b.binary(op, a[0], a[1])
			if err != nil {
				return nil, err
			}
			inner := n.eval
			return &node{typ: n.typ, nullable: true, constant: n.constant, pos: -1, eval: func(row []any) (any, error) {
				v, err := inner(row)
				if e, ok := err.(*Error); ok && slices.Contains(arithmeticErrors, e.Class) {
					return nil, nil
				}
				return v, err
			}}, nil
		}}
	}
	unary := func(op string) function {
		return function{1, 1, func(b *binder, a []*node) (*node, error) { return b.unary(op, a[0]) }}
	}
	shift := func(op string) function {
		return function{2, 2, func(b *binder, a []*node) (*node, error) { return b.shift(op, a[0], a[1]) }}
	}
	return map[string]function{
		"abs": {1, 1, func(b *binder, args []*node) (*node, error) {
			x, err := b.number(args[0])
			if err != nil {
				return nil, err
			}
			return strictNode(x.typ, []*node{x}, func(a []any) (any, error) {
				switch v := a[0].(type) {
				case float32:
					return float32(math.Abs(float64(v))), nil
				case float64:
					return math.Abs(v), nil
				case plan.DecimalValue:
					return plan.DecimalValue{Unscaled: new(big.Int).Abs(v.Unscaled), Scale: v.Scale}, nil
				default:
					if toInt64(v) < 0 {
						return negative(v)
					}
					return v, nil
				}
			}), nil
		}},
		"negative": unary("-"), "positive": unary("+"),
		"sign": sign, "signum": sign,
		"round": rounding(false), "bround": rounding(true),
		"floor": whole(math.Floor), "ceil": whole(math.Ceil), "ceiling": whole(math.Ceil),
		"sqrt": ofDouble(math.Sqrt), "cbrt": ofDouble(math.Cbrt), "exp": ofDouble(math.Exp), "expm1": ofDouble(math.Expm1),
		"sin": ofDouble(math.Sin), "cos": ofDouble(math.Cos), "tan": ofDouble(math.Tan), "asin": ofDouble(math.Asin),
		"acos": ofDouble(math.Acos), "atan": ofDouble(math.Atan), "sinh": ofDouble(math.Sinh), "cosh": ofDouble(math.Cosh),
		"tanh": ofDouble(math.Tanh), "degrees": ofDouble(func(x float64) float64 { return x * 180 / math.Pi }),
		"radians": ofDouble(func(x float64) float64 { return x / 180 * math.Pi }), "rint": ofDouble(math.RoundToEven),
		"atan2": strict(D, 2, 2, func(a []any) (any, error) { return math.Atan2(a[0].(float64)+0, a[1].(float64)+0), nil }, D),
		"hypot": strict(D, 2, 2, func(a []any) (any, error) { return math.Hypot(a[0].(float64), a[1].(float64)), nil }, D),
		"pi":    {0, 0, func(*binder, []*node) (*node, error) { return constNode(plan.Of(D), math.Pi), nil }},
		"e":     {0, 0, func(*binder, []*node) (*node, error) { return constNode(plan.Of(D), math.E), nil }},
		"pow":   power, "power": power,
		"ln": ln, "log10": logarithm(0, math.Log10), "log2": logarithm(0, math.Log2), "log1p": logarithm(-1, math.Log1p),
		"log": {1, 2, func(b *binder, args []*node) (*node, error) {
			if len(args) == 1 {
				return ln.bind(b, args)
			}
			args, err := b.params(args, D)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(D), args, func(a []any) (any, error) {
				base, x := a[0].(float64), a[1].(float64)
				if base <= 0 || x <= 0 {
					return nil, nil
				}
				return math.Log(x) / math.Log(base), nil
			}).orNull(true), nil
		}},
		"pmod": {2, 2, func(b *binder, a []*node) (*node, error) {
			n, err := b.pmod(a[0], a[1])
			if err != nil {
				return nil, err
			}
			return n.orNull(true), nil
		}},
		"mod": operator("%"), "div": operator("DIV"),
		"try_add": try("+"), "try_subtract": try("-"), "try_multiply": try("*"), "try_divide": try("/"), "try_mod": try("%"),
		"shiftleft": shift("<<"), "shiftright": shift(">>"), "shiftrightunsigned": shift(">>>"),
		"isnan": {1, 1, func(b *binder, args []*node) (*node, error) {
			x, err := b.implicit(args[0], plan.Of(D))
			if err != nil {
				return nil, err
			}
			n := looseNode(boolean, []*node{x}, func(a []any) (any, error) {
				f, ok := a[0].(float64)
				return ok && f != f, nil
			})
			n.nullable = false
			return n, nil
		}},
		"nanvl": strict(D, 2, 2, func(a []any) (any, error) {
			if f := a[0].(float64); f == f {
				return f, nil
			}
			return a[1], nil
		}, D),
		"bin": strict(plan.String, 1, 1, func(a []any) (any, error) {
			return new(big.Int).SetUint64(uint64(a[0].(int64))).Text(2), nil
		}, L),
		"factorial": {1, 1, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, I)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(L), args, func(a []any) (any, error) {
				n := int64(a[0].(int32))
				if n < 0 || n > 20 {
					return nil, nil
				}
				return new(big.Int).MulRange(1, n).Int64(), nil
			}).orNull(true), nil
		}},
	}
}

// number brings strings and NULLs to double.
func (b *binder) number(x *node) (*node, error) {
	if x.typ.Kind == plan.String || x.typ.Kind == plan.Null {
		return b.implicit(x, plan.Of(plan.Double))
	}
	if !x.typ.Numeric() {
		return nil, mismatch("a number", x)
	}
	return x, nil
}

// whole is floor and ceil: bigint for integers and doubles, a decimal without fraction for decimals.
func whole(fn func(float64) float64) function {
	up := fn(0.5) == 1
	return function{1, 2, func(b *binder, args []*node) (*node, error) {
		if len(args) == 2 {
			return nil, fail("", "floor and ceil with a scale aren't part of the subset")
		}
		x, err := b.number(args[0])
		if err != nil {
			return nil, err
		}
		if x.typ.Kind == plan.Decimal {
			t := plan.DecimalOf(min(x.typ.Precision-x.typ.Scale+1, plan.MaxPrecision), 0)
			if x.typ.Scale == 0 {
				t = x.typ
			}
			return strictNode(t, []*node{x}, func(a []any) (any, error) {
				d := a[0].(plan.DecimalValue)
				one := pow10(d.Scale)
				q, r := new(big.Int).DivMod(d.Unscaled, one, new(big.Int)) // Euclidean: floor for a positive divisor
				if up && r.Sign() != 0 {
					q.Add(q, big.NewInt(1))
				}
				return plan.DecimalValue{Unscaled: q}, nil
			}), nil
		}
		long := plan.Of(plan.Long)
		if x.typ.Integral() {
			return b.implicit(x, long)
		}
		return strictNode(long, []*node{x}, func(a []any) (any, error) {
			return saturate(fn(toFloat64(a[0]))), nil
		}), nil
	}}
}

// saturate is Java's (long) of a double: NaN is 0, and what is too great stops at the bounds.
func saturate(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= 0x1p63:
		return math.MaxInt64
	case f < -0x1p63:
		return math.MinInt64
	}
	return int64(f)
}

// rounding is round (half up) and bround (half even) to a constant number of digits.
func rounding(even bool) function {
	return function{1, 2, func(b *binder, args []*node) (*node, error) {
		x, err := b.number(args[0])
		if err != nil {
			return nil, err
		}
		digits := 0
		if len(args) == 2 {
			scale, err := b.params(args[1:], plan.Int)
			if err != nil {
				return nil, err
			}
			if !scale[0].constant {
				return nil, fail("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the number of digits must be a constant")
			}
			v, err := scale[0].value()
			if err != nil {
				return nil, err
			}
			if v == nil {
				return constNode(x.typ, nil), nil
			}
			digits = int(v.(int32))
		}
		t := x.typ
		if t.Kind == plan.Decimal {
			whole := t.Precision - t.Scale + 1
			if digits < 0 {
				t = plan.DecimalOf(min(max(whole, 1-digits), plan.MaxPrecision), 0)
			} else {
				s := min(t.Scale, digits)
				t = plan.DecimalOf(min(whole+s, plan.MaxPrecision), s)
			}
		}
		if t.Integral() && digits >= 0 {
			return x, nil
		}
		return strictNode(t, []*node{x}, func(a []any) (any, error) {
			switch v := a[0].(type) {
			case plan.DecimalValue:
				r, ok := fit(roundDecimal(v, digits, even), t)
				if !ok {
					return nil, fail("NUMERIC_VALUE_OUT_OF_RANGE", "%s doesn't fit %s", v, t)
				}
				return r, nil
			case float32, float64:
				f := toFloat64(v)
				if math.IsNaN(f) || math.IsInf(f, 0) {
					return v, nil
				}
				text := plan.JavaDouble(f)
				if f32, ok := v.(float32); ok {
					text = plan.JavaFloat(f32)
				}
				d, _ := parseDecimal(text)
				r := roundDecimal(d, digits, even)
				if t.Kind == plan.Float {
					return float32(decimalFloat(r)), nil
				}
				return decimalFloat(r), nil
			default:
				r := roundDecimal(plan.DecimalValue{Unscaled: big.NewInt(toInt64(v))}, digits, even)
				n := rescale(r, 0).Unscaled
				if !n.IsInt64() || !intFits(t.Kind, n.Int64()) {
					return nil, overflow(t.Kind)
				}
				return intOf(t.Kind, n.Int64()), nil
			}
		}), nil
	}}
}

// roundDecimal rounds at a digit, which may lie before the point; the result has a scale of at least 0.
func roundDecimal(d plan.DecimalValue, digits int, even bool) plan.DecimalValue {
	if digits >= d.Scale {
		return d
	}
	unit := pow10(d.Scale - digits)
	q := divideHalfUp(d.Unscaled, unit)
	if even {
		back := new(big.Int).Mul(q, unit)
		if diff := back.Sub(back, d.Unscaled); diff.Abs(diff).Lsh(diff, 1).Cmp(unit) == 0 && q.Bit(0) == 1 {
			q.Sub(q, big.NewInt(int64(q.Sign())))
		}
	}
	if digits < 0 {
		return plan.DecimalValue{Unscaled: q.Mul(q, pow10(-digits))}
	}
	return plan.DecimalValue{Unscaled: q, Scale: digits}
}
