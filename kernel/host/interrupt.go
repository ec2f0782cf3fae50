package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"gomosaic/display"
	"gomosaic/kernel/cell/rt"
)

const (
	// childrenAfter is when the processes that the cell started get a SIGINT: a cell that waits for one ends with it.
	childrenAfter = 100 * time.Millisecond
	// patience is how long an interrupted cell may take to stop before it is left behind.
	patience = time.Second
	// tidyPatience is how long it may take where a library of ours ends what it began elsewhere: ranks, a query, the tasks of a
	// conversion. A second interrupt is not kept waiting by it.
	tidyPatience = 10 * time.Second
	// goroutinePatience is how long the end of an interrupted cell waits for the goroutines that it started.
	goroutinePatience = 100 * time.Millisecond
)

// interrupt asks the running cell to stop. One that is blocked where nothing looks for interruptions (a lock, foreign
// code) is left behind after a while, or at the next interrupt, with its goroutine and its thread, and a new runner takes
// its place. Between cells an interrupt tells what was left behind and how to be rid of it.
func (s *server) interrupt() {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	if r == nil {
		go s.offerRestart()
		return
	}
	if r.pressed.Add(1) > 1 {
		go s.leaveBehind(r)
		return
	}
	r.goroutines.Interrupt()
	go func() {
		select {
		case <-r.ended:
			return
		case <-time.After(childrenAfter):
		}
		interruptChildren(r.started)
		select {
		case <-r.ended:
			return
		case <-time.After(patience - childrenAfter):
		}
		if tidies(traceOf(r.goroutine.Load())) {
			select {
			case <-r.ended:
				return
			case <-time.After(tidyPatience - patience):
			}
		}
		s.leaveBehind(r)
	}()
}

// tidying is the beginning of what a trace says of functions that end with ctx, once they have ended what they began elsewhere.
var tidying = []string{"gomosaic/mdslib", "gomosaic/trainlib/distributor"}

// tidies tells whether a goroutine is in such a function, and not in what that calls of a cell.
func tidies(trace string) bool {
	trace, _, _ = strings.Cut(trace, "cell[")
	for _, of := range tidying {
		if strings.Contains(trace, "\n"+of) {
			return true
		}
	}
	return false
}

// leaveBehind gives up on an interrupted cell.
func (s *server) leaveBehind(r *run) {
	if !r.settled.CompareAndSwap(false, true) {
		return
	}
	r.left.Store(true)
	s.mu.Lock()
	s.left = append(s.left, r)
	s.mu.Unlock()
	where, why := blockedAt(r.goroutine.Load())
	go s.runner()
	display.EndCell(errors.New("interrupted"))
	s.finish(r, outcome{status: statusAbandoned, text: why, frames: where})
}

// offerRestart says on standard error which cells were left behind and are still there, if any.
func (s *server) offerRestart() {
	s.mu.Lock()
	s.left = slices.DeleteFunc(s.left, func(r *run) bool {
		select {
		case <-r.ended:
			return true
		default:
			return false
		}
	})
	left := slices.Clone(s.left)
	s.mu.Unlock()
	for _, r := range left {
		where, why := blockedAt(r.goroutine.Load())
		fmt.Fprintf(rt.Stderr(os.Stderr), "cell[%d], interrupted before, is still there: it %s\n%s\n%s\n", r.label, waitsIn(why), rt.Trace(where), restartOffer)
	}
}

// awaitGoroutines waits a moment for the goroutines of an interrupted cell, so that they do not print into the next one;
// those that are blocked in foreign code are left to themselves.
func (r *run) awaitGoroutines() {
	select {
	case <-r.goroutines.Over():
	case <-time.After(goroutinePatience):
		r.goroutines.Forget()
	}
}

// goroutineName is the head of the calling goroutine's stack trace, `goroutine 18 `.
func goroutineName() string {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)]
	i := bytes.IndexByte(buf, '[')
	return string(buf[:max(i, 0)])
}

// cellFrame is a frame of a trace that lies in a cell: the function's symbol with its arguments, and the place.
var cellFrame = regexp.MustCompile(`(?m)^(.+)\([^()\n]*\)\n\t.*?(cell\[\d+\]:\d+)`)

// traceOf is the stack trace of a goroutine; "" where there is none any more.
func traceOf(goroutine any) string {
	name, _ := goroutine.(string)
	buf := make([]byte, 4<<20)
	trace := string(buf[:runtime.Stack(buf, true)])
	for part := range strings.SplitSeq(trace, "\n\n") {
		if name != "" && strings.HasPrefix(part, name) {
			return part
		}
	}
	return ""
}

// blockedAt finds where a goroutine is, and on what it waits.
func blockedAt(goroutine any) (frames []rt.Frame, why string) {
	trace := traceOf(goroutine)
	head, _, _ := strings.Cut(trace, "\n")
	_, why, _ = strings.Cut(head, "[")
	why, _, _ = strings.Cut(why, "]")
	why, _, _ = strings.Cut(why, ",")
	for _, f := range cellFrame.FindAllStringSubmatch(trace, -1) {
		frames = append(frames, rt.Frame{Place: f[2], Func: rt.UserFunc(f[1])})
	}
	return frames, why
}

// restartOffer ends the notes about what was left behind.
const restartOffer = "What was left behind may go on when its wait ends. To be rid of it, restart the kernel; the variables are lost then."

// waitsIn says in words what a goroutine does, given the runtime's.
func waitsIn(why string) string {
	switch why {
	case "", "running", "runnable":
		return "runs code that does not look for interruptions"
	case "syscall":
		return "is in a call of the system or of C code that does not end"
	}
	return "waits where no interruption reaches it (" + why + ")"
}
