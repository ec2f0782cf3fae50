package ranks

// Where a job's tasks meet: the launcher's side.

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"gomosaic/mdslib/ship/sealed"
)

// Task is one that has come to the rendezvous and waits for what it is to do.
type Task struct {
	Arrival
	skew time.Duration // its clock is ahead of ours by this
	line *line
}

// Rendezvous waits for the tasks of one job. Each task proves that it knows the job's token, which travels in the
// invitation and never over a connection; everybody else is turned away. Its methods are safe for concurrent use.
type Rendezvous struct {
	listener *sealed.Listener
	serving  sync.WaitGroup
	complete chan struct{} // closed when all tasks have come

	mu      sync.Mutex
	tasks   []*Task // by number; nil until it comes
	missing int
	closed  bool
}

// arrivalTimeout bounds the time in which a task must have said who it is.
const arrivalTimeout = 5 * time.Second

// Listen opens the rendezvous of a job of n tasks at a host and port of this machine; port 0 is any that is free. Tasks are
// told to come to the host named in advertise, "" being the one that it listens on.
func Listen(address, advertise string, n int) (*Rendezvous, error) {
	listener, err := sealed.Listen(address, advertise)
	if err != nil {
		return nil, fmt.Errorf("listening for the ranks: %w", err)
	}
	r := &Rendezvous{listener: listener, complete: make(chan struct{}), tasks: make([]*Task, n), missing: n}
	r.serving.Go(r.accept)
	return r, nil
}

// Address is where the tasks are told to come.
func (r *Rendezvous) Address() string { return r.listener.Address() }

// Invitation is what a task must be given to [Join]: one word, which holds the job's token and is secret.
func (r *Rendezvous) Invitation() string { return r.listener.Invitation() }

// Strangers is how many connections were turned away because they did not prove to be of this job.
func (r *Rendezvous) Strangers() int { return r.listener.Strangers() }

// Wait returns the tasks, by number, when all have come; when ctx ends before, those that have, with ctx's error.
func (r *Rendezvous) Wait(ctx context.Context) ([]*Task, error) {
	select {
	case <-r.complete:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	come := slices.DeleteFunc(slices.Clone(r.tasks), func(t *Task) bool { return t == nil })
	if r.missing > 0 {
		return come, ctx.Err()
	}
	return come, nil
}

// Close closes the rendezvous and every connection of its tasks, which end their ranks then.
func (r *Rendezvous) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	err := r.listener.Close()
	r.serving.Wait()
	for _, t := range r.tasks {
		if t != nil {
			t.line.conn.Close()
		}
	}
	return err
}

// accept serves who knows the token until the rendezvous is closed.
func (r *Rendezvous) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.serving.Go(func() { r.receive(conn) })
	}
}

// receive takes a task in, or tells it why it is not wanted.
func (r *Rendezvous) receive(conn *sealed.Conn) {
	t := &Task{line: newLine(conn)}
	conn.SetDeadline(time.Now().Add(arrivalTimeout))
	if err := t.line.dec.Decode(&t.Arrival); err != nil {
		conn.Close()
		return
	}
	t.skew = skewOf(t.Clock, conn.Since, time.Now())
	r.mu.Lock()
	unwanted, refusal := r.admit(t)
	r.mu.Unlock()
	if unwanted != nil {
		unwanted.line.send(order{Refuse: refusal})
		unwanted.line.conn.Close()
	}
}

// skewOf is the least that a clock, which was read between two moments of ours, must be ahead of ours: 0 where it may be right,
// as synchronised clocks are more so than a network is fast.
func skewOf(clock, after, before time.Time) time.Duration {
	return max(0, clock.Sub(before)) + min(0, clock.Sub(after))
}

// admit takes a task in, or says which task is not wanted, and why. One that comes again, before the job begins, has the place:
// the first attempt may be lost. The caller holds the lock.
func (r *Rendezvous) admit(t *Task) (unwanted *Task, refusal string) {
	switch {
	case r.closed:
		return t, "the job is over"
	case r.missing == 0:
		return t, "the job has all its tasks"
	case t.Number < 0 || t.Number >= len(r.tasks):
		return t, fmt.Sprintf("the job has tasks 0 to %d, not %d", len(r.tasks)-1, t.Number)
	}
	t.line.conn.SetDeadline(time.Time{})
	before := r.tasks[t.Number]
	r.tasks[t.Number] = t
	if before != nil {
		return before, "another attempt of this task has come"
	}
	if r.missing--; r.missing == 0 {
		close(r.complete)
	}
	return nil, ""
}
