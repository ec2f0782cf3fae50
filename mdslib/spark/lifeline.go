package spark

// Lifelines: the connections of a session's Map tasks, by which they know that their rows are wanted. Spark does not end a TRANSFORM's
// program when it gives its task up, nor when the task has all the rows that it needs: it goes on to feed it, or leaves it waiting.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/ship/sealed"
	"gomosaic/mdslib/spark/worker"
)

// lifelines holds the tasks of a session's Map steps, for as long as the queries run that they are for. It is safe for concurrent use.
type lifelines struct {
	opening    sync.Mutex // held while it is found out whether there can be any
	opened     bool
	invitation string // "": there are none

	mu       sync.Mutex
	listener *sealed.Listener
	queries  map[string]bool                  // those that run
	tasks    map[*sealed.Conn]map[string]bool // the queries that each may be for
	closed   bool
}

// lifeline is the invitation for the session's tasks, the same for all: Spark knows rows that it keeps by their plan. It is "" where
// executors do not reach this process, as one row finds out, once a session; tasks then go without.
func (e *engine) lifeline(ctx context.Context, who writers) (string, error) {
	l := &e.lifelines
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.opened {
		return l.invitation, nil
	}
	reached, err := e.openLifelines(ctx, who)
	if err != nil {
		return "", err
	}
	l.opened = true
	switch {
	case reached:
		l.invitation = l.listener.Invitation()
	case l.listener != nil:
		_ = l.listener.Close()
	}
	return l.invitation, nil
}

// openLifelines begins to listen and tells whether an executor comes through. An error is that of the connection to Spark, or ctx's.
func (e *engine) openLifelines(ctx context.Context, who writers) (reached bool, err error) {
	l := &e.lifelines
	if l.listener == nil {
		address, err := e.Address(ctx)
		if err == nil {
			err = l.open(address)
		}
		if err != nil {
			return false, context.Cause(ctx) // the server is behind a tunnel, say
		}
	}
	input, err := relationOf(&plan.Range{End: 1, Step: 1, Partitions: 1})
	if err != nil {
		return false, err
	}
	host, port, _ := net.SplitHostPort(l.listener.Address())
	script := fmt.Sprintf("cat >/dev/null; timeout 2 bash -c 'head -c %d </dev/tcp/%s/%s' 2>/dev/null; echo", len(sealed.Magic), host, port)
	var lines []string
	if who == byTransform {
		lines, err = e.collectLines(ctx, transformed(input, []string{"id"}, script))
	} else {
		lines, err = e.collectMapped(ctx, input, script, false)
	}
	if refused := (*mdslib.SparkError)(nil); errors.As(err, &refused) && ctx.Err() == nil {
		return false, nil
	}
	return strings.Join(lines, "") == sealed.Magic, err
}

// open listens at an address of this machine, if it is one.
func (l *lifelines) open(address string) error {
	listener, err := sealed.Listen(net.JoinHostPort(address, "0"), address)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = listener.Close()
		return net.ErrClosed
	}
	l.listener = listener
	go l.serve(listener)
	return nil
}

// begin notes a query until end is called, which ends the tasks that are for it and for no other.
func (l *lifelines) begin(query string) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queries == nil {
		l.queries = map[string]bool{}
	}
	l.queries[query] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.queries, query)
		for task, of := range l.tasks {
			if delete(of, query); len(of) == 0 {
				l.dismiss(task)
			}
		}
	}
}

// dismiss ends a task. The caller holds the lock.
func (l *lifelines) dismiss(task *sealed.Conn) {
	delete(l.tasks, task)
	go worker.Dismiss(task)
}

// serve takes tasks in until the listener is closed.
func (l *lifelines) serve(listener *sealed.Listener) {
	for {
		task, err := listener.Accept()
		if err != nil {
			return
		}
		go l.receive(task)
	}
}

// arrivalTimeout bounds the time in which a task must have said what it is for.
const arrivalTimeout = 5 * time.Second

// receive holds a task, or dismisses it.
func (l *lifelines) receive(task *sealed.Conn) {
	task.SetDeadline(time.Now().Add(arrivalTimeout))
	query, err := worker.AskedFor(task)
	if err != nil {
		task.Close()
		return
	}
	task.SetDeadline(time.Time{})
	l.mu.Lock()
	of := map[string]bool{}
	if query == "" {
		maps.Copy(of, l.queries)
	} else if l.queries[query] {
		of[query] = true
	}
	if len(of) == 0 || l.closed {
		l.dismiss(task)
		l.mu.Unlock()
		return
	}
	if l.tasks == nil {
		l.tasks = map[*sealed.Conn]map[string]bool{}
	}
	l.tasks[task] = of
	l.mu.Unlock()

	_, _ = task.Read(make([]byte, 1)) // until it ends: it says nothing more
	l.mu.Lock()
	delete(l.tasks, task)
	l.mu.Unlock()
	task.Close()
}

// close ends all tasks, and lets none come any more.
func (l *lifelines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for task := range l.tasks {
		l.dismiss(task)
	}
	if l.listener != nil {
		_ = l.listener.Close()
	}
}
