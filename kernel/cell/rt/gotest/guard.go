// Package gotest keeps a panicking test from ending the cell host: package testing runs each test, and each subtest, on a
// goroutine of its own, and lets a panic there end the process. The rewriter puts a guard around the functions that
// cells give to Run, and the host around those that %test runs.
package gotest

import (
	"fmt"
	"testing"

	"gomosaic/kernel/cell/rt"
)

// Test makes a panic of f a failure of its test, and lets an interruption of the run that calls Test reach it.
func Test(f func(*testing.T)) func(*testing.T) {
	run := rt.Starting()
	return func(t *testing.T) {
		member := run.Enter()
		defer member.Leave()
		defer func() { failed(t, recover()) }()
		f(t)
	}
}

// Benchmark is Test for benchmarks.
func Benchmark(f func(*testing.B)) func(*testing.B) {
	run := rt.Starting()
	return func(b *testing.B) {
		member := run.Enter()
		defer member.Leave()
		defer func() { failed(b, recover()) }()
		f(b)
	}
}

// Parallel is for the goroutines of a benchmark, whose panics are told as those of any goroutine.
func Parallel(f func(*testing.PB)) func(*testing.PB) {
	run := rt.Starting()
	return func(pb *testing.PB) {
		defer run.Enter().End()
		f(pb)
	}
}

// failed tells of a recovered panic as package testing does of a failure. It is called by a deferred function, for the
// frames' sake.
func failed(t testing.TB, value any) {
	switch v := value.(type) {
	case nil:
	case rt.Interrupted:
		fmt.Fprintln(t.Output(), "interrupted")
		t.Fail()
	case *rt.Failure:
		fmt.Fprintf(t.Output(), "%s\n%s\n", rt.PanicText(v.Err), rt.Trace(v.Frames))
		t.Fail()
	default:
		fmt.Fprintf(t.Output(), "panic: %s\n%s\n", rt.PanicText(v), rt.Trace(rt.Frames()))
		t.Fail()
	}
}
