package spark

import (
	"testing"
	"testing/synctest"
	"time"
)

type beatsSeen struct{ n int }

func (b *beatsSeen) Progress(p Progress) {
	if p == (Progress{}) {
		b.n++
	}
}
func (*beatsSeen) End(error) {}

// TestBeating: a watcher hears that something is under way, until it has ended.
func TestBeating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen beatsSeen
		stop := beating(&seen)
		time.Sleep(3*startBeat + startBeat/2)
		stop()
		time.Sleep(2 * startBeat)
		if seen.n != 3 {
			t.Errorf("%d beats in 3.5 times their distance", seen.n)
		}
	})
}
