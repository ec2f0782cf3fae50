package cell

import (
	"fmt"
	"go/token"
	"regexp"
	"strings"
)

// slip is a usual mistake of syntax: message is the parser's, line the cell's, either may be nil.
type slip struct {
	message, line *regexp.Regexp
	hint          string
}

// slips are looked through in their order; $1 in a hint is the line pattern's first group.
var slips = []slip{
	{line: regexp.MustCompile(`^\s*while\b`), hint: "Go's only loop is for: for condition { … }"},
	{line: regexp.MustCompile(`^\s*for\s*\(?(?:\w+\s+)?(\w+)\s+in\s+range\((\w+)\)`), hint: "for $1 := range $2 { … } counts"},
	{line: regexp.MustCompile(`^\s*(?:for|foreach)\s*\(?(?:\w+\s+)?(\w+)\s+(?:in|of)\b`), hint: "for _, $1 := range values { … } goes through them"},
	{line: regexp.MustCompile(`^\s*for\s*\(`), hint: "a header has no parentheses: for i := 0; i < n; i++ { … }"},
	{line: regexp.MustCompile(`^\s*(?:elif|elseif|elsif)\b`), hint: "Go says else if, on the line of the }"},
	{line: regexp.MustCompile(`^\s*(?:def|fn|function|fun|sub)\s+\w+`), hint: "func declares a function: func name(x int) int { … }"},
	{line: regexp.MustCompile(`^\s*(?:class|struct|interface|enum)\s+(\w+)`), hint: "type declares a type: type $1 struct { … }"},
	{line: regexp.MustCompile(`^\s*\}?\s*(?:try|catch|except|finally|raise|throw)\b`), hint: "Go returns errors as values: if err != nil { … }; check(err) stops the cell"},
	{line: regexp.MustCompile(`^\s*(if|for|else|switch)\b[^{]*:\s*$`), hint: "a block stands in braces: $1 … { … }"},
	{message: regexp.MustCompile(`(?i)illegal`), line: regexp.MustCompile(`\?\.`), hint: "Go has no ?.: test for nil first"},
	{message: regexp.MustCompile(`(?i)illegal`), line: regexp.MustCompile(`\?.*:`), hint: "Go has no ?: operator: use if"},
	{message: regexp.MustCompile(`(?i)illegal`), line: regexp.MustCompile(`#`), hint: "a comment begins with //"},
	{line: regexp.MustCompile(`^\s*@\w`), hint: "Go has no decorators: call a function that takes the function"},
	{message: regexp.MustCompile(`expected .*, found '(?:\+\+|--)'`), hint: "x++ is a statement in Go, not a value"},
	{message: regexp.MustCompile(`unexpected newline, expecting \{|unexpected semicolon or newline before \{|expected (?:for|if|switch) (?:loop|statement)? ?condition|missing function body`),
		hint: "the { stands on the same line"},
	{message: regexp.MustCompile(`^expected boolean expression, found assignment`), hint: "== compares, = assigns"},
	{message: regexp.MustCompile(`found 'else'`), hint: "else stands on the line of the }"},
	{message: regexp.MustCompile(`found '(?:if|switch)'`), line: regexp.MustCompile(`=\s*(if|switch)\b`), hint: "$1 has no value in Go: set the variable in its branches"},
	{message: regexp.MustCompile(`before newline in (composite literal|argument list)`), hint: "each line of a list ends with a comma, the last too"},
	{message: regexp.MustCompile(`^missing ',' in parameter list`), line: regexp.MustCompile(`\([^)]*=`), hint: "parameters have no default values"},
	{message: regexp.MustCompile(`^expected ';', found ','`), line: regexp.MustCompile(`\bstruct\b`), hint: "fields stand on lines of their own, or have semicolons between them"},
	{line: regexp.MustCompile("\"\"\"|'''"), hint: "text of several lines stands in `backquotes`"},
	{message: regexp.MustCompile(`rune literal`), hint: "strings are in \"double quotes\" or `backticks`; '…' is one letter"},
	{line: regexp.MustCompile(`\b[fF]"`), hint: "fmt.Sprintf(\"… %v …\", x) puts values into a text"},
	{line: regexp.MustCompile(`^\s*(?:print|printf|println|echo|puts)\s+["'\w]`), hint: "printing is a function call: fmt.Println(…)"},
	{line: regexp.MustCompile(`^\s*(?:let|auto|val|mut|const let)\s+(?:mut\s+)?(\w+)`), hint: "$1 := value declares a variable"},
	{line: regexp.MustCompile(`^\s*import\s+(\w[\w./]*)`), hint: "the path is in quotes: import \"$1\""},
	{line: regexp.MustCompile(`^\s*from\s+\S+\s+import\s`), hint: "a package is imported whole: import \"path\""},
	{line: regexp.MustCompile(`^\s*#\s*include|^\s*using\s`), hint: "packages come by import \"path\""},
	{line: regexp.MustCompile(`^\s*(int|float64|float32|string|bool|byte|rune|int64|float|double|char|long)\s+(\w+)`), hint: "the type follows the name: var $2 $1"},
	{line: regexp.MustCompile(`\)\s*->\s*(\w+)`), hint: "the result's type follows the parameters: func f(x int) $1 { … }"},
	{line: regexp.MustCompile(`\blambda\b|=>`), hint: "a function literal is func(x int) int { return x }"},
	{line: regexp.MustCompile(`^\s*(?:\w+\s*:?=\s*)?(?:await|async)\b`), hint: "a call waits by itself; go f() starts it beside"},
	{line: regexp.MustCompile(`\bnew\s+(\w+)`), hint: "new($1) or &$1{…} makes one"},
	{line: regexp.MustCompile(`^\s*del\s`), hint: "delete(m, key) takes an entry out of a map; unused memory is freed by itself"},
	{line: regexp.MustCompile(`^\s*assert\s+(.*\S)`), hint: "if !($1) { panic(…) } makes sure of it"},
	{line: regexp.MustCompile(`\bis\s+(?:not\s+)?(?:None|nil|null)\b`), hint: "x == nil tests for nothing"},
	{line: regexp.MustCompile(`^\s*(?:if\s+)?(\w+)\s+(?:not\s+)?in\s+(\w+)`), hint: "slices.Contains($2, $1) looks for an element; _, ok := $2[$1] for a key of a map"},
	{line: regexp.MustCompile(`\b(?:and|or|not)\b`), hint: "Go's operators are &&, || and !"},
	{line: regexp.MustCompile(`===|!==`), hint: "== compares"},
	{line: regexp.MustCompile(`\w\s*\*\*\s*\w`), hint: "math.Pow raises to a power"},
	{line: regexp.MustCompile(`=\s*[!%$]\s*\w`), hint: "a magic stands on a line of its own; " + keepOutput},
	{line: regexp.MustCompile(`^\s*(%|!|\$)`), hint: "a magic stands on a line of its own; %help lists them"},
	{line: regexp.MustCompile(`^\s*\.\s*\w`), hint: "the dot of a chain of calls stands at the end of the line above"},
	{line: regexp.MustCompile(`^\s*(?:&&|\|\|)`), hint: "an operator stands at the end of the line above"},
	{line: regexp.MustCompile(`(?:^|[=(,:]|\breturn)\s*\[[^\]]*,[^\]]*\]`), hint: "a list is a slice with the type of its elements: []int{1, 2, 3}"},
	{line: regexp.MustCompile(`(?:^|[=(,]|\breturn)\s*\{\s*["\w]+\s*:`), hint: "a dictionary is a map with its types: map[string]int{\"a\": 1}"},
	{line: regexp.MustCompile(`^\s*from\s`), hint: "packages come by import \"path\""},
}

// keepOutput says how a program's output becomes a value.
const keepOutput = "exec.Command(name, args…).Output() of package os/exec keeps what a command prints"

// diagnoseSyntax makes the parser's errors short and says what to do: what follows from the first error on a line, or
// from the end of a cell that is broken before, is left out.
func (c *compilation) diagnoseSyntax(found []Diagnostic) []Diagnostic {
	if len(found) == 0 {
		return nil
	}
	lines := strings.Split(c.code, "\n")
	open, stray := c.brackets()
	end := strings.TrimRight(c.code, " \t\n")
	lastLine, lastColumn := strings.Count(end, "\n")+1, len(end)-strings.LastIndex(end, "\n")
	var kept []Diagnostic
	for _, d := range found {
		n := len(kept)
		switch {
		case stray != nil && (d.Line > stray.Line || d.Line == stray.Line && d.Column >= stray.Column):
			d = *stray
		case open != nil && (d.atEnd || d.Line > lastLine || d.Line == lastLine && d.Column >= lastColumn):
			d.atEnd = true
			d.Message, d.Hint = open.Message, open.Hint
		case n > 0 && d.Line == kept[n-1].Line:
			continue
		case d.Line >= 1 && d.Line <= len(lines) && d.Cell == c.label:
			d.Hint = slipHint(d.Message, lines[d.Line-1])
		}
		if n == 0 || !d.atEnd && d.Line != kept[n-1].Line {
			kept = append(kept, d)
		}
	}
	return kept
}

// brackets says which bracket is not closed at the end of the cell, or which one closes nothing.
func (c *compilation) brackets() (open, stray *Diagnostic) {
	closing := map[token.Token]token.Token{token.LPAREN: token.RPAREN, token.LBRACE: token.RBRACE, token.LBRACK: token.RBRACK}
	var opened []lexeme
	for _, t := range lex(c.code) {
		switch n := nesting(t.token); {
		case n > 0:
			opened = append(opened, t)
		case n < 0 && len(opened) > 0 && closing[opened[len(opened)-1].token] == t.token:
			opened = opened[:len(opened)-1]
		case n < 0:
			before := c.code[:t.offset]
			d := Diagnostic{Cell: c.label, Line: strings.Count(before, "\n") + 1, Column: t.offset - strings.LastIndex(before, "\n"), Message: "unexpected " + t.token.String()}
			if d.Hint = "nothing is open that it could close"; len(opened) > 0 {
				last := opened[len(opened)-1]
				d.Hint = fmt.Sprintf("the %s of line %d is open and wants its %s first", last.token, strings.Count(c.code[:last.offset], "\n")+1, closing[last.token])
			}
			return nil, &d
		}
	}
	if len(opened) == 0 {
		return nil, nil
	}
	last := opened[len(opened)-1]
	return &Diagnostic{Message: "unexpected end of the cell, expected " + closing[last.token].String(),
		Hint: fmt.Sprintf("the %s of line %d is not closed", last.token, strings.Count(c.code[:last.offset], "\n")+1)}, nil
}

func slipHint(message, line string) string {
	for _, s := range slips {
		if s.message != nil && !s.message.MatchString(message) {
			continue
		}
		if s.line == nil {
			return s.hint
		}
		if at := s.line.FindStringSubmatchIndex(line); at != nil {
			return string(s.line.ExpandString(nil, s.hint, line, at))
		}
	}
	return ""
}
