package sealed

// The side that is come to, and the invitation by which the other side finds it.

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Listener is where those come who know its token, which is made with it and never goes over a connection; everybody else is
// turned away without a word. Its methods are safe for concurrent use.
type Listener struct {
	listener net.Listener
	invite   invitation
	serving  sync.WaitGroup
	come     chan *Conn
	over     chan struct{} // closed by Close

	mu        sync.Mutex
	greeting  []net.Conn // in the handshake, the oldest first
	strangers int
	closed    bool
}

// invitation is what one must know to come.
type invitation struct {
	Address string
	Token   []byte
}

const (
	tokenBytes = 32
	// dialTimeout is short enough for four tries of Spark's within the time that a launcher waits.
	dialTimeout = 5 * time.Second
	// handshakeTimeout bounds the time in which who connects must have proved who it is.
	handshakeTimeout = 5 * time.Second
	// handshakes is how many may be about that at a time: who comes then has the place of the one that has taken longest, so
	// that many who say nothing keep nobody out.
	handshakes = 64
)

// keepAlive finds out within 20 s that the other side's machine is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}

// Listen listens at a host and port of this machine; port 0 is any that is free. The others are told to come to the host named in
// advertise, "" being the one that it listens on.
func Listen(address, advertise string) (*Listener, error) {
	listener, err := (&net.ListenConfig{KeepAliveConfig: keepAlive}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	l := &Listener{
		listener: listener, come: make(chan *Conn), over: make(chan struct{}),
		invite: invitation{net.JoinHostPort(cmp.Or(advertise, host), port), make([]byte, tokenBytes)},
	}
	rand.Read(l.invite.Token)
	l.serving.Go(l.accept)
	return l, nil
}

// Address is where the others are told to come.
func (l *Listener) Address() string { return l.invite.Address }

// Invitation is what must be given to [Dial]: one word. It holds the token: it must travel on a way that others don't see, so not
// in a command line, and is not to be printed.
func (l *Listener) Invitation() string {
	text, err := json.Marshal(l.invite)
	if err != nil {
		panic(err) // strings and bytes can be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Accept waits for the next one that comes and knows the token, and fails with [net.ErrClosed] after Close. The connection is the
// caller's, and has no deadline.
func (l *Listener) Accept() (*Conn, error) {
	select {
	case c := <-l.come:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

// Strangers is how many connections were turned away because they did not prove to know the token.
func (l *Listener) Strangers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.strangers
}

// Close ends the listening, and leaves connections that were accepted as they are.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.closed = true
	close(l.over)
	for _, conn := range l.greeting {
		conn.Close()
	}
	l.mu.Unlock()
	err := l.listener.Close()
	l.serving.Wait()
	return err
}

// accept serves who connects until the listener is closed.
func (l *Listener) accept() {
	for {
		conn, err := l.listener.Accept()
		l.mu.Lock()
		switch {
		case l.closed:
			l.mu.Unlock()
			if err == nil {
				conn.Close()
			}
			return
		case err != nil: // no file descriptors, say
			l.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if len(l.greeting) == handshakes {
			l.greeting[0].Close()
			l.greeting = l.greeting[1:]
		}
		l.greeting = append(l.greeting, conn)
		l.mu.Unlock()
		l.serving.Go(func() { l.receive(conn) })
	}
}

// receive hands a connection over whose other side knows the token.
func (l *Listener) receive(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	c, err := seal(conn, l.invite.Token, fromListener, fromDialer)
	l.mu.Lock()
	l.greeting = slices.DeleteFunc(l.greeting, func(c net.Conn) bool { return c == conn })
	if err != nil {
		l.strangers++
	}
	l.mu.Unlock()
	if err != nil {
		conn.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	select {
	case l.come <- c:
	case <-l.over:
		conn.Close()
	}
}

// Dial comes to the listener of an invitation. The error is [ErrStranger] where who listens there now is not the one who invited.
func Dial(ctx context.Context, invited string) (*Conn, error) {
	var invite invitation
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(invited))
	if err == nil {
		err = json.Unmarshal(text, &invite)
	}
	if err != nil || len(invite.Token) != tokenBytes {
		return nil, errors.New("this is no invitation")
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}).DialContext(ctx, "tcp", invite.Address)
	if err != nil {
		return nil, fmt.Errorf("it cannot be reached from this machine: %w", err)
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(2 * handshakeTimeout))
	c, err := seal(conn, invite.Token, fromDialer, fromListener)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", invite.Address, err)
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}
