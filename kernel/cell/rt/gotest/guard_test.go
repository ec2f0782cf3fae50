package gotest

import (
	"errors"
	"testing"

	"gomosaic/kernel/cell/rt"
)

// TestGuards: a panic fails its test and no other; here the benchmark's result tells, as a failed test would be our own.
func TestGuards(t *testing.T) {
	run := rt.NewRun()
	defer run.Enter().Leave()
	for name, f := range map[string]func(b *testing.B){
		"panic":     func(*testing.B) { panic("boom") },
		"check":     func(*testing.B) { rt.Check(errors.New("boom")) },
		"interrupt": func(*testing.B) { run.Interrupt(); rt.Halt() },
	} {
		if r := testing.Benchmark(Benchmark(f)); r.N != 0 {
			t.Errorf("%s: the benchmark passed: %v", name, r)
		}
	}
	ran := false
	t.Run("passes", Test(func(t *testing.T) { ran = true }))
	if !ran {
		t.Error("the guarded test did not run")
	}
}
