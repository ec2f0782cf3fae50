package mdslib

// Decimal is the value of the str_decimal encoding: MDS stores str(decimal.Decimal) as text. The rules of the text are
// those of Python's decimal module and the General Decimal Arithmetic Specification (to-scientific-string).

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is a decimal number of any precision as text, for example "1.10" or "-1E+50"; trailing zeros are part of the
// value. Decoding gives the stored text; encoding writes any spelling Python's Decimal() reads in its normal form.
type Decimal string

// ParseDecimal returns text in the form Python's str(Decimal(text)) has.
func ParseDecimal(text string) (Decimal, error) {
	s := strings.TrimSpace(text)
	bad := fmt.Errorf("%s is no decimal number", quote(text))
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = "-"
		}
		s = s[1:]
	}
	switch lower := strings.ToLower(s); {
	case lower == "inf" || lower == "infinity":
		return Decimal(sign + "Infinity"), nil
	case strings.HasPrefix(lower, "nan") && allDigits(lower[3:]):
		return Decimal(sign + "NaN" + strings.TrimLeft(lower[3:], "0")), nil
	case strings.HasPrefix(lower, "snan") && allDigits(lower[4:]):
		return Decimal(sign + "sNaN" + strings.TrimLeft(lower[4:], "0")), nil
	}
	mantissa, exponentText := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponentText = s[:i], s[i+1:]
	}
	exponent, err := strconv.ParseInt(exponentText, 10, 64)
	const highest, lowest = 999999999999999999, -1999999999999999997 // Python's MAX_EMAX and MIN_ETINY
	if err != nil || exponent > 2*highest || exponent < 2*lowest {
		return "", bad
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || !allDigits(digits) {
		return "", bad
	}
	exponent -= int64(len(fraction))
	if exponent < lowest || exponent+max(1, int64(len(strings.TrimLeft(digits, "0"))))-1 > highest {
		return "", bad
	}
	return Decimal(sign + scientific(digits, exponent)), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// scientific writes digits·10^exponent: plain while the exponent is not positive and the first digit stands at most six
// places right of the point, else with E notation.
func scientific(digits string, exponent int64) string {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	n := int64(len(digits))
	adjusted := exponent + n - 1 // power of ten of the first digit
	if exponent <= 0 && adjusted >= -6 {
		switch point := n + exponent; {
		case exponent == 0:
			return digits
		case point > 0:
			return digits[:point] + "." + digits[point:]
		default:
			return "0." + strings.Repeat("0", int(-point)) + digits
		}
	}
	if n > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return digits + fmt.Sprintf("E%+d", adjusted)
}

// DecimalOf returns unscaled·10^-scale, the form Arrow, Parquet and Spark keep decimals in.
func DecimalOf(unscaled *big.Int, scale int) Decimal {
	sign, digits := "", unscaled.String()
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	return Decimal(sign + scientific(digits, int64(-scale)))
}

// Rat returns the exact value; ok is false for infinities and NaN and for exponents too far out to be written out.
func (d Decimal) Rat() (r *big.Rat, ok bool) {
	if i := strings.IndexAny(string(d), "eE"); i >= 0 {
		if e, err := strconv.Atoi(string(d[i+1:])); err != nil || e > 100_000 || e < -100_000 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(string(d))
}

// Float64 returns the nearest float64.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(string(d), 64)
	return f
}
