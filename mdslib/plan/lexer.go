package plan

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokIdent
	tokQuoted // `name`
	tokNumber
	tokString // escapes already undone
	tokOp
)

type token struct {
	kind tokenKind
	text string
	pos  int
}

func (t token) describe() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokString:
		return "the string " + strconv.Quote(t.text)
	}
	return strconv.Quote(t.text)
}

// operators, longest first.
var operators = []string{
	">>>", "<=>", "<>", "<=", ">=", "==", "!=", "||", "<<", ">>", "::", "->",
	"+", "-", "*", "/", "%", "&", "|", "^", "~", "=", "<", ">", "!", "(", ")", "[", "]", ",", ".", ":", "?",
}

// lex splits text by the rules of Spark's SqlBaseLexer: strings in single or double quotes with backslash escapes and
// doubled quotes, r'…' raw strings, `names`, numbers with type suffixes, -- and /* */ comments.
func lex(text string) ([]token, error) {
	var tokens []token
	for i := 0; ; {
		i = skipSpace(text, i)
		if i < 0 {
			return nil, &SyntaxError{Text: text, Pos: len(text), Msg: "comment without its end", Hint: "close it with */"}
		}
		if i == len(text) {
			return append(tokens, token{tokEnd, "", i}), nil
		}
		tok, end, err := lexOne(text, i)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, tok)
		i = end
	}
}

func skipSpace(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
		case strings.HasPrefix(text[i:], "--"):
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n + 1
			} else {
				i = len(text)
			}
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return -1
			}
			i += n + 4
		default:
			return i
		}
	}
	return i
}

func lexOne(text string, i int) (token, int, error) {
	c := text[i]
	switch {
	case c == '\'' || c == '"':
		s, end, err := lexString(text, i)
		return token{tokString, s, i}, end, err
	case (c == 'r' || c == 'R') && i+1 < len(text) && (text[i+1] == '\'' || text[i+1] == '"'):
		n := strings.IndexByte(text[i+2:], text[i+1])
		if n < 0 {
			return token{}, 0, &SyntaxError{Text: text, Pos: i, Msg: "string without its closing quote"}
		}
		return token{tokString, text[i+2 : i+2+n], i}, i + 3 + n, nil
	case c == '`':
		var b strings.Builder
		for j := i + 1; j < len(text); j++ {
			if text[j] != '`' {
				b.WriteByte(text[j])
			} else if j+1 < len(text) && text[j+1] == '`' {
				b.WriteByte('`')
				j++
			} else {
				return token{tokQuoted, b.String(), i}, j + 1, nil
			}
		}
		return token{}, 0, &SyntaxError{Text: text, Pos: i, Msg: "quoted name without its closing `"}
	case isDigit(c) || c == '.' && i+1 < len(text) && isDigit(text[i+1]):
		return lexNumber(text, i)
	}
	if end := identEnd(text, i); end > i {
		return token{tokIdent, text[i:end], i}, end, nil
	}
	for _, op := range operators {
		if strings.HasPrefix(text[i:], op) {
			return token{tokOp, op, i}, i + len(op), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return token{}, 0, &SyntaxError{Text: text, Pos: i, Msg: "unexpected character " + strconv.QuoteRune(r), Hint: "put an unusual column name in `backquotes`"}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// identEnd returns where the identifier that starts at i ends, i if there is none.
func identEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r != '_' && !unicode.IsLetter(r) && !(r < 128 && isDigit(byte(r))) {
			break
		}
		i += size
	}
	return i
}

// lexNumber takes digits, fraction, exponent and suffix; the parser gives them a type. As in Spark, "a.1b" aside, digits
// followed by letters that make no number are an identifier.
func lexNumber(text string, start int) (token, int, error) {
	i := start
	digits := func() {
		for i < len(text) && isDigit(text[i]) {
			i++
		}
	}
	digits()
	if i < len(text) && text[i] == '.' {
		i++
		digits()
	}
	if i < len(text) && (text[i]|0x20) == 'e' {
		mark := i
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if i < len(text) && isDigit(text[i]) {
			digits()
		} else {
			i = mark
		}
	}
	if end := identEnd(text, i); end > i {
		switch suffix := strings.ToUpper(text[i:end]); suffix {
		case "L", "S", "Y", "F", "D", "BD":
			i = end
		default:
			if strings.Trim(text[start:i], "0123456789") == "" {
				return token{tokIdent, text[start:end], start}, end, nil
			}
			return token{}, 0, &SyntaxError{Text: text, Pos: i, Msg: "unknown suffix " + strconv.Quote(text[i:end]) + " after a number", Hint: "suffixes are L, S, Y, F, D, BD"}
		}
	}
	return token{tokNumber, text[start:i], start}, i, nil
}

// lexString undoes escapes as Spark's unescapeSQLString does: \% and \_ keep their backslash for LIKE.
func lexString(text string, start int) (string, int, error) {
	quote := text[start]
	var b strings.Builder
	for i := start + 1; i < len(text); {
		c := text[i]
		switch {
		case c == quote && i+1 < len(text) && text[i+1] == quote:
			b.WriteByte(quote)
			i += 2
		case c == quote:
			return b.String(), i + 1, nil
		case c == '\\' && i+1 < len(text):
			i = unescape(&b, text, i+1)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", 0, &SyntaxError{Text: text, Pos: start, Msg: "string without its closing quote"}
}

// unescape writes what the escape at text[i:], after its backslash, stands for, and returns where it ends.
func unescape(b *strings.Builder, text string, i int) int {
	hex := func(n int) (rune, bool) {
		if i+1+n > len(text) {
			return 0, false
		}
		v, err := strconv.ParseUint(text[i+1:i+1+n], 16, 32)
		return rune(v), err == nil
	}
	switch c := text[i]; c {
	case 'u':
		if r, ok := hex(4); ok {
			b.WriteRune(r)
			return i + 5
		}
		b.WriteByte(c)
	case 'U':
		if r, ok := hex(8); ok {
			b.WriteRune(r)
			return i + 9
		}
		b.WriteByte(c)
	case '0', '1':
		if i+3 <= len(text) {
			if v, err := strconv.ParseUint(text[i:i+3], 8, 8); err == nil {
				b.WriteRune(rune(v))
				return i + 3
			}
		}
		if c == '0' {
			b.WriteByte(0)
		} else {
			b.WriteByte(c)
		}
	case 'b':
		b.WriteByte('\b')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_':
		b.WriteByte('\\')
		b.WriteByte(c)
	default:
		_, size := utf8.DecodeRuneInString(text[i:])
		b.WriteString(text[i : i+size])
		return i + size
	}
	return i + 1
}
