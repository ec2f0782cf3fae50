package spark

// Who watches what Spark does.

import (
	"sync/atomic"
	"time"

	"gomosaic/mdslib/spark/pb"
)

// Progress is how far an operation is. All zero, the server is still being started.
type Progress struct {
	Stages  int   // of which some may be done
	Tasks   int64 // of those stages
	Done    int64 // tasks that are done
	Running int64 // tasks that run now
	Bytes   int64 // read by the tasks
}

// Watcher is told of one operation, from one goroutine at a time. Its methods must be quick.
type Watcher interface {
	// Progress is called every two seconds or so, so not at all for what is done sooner.
	Progress(Progress)
	// End is called once, with the operation's error.
	End(error)
}

// watch is what [Watch] set.
var watch atomic.Pointer[func(what string) Watcher]

// Watch lets begin make the watcher of each operation of this process from now on: of a plan that Spark runs, or of a server's
// start. The kernel draws progress bars by it; other programs have none unless they call it.
func Watch(begin func(what string) Watcher) { watch.Store(&begin) }

// watched begins an operation.
func watched(what string) Watcher {
	if begin := watch.Load(); begin != nil {
		return (*begin)(what)
	}
	return unwatched{}
}

type unwatched struct{}

func (unwatched) Progress(Progress) {}
func (unwatched) End(error)         {}

// progressOf sums the stages up.
func progressOf(p *pb.ExecutePlanResponse_ExecutionProgress) Progress {
	sum := Progress{Stages: len(p.Stages), Running: p.NumInflightTasks}
	for _, s := range p.Stages {
		sum.Tasks += s.NumTasks
		sum.Done += min(s.NumCompletedTasks, s.NumTasks) // Spark counts failed tries, too
		sum.Bytes += s.InputBytesRead
	}
	return sum
}

// startBeat is how often a watcher hears of what is only under way: a server that is being started, a program being built.
const startBeat = time.Second

// beating tells a watcher that something is under way, again and again, until the func that it returns is called.
func beating(w Watcher) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(startBeat)
		defer beat.Stop()
		for {
			select {
			case <-beat.C:
				w.Progress(Progress{})
			case <-ended:
				return
			}
		}
	}()
	return func() { close(ended); <-done }
}
