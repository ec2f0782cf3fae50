package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where an expression can't be read. Pos is a byte offset in Text.
type SyntaxError struct {
	Text string
	Pos  int
	Msg  string
	Hint string // may be empty
}

// Error gives the message, the hint and the expression with a caret under the place.
func (e *SyntaxError) Error() string { return Caret(e.Text, e.Pos, e.Msg, e.Hint) }

// Caret renders "message (hint)" over the text with a caret under the byte offset pos.
func Caret(text string, pos int, msg, hint string) string {
	pos = min(max(pos, 0), len(text))
	line := 1 + strings.Count(text[:pos], "\n")
	start := strings.LastIndexByte(text[:pos], '\n') + 1
	col := utf8.RuneCountInString(text[start:pos])
	shown := text[start:]
	if i := strings.IndexByte(shown, '\n'); i >= 0 {
		shown = shown[:i]
	}
	where := fmt.Sprintf("column %d", col+1)
	if strings.Contains(text, "\n") {
		where = fmt.Sprintf("line %d, column %d", line, col+1)
	}
	s := "expression, " + where + ": " + msg
	if hint != "" {
		s += " (" + hint + ")"
	}
	return s + "\n  " + shown + "\n  " + strings.Repeat(" ", col) + "^"
}

// nearest offers the words of known that look like word.
func nearest[V any](word string, known map[string]V) string {
	names := make([]string, 0, len(known))
	for n := range known {
		names = append(names, n)
	}
	return Nearest(word, names)
}
