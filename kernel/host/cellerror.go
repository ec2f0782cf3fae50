package host

import "strings"

// CellError is a cell's failure as the user sees it: a compile error, a panic, an interrupt, the host's death.
type CellError struct {
	Name      string   // "compile error", "panic", "error" (from check), "interrupted", "host died"
	Value     string   // one message; for compile errors the first one
	Traceback []string // lines for people, plain text without colour, the user's frames first
}

// Error returns the name and the message.
func (e *CellError) Error() string { return e.Name + ": " + e.Value }

// Text returns the traceback as one text.
func (e *CellError) Text() string { return strings.Join(e.Traceback, "\n") }
