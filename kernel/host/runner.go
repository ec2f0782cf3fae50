package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"plugin"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"gomosaic/display"
	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
)

// patience is how long an interrupted cell may take to stop before it is left behind.
const patience = time.Second

// run is one cell on its way through the host.
type run struct {
	seq, label int
	plugin     string
	ctx        context.Context
	cancel     context.CancelFunc
	ended      chan struct{}
	left       atomic.Bool  // abandoned: whatever it still does is nobody's
	settled    atomic.Bool  // its end was reported
	goroutine  atomic.Value // "goroutine 18 "
	shown      []any
	hasShown   bool
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
	rt.Stop.Store(0) // here and not at the end: an interrupt may arrive late
	rt.Ctx = r.ctx
	defer r.cancel()
	r.goroutine.Store(goroutineName())
	if r.ctx.Err() != nil {
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
	returned := false
	defer func() {
		if !returned { // runtime.Goexit: this goroutine cannot be saved
			go s.runner()
			s.end(r, outcome{status: statusPanic, name: "runtime.Goexit", text: "runtime.Goexit ended the cell", frames: rt.Frames()})
		}
	}()
	o := protect(f)
	returned = true
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
func protect(f func()) (o outcome) {
	o.status = statusOK
	defer func() {
		if v := recover(); v != nil {
			o = outcomeOf(v)
		}
	}()
	f()
	return o
}

func outcomeOf(v any) outcome {
	switch v := v.(type) {
	case rt.Interrupted:
		return outcome{status: statusInterrupted, text: "interrupted", frames: rt.Frames()}
	case *rt.Failure:
		return outcome{status: statusError, name: "error", text: v.Error(), frames: v.Frames}
	case error:
		if rt.Stop.Load() != 0 && errors.Is(v, context.Canceled) {
			return outcome{status: statusInterrupted, text: "interrupted", frames: rt.Frames()}
		}
		return outcome{status: statusPanic, name: fmt.Sprintf("%T", v), text: textOf(v), frames: rt.Frames()}
	default:
		return outcome{status: statusPanic, name: fmt.Sprintf("%T", v), text: textOf(v), frames: rt.Frames()}
	}
}

// textOf prints a panic value, whatever its methods do.
func textOf(v any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("%T (its Error or String method panicked: %v)", v, p)
		}
	}()
	return fmt.Sprint(v)
}

// end shows the result and reports the outcome, once.
func (s *server) end(r *run, o outcome) {
	defer close(r.ended)
	if !r.settled.CompareAndSwap(false, true) {
		return
	}
	var err error
	if o.status != statusOK {
		err = errors.New(o.text)
	}
	display.EndCell(err)
	if err == nil && r.hasShown {
		s.showResult(r.shown)
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

// interrupt asks the running cell to stop; one that is blocked where no guard is (a channel, a lock, foreign code) is
// left behind after a while, with its goroutine and its thread, and a new runner takes its place.
func (s *server) interrupt() {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	if r == nil {
		return
	}
	r.cancel() // first: execute looks at the context after it has cleared the flag
	rt.Stop.Store(1)
	go func() {
		select {
		case <-r.ended:
			return
		case <-time.After(patience):
		}
		if !r.settled.CompareAndSwap(false, true) {
			return
		}
		r.left.Store(true)
		where, why := blockedAt(r.goroutine.Load())
		go s.runner()
		display.EndCell(errors.New("interrupted"))
		s.finish(r, outcome{status: statusAbandoned, text: why, frames: where})
	}()
}

// shown keeps the values of the last expression.
func (s *server) shown(values []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.shown, s.current.hasShown = values, true
	}
}

// showResult renders the values as the cell's result.
func (s *server) showResult(values []any) {
	types := make([]string, len(values))
	for i, v := range values {
		types[i] = cell.Demangle(fmt.Sprintf("%T", v))
	}
	d := renderSafely(values)
	if len(d.Data) == 0 {
		return
	}
	metadata := map[string]any{"gomosaic": map[string]any{"type": strings.Join(types, ", ")}}
	for k, v := range d.Metadata {
		metadata[k] = v
	}
	_ = s.sendMarked(message{Kind: msgResult, Data: d.Data, Metadata: metadata})
}

// renderSafely renders values whose methods may panic: that is said in their place then.
func renderSafely(values []any) (d display.Data) {
	defer func() {
		if p := recover(); p != nil {
			d = display.MakeData(display.MIMETypeText, fmt.Sprintf("(rendering panicked: %v\n%s)", p, strings.Join(rt.FramesText(rt.Frames(), nil), "\n")))
		}
	}()
	return display.RenderResult(values...)
}

// goroutineName is the head of the calling goroutine's stack trace, `goroutine 18 `.
func goroutineName() string {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)]
	i := bytes.IndexByte(buf, '[')
	return string(buf[:max(i, 0)])
}

var cellFrame = regexp.MustCompile(`cell\[\d+\]:\d+`)

// blockedAt finds in a trace of all goroutines where the given one is, and on what it waits.
func blockedAt(goroutine any) (frames []rt.Frame, why string) {
	name, _ := goroutine.(string)
	buf := make([]byte, 4<<20)
	trace := string(buf[:runtime.Stack(buf, true)])
	for part := range strings.SplitSeq(trace, "\n\n") {
		if name == "" || !strings.HasPrefix(part, name) {
			continue
		}
		head, _, _ := strings.Cut(part, "\n")
		_, why, _ = strings.Cut(head, "[")
		why, _, _ = strings.Cut(why, "]")
		why, _, _ = strings.Cut(why, ",")
		for _, place := range cellFrame.FindAllString(part, -1) {
			frames = append(frames, rt.Frame{Place: place})
		}
		return frames, why
	}
	return nil, ""
}
