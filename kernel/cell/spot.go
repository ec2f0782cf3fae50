package cell

import (
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gomosaic/kernel/cell/magic"
)

// spot is the place of a cursor in unfinished code, found with a scanner alone: nothing needs to parse.
type spot struct {
	kind       spotKind
	code       string // the cell's Go: magics are blanked
	at         int    // the cursor
	start, end int    // what the answer replaces: the word around the cursor, or a path's last part up to it
	text       string // the path up to the cursor (inPath, inImport), or the magic's name with its % (inMagic)
	tokens     []lexeme
	next       int // index of the first token at start or behind it: tokens[next-1] is what stands before the word
}

type spotKind int

const (
	inGo     spotKind = iota
	inText            // a comment or a character: nothing to say
	inPath            // a string, or an argument of a magic
	inImport          // the path of an import
	inMagic           // the name of a magic
)

// spotAt finds what stands around byte at of a cell with line ends of one byte.
func spotAt(code string, at int) *spot {
	s := &spot{at: at}
	if s.magic(code) {
		return s
	}
	taken, _ := magic.Parse(code, func(string) bool { return true })
	s.code = taken.Go
	s.start, s.end = wordAround(s.code, at)
	s.tokens = lexWith(s.code, scanner.ScanComments)
	for i, t := range s.tokens {
		if t.offset >= at {
			break
		}
		if end := t.offset + len(t.text); at <= end {
			s.within(i, at == end)
		}
	}
	s.tokens = slices.DeleteFunc(s.tokens, func(t lexeme) bool { return t.token == token.COMMENT })
	for s.next < len(s.tokens) && s.tokens[s.next].offset < s.start {
		s.next++
	}
	return s
}

// magic looks for the name of a magic, or for an argument of one that is no Go.
func (s *spot) magic(code string) bool {
	from := strings.LastIndexByte(code[:s.at], '\n') + 1
	line := strings.TrimLeft(code[from:s.at], " \t")
	from = s.at - len(line)
	if strings.HasPrefix(line, "%") && !strings.ContainsAny(line, " \t") {
		s.kind, s.start, s.text = inMagic, from, line
		_, s.end = wordAround(code, s.at)
		return true
	}
	taken, _ := magic.Parse(code, func(string) bool { return true })
	for _, u := range taken.Uses {
		if u.Kind != magic.Code && u.Offset < s.at && s.at <= u.End && strings.TrimSpace(taken.Go[from:s.at]) == "" {
			s.path(line[strings.LastIndexAny(line, " \t='\"")+1:])
			return true
		}
	}
	return false
}

// path notes that the cursor stands behind text of a path.
func (s *spot) path(text string) {
	s.kind, s.text, s.end = inPath, text, s.at
	s.start = s.at - len(text[strings.LastIndexByte(text, '/')+1:])
}

// within says what it means that the cursor stands in token i, or at its end.
func (s *spot) within(i int, atEnd bool) {
	t := s.tokens[i]
	switch t.token {
	case token.COMMENT:
		if !atEnd || strings.HasPrefix(t.text, "//") || !strings.HasSuffix(t.text, "*/") {
			s.kind = inText
		}
	case token.CHAR:
		if !atEnd {
			s.kind = inText
		}
	case token.STRING:
		if atEnd && len(t.text) > 1 && t.text[len(t.text)-1] == t.text[0] {
			return
		}
		s.path(s.code[t.offset+1 : s.at])
		if s.isImport(i) {
			s.kind, s.start = inImport, t.offset+1
		}
	case token.INT, token.FLOAT, token.IMAG:
		s.kind = inText
	}
}

// isImport tells whether the string that is token i is the path of an import.
func (s *spot) isImport(i int) bool {
	for i--; i >= 0; i-- {
		switch s.tokens[i].token {
		case token.IMPORT:
			return true
		case token.LPAREN:
			return i > 0 && s.tokens[i-1].token == token.IMPORT
		case token.STRING, token.IDENT, token.PERIOD, token.COMMENT:
		case token.SEMICOLON:
			if !s.inGroup(i) {
				return false
			}
		default:
			return false
		}
	}
	return false
}

// inGroup tells whether token i is within import ( … ).
func (s *spot) inGroup(i int) bool {
	for ; i > 0; i-- {
		switch s.tokens[i].token {
		case token.RPAREN, token.LBRACE, token.RBRACE:
			return false
		case token.LPAREN:
			return s.tokens[i-1].token == token.IMPORT
		}
	}
	return false
}

// token is the kind of token i, or ILLEGAL where there is none.
func (s *spot) token(i int) token.Token {
	if i < 0 || i >= len(s.tokens) {
		return token.ILLEGAL
	}
	return s.tokens[i].token
}

// textOf is the code of tokens [from, to].
func (s *spot) textOf(from, to int) string {
	last := s.tokens[to]
	if last.text == "" { // an operator
		last.text = last.token.String()
	}
	return s.code[s.tokens[from].offset : last.offset+len(last.text)]
}

// selectorBase is the expression in front of the dot before the word, `points["a"].Sort()` of `points["a"].Sort().Le`.
func (s *spot) selectorBase() (base string, ok bool) {
	if s.token(s.next-1) != token.PERIOD {
		return "", false
	}
	last := s.next - 2
	first := s.operand(last)
	if first < 0 {
		return "", true
	}
	return s.textOf(first, last), true
}

// operand is the index of the first token of the operand whose last token is i, or -1.
func (s *spot) operand(i int) int {
	for {
		switch s.token(i) {
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open := s.opening(i)
			if open < 0 {
				return -1
			}
			switch s.token(open - 1) {
			case token.IDENT, token.RPAREN, token.RBRACK, token.RBRACE, token.STRING:
				i = open - 1
				continue
			case token.PERIOD: // x.(T)
				if i = open - 2; i < 0 {
					return -1
				}
				continue
			}
			return s.typePrefix(open)
		case token.IDENT, token.STRING, token.CHAR:
			if s.token(i-1) != token.PERIOD {
				return s.typePrefix(i)
			}
			if i -= 2; i < 0 {
				return -1
			}
		default:
			return -1
		}
	}
}

// typePrefix goes back from token i over the [], [3], map[K] and * of a type that ends there.
func (s *spot) typePrefix(i int) int {
	for {
		before := i - 1
		if s.token(before) == token.MUL {
			before--
		}
		if s.token(before) != token.RBRACK {
			return i
		}
		open := s.opening(before)
		switch s.token(open - 1) {
		case token.MAP:
			open--
		case token.IDENT, token.RPAREN: // an index: x[0] *y
			return i
		}
		if open < 0 {
			return i
		}
		i = open
	}
}

// opening is the index of the bracket that token i closes, or -1.
func (s *spot) opening(i int) int {
	for depth := 0; i >= 0; i-- {
		if depth -= nesting(s.tokens[i].token); depth == 0 {
			return i
		}
	}
	return -1
}

// enclosing is the index of the innermost bracket that is open at token i, or -1.
func (s *spot) enclosing(i int) int {
	depth := 0
	for i--; i >= 0; i-- {
		if depth += nesting(s.tokens[i].token); depth > 0 {
			return i
		}
	}
	return -1
}

// literalKey tells whether a key of a composite literal may stand at the word; brace is the index of the literal's
// opening brace and used the keys that it has.
func (s *spot) literalKey() (brace int, used []string, ok bool) {
	brace = s.enclosing(s.next)
	if s.token(brace) != token.LBRACE || s.next-1 != brace && s.token(s.next-1) != token.COMMA {
		return 0, nil, false
	}
	depth := 0
	for i := brace + 1; i < len(s.tokens) && depth >= 0; i++ {
		depth += nesting(s.tokens[i].token)
		if depth == 0 && s.tokens[i].token == token.COLON && s.token(i-1) == token.IDENT {
			used = append(used, s.tokens[i-1].text)
		}
	}
	return brace, used, true
}

// literalType is the type of the composite literal that opens at a brace, as code, and how many elements deep the
// literal is within it: `[]T{{` is 1 within []T. It is empty where the brace follows no type.
func (s *spot) literalType(brace int) (code string, depth int) {
	for {
		switch s.token(brace - 1) {
		case token.LBRACE, token.COMMA, token.COLON: // an element whose type is left out
			if brace = s.enclosing(brace); s.token(brace) != token.LBRACE {
				return "", 0
			}
			depth++
			continue
		case token.IDENT, token.RBRACK:
		default:
			return "", 0
		}
		first := s.operand(brace - 1)
		if first < 0 {
			return "", 0
		}
		return s.textOf(first, brace-1), depth
	}
}

// labels are those that break, continue or goto may name where the word stands behind one of them.
func (s *spot) labels() (names []string, ok bool) {
	statement := s.token(s.next - 1)
	if statement != token.BREAK && statement != token.CONTINUE && statement != token.GOTO {
		return nil, false
	}
	for i := 0; i+1 < len(s.tokens); i++ {
		if s.token(i) != token.IDENT || s.token(i+1) != token.COLON || i > 0 && s.token(i-1) != token.SEMICOLON && s.token(i-1) != token.LBRACE {
			continue
		}
		loop := s.token(i+2) == token.FOR
		choice := s.token(i+2) == token.SWITCH || s.token(i+2) == token.SELECT
		if loop || choice && statement == token.BREAK || statement == token.GOTO {
			names = append(names, s.tokens[i].text)
		}
	}
	return names, true
}

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordAround is the identifier that the cursor is in or behind.
func wordAround(code string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(code[:start])
		if !isWordRune(r) {
			break
		}
		start -= n
	}
	for end < len(code) {
		r, n := utf8.DecodeRuneInString(code[end:])
		if !isWordRune(r) {
			break
		}
		end += n
	}
	return start, end
}
