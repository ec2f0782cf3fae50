// Package measure is what %time, %timeit and %bench become. It is called by code that the rewriter makes, on the cell's
// own goroutine, so that an interruption unwinds the measured code as any other.
package measure
