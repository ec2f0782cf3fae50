package expr

import (
	"math/big"
	"strconv"

	"gomosaic/mdslib/plan"
)

var ten = big.NewInt(10)

func pow10(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// rescale brings d to a scale, rounding half up (away from zero) as Spark's Decimal does.
func rescale(d plan.DecimalValue, scale int) plan.DecimalValue {
	switch {
	case scale == d.Scale:
		return d
	case scale > d.Scale:
		return plan.DecimalValue{Unscaled: new(big.Int).Mul(d.Unscaled, pow10(scale-d.Scale)), Scale: scale}
	}
	return plan.DecimalValue{Unscaled: divideHalfUp(d.Unscaled, pow10(d.Scale-scale)), Scale: scale}
}

// divideHalfUp is n/d to the nearest whole number, halves away from zero.
func divideHalfUp(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(d) >= 0 {
		if n.Sign()*d.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// fit brings d to a decimal type; false if it needs more digits.
func fit(d plan.DecimalValue, t plan.Type) (plan.DecimalValue, bool) {
	d = rescale(d, t.Scale)
	return d, d.Unscaled.CmpAbs(pow10(t.Precision)) < 0
}

func compareDecimals(a, b plan.DecimalValue) int {
	if a.Scale == b.Scale {
		return a.Unscaled.Cmp(b.Unscaled)
	}
	s := max(a.Scale, b.Scale)
	return rescale(a, s).Unscaled.Cmp(rescale(b, s).Unscaled)
}

func decimalFloat(d plan.DecimalValue) float64 {
	f, _ := strconv.ParseFloat(d.Unscaled.String()+"e"+strconv.Itoa(-d.Scale), 64)
	return f
}

// decimalResult is the type of op on decimals: DecimalPrecision's rules, precision loss allowed.
func decimalResult(op string, a, b plan.Type) plan.Type {
	p1, s1, p2, s2 := a.Precision, a.Scale, b.Precision, b.Scale
	var p, s int
	switch op {
	case "+", "-":
		s = max(s1, s2)
		p = max(p1-s1, p2-s2) + s + 1
	case "*":
		p, s = p1+p2+1, s1+s2
	case "/":
		s = max(6, s1+p2+1)
		p = p1 - s1 + s2 + s
	case "%":
		s = max(s1, s2)
		p = min(p1-s1, p2-s2) + s
	}
	return adjustPrecision(p, s)
}

func adjustPrecision(p, s int) plan.Type {
	if p <= plan.MaxPrecision {
		return plan.DecimalOf(p, s)
	}
	whole := p - s
	return plan.DecimalOf(plan.MaxPrecision, max(plan.MaxPrecision-whole, min(s, 6)))
}

// decimalOp computes op exactly and rounds to t.
func decimalOp(op string, a, b plan.DecimalValue, t plan.Type) (any, error) {
	var d plan.DecimalValue
	switch op {
	case "+", "-":
		s := max(a.Scale, b.Scale)
		x, y := rescale(a, s).Unscaled, rescale(b, s).Unscaled
		if op == "+" {
			d = plan.DecimalValue{Unscaled: new(big.Int).Add(x, y), Scale: s}
		} else {
			d = plan.DecimalValue{Unscaled: new(big.Int).Sub(x, y), Scale: s}
		}
	case "*":
		d = plan.DecimalValue{Unscaled: new(big.Int).Mul(a.Unscaled, b.Unscaled), Scale: a.Scale + b.Scale}
	case "/":
		if b.Unscaled.Sign() == 0 {
			return nil, divideByZero()
		}
		// a/b at scale t.Scale: a.U × 10^(t.Scale - a.Scale + b.Scale) / b.U
		n, m := a.Unscaled, b.Unscaled
		if e := t.Scale - a.Scale + b.Scale; e >= 0 {
			n = new(big.Int).Mul(n, pow10(e))
		} else {
			m = new(big.Int).Mul(m, pow10(-e))
		}
		d = plan.DecimalValue{Unscaled: divideHalfUp(n, m), Scale: t.Scale}
	case "%":
		if b.Unscaled.Sign() == 0 {
			return nil, remainderByZero()
		}
		s := max(a.Scale, b.Scale)
		d = plan.DecimalValue{Unscaled: new(big.Int).Rem(rescale(a, s).Unscaled, rescale(b, s).Unscaled), Scale: s}
	}
	r, ok := fit(d, t)
	if !ok {
		return nil, fail("NUMERIC_VALUE_OUT_OF_RANGE", "%s doesn't fit %s", d, t)
	}
	return r, nil
}

func remainderByZero() *Error {
	e := fail("REMAINDER_BY_ZERO", "remainder by zero")
	e.Hint = "use try_mod to get NULL instead"
	return e
}

func divideByZero() *Error {
	e := fail("DIVIDE_BY_ZERO", "division by zero")
	e.Hint = "use try_divide to get NULL instead"
	return e
}
