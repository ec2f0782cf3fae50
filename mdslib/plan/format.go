package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The String methods below give the names Spark gives to columns without an alias, such as "(a + 1)" or "lower(name)".

func quoteName(name string) string {
	if name != "" && identEnd(name, 0) == len(name) && !isDigit(name[0]) {
		return name
	}
	return backquoted(name)
}

func backquoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// QuoteName returns name as it is written in an expression, in backquotes where it needs them. Spark's names without them are
// of ASCII alone.
func QuoteName(name string) string {
	foreign := strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
	if foreign || isReserved(token{kind: tokIdent, text: name}) || slices.Contains(meaningful, strings.ToUpper(name)) {
		return backquoted(name)
	}
	return quoteName(name)
}

// meaningful words are no column's name where a value is read, though they aren't reserved elsewhere.
var meaningful = []string{"NULL", "TRUE", "FALSE", "CASE", "NOT", "DISTINCT", "BOTH", "LEADING", "TRAILING", "INTERVAL", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ"}

// QuoteString returns s as a string literal of the expression language.
func QuoteString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// String writes the constant as Spark names it: strings without quotes.
func (e *Literal) String() string {
	switch v := e.Value.(type) {
	case nil:
		return "NULL"
	case string:
		return v
	case []byte:
		return fmt.Sprintf("X'%X'", v)
	case float64:
		return JavaDouble(v)
	case float32:
		return JavaFloat(v)
	}
	return fmt.Sprint(e.Value)
}

func (e *Column) String() string { return strings.Join(e.Parts, ".") }

func (e *Star) String() string {
	if e.Of != "" {
		return quoteName(e.Of) + ".*"
	}
	return "*"
}

func (e *UnaryOp) String() string {
	switch e.Op {
	case "-":
		return "(- " + e.X.String() + ")"
	case "+":
		return "(+ " + e.X.String() + ")"
	case "NOT":
		return "(NOT " + e.X.String() + ")"
	}
	return e.Op + e.X.String()
}

func (e *BinaryOp) String() string {
	switch e.Op {
	case "||":
		return "concat(" + e.L.String() + ", " + e.R.String() + ")"
	case "!=":
		return "(NOT (" + e.L.String() + " = " + e.R.String() + "))"
	case "DIV":
		return "(" + e.L.String() + " div " + e.R.String() + ")"
	}
	return "(" + e.L.String() + " " + e.Op + " " + e.R.String() + ")"
}

func (e *Call) String() string {
	args := joinExprs(e.Args)
	if e.Name == "count" && args == "*" {
		args = "1"
	}
	if e.Distinct {
		args = "DISTINCT " + args
	}
	return e.Name + "(" + args + ")"
}

func (e *Cast) String() string {
	name := "CAST"
	if e.Try {
		name = "TRY_CAST"
	}
	return name + "(" + e.X.String() + " AS " + strings.ToUpper(e.To.String()) + ")"
}

func (e *Case) String() string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, w := range e.Whens {
		cond := w.If.String()
		if e.Of != nil {
			cond = "(" + e.Of.String() + " = " + cond + ")"
		}
		b.WriteString(" WHEN " + cond + " THEN " + w.Then.String())
	}
	if e.Else != nil {
		b.WriteString(" ELSE " + e.Else.String())
	}
	return b.String() + " END"
}

func (e *In) String() string {
	return negated(e.Not, "("+e.X.String()+" IN ("+joinExprs(e.List)+"))")
}

func (e *Between) String() string {
	x := e.X.String()
	return negated(e.Not, "between("+x+", "+e.Low.String()+", "+e.High.String()+")")
}

func (e *Like) String() string {
	s := e.X.String() + " " + e.Op + " " + e.Pattern.String()
	if e.Op == "RLIKE" {
		s = "RLIKE(" + e.X.String() + ", " + e.Pattern.String() + ")"
	} else if e.Op == "ILIKE" {
		s = "ilike(" + e.X.String() + ", " + e.Pattern.String() + ")"
	}
	return negated(e.Not, s)
}

func (e *Is) String() string {
	switch {
	case e.What == "NULL" && e.Not:
		return "(" + e.X.String() + " IS NOT NULL)"
	case e.What == "NULL":
		return "(" + e.X.String() + " IS NULL)"
	}
	return negated(e.Not, "("+e.X.String()+" IS "+e.What+")")
}

func (e *Item) String() string   { return e.X.String() + "[" + e.I.String() + "]" }
func (e *Member) String() string { return e.X.String() + "." + e.Name }
func (e *Alias) String() string  { return e.X.String() + " AS " + quoteName(e.Name) }

func negated(not bool, s string) string {
	if not {
		return "(NOT " + s + ")"
	}
	return s
}

func joinExprs(list []Expr) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// NameOf returns the column name that e has in a result: its alias, the column's or member's own name,
// also under a cast, else its text, which is much like Spark's.
func NameOf(e Expr) string {
	switch e := e.(type) {
	case *Alias:
		return e.Name
	case *Column:
		return e.Parts[len(e.Parts)-1]
	case *Member:
		return e.Name
	case *Cast:
		switch e.X.(type) {
		case *Column, *Member:
			return NameOf(e.X)
		}
	}
	return e.String()
}

// JavaDouble writes f as Java's Double.toString does, which is how Spark shows doubles: "1.0", "1.0E10", "NaN".
func JavaDouble(f float64) string { return javaFloat(f, 64) }

// JavaFloat writes f as Java's Float.toString does.
func JavaFloat(f float32) string { return javaFloat(float64(f), 32) }

func javaFloat(f float64, bits int) string {
	switch {
	case f != f:
		return "NaN"
	case f > 1.7976931348623157e308:
		return "Infinity"
	case f < -1.7976931348623157e308:
		return "-Infinity"
	case f == 0:
		return strconv.FormatFloat(f, 'f', 1, bits)
	}
	if a := max(f, -f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mantissa, exp, _ := strings.Cut(s, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mantissa + "E" + strconv.Itoa(n)
}
