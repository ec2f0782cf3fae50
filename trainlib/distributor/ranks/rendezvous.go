package ranks

// Where a job's tasks meet: the launcher's side.

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
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
	listener net.Listener
	invite   invitation
	serving  sync.WaitGroup
	complete chan struct{} // closed when all tasks have come

	mu        sync.Mutex
	tasks     []*Task // by number; nil until it comes
	missing   int
	greeting  []net.Conn // in the handshake, the oldest first
	strangers int
	closed    bool
}

// invitation is what a task must know to come.
type invitation struct {
	Address string
	Token   []byte
}

const (
	tokenBytes = 32
	// handshakeTimeout bounds the time in which who connects must have proved who it is.
	handshakeTimeout = 5 * time.Second
	// handshakes is how many may be about that at a time: who comes then has the place of the one that has taken longest, so
	// that many who say nothing keep nobody out.
	handshakes = 64
)

// Listen opens the rendezvous of a job of n tasks at a host and port of this machine; port 0 is any that is free. Tasks are
// told to come to the host named in advertise, "" being the one that it listens on.
func Listen(address, advertise string, n int) (*Rendezvous, error) {
	listener, err := (&net.ListenConfig{KeepAliveConfig: keepAlive}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for the ranks: %w", err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	r := &Rendezvous{
		listener: listener, complete: make(chan struct{}), tasks: make([]*Task, n), missing: n,
		invite: invitation{net.JoinHostPort(cmp.Or(advertise, host), port), make([]byte, tokenBytes)},
	}
	rand.Read(r.invite.Token)
	r.serving.Go(r.accept)
	return r, nil
}

// Address is where the tasks are told to come.
func (r *Rendezvous) Address() string { return r.invite.Address }

// Invitation is what a task must be given to [Join]: one word. It holds the job's token: it must reach the tasks on a way that
// others don't see, so not in a command line, and is not to be printed.
func (r *Rendezvous) Invitation() string {
	text, err := json.Marshal(r.invite)
	if err != nil {
		panic(err) // strings and bytes can be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

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

// Strangers is how many connections were turned away because they did not prove to be of this job.
func (r *Rendezvous) Strangers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.strangers
}

// Close closes the rendezvous and every connection of its tasks, which end their ranks then.
func (r *Rendezvous) Close() error {
	r.mu.Lock()
	r.closed = true
	for _, conn := range r.greeting {
		conn.Close()
	}
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

// accept serves who connects until the listener is closed.
func (r *Rendezvous) accept() {
	for {
		conn, err := r.listener.Accept()
		r.mu.Lock()
		switch {
		case r.closed:
			r.mu.Unlock()
			if err == nil {
				conn.Close()
			}
			return
		case err != nil: // no file descriptors, say
			r.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if len(r.greeting) == handshakes {
			r.greeting[0].Close()
			r.greeting = r.greeting[1:]
		}
		r.greeting = append(r.greeting, conn)
		r.mu.Unlock()
		r.serving.Go(func() { r.receive(conn) })
	}
}

// receive takes a task in, or tells it why it is not wanted; strangers are turned away without a word.
func (r *Rendezvous) receive(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	t, err := r.greet(conn)
	r.mu.Lock()
	r.greeting = slices.DeleteFunc(r.greeting, func(c net.Conn) bool { return c == conn })
	var unwanted *Task
	var refusal string
	if err != nil {
		r.strangers++
		conn.Close()
	} else {
		unwanted, refusal = r.admit(t)
	}
	r.mu.Unlock()
	if unwanted != nil {
		unwanted.line.send(order{Refuse: refusal})
		unwanted.line.conn.Close()
	}
}

// greet learns who connects. An error is a stranger.
func (r *Rendezvous) greet(conn net.Conn) (*Task, error) {
	asked := time.Now()
	s, err := seal(conn, r.invite.Token, fromLauncher, fromTask)
	if err != nil {
		return nil, err
	}
	t := &Task{line: newLine(s)}
	if err := t.line.dec.Decode(&t.Arrival); err != nil {
		return nil, err
	}
	t.skew = skewOf(t.Clock, asked, time.Now())
	return t, nil
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
