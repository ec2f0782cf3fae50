package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"plugin"
	"runtime"
	"sync/atomic"

	"gomosaic/display"
	"gomosaic/kernel/cell/rt"
)

// run is one cell on its way through the host.
type run struct {
	seq, label int
	plugin     string
	goroutines *rt.Run
	started    int64 // uptime
	ended      chan struct{}
	pressed    atomic.Int32 // interrupts so far
	left       atomic.Bool  // abandoned: whatever it still does is nobody's
	settled    atomic.Bool  // its end was reported
	goroutine  atomic.Value // "goroutine 18 "
	shown      []any        // values of the last expression
	shownAt    []rt.Frame   // and where that stands
	result     message      // shown, rendered; empty for nothing
}

// outcome is how a run ended.
type outcome struct {
	status, name, text string
	frames             []rt.Frame
}

// runner runs all cells on one goroutine locked to its OS thread for as long as it lives: C libraries keep state by
// thread (OpenMP pools, libtorch's modes), and pay for it anew on each other thread. It ends when its cell is abandoned
// and a new runner has taken over.
func (s *server) runner() {
	runtime.LockOSThread()
	for r := range s.pending {
		if s.execute(r); r.left.Load() {
			return
		}
	}
}

func (s *server) execute(r *run) {
	r.goroutines.Begin()
	r.goroutine.Store(goroutineName())
	if r.goroutines.Interrupted() {
		s.end(r, outcome{status: statusInterrupted, text: "interrupted"})
		return
	}
	if err := s.load(r); err != nil {
		s.end(r, outcome{status: statusLoad, text: err.Error()})
		return
	}
	s.mu.Lock()
	f := s.cells[r.seq].run
	s.mu.Unlock()
	if f == nil {
		s.end(r, outcome{status: statusLoad, text: "the plugin registered no cell"})
		return
	}
	_ = s.events.send(message{Kind: msgLoaded, Seq: r.seq})
	go s.stdin.watch(r)
	member, returned := r.goroutines.Enter(), false
	defer func() {
		if !returned { // runtime.Goexit: this goroutine cannot be saved
			member.Leave()
			go s.runner()
			s.end(r, outcome{status: statusPanic, name: "runtime.Goexit", text: "runtime.Goexit ended the cell", frames: rt.Frames()})
		}
	}()
	o := r.protect(func() {
		f()
		r.render()
	})
	returned = true
	member.Leave()
	if r.goroutines.Interrupted() {
		r.awaitGoroutines()
	}
	s.end(r, o)
}

// load opens the plugin, whose init registers the cell.
func (s *server) load(r *run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("initialisation of an imported package: panic: %v", v)
		}
	}()
	_, err = plugin.Open(r.plugin)
	return err
}

// protect runs a cell and turns its panic into an outcome.
func (r *run) protect(f func()) (o outcome) {
	o.status = statusOK
	defer func() {
		if v := recover(); v != nil {
			o = r.outcomeOf(v, rt.Frames())
		}
	}()
	f()
	return o
}

// outcomeOf prints the panic value by its methods, which an interruption ends like the rest of the cell.
func (r *run) outcomeOf(v any, frames []rt.Frame) (o outcome) {
	interrupted := outcome{status: statusInterrupted, text: "interrupted", frames: frames}
	before := r.goroutines.Interrupted()
	switch v := v.(type) {
	case rt.Interrupted:
		if before {
			return interrupted
		}
		o = outcome{status: statusPanic, name: "interrupted", text: "interrupted in an earlier cell; sync.OnceFunc and the like keep the panic of their function", frames: frames}
	case *rt.Failure:
		o = outcome{status: statusError, name: "error", text: rt.PanicText(v.Err), frames: v.Frames}
	default:
		o = outcome{status: statusPanic, name: fmt.Sprintf("%T", v), text: rt.PanicText(v), frames: frames}
	}
	if r.goroutines.Interrupted() && (!before || isCanceled(v)) {
		return interrupted
	}
	return o
}

// isCanceled tells of an error that an interruption caused by way of ctx.
func isCanceled(v any) (is bool) {
	defer func() { _ = recover() }() // of the error's own Is and Unwrap
	err, ok := v.(error)
	return ok && errors.Is(err, context.Canceled)
}

// end shows the result and reports the outcome, once. What a cell has started with ctx goes on only if it went well: a
// server, say, that the cell would start again when the user has mended it.
func (s *server) end(r *run, o outcome) {
	defer close(r.ended)
	if o.status != statusOK {
		r.goroutines.Cancel()
	}
	if !r.settled.CompareAndSwap(false, true) {
		return
	}
	var err error
	if o.status != statusOK {
		err = errors.New(o.text)
	}
	display.EndCell(err)
	if err == nil && len(r.result.Data) > 0 {
		if err := s.sendMarked(r.result); err != nil {
			fmt.Fprintln(rt.Stderr(os.Stderr), "the result is not shown:", err)
		}
	}
	s.finish(r, o)
}

func (s *server) finish(r *run, o outcome) {
	s.mu.Lock()
	if s.current == r {
		s.current = nil
	}
	s.mu.Unlock()
	_ = s.sendMarked(message{Kind: msgDone, Seq: r.seq, Status: o.status, Error: o.text, Name: o.name, Frames: o.frames})
}
