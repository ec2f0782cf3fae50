package cell

import (
	"go/scanner"
	"go/token"
	"strings"
)

// importSpec is one import of a cell.
type importSpec struct {
	name, path string // name is empty, ".", "_" or an identifier
	offset     int    // byte of the path literal in the cell
}

// parts is a cell split: the same text twice, with what belongs to the other or to the imports blanked by spaces, so that
// every line and column stays where the user sees it.
type parts struct {
	imports    []importSpec
	malformed  []lexeme // what stands in imports where a path should
	statements string   // declarations other than functions, and statements
	functions  string   // func declarations and methods
	isMain     bool     // the cell has a package clause
	listed     int      // the last statement is so many expressions, `x, y`: its commas are semicolons in statements
}

// lexeme is a token with its place.
type lexeme struct {
	offset int
	token  token.Token
	text   string
}

func lex(code string) []lexeme { return lexWith(code, 0) }

func lexWith(code string, mode scanner.Mode) []lexeme {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var sc scanner.Scanner
	sc.Init(file, []byte(code), func(token.Position, string) {}, mode)
	var out []lexeme
	for {
		p, t, text := sc.Scan()
		if t == token.EOF {
			return out
		}
		out = append(out, lexeme{file.Offset(p), t, text})
	}
}

func nesting(t token.Token) int {
	switch t {
	case token.LPAREN, token.LBRACE, token.LBRACK:
		return 1
	case token.RPAREN, token.RBRACE, token.RBRACK:
		return -1
	}
	return 0
}

// split looks only at statement starts outside of all brackets, so that headers of for, if and switch and function
// literals need no care.
func split(code string) parts {
	tokens := lex(code)
	offset := func(i int) int {
		if i < len(tokens) {
			return tokens[i].offset
		}
		return len(code)
	}
	statements, functions := []byte(code), []byte(code)
	var p parts
	kept := 0 // everything of functions before this byte is settled
	depth, start, last := 0, true, len(tokens)
	for i := 0; i < len(tokens); i++ {
		if start && depth == 0 {
			end, from := -1, tokens[i].offset
			switch tokens[i].token {
			case token.PACKAGE:
				end = statementEnd(tokens, i)
				p.isMain = true
			case token.IMPORT:
				end = statementEnd(tokens, i)
				specs, malformed := importsIn(tokens[i:end])
				p.imports, p.malformed = append(p.imports, specs...), append(p.malformed, malformed...)
			case token.FUNC:
				if isFuncDecl(tokens[i:]) {
					end = statementEnd(tokens, i)
					if from = max(kept, docStart(code, from)); i > 0 {
						from = max(from, tokens[i-1].offset) // the line above may be a raw string's
					}
					blank(functions[kept:from])
					kept = offset(end)
				}
			}
			if end >= 0 {
				blank(statements[from:offset(end)])
				if end < len(tokens) && tokens[end].text == ";" {
					blank(statements[offset(end) : offset(end)+1])
				}
				i = end
				continue
			}
			if tokens[i].token != token.SEMICOLON {
				last = i
			}
		}
		depth += nesting(tokens[i].token)
		start = tokens[i].token == token.SEMICOLON
	}
	blank(functions[kept:])
	commas := listCommas(tokens[last:statementEnd(tokens, last)])
	for _, comma := range commas {
		statements[comma.offset] = ';'
		p.listed = len(commas) + 1
	}
	p.statements, p.functions = string(statements), string(functions)
	return p
}

// docStart is where the comment lines above a declaration begin, or the declaration's own place.
func docStart(code string, offset int) int {
	start := strings.LastIndexByte(code[:offset], '\n') + 1
	if strings.TrimSpace(code[start:offset]) != "" {
		return offset
	}
	for start > 0 {
		above := strings.LastIndexByte(code[:start-1], '\n') + 1
		if !strings.HasPrefix(strings.TrimLeft(code[above:start], " \t"), "//") {
			break
		}
		start, offset = above, above
	}
	return offset
}

// statementEnd is the index of the semicolon that ends the statement at token i, or len(tokens).
func statementEnd(tokens []lexeme, i int) int {
	depth := 0
	for ; i < len(tokens); i++ {
		if tokens[i].token == token.SEMICOLON && depth <= 0 {
			return i
		}
		depth += nesting(tokens[i].token)
	}
	return i
}

// isFuncDecl tells a declaration (func f, func (t T) m() from a function literal's statement.
func isFuncDecl(tokens []lexeme) bool {
	if len(tokens) < 2 {
		return false
	}
	if tokens[1].token == token.IDENT {
		return true
	}
	if tokens[1].token != token.LPAREN {
		return false
	}
	depth := 0
	for i := 1; i < len(tokens); i++ {
		depth += nesting(tokens[i].token)
		if depth == 0 {
			return i+2 < len(tokens) && tokens[i+1].token == token.IDENT && tokens[i+2].token == token.LPAREN
		}
	}
	return false
}

// listCommas are the commas between the expressions of a statement that is nothing but a list of them, `x, y`: what a
// cell may end with. Go has no such statement.
func listCommas(tokens []lexeme) (commas []lexeme) {
	depth, empty := 0, true
	for _, t := range tokens {
		if depth += nesting(t.token); depth > 0 || nesting(t.token) < 0 {
			empty = false
			continue
		}
		switch {
		case t.token == token.COMMA && empty:
			return nil
		case t.token == token.COMMA:
			commas, empty = append(commas, t), true
			continue
		case t.token >= token.ADD_ASSIGN && t.token <= token.AND_NOT_ASSIGN, t.token == token.ASSIGN, t.token == token.DEFINE,
			t.token == token.INC, t.token == token.DEC, t.token == token.COLON:
			return nil
		case t.token.IsKeyword() && t.token != token.FUNC && t.token != token.MAP && t.token != token.CHAN && t.token != token.STRUCT && t.token != token.INTERFACE:
			return nil
		}
		empty = false
	}
	if empty {
		return nil
	}
	return commas
}

// importsIn takes an import declaration apart; malformed is the first token that does not belong into one.
func importsIn(tokens []lexeme) (out []importSpec, malformed []lexeme) {
	for i, t := range tokens {
		switch t.token {
		case token.STRING:
		case token.IMPORT, token.LPAREN, token.RPAREN, token.SEMICOLON:
			continue
		case token.IDENT, token.PERIOD:
			if i+1 < len(tokens) && tokens[i+1].token == token.STRING {
				continue
			}
			fallthrough
		default:
			return out, []lexeme{t}
		}
		if len(t.text) < 2 || t.text[0] != t.text[len(t.text)-1] {
			return out, []lexeme{t}
		}
		spec := importSpec{path: strings.Trim(t.text, "\"`"), offset: t.offset}
		switch tokens[i-1].token {
		case token.IDENT:
			spec.name = tokens[i-1].text
		case token.PERIOD:
			spec.name = "."
		}
		out = append(out, spec)
	}
	return out, nil
}

// blank overwrites everything but line ends.
func blank(text []byte) {
	for i, c := range text {
		if c != '\n' {
			text[i] = ' '
		}
	}
}
