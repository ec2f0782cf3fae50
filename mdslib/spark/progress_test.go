package spark

import (
	"testing"
	"testing/synctest"
	"time"

	"gomosaic/mdslib/spark/pb"
)

// TestProgressOfRetries: tries that failed don't make more done than there are tasks.
func TestProgressOfRetries(t *testing.T) {
	got := progressOf(&pb.ExecutePlanResponse_ExecutionProgress{
		NumInflightTasks: 1,
		Stages: []*pb.ExecutePlanResponse_ExecutionProgress_StageInfo{
			{StageId: 1, NumTasks: 2, NumCompletedTasks: 4, InputBytesRead: 7}, {StageId: 2, NumTasks: 3, NumCompletedTasks: 1},
		},
	})
	if want := (Progress{Stages: 2, Tasks: 5, Done: 3, Running: 1, Bytes: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

type beatsSeen struct{ n int }

func (b *beatsSeen) Progress(p Progress) {
	if p == (Progress{}) {
		b.n++
	}
}
func (*beatsSeen) End(error) {}

// TestLongWait: whoever watches hears that a server does not answer while it is waited for long, and once that this is over.
func TestLongWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := watch.Load()
		defer watch.Store(old)
		var told []string
		var seen beatsSeen
		Watch(func(what string) Watcher { told = append(told, what); return &seen })
		r := retryPolicy{retries: 3, first: longWait / 2, most: time.Minute, factor: 4}.begin(&target{host: "host", port: "443"})
		for range 3 {
			if !r.again(t.Context(), errEnded) {
				t.Fatal("no other try")
			}
		}
		r.end()
		if len(told) != 1 || told[0] != "sc://host:443 does not answer, trying again" || seen.n < 9 {
			t.Errorf("told %q, %d beats in some ten seconds", told, seen.n)
		}
		time.Sleep(2 * startBeat)
		if n := seen.n; n > 11 {
			t.Errorf("%d beats, also after the end", n)
		}
	})
}

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
