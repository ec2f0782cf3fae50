package zmtp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// ErrNoPeer is returned by [Router.Send] when no peer with the identity is connected.
var ErrNoPeer = errors.New("zmtp: no such peer")

// Router is a listening ROUTER socket: it names the peer that each message came from and sends to a peer by its name.
// Where several peers have the same identity, as when a page is reloaded before its old connection has gone, messages go
// to the latest one. The earlier ones stay connected: closing them would make libzmq connect again and take the name back.
// All methods are safe for concurrent use.
type Router struct {
	*server
	in   chan Letter
	done chan struct{}

	mu     sync.Mutex
	names  map[string][]*peer // the latest last; never empty
	serial uint32
	came   chan struct{} // closed and replaced whenever a peer joins
}

// Letter is a message with the identity of the peer that sent it.
type Letter struct {
	Peer   []byte
	Frames [][]byte
}

// ListenRouter serves DEALER, REQ and ROUTER peers on ln, which the socket owns from here on.
func ListenRouter(ln net.Listener, o Options) *Router {
	r := &Router{in: make(chan Letter, 64), done: make(chan struct{}), names: map[string][]*peer{}, came: make(chan struct{})}
	r.server = serve(ln, "ROUTER", []string{"DEALER", "REQ", "ROUTER"}, r, o)
	return r
}

// Receive returns the next message of any peer. It returns ctx's error, or [ErrClosed].
func (r *Router) Receive(ctx context.Context) (Letter, error) {
	select {
	case l := <-r.in:
		return l, nil
	case <-r.done:
		return Letter{}, ErrClosed
	case <-ctx.Done():
		return Letter{}, ctx.Err()
	}
}

// Send queues a message for the peer. It never blocks.
func (r *Router) Send(identity []byte, frames ...[]byte) error {
	r.mu.Lock()
	p := r.named(identity)
	r.mu.Unlock()
	if p == nil {
		return ErrNoPeer
	}
	p.send(AppendMessage(make([]byte, 0, messageBytes(frames)), frames...))
	return nil
}

// WaitPeer returns when a peer with the identity is connected, or with ctx's error.
func (r *Router) WaitPeer(ctx context.Context, identity []byte) error {
	for {
		r.mu.Lock()
		p, came := r.named(identity), r.came
		r.mu.Unlock()
		if p != nil {
			return nil
		}
		select {
		case <-came:
		case <-r.done:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close stops the socket; peers have up to linger to take what is queued for them.
func (r *Router) Close(linger time.Duration) error {
	r.mu.Lock()
	select {
	case <-r.done:
	default:
		close(r.done)
	}
	r.mu.Unlock()
	return r.close(linger)
}

func (r *Router) joined(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p.identity) == 0 { // as libzmq: a zero byte, which no chosen identity starts with, and a number
		r.serial++
		p.identity = binary.BigEndian.AppendUint32([]byte{0}, r.serial)
	}
	r.names[string(p.identity)] = append(r.names[string(p.identity)], p)
	close(r.came)
	r.came = make(chan struct{})
}

func (r *Router) received(p *peer, t Traffic) {
	if t.Command != "" {
		return
	}
	select {
	case r.in <- Letter{Peer: p.identity, Frames: t.Frames}:
	case <-r.done:
	}
}

func (r *Router) left(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := slices.DeleteFunc(r.names[string(p.identity)], func(other *peer) bool { return other == p })
	if len(rest) == 0 {
		delete(r.names, string(p.identity))
	} else {
		r.names[string(p.identity)] = rest
	}
}

// named is the peer that messages for the identity go to, nil for none. The caller holds mu.
func (r *Router) named(identity []byte) *peer {
	if peers := r.names[string(identity)]; len(peers) > 0 {
		return peers[len(peers)-1]
	}
	return nil
}
