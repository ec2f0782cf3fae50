package rt

import "sync/atomic"

// Stop is not zero while there is an interrupted run whose goroutines have not ended.
var Stop atomic.Int32

// Stopped reads Stop. Code of cells asks at every round of a loop and in every function that may call itself, and calls
// [Halt] then. It must stay a function of this package: the compiler inlines the load into cells only where the package
// that they import has done so itself, and a call of it makes tight loops four times as slow.
func Stopped() bool { return Stop.Load() != 0 }

// Interrupted is the panic value that unwinds an interrupted goroutine.
type Interrupted struct{}

// Error says so, unless it is asked on a goroutine that is being unwound: it panics again there. Package fmt recovers
// from the panic of a String method and prints the panic value in its place, by this method, and lets a second panic
// pass. So an interruption reaches through a Println of a value whose String method loops.
func (i Interrupted) Error() string {
	if m := self(); m != nil && m.run.Interrupted() {
		panic(i)
	}
	return "interrupted"
}

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
