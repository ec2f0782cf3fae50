package cell

import (
	"go/token"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// indentation is one level. It is no tab, though gofmt would have it so: terminal clients show one as ^I.
const indentation = "    "

// IsComplete tells whether code can be run as it stands: "complete"; "incomplete", with the blanks that the next line
// should start with; or "invalid". It needs the text only.
func IsComplete(code string) (status, indent string) {
	code = normalize(code)
	taken, problems := magic.Parse(code, func(string) bool { return true })
	if len(taken.Uses) > 0 && taken.Uses[0].Whole && !strings.HasSuffix(code, "\n") {
		return "incomplete", "" // a blank line ends it, as in IPython
	}
	if len(problems) > 0 {
		return "invalid", ""
	}
	code = taken.Go
	open, depth, continues := openings(code)
	if depth < 0 {
		return "invalid", ""
	}
	last := lastLine(code)
	if open || depth > 0 {
		return "incomplete", strings.Repeat(indentation, max(depth, 0))
	}
	if continues {
		return "incomplete", leadingBlanks(last) + indentation
	}
	// A scratch session: parsing needs none of a real one's state.
	s := NewSession(Config{Fset: token.NewFileSet()})
	c := newCompilation(s, code, 1)
	c.parts = split(code)
	if found := c.parse(); len(found) > 0 {
		if found[0].atEnd {
			return "incomplete", leadingBlanks(last)
		}
		return "invalid", ""
	}
	return "complete", ""
}

// openings looks for what is open at the end of code: a comment or raw string (open), brackets (depth), or an operator
// that wants another operand (continues). depth is negative where a bracket is closed that was not open.
func openings(code string) (open bool, depth int, continues bool) {
	tokens := lex(code)
	for _, t := range tokens {
		if depth += nesting(t.token); depth < 0 {
			return false, depth, false
		}
	}
	if len(tokens) == 0 {
		return strings.HasPrefix(strings.TrimSpace(code), "/*") && !strings.HasSuffix(strings.TrimSpace(code), "*/"), depth, false
	}
	last := tokens[len(tokens)-1]
	if last.token == token.SEMICOLON && last.text == "\n" && len(tokens) > 1 {
		last = tokens[len(tokens)-2]
	}
	end := last.offset + len(last.text)
	switch {
	case last.token == token.STRING && strings.HasPrefix(last.text, "`") && (len(last.text) == 1 || !strings.HasSuffix(last.text, "`")):
		return true, depth, false
	case strings.Contains(code[min(end, len(code)):], "/*") && !strings.Contains(code[min(end, len(code)):], "*/"):
		return true, depth, false
	}
	switch {
	case last.token.IsOperator() && last.token != token.RPAREN && last.token != token.RBRACE && last.token != token.RBRACK &&
		last.token != token.SEMICOLON && last.token != token.INC && last.token != token.DEC && last.token != token.COLON &&
		last.token != token.ELLIPSIS:
		return false, depth, true
	case last.token == token.COLON: // a label, or a case: at depth 0 a statement follows
		return false, depth, true
	}
	return false, depth, false
}

func lastLine(code string) string {
	return code[strings.LastIndex(code, "\n")+1:]
}

func leadingBlanks(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}
