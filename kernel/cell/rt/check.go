package rt

// Failure is the panic value of [Check]: it stops the cell with the error's message, without the look of a crash.
type Failure struct {
	Err    error
	Frames []Frame // where check was called, innermost first
}

// Error is the error's message.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the error.
func (f *Failure) Unwrap() error { return f.Err }

// Check is check: it stops the cell with err's message, unless err is nil. A function that recovers gets a *[Failure].
func Check(err error) {
	if err != nil {
		fail(err)
	}
}

// Check1 is check1: the value of a call that returns one and an error, or the cell's end.
func Check1[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

func fail(err error) {
	if m := self(); m != nil && m.run.Interrupted() {
		panic(m.halt()) // what the library reports is the interruption, one way or another
	}
	panic(&Failure{Err: err, Frames: Frames()})
}
