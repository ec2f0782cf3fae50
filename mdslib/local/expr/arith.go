package expr

import (
	"math"
	"math/big"
	"math/bits"

	"gomosaic/mdslib/plan"
)

func (b *binder) unary(op string, x *node) (*node, error) {
	if op == "NOT" {
		x, err := b.wantBoolean(x)
		return b.negate(true, x, err)
	}
	if x.typ.Kind == plan.String || x.typ.Kind == plan.Null {
		to := plan.Of(plan.Double)
		if op == "~" || x.typ.Kind == plan.Null {
			to = plan.Of(plan.Long)
		}
		var err error
		if x, err = b.implicit(x, to); err != nil {
			return nil, err
		}
	}
	switch {
	case op == "~" && x.typ.Integral():
		k := x.typ.Kind
		return strictNode(x.typ, []*node{x}, func(a []any) (any, error) { return intOf(k, ^toInt64(a[0])), nil }), nil
	case op == "+" && x.typ.Numeric():
		return strictNode(x.typ, []*node{x}, func(a []any) (any, error) { return a[0], nil }), nil
	case op == "-" && x.typ.Numeric():
		return strictNode(x.typ, []*node{x}, func(a []any) (any, error) { return negative(a[0]) }), nil
	}
	return nil, mismatch("a number for "+op, x)
}

func negative(v any) (any, error) {
	switch v := v.(type) {
	case float32:
		return -v, nil
	case float64:
		return -v, nil
	case plan.DecimalValue:
		return plan.DecimalValue{Unscaled: new(big.Int).Neg(v.Unscaled), Scale: v.Scale}, nil
	}
	k := kindOf(v)
	n := -toInt64(v)
	if toInt64(v) == math.MinInt64 || !intFits(k, n) {
		return nil, overflow(k)
	}
	return intOf(k, n), nil
}

// kindOf is the kind of an integer value.
func kindOf(v any) plan.Kind {
	switch v.(type) {
	case int8:
		return plan.Byte
	case int16:
		return plan.Short
	case int32:
		return plan.Int
	}
	return plan.Long
}

func overflow(k plan.Kind) *Error {
	e := fail("ARITHMETIC_OVERFLOW", "%s overflow", plan.Of(k))
	e.Hint = "cast an operand to a wider type first"
	return e
}

func (b *binder) binary(op string, l, r *node) (*node, error) {
	switch op {
	case "AND", "OR":
		l, err := b.wantBoolean(l)
		if err != nil {
			return nil, err
		}
		r, err := b.wantBoolean(r)
		if err != nil {
			return nil, err
		}
		if op == "AND" {
			return b.and(l, r), nil
		}
		return b.or(l, r), nil
	case "=", "!=", "<", "<=", ">", ">=", "<=>":
		return b.compare(op, l, r)
	case "||":
		return b.callFunction("concat", []*node{l, r})
	case "&", "|", "^":
		return b.bitwise(op, l, r)
	case "<<", ">>", ">>>":
		return b.shift(op, l, r)
	case "+", "-":
		if n, err := b.dateArithmetic(op, l, r); n != nil || err != nil {
			return n, err
		}
	}
	return b.arithmetic(op, l, r)
}

// arithmetic is + - * / % DIV on numbers. What divides may be NULL for Spark's schemas, in ANSI mode too, where it never is.
func (b *binder) arithmetic(op string, l, r *node) (*node, error) {
	n, err := b.numeric(op, l, r)
	if err != nil {
		return nil, err
	}
	return n.orNull(op == "/" || op == "%" || op == "DIV"), nil
}

func (b *binder) numeric(op string, l, r *node) (*node, error) {
	l, r, err := b.arithmeticOperands(op, l, r)
	if err != nil {
		return nil, err
	}
	t := l.typ
	if op == "/" && t.Kind != plan.Decimal { // integers and floats divide as double
		t = plan.Of(plan.Double)
		if l, err = b.implicit(l, t); err != nil {
			return nil, err
		}
		if r, err = b.implicit(r, t); err != nil {
			return nil, err
		}
	}
	args := []*node{l, r}
	switch {
	case op == "DIV":
		return b.integralDivide(t, args)
	case t.Kind == plan.Decimal:
		t := decimalResult(op, l.typ, r.typ)
		return strictNode(t, args, func(a []any) (any, error) {
			return decimalOp(op, a[0].(plan.DecimalValue), a[1].(plan.DecimalValue), t)
		}), nil
	case t.Kind == plan.Double:
		return strictNode(t, args, func(a []any) (any, error) { return floatOp(op, a[0].(float64), a[1].(float64)) }), nil
	case t.Kind == plan.Float:
		return strictNode(t, args, func(a []any) (any, error) {
			x, y := a[0].(float32), a[1].(float32)
			switch op { // in single precision, as Java computes it
			case "+":
				return x + y, nil
			case "-":
				return x - y, nil
			case "*":
				return x * y, nil
			}
			v, err := floatOp(op, float64(x), float64(y))
			if err != nil {
				return nil, err
			}
			return float32(v.(float64)), nil
		}), nil
	}
	k := t.Kind
	return strictNode(t, args, func(a []any) (any, error) { return intOp(op, k, toInt64(a[0]), toInt64(a[1])) }), nil
}

func floatOp(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	if y == 0 {
		if op == "%" {
			return nil, remainderByZero()
		}
		return nil, divideByZero()
	}
	if op == "/" {
		return x / y, nil
	}
	return math.Mod(x, y), nil
}

func intOp(op string, k plan.Kind, x, y int64) (any, error) {
	var n int64
	ok := true
	switch op {
	case "+":
		n = x + y
		ok = (n > x) == (y > 0)
	case "-":
		n = x - y
		ok = (n < x) == (y > 0)
	case "*":
		hi, lo := bits.Mul64(uint64(x), uint64(y))
		if x < 0 {
			hi -= uint64(y)
		}
		if y < 0 {
			hi -= uint64(x)
		}
		n = int64(lo)
		ok = int64(hi) == n>>63
	case "%":
		if y == 0 {
			return nil, remainderByZero()
		}
		if y != -1 {
			n = x % y
		}
	}
	if !ok || !intFits(k, n) {
		e := overflow(k)
		if k == plan.Byte || k == plan.Short {
			e.Class = "BINARY_ARITHMETIC_OVERFLOW"
		}
		return nil, e
	}
	return intOf(k, n), nil
}

// integralDivide is DIV: the whole part of the quotient as bigint.
func (b *binder) integralDivide(t plan.Type, args []*node) (*node, error) {
	long := plan.Of(plan.Long)
	if t.Kind == plan.Decimal {
		return strictNode(long, args, func(a []any) (any, error) {
			x, y := a[0].(plan.DecimalValue), a[1].(plan.DecimalValue)
			if y.Unscaled.Sign() == 0 {
				return nil, divideByZero()
			}
			s := max(x.Scale, y.Scale)
			q := new(big.Int).Quo(rescale(x, s).Unscaled, rescale(y, s).Unscaled)
			if !q.IsInt64() {
				return nil, overflow(plan.Long)
			}
			return q.Int64(), nil
		}), nil
	}
	for i := range args {
		var err error
		if args[i], err = b.implicit(args[i], long); err != nil {
			return nil, err
		}
	}
	return strictNode(long, args, func(a []any) (any, error) {
		x, y := a[0].(int64), a[1].(int64)
		switch {
		case y == 0:
			return nil, divideByZero()
		case x == math.MinInt64 && y == -1:
			return nil, overflow(plan.Long)
		}
		return x / y, nil
	}), nil
}

// pmod is the remainder that takes the divisor's sign, as Spark's Pmod: r = a % n; r < 0 ? (r + n) % n : r.
func (b *binder) pmod(l, r *node) (*node, error) {
	l, r, err := b.arithmeticOperands("pmod", l, r)
	if err != nil {
		return nil, err
	}
	args := []*node{l, r}
	switch t := l.typ; t.Kind {
	case plan.Decimal:
		t := decimalResult("%", l.typ, r.typ)
		return strictNode(t, args, func(a []any) (any, error) {
			x, y := a[0].(plan.DecimalValue), a[1].(plan.DecimalValue)
			v, err := decimalOp("%", x, y, t)
			if err != nil || v.(plan.DecimalValue).Unscaled.Sign() >= 0 {
				return v, err
			}
			s := max(x.Scale, y.Scale)
			rem := rescale(v.(plan.DecimalValue), s).Unscaled
			d := rescale(y, s).Unscaled
			sum := new(big.Int).Add(rem, d)
			out, _ := fit(plan.DecimalValue{Unscaled: sum.Rem(sum, d), Scale: s}, t)
			return out, nil
		}), nil
	case plan.Float, plan.Double:
		return strictNode(t, args, func(a []any) (any, error) {
			x, y := toFloat64(a[0]), toFloat64(a[1])
			if y == 0 {
				return nil, remainderByZero()
			}
			m := math.Mod(x, y)
			if m < 0 {
				m = math.Mod(m+y, y)
			}
			if t.Kind == plan.Float {
				return float32(m), nil
			}
			return m, nil
		}), nil
	default:
		return strictNode(t, args, func(a []any) (any, error) {
			x, y := toInt64(a[0]), toInt64(a[1])
			switch {
			case y == 0:
				return nil, remainderByZero()
			case y == -1:
				return intOf(t.Kind, 0), nil
			}
			m := x % y
			if m < 0 {
				m = (m + y) % y
			}
			return intOf(t.Kind, m), nil
		}), nil
	}
}

func (b *binder) bitwise(op string, l, r *node) (*node, error) {
	l, r, err := b.arithmeticOperands(op, l, r)
	if err != nil {
		return nil, err
	}
	if !l.typ.Integral() {
		return nil, fail("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "%s needs integers, got %s and %s", op, l.typ, r.typ)
	}
	k := l.typ.Kind
	return strictNode(l.typ, []*node{l, r}, func(a []any) (any, error) {
		x, y := toInt64(a[0]), toInt64(a[1])
		switch op {
		case "&":
			x &= y
		case "|":
			x |= y
		default:
			x ^= y
		}
		return intOf(k, x), nil
	}), nil
}

// shift takes the count modulo the width, as Java does; types narrower than int are shifted as int.
func (b *binder) shift(op string, l, r *node) (*node, error) {
	t := plan.Of(plan.Int)
	if l.typ.Kind == plan.Long {
		t = plan.Of(plan.Long)
	}
	l, err := b.implicit(l, t)
	if err != nil {
		return nil, err
	}
	if r, err = b.implicit(r, plan.Of(plan.Int)); err != nil {
		return nil, err
	}
	return strictNode(t, []*node{l, r}, func(a []any) (any, error) {
		n := a[1].(int32)
		if x, ok := a[0].(int32); ok {
			switch s := uint(n) & 31; op {
			case "<<":
				return x << s, nil
			case ">>":
				return x >> s, nil
			default:
				return int32(uint32(x) >> s), nil
			}
		}
		x := a[0].(int64)
		switch s := uint(n) & 63; op {
		case "<<":
			return x << s, nil
		case ">>":
			return x >> s, nil
		default:
			return int64(uint64(x) >> s), nil
		}
	}), nil
}
