package host

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

func BenchmarkTrivialCell(b *testing.B) {
	s, err := Start(b.Context(), testOptions)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	count := 0
	for b.Loop() {
		count++
		if err := s.Execute(b.Context(), "x := 1\nx + 1", count, &recorder{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGuards compares loops in a cell with the same loops in a compiled package, which have no guards: the ratios
// are to stay at 1.10 or below for loops and at 2 for recursion.
func BenchmarkGuards(b *testing.B) {
	s, err := Start(b.Context(), testOptions)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	code := "import (\"fmt\"; \"time\"; \"cellstest/entry\")\n" + loops + `
func best(f func() int) time.Duration {
	d := time.Hour
	for range 15 { at := time.Now(); f(); d = min(d, time.Since(at)) }
	return d
}
for _, c := range []struct { name string; cell, compiled func() int }{
	{"fib", Fib, entry.Fib}, {"closure", Closure, entry.Closure}, {"map", Map, entry.Map}, {"image", Image, entry.Image}, {"sum", Sum, entry.Sum},
	{"sieve", Sieve, entry.Sieve}, {"matrix", Matrix, entry.Matrix}, {"largest", Largest, entry.Largest},
} {
	compiled, cell := best(c.compiled), best(c.cell)
	fmt.Println(c.name, float64(cell)/float64(compiled))
}`
	for b.Loop() {
		out := &recorder{}
		if err := s.Execute(b.Context(), code, 1, out); err != nil {
			b.Fatal(err, err.(*CellError).Text())
		}
		for line := range strings.Lines(out.text()) {
			var name string
			var ratio float64
			if _, err := fmt.Sscan(line, &name, &ratio); err != nil {
				b.Fatal(line, err)
			}
			b.ReportMetric(ratio, name+"-ratio")
		}
	}
}

// loops are compiled twice: into the host and in a cell.
//
//go:embed testdata/loops.txt
var loops string
