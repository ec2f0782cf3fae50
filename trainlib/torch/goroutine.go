package torch

// goroutine identifies the running goroutine for as long as it runs: the address of its g. Go has no goroutine-local
// storage, and [NoGrad] and [Step] must not reach into other goroutines; the value is only ever compared, never followed,
// and every entry made under it is removed before the function that made it returns.
//
//go:noescape
func goroutine() uintptr
