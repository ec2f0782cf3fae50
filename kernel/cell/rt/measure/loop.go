package measure

import (
	"time"

	"gomosaic/kernel/cell/rt"
)

// Options are those of %timeit and %bench; the zero value measures as long as is usual.
type Options struct {
	N int // rounds of a run; default: so many that a run lasts ≥ 0.2 s (Timeit) or 1 s (Bench)
	R int // runs, of Timeit; default 7
}

// quantum is how long a loop may go without a look at the interruption.
const quantum = 20 * time.Millisecond

// loop runs the rounds of a measurement in pieces.
type loop struct {
	body  func(n int) // runs n rounds
	piece int         // rounds that last about a quantum
}

// run takes the time of n rounds.
func (l *loop) run(n int) time.Duration {
	l.piece = max(l.piece, 1)
	var total time.Duration
	for n > 0 {
		if rt.Stop.Load() != 0 {
			rt.Halt()
		}
		k := min(n, l.piece)
		start := time.Now()
		l.body(k)
		took := time.Since(start)
		total += took
		n -= k
		switch {
		case took < quantum/2 && k == l.piece:
			l.piece *= 2
		case took > quantum && k > 1:
			l.piece = k / 2
		}
	}
	return total
}
