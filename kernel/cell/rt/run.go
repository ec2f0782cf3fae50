package rt

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Run is one run of a cell: its goroutine, and those that it starts by go statements, by WaitGroup.Go and the like, and
// those that they start. An interruption stops them all and nobody else: what earlier cells have left running goes on.
// Its methods are safe for concurrent use, and a nil Run is one that nobody can interrupt, as in a shipped program.
type Run struct {
	interrupted atomic.Bool
	done        chan struct{} // closed by Interrupt
	life        context.Context
	cancel      context.CancelFunc // of life
	ctx         context.Context    // the user's variable: life, until a cell assigns another

	mu      sync.Mutex
	alive   int // goroutines that belong to it
	counted bool
	given   bool          // given up, see Forget
	over    chan struct{} // closed when alive falls to 0 after Interrupt
}

// NewRun makes a run without goroutines.
func NewRun() *Run {
	ctx, cancel := context.WithCancel(context.Background())
	return &Run{done: make(chan struct{}), life: ctx, cancel: cancel, ctx: ctx, over: make(chan struct{})}
}

// Begin makes the run's ctx that of goroutines which belong to no run.
func (r *Run) Begin() { SetContext(&r.ctx) }

// Context ends when the run is interrupted, or by Cancel.
func (r *Run) Context() context.Context { return r.life }

// Cancel ends the run's ctx, and nothing else.
func (r *Run) Cancel() { r.cancel() }

// Interrupt stops the run's goroutines: each is unwound by a panic at the next check, or out of the wait that it is in.
// Then it ends ctx: whoever is woken by that can tell the interruption from others.
func (r *Run) Interrupt() {
	r.stop()
	r.cancel()
}

func (r *Run) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interrupted.Load() {
		return
	}
	r.interrupted.Store(true)
	close(r.done)
	if r.alive == 0 {
		close(r.over)
		return
	}
	r.counted = true
	Stop.Add(1)
}

// Interrupted tells whether Interrupt was called.
func (r *Run) Interrupted() bool { return r != nil && r.interrupted.Load() }

// Over is closed when no goroutine of an interrupted run is left.
func (r *Run) Over() <-chan struct{} { return r.over }

// Forget lets loops run at full speed again although goroutines of this interrupted run are left, blocked in foreign
// code. One that comes back from there is stopped where it waits next.
func (r *Run) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counted {
		r.counted = false
		Stop.Add(-1)
	}
	r.given = true
}

// Member is a goroutine's part in a run; see [Run.Enter].
type Member struct{ m *member }

// Enter makes the calling goroutine part of the run; it MUST end with `defer run.Enter().End()`.
func (r *Run) Enter() Member {
	if r == nil {
		return Member{}
	}
	r.mu.Lock()
	r.alive++
	if r.interrupted.Load() && !r.counted && !r.given {
		r.counted = true
		Stop.Add(1)
	}
	r.mu.Unlock()
	m := &member{run: r}
	m.join()
	return Member{m}
}

// Leave ends what Enter began, for those who recover by themselves.
func (m Member) Leave() {
	if m.m == nil {
		return
	}
	m.m.leave()
	r := m.m.run
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alive--
	if r.alive > 0 || !r.interrupted.Load() {
		return
	}
	if r.counted {
		r.counted = false
		Stop.Add(-1)
	}
	select {
	case <-r.over:
	default:
		close(r.over)
	}
}

// End is deferred by every goroutine that a cell starts: its panic is reported and ends the goroutine, not the process.
// In a shipped program it ends the program, as in any Go program.
func (m Member) End() {
	defer m.Leave() // after the report, which calls methods of the value
	report(recover())
}

// report tells the host of a panic, unless value is nil or an interruption. It is called by a deferred function, for the
// frames' sake.
func report(value any) {
	if value == nil {
		return
	}
	if _, ok := value.(Interrupted); ok {
		return
	}
	if h := hooks.Load(); h != nil {
		frames := Frames()
		h.GoPanic(PanicText(value), frames)
		return
	}
	Die(value)
}

// PanicText prints a panic value, whatever its methods do. An interruption ends those that do not end by themselves.
func PanicText(value any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("%T (interrupted in its Error or String method)", value)
		}
	}()
	return fmt.Sprint(value)
}

// Starting is evaluated by a go statement, before the goroutine starts: the run that the new goroutine will belong to.
func Starting() *Run {
	if m := self(); m != nil {
		return m.run
	}
	return nil
}

// cleanup is how long the deferred functions of an interrupted goroutine may run and wait before they are interrupted
// too. It also bounds how long a library's recover, which swallowed the interruption, keeps a goroutine going.
const cleanup = 200 * time.Millisecond

// halts tells whether the goroutine is to be unwound now.
func (m *member) halts() bool {
	if !m.run.interrupted.Load() {
		return false
	}
	if m.halted.IsZero() {
		m.halted = time.Now()
		return true
	}
	return time.Since(m.halted) > cleanup
}

// done is closed when the goroutine must not wait any longer.
func (m *member) done() <-chan struct{} {
	if m.halted.IsZero() {
		return m.run.done
	}
	c := make(chan struct{})
	time.AfterFunc(cleanup-time.Since(m.halted), func() { close(c) })
	return c
}

// halt marks the goroutine as unwound and is the panic value for it.
func (m *member) halt() Interrupted {
	if m.halted.IsZero() {
		m.halted = time.Now()
	}
	return Interrupted{}
}
