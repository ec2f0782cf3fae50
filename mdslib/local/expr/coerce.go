package expr

import (
	"gomosaic/mdslib/plan"
)

// implicit casts x to t where the types differ.
func (b *binder) implicit(x *node, t plan.Type) (*node, error) {
	if x.typ.Equal(t) {
		return x, nil
	}
	n, err := b.cast(x, t, false)
	if err != nil {
		return nil, err
	}
	inner := n.eval
	n.eval = func(row []any) (any, error) {
		v, err := inner(row)
		if err != nil {
			return nil, placed(err, x.pos)
		}
		return v, nil
	}
	n.pos = x.pos
	return n, nil
}

// unify casts all to their least common type, as CASE, coalesce, IN and array need it.
func (b *binder) unify(what string, args []*node) ([]*node, plan.Type, error) {
	t := args[0].typ
	for _, a := range args[1:] {
		w, ok := widest(t, a.typ)
		if !ok {
			return nil, t, fail("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "%s: %s and %s have no common type", what, t, a.typ)
		}
		t = w
	}
	out := make([]*node, len(args))
	for i, a := range args {
		var err error
		if out[i], err = b.implicit(a, t); err != nil {
			return nil, t, err
		}
	}
	return out, t, nil
}

// widest is AnsiTypeCoercion.findWiderTypeForTwo: the type both can become. Strings give way to the other type.
func widest(a, b plan.Type) (plan.Type, bool) {
	switch {
	case a.Equal(b):
		a.ContainsNull = a.ContainsNull || b.ContainsNull
		return a, true
	case a.Kind == plan.Null:
		return b, true
	case b.Kind == plan.Null:
		return a, true
	case a.Kind == plan.Array && b.Kind == plan.Array:
		e, ok := widest(*a.Elem, *b.Elem)
		return plan.ArrayOf(e, a.ContainsNull || b.ContainsNull), ok
	case a.Kind == plan.Map && b.Kind == plan.Map:
		k, ok := widest(*a.Key, *b.Key)
		v, ok2 := widest(*a.Elem, *b.Elem)
		return plan.MapOf(k, v), ok && ok2
	case a.Numeric() && b.Numeric():
		return widestNumber(a, b), true
	case a.Kind == plan.String:
		return widestString(b)
	case b.Kind == plan.String:
		return widestString(a)
	case a.Kind == plan.Date && b.Kind == plan.Timestamp, a.Kind == plan.Date && b.Kind == plan.TimestampNTZ, a.Kind == plan.TimestampNTZ && b.Kind == plan.Timestamp:
		return b, true
	case b.Kind == plan.Date && a.Kind == plan.Timestamp, b.Kind == plan.Date && a.Kind == plan.TimestampNTZ, b.Kind == plan.TimestampNTZ && a.Kind == plan.Timestamp:
		return a, true
	}
	return a, false
}

// widestString is the type a string becomes beside a value of type t.
func widestString(t plan.Type) (plan.Type, bool) {
	switch {
	case t.Integral():
		return plan.Of(plan.Long), true
	case t.Fractional():
		return plan.Of(plan.Double), true
	}
	return t, t.Atomic()
}

func widestNumber(a, b plan.Type) plan.Type {
	switch {
	case a.Integral() && b.Integral():
		if a.Kind > b.Kind {
			return a
		}
		return b
	case a.Kind == plan.Decimal && b.Kind == plan.Decimal:
		return widerDecimal(a, b)
	case a.Kind == plan.Decimal && b.Integral():
		return widerDecimal(a, decimalFor(b))
	case b.Kind == plan.Decimal && a.Integral():
		return widerDecimal(decimalFor(a), b)
	case a.Kind == plan.Float && b.Kind == plan.Float:
		return a
	case a.Kind == plan.Float && b.Integral(), b.Kind == plan.Float && a.Integral():
		// ANSI: an integer beside a float loses digits as float, so both become double.
		return plan.Of(plan.Double)
	}
	return plan.Of(plan.Double)
}

// comparisonType is the type in which two values are compared.
func comparisonType(l, r *node) (plan.Type, bool) { return widest(l.typ, r.typ) }

// arithmeticOperands brings the operands of + - * / % and the like to types that can be computed with: strings become
// numbers, NULLs take the other's type, and the two become one type, decimals apart.
func (b *binder) arithmeticOperands(op string, l, r *node) (*node, *node, error) {
	lt, rt := l.typ, r.typ
	if lt.Kind == plan.Null {
		lt = rt
	}
	if rt.Kind == plan.Null {
		rt = lt
	}
	if lt.Kind == plan.Null {
		lt, rt = plan.Of(plan.Int), plan.Of(plan.Int)
	}
	if lt.Kind == plan.String && rt.Kind == plan.String {
		return nil, nil, fail("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "%s needs numbers, got two strings", op)
	}
	if lt.Kind == plan.String {
		lt, _ = widestString(rt)
	}
	if rt.Kind == plan.String {
		rt, _ = widestString(lt)
	}
	for _, x := range []struct {
		t plan.Type
		n *node
	}{{lt, l}, {rt, r}} {
		if !x.t.Numeric() {
			return nil, nil, fail("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "%s needs numbers, got %s and %s", op, l.typ, r.typ)
		}
	}
	if lt.Kind == plan.Decimal && rt.Integral() {
		rt = literalDecimal(r, rt)
	} else if rt.Kind == plan.Decimal && lt.Integral() {
		lt = literalDecimal(l, lt)
	}
	if lt.Kind != plan.Decimal || rt.Kind != plan.Decimal {
		t := widestNumber(lt, rt)
		lt, rt = t, t
	}
	l, err := b.implicit(l, lt)
	if err != nil {
		return nil, nil, err
	}
	r, err = b.implicit(r, rt)
	return l, r, err
}

// literalDecimal is the decimal an integer becomes: an integer literal takes only the digits it has.
func literalDecimal(n *node, t plan.Type) plan.Type {
	if n.literal {
		if v, err := n.value(); err == nil && v != nil {
			d := toInt64(v)
			digits := 0
			for d != 0 {
				d /= 10
				digits++
			}
			return plan.DecimalOf(max(digits, 1), 0)
		}
	}
	return decimalFor(t)
}

// decimalFor is the decimal that holds every value of an integer type.
func decimalFor(t plan.Type) plan.Type {
	switch t.Kind {
	case plan.Byte:
		return plan.DecimalOf(3, 0)
	case plan.Short:
		return plan.DecimalOf(5, 0)
	case plan.Int:
		return plan.DecimalOf(10, 0)
	case plan.Long:
		return plan.DecimalOf(20, 0)
	case plan.Float:
		return plan.DecimalOf(14, 7)
	case plan.Double:
		return plan.DecimalOf(30, 15)
	}
	return t
}

func widerDecimal(a, b plan.Type) plan.Type {
	scale := max(a.Scale, b.Scale)
	digits := max(a.Precision-a.Scale, b.Precision-b.Scale)
	return plan.DecimalOf(min(digits+scale, plan.MaxPrecision), min(scale, plan.MaxPrecision))
}

func toInt64(v any) int64 {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

func toFloat64(v any) float64 {
	switch v := v.(type) {
	case float32:
		return float64(v)
	case float64:
		return v
	case plan.DecimalValue:
		return decimalFloat(v)
	}
	return float64(toInt64(v))
}

// intOf makes an integer of kind k; it must fit.
func intOf(k plan.Kind, n int64) any {
	switch k {
	case plan.Byte:
		return int8(n)
	case plan.Short:
		return int16(n)
	case plan.Int:
		return int32(n)
	}
	return n
}

func intFits(k plan.Kind, n int64) bool {
	switch k {
	case plan.Byte:
		return n == int64(int8(n))
	case plan.Short:
		return n == int64(int16(n))
	case plan.Int:
		return n == int64(int32(n))
	}
	return true
}
