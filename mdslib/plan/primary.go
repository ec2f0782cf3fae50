package plan

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// primary parses what has no operator at its head: literals, names, calls, CASE, CAST, brackets.
func (p *parser) primary() (Expr, error) {
	t := p.next()
	switch t.kind {
	case tokNumber:
		return p.number(t)
	case tokString:
		s := t.text
		for p.peek().kind == tokString { // 'a' 'b' is one literal
			s += p.next().text
		}
		return &Literal{t.pos, Of(String), s}, nil
	case tokQuoted:
		return &Column{t.pos, []string{t.text}}, nil
	case tokOp:
		switch t.text {
		case "(":
			e, err := p.expr()
			if err == nil {
				err = p.expect(")")
			}
			return e, err
		case "*": // alone, or alone in brackets as in count(*)
			opens := p.i == 1 || p.tokens[p.i-2].kind == tokOp && p.tokens[p.i-2].text == "("
			if n := p.peek(); opens && (n.kind == tokEnd || n.kind == tokOp && n.text == ")") {
				return &Star{At: t.pos}, nil
			}
		}
	case tokIdent:
		return p.identifier(t)
	}
	return nil, p.errorAt(t, "want a value, got "+t.describe(), "")
}

func (p *parser) identifier(t token) (Expr, error) {
	if p.at("(") {
		return p.call(t)
	}
	word := strings.ToUpper(t.text)
	switch word {
	case "TRUE", "FALSE":
		return &Literal{t.pos, Of(Boolean), word == "TRUE"}, nil
	case "NULL":
		return &Literal{t.pos, Of(Null), nil}, nil
	case "CASE":
		return p.caseOf(t)
	case "INTERVAL":
		if k := p.peek().kind; k == tokNumber || k == tokString {
			return nil, p.errorAt(t, "intervals aren't part of the subset", "use date_add, date_sub or a number of microseconds")
		}
	case "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "X":
		if p.peek().kind == tokString {
			s := p.next()
			if word == "X" {
				b, err := hex.DecodeString(strings.Repeat("0", len(s.text)%2) + s.text)
				if err != nil {
					return nil, p.errorAt(s, "X'…' holds hexadecimal digits", "")
				}
				return &Literal{t.pos, Of(Binary), b}, nil
			}
			return &Cast{At: t.pos, X: &Literal{s.pos, Of(String), s.text}, To: Of(typeNames[strings.ToLower(word)])}, nil
		}
	}
	if isReserved(t) {
		return nil, p.errorAt(t, "want a value, got "+t.describe(), "put a column of that name in `backquotes`")
	}
	return &Column{t.pos, []string{t.text}}, nil
}

func (p *parser) caseOf(t token) (Expr, error) {
	c := &Case{At: t.pos}
	var err error
	if !p.atWord("WHEN") {
		if c.Of, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.word("WHEN") {
		var w When
		if w.If, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.expectWord("THEN"); err != nil {
			return nil, err
		}
		if w.Then, err = p.expr(); err != nil {
			return nil, err
		}
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		return nil, p.errorAt(p.peek(), "CASE needs a WHEN … THEN …", "")
	}
	if p.word("ELSE") {
		if c.Else, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.expectWord("END")
}

// call parses name(…) and the functions with words between their arguments.
func (p *parser) call(t token) (Expr, error) {
	name := strings.ToLower(t.text)
	p.next() // (
	c := &Call{At: t.pos, Name: name}
	switch name {
	case "cast", "try_cast":
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expectWord("AS"); err != nil {
			return nil, err
		}
		to, err := p.dataType()
		if err != nil {
			return nil, err
		}
		return &Cast{At: t.pos, X: x, To: to, Try: name == "try_cast"}, p.expect(")")
	case "extract":
		field := p.next()
		if err := p.expectWord("FROM"); err != nil {
			return nil, err
		}
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		return &Call{At: t.pos, Name: strings.ToLower(field.text), Args: []Expr{x}}, p.expect(")")
	case "trim":
		side := "trim"
		switch {
		case p.word("BOTH"):
		case p.word("LEADING"):
			side = "ltrim"
		case p.word("TRAILING"):
			side = "rtrim"
		}
		c.Name = side
		if p.word("FROM") {
			x, err := p.expr()
			c.Args = []Expr{x}
			if err != nil {
				return nil, err
			}
			return c, p.expect(")")
		}
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		if p.word("FROM") {
			s, err := p.expr()
			if err != nil {
				return nil, err
			}
			// Spark's own order: trim characters first for ltrim and rtrim, second for btrim.
			if c.Args = []Expr{x, s}; side == "trim" {
				c.Name, c.Args = "btrim", []Expr{s, x}
			}
			return c, p.expect(")")
		}
		c.Args = []Expr{x}
		if p.accept(",") {
			s, err := p.expr()
			if err != nil {
				return nil, err
			}
			c.Args = append(c.Args, s)
		}
		return c, p.expect(")")
	case "substring", "substr", "position":
		x, err := p.level(0)
		if err != nil {
			return nil, err
		}
		c.Args = []Expr{x}
		between := []string{"FROM", "FOR"}
		if name == "position" {
			between = []string{"IN"}
		}
		for _, w := range between {
			if !p.word(w) {
				continue
			}
			a, err := p.level(0)
			if err != nil {
				return nil, err
			}
			c.Args = append(c.Args, a)
		}
		if len(c.Args) > 1 {
			return c, p.expect(")")
		}
		if p.accept(",") {
			rest, err := p.list(")")
			c.Args = append(c.Args, rest...)
			return c, err
		}
		return c, p.expect(")")
	}
	c.Distinct = p.word("DISTINCT")
	args, err := p.list(")")
	c.Args = args
	if t := p.peek(); err == nil && (t.is("OVER") || t.is("FILTER")) {
		return nil, p.errorAt(t, strings.ToUpper(t.text)+" isn't part of the subset", "")
	}
	return c, err
}

// number gives a numeric token its type, as Spark does: int, else bigint, else decimal; with a point decimal; with an
// exponent double; suffixes L, S, Y, F, D, BD.
func (p *parser) number(t token) (Expr, error) {
	digits := strings.ToUpper(t.text)
	suffix := ""
	for _, s := range []string{"BD", "L", "S", "Y", "F", "D"} {
		if strings.HasSuffix(digits, s) {
			digits, suffix = strings.TrimSuffix(digits, s), s
			break
		}
	}
	outOfRange := func(what string) error {
		return p.errorAt(t, "number "+t.text+" is out of the range of "+what, "")
	}
	whole := func(bits int, k Kind, conv func(int64) any) (Expr, error) {
		n, err := strconv.ParseInt(digits, 10, bits)
		if err != nil {
			return nil, outOfRange(Of(k).String())
		}
		return &Literal{t.pos, Of(k), conv(n)}, nil
	}
	switch suffix {
	case "L":
		return whole(64, Long, func(n int64) any { return n })
	case "S":
		return whole(16, Short, func(n int64) any { return int16(n) })
	case "Y":
		return whole(8, Byte, func(n int64) any { return int8(n) })
	case "F":
		f, err := strconv.ParseFloat(digits, 32)
		if err != nil {
			return nil, outOfRange("float")
		}
		return &Literal{t.pos, Of(Float), float32(f)}, nil
	case "BD":
		return p.decimal(t, digits)
	}
	if suffix == "D" || strings.ContainsRune(digits, 'E') {
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, outOfRange("double")
		}
		return &Literal{t.pos, Of(Double), f}, nil
	}
	if strings.ContainsRune(digits, '.') {
		return p.decimal(t, digits)
	}
	if n, err := strconv.ParseInt(digits, 10, 32); err == nil {
		return &Literal{t.pos, Of(Int), int32(n)}, nil
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return &Literal{t.pos, Of(Long), n}, nil
	}
	return p.decimal(t, digits)
}

func (p *parser) decimal(t token, digits string) (Expr, error) {
	mantissa, exponent, _ := strings.Cut(digits, "E")
	intPart, frac, _ := strings.Cut(mantissa, ".")
	u, ok := new(big.Int).SetString(intPart+frac, 10)
	scale := len(frac)
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > MaxPrecision || e < -MaxPrecision {
			ok = false
		}
		scale -= e
	}
	if ok && scale < 0 {
		u.Mul(u, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-scale)), nil))
		scale = 0
	}
	if ok {
		precision := max(len(strings.TrimPrefix(u.String(), "-")), scale)
		if precision <= MaxPrecision {
			return &Literal{t.pos, DecimalOf(precision, scale), DecimalValue{u, scale}}, nil
		}
	}
	return nil, p.errorAt(t, "number "+t.text+" needs more than 38 digits", "")
}
