package cell

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Diagnostic is one error in a cell.
type Diagnostic struct {
	Cell, Line, Column int    // Column counts bytes from 1
	Message            string // in the user's names
	Source             string // the line
	Hint               string // what to do about it, or empty

	atEnd bool // something is open at the end of the cell
}

// String is `cell[3]:2:5: message`.
func (d Diagnostic) String() string {
	return fmt.Sprintf("cell[%d]:%d:%d: %s", d.Cell, d.Line, d.Column, d.Message)
}

// Text adds the source line with a caret under the place, and the hint.
func (d Diagnostic) Text() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(d.String(), "\n\t", "\n    "))
	if strings.TrimSpace(d.Source) != "" {
		n := max(0, min(d.Column-1, len(d.Source)))
		pad := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, d.Source[:n])
		b.WriteString("\n    " + d.Source + "\n    " + pad + "^")
	}
	if d.Hint != "" {
		b.WriteString("\n    hint: " + d.Hint)
	}
	return b.String()
}

// Errors is all that is wrong with a cell, in the order of its lines. Nothing of such a cell ran.
type Errors []Diagnostic

// Error is the first error and the number of the others.
func (e Errors) Error() string {
	switch len(e) {
	case 0:
		return "no error"
	case 1:
		return e[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", e[0], len(e)-1)
}

// maxShown is how many errors are shown in full: who has more has pasted something that is no Go.
const maxShown = 100

// Text is every error with its source line.
func (e Errors) Text() string {
	var parts []string
	for _, d := range e[:min(len(e), maxShown)] {
		parts = append(parts, d.Text())
	}
	if more := len(e) - maxShown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more errors", more))
	}
	return strings.Join(parts, "\n")
}

var userQualifier = regexp.MustCompile(`\b` + userPackage + `\.`)

// finish sorts errors, drops repetitions and adds the source lines of the cell.
func (c *compilation) finish(list []Diagnostic) Errors {
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].Line != list[j].Line {
			return list[i].Line < list[j].Line
		}
		return list[i].Column < list[j].Column
	})
	lines := strings.Split(c.code, "\n")
	var out Errors
	for i, d := range list {
		if i > 0 && d.Line == list[i-1].Line && d.Message == list[i-1].Message {
			continue
		}
		d.Message = userQualifier.ReplaceAllString(Demangle(strings.ReplaceAll(d.Message, freshMark, "")), "")
		if d.Cell == c.label && d.Line >= 1 && d.Line <= len(lines) {
			d.Source = lines[d.Line-1]
		}
		out = append(out, d)
	}
	return out
}
