package torch

import (
	"errors"
	"runtime"
)

// Stream is a queue of work on a GPU: copies on one run beside kernels on another. Close it when nothing more will be queued.
type Stream struct {
	h        uintptr
	device   Device
	borrowed bool // of WithStream's caller, who closes it
}

// NewStream takes a stream of a GPU's pool.
func NewStream(d Device) *Stream {
	s := &Stream{device: d}
	kind, index := d.parts()
	check("stream", lib().streamNew(kind, index, &s.h))
	return s
}

// CurrentStream is the stream on which this goroutine's operators on a GPU run: that of [WithStream], else the default one.
func CurrentStream(d Device) *Stream {
	if st := current(); st.stream != nil && st.stream.device == d {
		return &Stream{h: st.stream.handle(), device: d, borrowed: true}
	}
	s := &Stream{device: d}
	kind, index := d.parts()
	check("stream", lib().streamCurrent(kind, index, &s.h))
	return s
}

// Device is the stream's GPU.
func (s *Stream) Device() Device { return s.device }

// Synchronize waits until all work queued so far is done.
func (s *Stream) Synchronize() { check("stream", lib().streamSynchronize(s.handle())) }

// Wait has the stream's later work wait for an event.
func (s *Stream) Wait(e *Event) { check("event", lib().eventBlock(e.handle(), s.handle())) }

// Close lets go of the stream; the work queued on it is still done.
func (s *Stream) Close() {
	if s.h != 0 && !s.borrowed {
		lib().streamFree(s.h)
	}
	s.h = 0
}

func (s *Stream) handle() uintptr {
	if s.h == 0 {
		panic(&OpError{Op: "stream", Msg: "the stream is closed"})
	}
	return s.h
}

// WithStream runs f with this goroutine's GPU operators queued on a stream, as torch.cuda.stream(s). A tensor made on one
// stream and used on another needs an [Event] to wait for, and [Tensor.RecordStream].
func WithStream(s *Stream, f func()) {
	st := enter()
	before, handle := st.stream, st.call.stream
	st.stream, st.call.stream = s, s.handle()
	defer func() {
		st.stream, st.call.stream = before, handle
		st.leave()
	}()
	f()
}

// RecordStream tells the allocator that a stream uses the tensor, which was made on another: its memory is used again only
// when that stream has passed this point.
func (t *Tensor) RecordStream(s *Stream) { OpInPlace("record_stream", t, s) }

// Event is a mark in a GPU's stream.
type Event struct{ h uintptr }

// NewEvent makes an event for GPUs of the device's kind.
func NewEvent(d Device) *Event {
	e := &Event{}
	kind, _ := d.parts()
	check("event", lib().eventNew(kind, &e.h))
	return e
}

// Record marks the point that the stream has been filled to.
func (e *Event) Record(s *Stream) { check("event", lib().eventRecord(e.handle(), s.handle())) }

// Done reports whether the stream has passed the mark.
func (e *Event) Done() bool {
	var done int32
	check("event", lib().eventQuery(e.handle(), &done))
	return done != 0
}

// Synchronize waits until the stream has passed the mark.
func (e *Event) Synchronize() { check("event", lib().eventSynchronize(e.handle())) }

// Close lets go of the event.
func (e *Event) Close() {
	if e.h != 0 {
		lib().eventFree(e.h)
		e.h = 0
	}
}

func (e *Event) handle() uintptr {
	if e.h == 0 {
		panic(&OpError{Op: "event", Msg: "the event is closed"})
	}
	return e.h
}

// Graph is a recorded sequence of GPU work that is launched as one (torch.cuda.CUDAGraph): for steps of unchanging shape,
// whose launches would take longer than their kernels.
type Graph struct{ h uintptr }

// NewGraph makes an empty graph. It needs CUDA, and CUDA's headers when the shim was built.
func NewGraph() (*Graph, error) {
	l := lib()
	if l.graphNew == nil {
		return nil, errors.New("torch: no CUDA graphs: CUDA is not available, or its headers (cuda-runtime, cuda-crt, cuda-cccl, nccl) were missing when the shim was built")
	}
	g := &Graph{}
	return g, failure("graph", l.graphNew(&g.h))
}

// Capture records what f queues; it must run under [WithStream] on a stream of its own, after a few steps of warm-up, and use
// tensors that live as long as the graph.
func (g *Graph) Capture(f func()) error {
	runtime.LockOSThread() // CUDA ends a capture on the thread that began it
	defer runtime.UnlockOSThread()
	state := &current().call
	if err := failure("graph", lib().graphBegin(state, g.h)); err != nil {
		return err
	}
	err := Try(f)
	if e := failure("graph", lib().graphEnd(state, g.h)); err == nil {
		err = e
	}
	return err
}

// Replay queues the recorded work again, on this goroutine's stream and the tensors that it was recorded with.
func (g *Graph) Replay() error {
	return failure("graph", lib().graphReplay(&current().call, g.h))
}

// Close frees the graph and its memory.
func (g *Graph) Close() {
	if g.h != 0 {
		lib().graphFree(g.h)
		g.h = 0
	}
}
