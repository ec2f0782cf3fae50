package kernel

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gomosaic/kernel/host"
)

// session is what the front needs of a cell host; *host.Session is the one there is, and the tests of the front's own
// order of messages script another. Complete, Inspect and Interrupt may be called while Execute runs.
type session interface {
	Execute(ctx context.Context, code string, cell int, out host.Output) error
	Interrupt()
	Complete(code string, cursorBytes int) host.Completion
	Inspect(code string, cursorBytes, detail int) (data map[string]any, found bool)
	Close() error
}

var _ session = (*host.Session)(nil)

// hostHandle is a session that may still be starting.
type hostHandle struct {
	start func() (session, error)

	mu      sync.Mutex
	closed  bool
	started chan struct{} // closed when s or err is set
	s       session
	err     error
}

// startHost starts a session in the background; ctx ends with the kernel, and with it a start that is under way.
func startHost(ctx context.Context, start func(context.Context) (session, error)) *hostHandle {
	h := &hostHandle{start: func() (session, error) { return start(ctx) }}
	h.begin()
	return h
}

func (h *hostHandle) begin() {
	started := make(chan struct{})
	h.started, h.s, h.err = started, nil, nil
	go func() {
		s, err := h.start()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.closed && s != nil {
			s.Close()
			s, err = nil, errClosing
		}
		h.s, h.err = s, err
		close(started)
	}()
}

var errClosing = errors.New("kernel: the kernel is shutting down")

// get waits for the session. A start that failed is reported once; the next call tries again, since what was missing
// may have been installed meanwhile.
func (h *hostHandle) get(ctx context.Context) (session, error) {
	h.mu.Lock()
	started := h.started
	h.mu.Unlock()
	select {
	case <-started:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil && !h.closed {
		err := h.err
		h.begin()
		return nil, fmt.Errorf("the cell host does not start: %w", err)
	}
	return h.s, h.err
}

// running returns the session if it has started, else nil.
func (h *hostHandle) running() session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.s
}

// close ends the session, also one that is still starting.
func (h *hostHandle) close() error {
	h.mu.Lock()
	h.closed = true
	s, started := h.s, h.started
	h.mu.Unlock()
	if s == nil {
		<-started // its context has ended: it is about to
		return nil
	}
	return s.Close()
}
