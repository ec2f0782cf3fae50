package rt

import "sync/atomic"

// Stop is not zero while the running cell is asked to stop. Code of cells reads it at every round of a loop and in
// every function that calls others.
var Stop atomic.Int32

// Interrupted is the panic value that unwinds an interrupted cell.
type Interrupted struct{}

// Error says so.
func (Interrupted) Error() string { return "interrupted" }

// Halt unwinds the calling goroutine.
//
//go:noinline
func Halt() { panic(Interrupted{}) }

// Recovered stands around recover in cells: an interruption is not the user's to swallow.
func Recovered(v any) any {
	if _, ok := v.(Interrupted); ok {
		panic(v)
	}
	return v
}
