package torch

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Scope owns the tensors made while it is open on its goroutine, and frees them when it is closed. Scopes nest; they must be
// closed in the reverse order, on the goroutine that opened them. [Step] is the way to use one; OpenScope serves iterators,
// whose loop body runs between their own lines.
type Scope struct {
	tensors []*Tensor
	outer   *Scope
	state   *goroutineState
}

// OpenScope opens a scope on the running goroutine. The caller must Close it, on every path.
func OpenScope() *Scope {
	s := enter()
	sc := &Scope{outer: s.scope, state: s}
	s.scope = sc
	return sc
}

// Close frees every tensor made since OpenScope that was not given to [Keep]. Closing twice does nothing.
func (sc *Scope) Close() {
	if sc.state == nil {
		return
	}
	if current() != sc.state || sc.state.scope != sc {
		panic(&OpError{Op: "Scope.Close", Msg: "a scope opened later is still open, or this is another goroutine"})
	}
	handles := make([]uintptr, 0, len(sc.tensors))
	for _, t := range sc.tensors {
		if t.scope == sc && t.h != 0 {
			handles = append(handles, t.h)
			t.h, t.scope = 0, nil
		}
	}
	if len(handles) > 0 {
		lib().releaseMany(&handles[0], int64(len(handles)))
		live.Add(-int64(len(handles)))
	}
	sc.state.scope = sc.outer
	sc.state.leave()
	sc.state, sc.tensors = nil, nil
}

// Own has the scope free tensors that were made outside of it, on another goroutine say, as if they had been made in it.
func (sc *Scope) Own(ts ...*Tensor) {
	for _, t := range ts {
		t.handle("Scope.Own")
		if t.scope == nil {
			t.cleanup.Stop()
		}
		t.scope, t.kept = sc, false
		sc.tensors = append(sc.tensors, t)
	}
}

// Step runs f and frees the tensors made in it, save those given to [Keep]: one step of training, one batch of evaluation.
func Step(f func()) {
	sc := OpenScope()
	defer sc.Close()
	f()
}

// Keep takes tensors out of whatever scope they were made in, so that they outlive it; they are then freed when no longer
// referred to, or by Free. It also spares them from the freeing of intermediates inside nn.Sequential. Nil entries are
// skipped. It returns the first tensor, for use in an expression.
func Keep(ts ...*Tensor) *Tensor {
	for _, t := range ts {
		if t == nil {
			continue
		}
		t.handle("Keep")
		t.kept = true
		if t.scope != nil {
			t.scope = nil
			t.watch()
		}
	}
	if len(ts) == 0 {
		return nil
	}
	return ts[0]
}

// Release frees tensors at once unless they were given to [Keep]. Layers call it for the intermediate results they made and
// have consumed: autograd keeps what it needs of them, and the memory of the rest is used again in the same step.
func Release(ts ...*Tensor) {
	for _, t := range ts {
		if t != nil && !t.kept {
			t.Free()
		}
	}
}

// live counts handles, for tests and for Stats.
var live atomic.Int64

// LiveTensors is the number of tensors that hold memory now.
func LiveTensors() int64 { return live.Load() }

// unwatched collects the handles of tensors that the garbage collector found unused outside any scope. The cleanup only
// queues: releasing runs libtorch code, which belongs on a goroutine that calls libtorch anyway.
var unwatched struct {
	sync.Mutex
	waiting atomic.Bool
	handles []uintptr
}

func queue(h uintptr) {
	unwatched.Lock()
	unwatched.handles = append(unwatched.handles, h)
	unwatched.waiting.Store(true)
	unwatched.Unlock()
}

// Drain frees what the garbage collector has found unused. Each operator call does so first; the end of a cell may, too.
func Drain() {
	if !unwatched.waiting.Load() {
		return
	}
	unwatched.Lock()
	handles := unwatched.handles
	unwatched.handles = nil
	unwatched.waiting.Store(false)
	unwatched.Unlock()
	if len(handles) > 0 {
		lib().releaseMany(&handles[0], int64(len(handles)))
		live.Add(-int64(len(handles)))
	}
}

// reclaim frees what is no longer referred to, for an operator that has found no memory; false: there was nothing.
func reclaim() bool {
	before := live.Load()
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // cleanups run on goroutines of their own
	Drain()
	return live.Load() < before
}

// pressureKiB is how much may be made outside scopes before the garbage collector is asked to look: it sees a tensor as a
// few words, whatever it holds.
const pressureKiB = 512 << 10

var unscopedKiB atomic.Int64

func pressure(kib int64) {
	if unscopedKiB.Add(kib) > pressureKiB {
		unscopedKiB.Store(0)
		runtime.GC()
	}
}
