package pickle

// Numbers and strings as opcodes hold them: two's complement, and the text of protocol 0.

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// integer reads INT and LONG: decimal text, with an L behind a LONG, and bools as 00 and 01.
func (u *unpickler) integer(op byte) any {
	s := u.digits()
	if op == 'I' {
		switch s {
		case "00":
			return false
		case "01":
			return true
		}
	} else {
		s = strings.TrimSuffix(s, "L")
	}
	n, ok := new(big.Int).SetString(strings.TrimSpace(s), 10)
	if !ok {
		u.fail("%.40q is no integer", s)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// float reads FLOAT: Python's repr.
func (u *unpickler) float() float64 {
	s := u.digits()
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "xXpP_") {
		u.fail("%.40q is no float", s)
	}
	return f
}

// rawUnicodeEscape reads UNICODE: Latin-1 with \uXXXX and \UXXXXXXXX.
func (u *unpickler) rawUnicodeEscape(s string) string {
	out := make([]byte, 0, len(s))
	backslashes := 0 // in a row, the one at i included: an odd one may start an escape
	for i := 0; i < len(s); i++ {
		digits := 0
		if s[i] != '\\' {
			backslashes = 0
		} else if backslashes++; backslashes%2 == 1 && i+1 < len(s) {
			switch s[i+1] {
			case 'u':
				digits = 4
			case 'U':
				digits = 8
			}
		}
		if digits == 0 {
			out = utf8.AppendRune(out, rune(s[i]))
			continue
		}
		if i+2+digits > len(s) {
			u.fail("an unfinished escape in %.40q", s)
		}
		r, err := strconv.ParseUint(s[i+2:i+2+digits], 16, 32)
		if err != nil || r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			u.fail("a bad escape in %.40q", s)
		}
		out = utf8.AppendRune(out, rune(r))
		i += 1 + digits
		backslashes = 0
	}
	return string(out)
}

// quoted reads STRING: a Python 2 string literal.
func (u *unpickler) quoted(s string) string {
	s = strings.TrimRight(s, " \t\r")
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		u.fail("a string without quotes")
	}
	s = s[1 : len(s)-1]
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i == len(s) {
			u.fail("an unfinished escape in %.40q", s)
		}
		switch c := s[i]; c {
		case '\\', '\'', '"':
			out = append(out, c)
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'x':
			if i+2 >= len(s) {
				u.fail("an unfinished escape in %.40q", s)
			}
			b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				u.fail("a bad escape in %.40q", s)
			}
			out = append(out, byte(b))
			i += 2
		default:
			u.fail("the escape \\%c is not known", c)
		}
	}
	return string(out)
}

// long reads a two's-complement little-endian integer of any length.
func long(b []byte) any {
	if len(b) <= 8 {
		var x int64
		for i, c := range b {
			x |= int64(c) << (8 * i)
		}
		if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			x -= 1 << (8 * n)
		}
		return x
	}
	x := new(big.Int).SetBytes(reversed(b))
	if b[len(b)-1]&0x80 != 0 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if x.IsInt64() {
		return x.Int64()
	}
	return x
}

// appendLong appends the shortest two's-complement form, lowest byte first.
func appendLong(dst []byte, x *big.Int) []byte {
	if x.Sign() == 0 {
		return dst
	}
	n := x.BitLen()/8 + 1
	if x.Sign() < 0 { // -2^(8k-1) needs k bytes only
		n = new(big.Int).Not(x).BitLen()/8 + 1
		x = new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return append(dst, reversed(x.FillBytes(make([]byte, n)))...)
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}
