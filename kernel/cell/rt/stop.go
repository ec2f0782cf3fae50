package rt

import "sync/atomic"

// Stop is not zero while there is an interrupted run whose goroutines have not ended. Code of cells reads it at every
// round of a loop and in every function that calls others, and calls [Halt] then.
var Stop atomic.Int32

// Interrupted is the panic value that unwinds an interrupted goroutine.
type Interrupted struct{}

// Error says so.
func (Interrupted) Error() string { return "interrupted" }

// Halt unwinds the calling goroutine if its run is interrupted. Deferred functions that run meanwhile are left in peace
// for a moment, so that they can clean up.
//
//go:noinline
func Halt() {
	if m := self(); m != nil && m.halts() {
		panic(Interrupted{})
	}
}

// Recovered stands around recover in cells: an interruption is not the user's to swallow.
func Recovered(v any) any {
	if _, ok := v.(Interrupted); ok {
		panic(v)
	}
	return v
}
