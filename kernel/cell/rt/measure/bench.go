package measure

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// benchLasts is the default of go test -benchtime.
const benchLasts = time.Second

// Bench prints a line as `go test -bench -benchmem` does: rounds, ns/op, B/op, allocs/op. body runs n rounds; name is
// what they do. Unlike go test it stays on the calling goroutine and its OS thread.
func Bench(name string, o Options, body func(n int)) {
	l := &loop{body: body}
	r := result{N: o.N}
	if r.N > 0 {
		r.measure(l)
	} else {
		// As package testing: from 1 round on, up to a run that lasts long enough.
		for r.N = 1; ; {
			r.measure(l)
			if r.took >= benchLasts || r.N >= 1e9 {
				break
			}
			perRound := max(int64(r.took)/int64(r.N), 1)
			next := int(int64(benchLasts) / perRound)
			next += next / 5
			r.N = min(max(min(next, 100*r.N), r.N+1), 1e9)
		}
	}
	fmt.Println(r.line(name))
}

// result is a run of a benchmark.
type result struct {
	N             int // rounds
	took          time.Duration
	bytes, allocs uint64
}

func (r *result) measure(l *loop) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.took = l.run(r.N)
	runtime.ReadMemStats(&after)
	r.bytes, r.allocs = after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs
}

// line is what benchstat reads: the name without blanks, and the number of processors behind it.
func (r *result) line(name string) string {
	perRound := float64(r.took.Nanoseconds()) / float64(r.N)
	format := "%10.0f"
	switch { // package testing's prettyPrint: a few digits more for small numbers
	case perRound == 0 || perRound >= 999.95:
	case perRound >= 99.995:
		format = "%12.1f"
	case perRound >= 9.9995:
		format = "%13.2f"
	case perRound >= 0.99995:
		format = "%14.3f"
	default:
		format = "%15.4f"
	}
	name = "Benchmark" + strings.Join(strings.Fields(name), "")
	if procs := runtime.GOMAXPROCS(0); procs > 1 {
		name += fmt.Sprintf("-%d", procs)
	}
	return fmt.Sprintf("%s\t%8d\t"+format+" ns/op\t%8d B/op\t%8d allocs/op", name, r.N, perRound, r.bytes/uint64(r.N), r.allocs/uint64(r.N))
}
