package plan

import (
	"slices"
	"strings"
)

// Parse reads one expression of the Spark SQL subset, with an optional alias: "content AS image". Operators bind as in
// Spark's grammar, from loosest to tightest:
//
//	OR < AND < NOT < BETWEEN IN LIKE RLIKE IS < = <=> != < <= > >= < | < ^ < & < << >> >>> < + - || < * / % DIV < unary - + ~ < [i] .member ::type
//
// An error is a [*SyntaxError].
func Parse(text string) (Expr, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	e, err := p.named()
	if err != nil {
		return nil, err
	}
	return e, p.end()
}

// ParseNamed takes "expression AS name" apart.
func ParseNamed(text string) (NamedExpr, error) {
	p, err := newParser(text)
	if err != nil {
		return NamedExpr{}, err
	}
	e, err := p.expr()
	if err != nil {
		return NamedExpr{}, err
	}
	behind := p.peek()
	if e, err = p.alias(e); err != nil {
		return NamedExpr{}, err
	}
	if err := p.end(); err != nil {
		return NamedExpr{}, err
	}
	a, ok := e.(*Alias)
	if !ok {
		return NamedExpr{}, p.errorAt(behind, "want AS and a name behind the expression", "")
	}
	return NamedExpr{Name: a.Name, Expr: strings.TrimSpace(text[:behind.pos])}, nil
}

// maxDepth bounds the nesting, so that hostile text can't exhaust the stack.
const maxDepth = 500

type parser struct {
	text   string
	tokens []token
	i      int
	depth  int
}

func newParser(text string) (*parser, error) {
	tokens, err := lex(text)
	return &parser{text: text, tokens: tokens}, err
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) peekAt(n int) token { return p.tokens[min(p.i+n, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

func (p *parser) at(op string) bool { return p.peek().kind == tokOp && p.peek().text == op }

func (p *parser) accept(op string) bool {
	if p.at(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(op string) error {
	if p.accept(op) {
		return nil
	}
	t := p.peek()
	return p.errorAt(t, "want "+op+", got "+t.describe(), "")
}

func (t token) is(word string) bool { return t.kind == tokIdent && strings.EqualFold(t.text, word) }

func (p *parser) atWord(words ...string) bool {
	for i, w := range words {
		if !p.peekAt(i).is(w) {
			return false
		}
	}
	return true
}

func (p *parser) word(words ...string) bool {
	if p.atWord(words...) {
		p.i += len(words)
		return true
	}
	return false
}

func (p *parser) expectWord(word string) error {
	if p.word(word) {
		return nil
	}
	return p.errorAt(p.peek(), "want "+word+", got "+p.peek().describe(), "")
}

func (p *parser) end() error {
	t := p.peek()
	if t.kind == tokEnd {
		return nil
	}
	hint := ""
	switch {
	case p.i > 0 && p.tokens[p.i-1].kind == tokIdent && (t.kind == tokIdent || p.i > 1 && p.tokens[p.i-2].kind == tokIdent):
		hint = "put a column name with spaces in `backquotes`"
	case t.kind == tokString:
		hint = "put columns in backquotes, not in quotes"
	}
	return p.errorAt(t, "unexpected "+t.describe(), hint)
}

func (p *parser) errorAt(t token, msg, hint string) error {
	return &SyntaxError{Text: p.text, Pos: t.pos, Msg: msg, Hint: hint}
}

// reserved words can't name a bare column and end an expression.
var reserved = []string{"AND", "OR", "AS", "THEN", "WHEN", "ELSE", "END", "FROM", "IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "REGEXP", "IS", "DIV", "ESCAPE", "FOR"}

func isReserved(t token) bool {
	return t.kind == tokIdent && slices.Contains(reserved, strings.ToUpper(t.text))
}

func (p *parser) named() (Expr, error) {
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return p.alias(e)
}

// alias reads the name behind an expression, if there is one.
func (p *parser) alias(e Expr) (Expr, error) {
	explicit := p.word("AS")
	t := p.peek()
	if t.kind == tokQuoted || t.kind == tokIdent && (explicit || !isReserved(t)) {
		p.next()
		return &Alias{e.Pos(), e, t.text}, nil
	}
	if explicit {
		return nil, p.errorAt(t, "want a name after AS, got "+t.describe(), "")
	}
	return e, nil
}

func (p *parser) expr() (Expr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.errorAt(p.peek(), "expression nested too deep", "")
	}
	return p.or()
}

func (p *parser) or() (Expr, error) {
	return p.chain(p.and, func() string { return p.wordOp("OR") })
}

func (p *parser) and() (Expr, error) {
	return p.chain(p.not, func() string { return p.wordOp("AND") })
}

func (p *parser) wordOp(word string) string {
	if p.word(word) {
		return word
	}
	return ""
}

// chain parses operand (op operand)*, left to right.
func (p *parser) chain(operand func() (Expr, error), op func() string) (Expr, error) {
	l, err := operand()
	for err == nil {
		o := op()
		if o == "" {
			return l, nil
		}
		var r Expr
		if r, err = operand(); err == nil {
			l = &BinaryOp{l.Pos(), o, l, r}
		}
	}
	return nil, err
}

func (p *parser) not() (Expr, error) {
	t := p.peek()
	if t.is("NOT") || t.kind == tokOp && t.text == "!" {
		p.next()
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxDepth {
			return nil, p.errorAt(t, "expression nested too deep", "")
		}
		x, err := p.not()
		return &UnaryOp{t.pos, "NOT", x}, err
	}
	return p.predicate()
}

func (p *parser) predicate() (Expr, error) {
	x, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if p.word("IS") {
		not := p.word("NOT")
		t := p.next()
		switch what := strings.ToUpper(t.text); {
		case t.kind == tokIdent && (what == "NULL" || what == "TRUE" || what == "FALSE" || what == "UNKNOWN"):
			return &Is{x.Pos(), x, what, not}, nil
		case t.is("DISTINCT"):
			if err := p.expectWord("FROM"); err != nil {
				return nil, err
			}
			y, err := p.comparison()
			var e Expr = &BinaryOp{x.Pos(), "<=>", x, y}
			if !not {
				e = &UnaryOp{x.Pos(), "NOT", e}
			}
			return e, err
		}
		return nil, p.errorAt(t, "want NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM after IS, got "+t.describe(), "")
	}
	start := p.i
	not := p.word("NOT") || p.accept("!")
	switch t := p.peek(); {
	case p.word("BETWEEN"):
		low, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if err := p.expectWord("AND"); err != nil {
			return nil, err
		}
		high, err := p.comparison()
		return &Between{x.Pos(), x, low, high, not}, err
	case p.word("IN"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		list, err := p.list(")")
		if err == nil && len(list) == 0 {
			err = p.errorAt(t, "IN needs at least one value", "")
		}
		return &In{x.Pos(), x, list, not}, err
	case p.word("LIKE"), p.word("ILIKE"), p.word("RLIKE"), p.word("REGEXP"):
		op := strings.ToUpper(t.text)
		if op == "REGEXP" {
			op = "RLIKE"
		}
		pattern, err := p.comparison()
		if err != nil {
			return nil, err
		}
		like := &Like{At: x.Pos(), Op: op, X: x, Pattern: pattern, Escape: '\\', Not: not}
		if op != "RLIKE" && p.word("ESCAPE") {
			t := p.next()
			if t.kind != tokString || len([]rune(t.text)) != 1 {
				return nil, p.errorAt(t, "want one character in quotes after ESCAPE", "")
			}
			like.Escape = []rune(t.text)[0]
		}
		return like, nil
	}
	p.i = start
	return x, nil
}

// levels are the binary operators of valueExpression, loosest first.
var levels = [][]string{
	{"=", "==", "<=>", "<>", "!=", "<", "<=", ">", ">="},
	{"|"}, {"^"}, {"&"},
	{"<<", ">>", ">>>"},
	{"+", "-", "||"},
	{"*", "/", "%", "DIV"},
}

func (p *parser) comparison() (Expr, error) { return p.level(0) }

func (p *parser) level(n int) (Expr, error) {
	if n == len(levels) {
		return p.unary()
	}
	return p.chain(func() (Expr, error) { return p.level(n + 1) }, func() string {
		t := p.peek()
		op := t.text
		if t.is("DIV") {
			op = "DIV"
		} else if t.kind != tokOp {
			return ""
		}
		// "x ! IN (…)" is a negated predicate, not an operator.
		if !slices.Contains(levels[n], op) {
			return ""
		}
		p.next()
		switch op {
		case "==":
			return "="
		case "<>":
			return "!="
		}
		return op
	})
}

func (p *parser) unary() (Expr, error) {
	t := p.peek()
	if t.kind == tokOp && (t.text == "-" || t.text == "+" || t.text == "~") {
		p.next()
		if n := p.peek(); t.text == "-" && n.kind == tokNumber {
			p.next()
			lit, err := p.number(token{tokNumber, "-" + n.text, t.pos})
			if err != nil {
				return nil, err
			}
			return p.postfix(lit)
		}
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxDepth {
			return nil, p.errorAt(t, "expression nested too deep", "")
		}
		x, err := p.unary()
		return &UnaryOp{t.pos, t.text, x}, err
	}
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	return p.postfix(x)
}

func (p *parser) postfix(x Expr) (Expr, error) {
	for {
		switch {
		case p.accept("["):
			i, err := p.expr()
			if err == nil {
				err = p.expect("]")
			}
			if err != nil {
				return nil, err
			}
			x = &Item{x.Pos(), x, i}
		case p.accept("::"):
			t, err := p.dataType()
			if err != nil {
				return nil, err
			}
			x = &Cast{At: x.Pos(), X: x, To: t}
		case p.accept("."):
			t := p.next()
			if c, ok := x.(*Column); ok && len(c.Parts) == 1 && t.kind == tokOp && t.text == "*" && p.i == 3 && p.peek().kind == tokEnd {
				return &Star{c.At, c.Parts[0]}, nil
			}
			if t.kind != tokIdent && t.kind != tokQuoted {
				return nil, p.errorAt(t, "want a field name after the dot, got "+t.describe(), "")
			}
			if c, ok := x.(*Column); ok {
				x = &Column{c.At, append(slices.Clone(c.Parts), t.text)}
			} else {
				x = &Member{x.Pos(), x, t.text}
			}
		default:
			return x, nil
		}
	}
}

// list parses expressions up to the closing bracket.
func (p *parser) list(closing string) ([]Expr, error) {
	var list []Expr
	if p.accept(closing) {
		return nil, nil
	}
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if p.accept(closing) {
			return list, nil
		}
		if !p.accept(",") {
			return nil, p.errorAt(p.peek(), "want , or "+closing+", got "+p.peek().describe(), "")
		}
	}
}
