package zmtp

import (
	"errors"
	"net"
	"sync"
	"time"
)

// ErrClosed is returned by operations on a closed socket.
var ErrClosed = errors.New("zmtp: socket closed")

// Options bounds what a socket keeps and accepts. The zero value is sensible.
type Options struct {
	QueueBytes       int64                 // most encoded bytes that wait for one peer; 0: 256 MiB
	MessageBytes     int64                 // longest message accepted from a peer; 0: 1 GiB
	HandshakeTimeout time.Duration         // 0: 10 s
	Dropped          func(messages int)    // called (concurrently) when messages are dropped for a peer that does not read
	Refused          func(net.Addr, error) // called (concurrently) when a connection fails the handshake
}

func (o Options) withDefaults() Options {
	if o.QueueBytes == 0 {
		o.QueueBytes = 256 << 20
	}
	if o.MessageBytes == 0 {
		o.MessageBytes = 1 << 30
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.Dropped == nil {
		o.Dropped = func(int) {}
	}
	if o.Refused == nil {
		o.Refused = func(net.Addr, error) {}
	}
	return o
}

// server accepts connections for one socket and runs two goroutines per peer: one reads and calls role, one writes the
// peer's queue.
type server struct {
	kind    string
	accepts []string
	role    role
	options Options
	ln      net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // in handshake or peers
	peers  map[*peer]struct{}
	closed bool
	wg     sync.WaitGroup
}

// role is what distinguishes the socket types. joined and left are called once each per peer, received in the order of
// arrival from the peer's reading goroutine; all may be called concurrently for different peers.
type role interface {
	joined(*peer)
	received(*peer, Traffic)
	left(*peer)
}

// peer is one connected socket on the other side.
type peer struct {
	identity []byte
	conn     net.Conn
	out      *queue
	gone     chan struct{} // closed when the connection has ended
	dropped  func(int)
}

func (p *peer) send(encoded []byte) {
	if n := p.out.push(encoded); n > 0 {
		p.dropped(n)
	}
}

func serve(ln net.Listener, kind string, accepts []string, r role, o Options) *server {
	s := &server{kind: kind, accepts: accepts, role: r, options: o.withDefaults(), ln: ln,
		conns: map[net.Conn]struct{}{}, peers: map[*peer]struct{}{}}
	s.wg.Go(s.accept)
	return s
}

func (s *server) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			var ne net.Error
			if closed || !errors.As(err, &ne) || errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of file descriptors, or the like: leave the others time to close
			continue
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			nc.Close()
			return
		}
		s.conns[nc] = struct{}{}
		s.wg.Go(func() { s.connection(nc) })
		s.mu.Unlock()
	}
}

func (s *server) connection(nc net.Conn) {
	defer func() {
		nc.Close()
		s.mu.Lock()
		delete(s.conns, nc)
		s.mu.Unlock()
	}()
	nc.SetDeadline(time.Now().Add(s.options.HandshakeTimeout))
	identity, r, err := handshake(nc, s.kind, s.accepts, s.options.MessageBytes)
	if err != nil {
		s.options.Refused(nc.RemoteAddr(), err)
		return
	}
	nc.SetDeadline(time.Time{})
	p := &peer{identity: identity, conn: nc, out: newQueue(s.options.QueueBytes), gone: make(chan struct{}), dropped: s.options.Dropped}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.peers[p] = struct{}{}
	s.mu.Unlock()
	s.role.joined(p)
	var writing sync.WaitGroup
	writing.Go(p.write)
	for {
		t, err := r.Next()
		if err != nil {
			break
		}
		if t.Command == "PING" && len(t.Frames[0]) >= 2 {
			p.send(AppendCommand(nil, "PONG", t.Frames[0][2:])) // 2 bytes of time to live, then the context to echo
			continue
		}
		s.role.received(p, t)
	}
	close(p.gone)
	nc.Close()
	writing.Wait()
	s.role.left(p)
	s.mu.Lock()
	delete(s.peers, p)
	s.mu.Unlock()
}

// closeWait is how long a peer has to close its side after ours has been closed behind the last message: closing both
// at once while it is still sending would reset the connection and take the last message away from it.
const closeWait = 200 * time.Millisecond

// write sends the peer's queue until the connection ends, or the queue has ended and is sent.
func (p *peer) write() {
	var batch [][]byte
	for {
		if batch = p.out.take(p.gone, batch); batch == nil {
			if half, ok := p.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
				p.conn.SetReadDeadline(time.Now().Add(closeWait))
			} else {
				p.conn.Close()
			}
			return
		}
		bufs := net.Buffers(batch)
		if _, err := bufs.WriteTo(p.conn); err != nil {
			p.conn.Close()
			return
		}
	}
}

// close stops listening, gives every peer up to linger to take what is queued for it, and closes the connections.
// It returns when all goroutines of the socket have ended.
func (s *server) close(linger time.Duration) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	err := s.ln.Close()
	for nc := range s.conns {
		nc.SetReadDeadline(time.Now().Add(linger))
		nc.SetWriteDeadline(time.Now().Add(linger))
	}
	for p := range s.peers {
		p.out.end()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

// Peers is the number of connected peers.
func (s *server) Peers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers)
}

// Addr is the address that the socket listens on.
func (s *server) Addr() net.Addr { return s.ln.Addr() }
