package host

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"time"
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

// BenchmarkAssist times answers while code is being written, which are to stay below 50 ms each. The worst of each is
// reported too: a popup that is late once is late.
func BenchmarkAssist(b *testing.B) {
	s, err := Start(b.Context(), testOptions)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	cell := "import (\"net/http\"; \"strings\")\ntype point struct { x, y int }\nfunc (p point) Norm() int { return p.x }\npt := point{1, 2}\nvar client http.Client"
	if err := s.Execute(b.Context(), cell, 1, &recorder{}); err != nil {
		b.Fatal(err)
	}
	long := strings.Repeat("func() { q := pt.Norm() + strings.Count(\"a\", \"b\"); _ = q }()\n", 1000)
	for _, c := range []struct{ name, code string }{
		{"package", "strings.To"}, {"fields", "pt."}, {"methods", "client."}, {"names", "p"}, {"keys", "point{"}, {"unimported", "json."},
		{"import", "import \"net/"}, {"path", "os.Open(\"test"}, {"magic", "%"}, {"in-1000-lines", long + "pt."},
	} {
		b.Run(c.name, func(b *testing.B) {
			worst := time.Duration(0)
			for b.Loop() {
				started := time.Now()
				if found := s.Complete(c.code, len(c.code)); len(found.Matches) == 0 {
					b.Fatal("nothing found")
				}
				worst = max(worst, time.Since(started))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
	for _, code := range []string{"strings.Repeat", "http.Client", "pt", "client.Do"} {
		b.Run("inspect-"+code, func(b *testing.B) {
			for b.Loop() {
				if _, ok := s.Inspect(code, len(code), 0); !ok {
					b.Fatal("nothing found")
				}
			}
		})
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
	{"sieve", Sieve, entry.Sieve}, {"matrix", Matrix, entry.Matrix}, {"largest", Largest, entry.Largest}, {"sort", Sort, entry.Sort},
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
