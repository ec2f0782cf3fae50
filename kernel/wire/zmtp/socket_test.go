package zmtp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"gomosaic/kernel/wire/zmtp"
)

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln, "tcp://" + ln.Addr().String()
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestRouterAnswersItsPeers(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	r := zmtp.ListenRouter(ln, zmtp.Options{})
	defer r.Close(0)
	named := zmq4.NewDealer(ctx, zmq4.WithID(zmq4.SocketIdentity("alice")))
	defer named.Close()
	nameless := zmq4.NewDealer(ctx)
	defer nameless.Close()
	for _, s := range []zmq4.Socket{named, nameless} {
		if err := s.Dial(ep); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []zmq4.Socket{named, nameless} {
		if err := s.SendMulti(zmq4.NewMsgFrom([]byte("hello"), nil, make([]byte, 1000))); err != nil {
			t.Fatal(err)
		}
		l, err := r.Receive(ctx)
		if err != nil || len(l.Frames) != 3 || string(l.Frames[0]) != "hello" || len(l.Frames[2]) != 1000 {
			t.Fatalf("%v %v", l, err)
		}
		if (s == named) != (string(l.Peer) == "alice") {
			t.Fatalf("message came from %q", l.Peer)
		}
		if err := r.Send(l.Peer, []byte("back"), l.Peer); err != nil {
			t.Fatal(err)
		}
		m, err := s.Recv()
		if err != nil || len(m.Frames) != 2 || string(m.Frames[0]) != "back" {
			t.Fatalf("%v %v", m, err)
		}
	}
	if err := r.Send([]byte("bob"), []byte("x")); !errors.Is(err, zmtp.ErrNoPeer) {
		t.Errorf("to nobody: %v", err)
	}
}

func TestRouterSendsToTheLatestOfAName(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	r := zmtp.ListenRouter(ln, zmtp.Options{})
	defer r.Close(0)
	var sockets [2]zmq4.Socket
	for i := range sockets {
		s := zmq4.NewDealer(ctx, zmq4.WithID(zmq4.SocketIdentity("page")))
		defer s.Close()
		if err := s.Dial(ep); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(zmq4.NewMsgString("here")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Receive(ctx); err != nil { // it has joined
			t.Fatal(err)
		}
		sockets[i] = s
	}
	for i := 1; i >= 0; i-- {
		if err := r.Send([]byte("page"), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if m, err := sockets[i].Recv(); err != nil || string(m.Frames[0]) != fmt.Sprint(i) {
			t.Fatalf("connection %d: %v %v", i, m, err)
		}
		if i == 0 {
			break
		}
		if err := sockets[0].Send(zmq4.NewMsgString("still here")); err != nil {
			t.Fatal(err)
		}
		if l, err := r.Receive(ctx); err != nil || string(l.Frames[0]) != "still here" {
			t.Fatalf("%v %v", l, err)
		}
		sockets[1].Close()
		for r.Peers() != 1 {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestRouterWaitsForAPeer(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	r := zmtp.ListenRouter(ln, zmtp.Options{})
	defer r.Close(0)
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := r.WaitPeer(short, []byte("late")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("nobody came: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- r.WaitPeer(ctx, []byte("late")) }()
	s := zmq4.NewDealer(ctx, zmq4.WithID(zmq4.SocketIdentity("late")))
	defer s.Close()
	if err := s.Dial(ep); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRepEchoes(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	r := zmtp.ListenRep(ln, zmtp.Options{}, func(request [][]byte) [][]byte { return request })
	defer r.Close(0)
	for range 3 { // as Jupyter's server does after a missed beat: each time a new connection
		s := zmq4.NewReq(ctx)
		if err := s.Dial(ep); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := s.Send(zmq4.NewMsgString("ping")); err != nil {
				t.Fatal(err)
			}
			if m, err := s.Recv(); err != nil || string(m.Frames[0]) != "ping" {
				t.Fatalf("%v %v", m, err)
			}
		}
		s.Close()
	}
}

func TestPubHonoursSubscriptions(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	topics := make(chan string, 8)
	p := zmtp.ListenPub(ln, zmtp.Options{}, func(topic []byte, s zmtp.Subscriber) {
		s.Send([]byte("welcome"), topic)
		topics <- string(topic)
	})
	defer p.Close(0)
	s := zmq4.NewSub(ctx)
	defer s.Close()
	if err := s.Dial(ep); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOption(zmq4.OptionSubscribe, "a"); err != nil {
		t.Fatal(err)
	}
	if got := <-topics; got != "a" {
		t.Fatalf("subscribed to %q", got)
	}
	p.Publish([]byte("b"), []byte("not for you"))
	p.Publish([]byte("ab"), []byte("for you"))
	for {
		m, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Frames[0]) == "welcome" {
			continue
		}
		if string(m.Frames[1]) != "for you" {
			t.Fatalf("received %v", m)
		}
		return
	}
}

// TestSilentSubscriberStarvesNobody publishes at full speed with two subscribers, one of which never reads.
func TestSilentSubscriberStarvesNobody(t *testing.T) {
	messages, size := 20_000, 1200
	if os.Getenv("GOMOSAIC_LONG") != "" {
		messages = 100_000
	}
	ctx := timeout(t)
	ln, ep := listen(t)
	var dropped atomic.Int64
	joined := make(chan struct{}, 2)
	// A bound below what is published, so that the silent one's queue overflows while the healthy one's must not.
	p := zmtp.ListenPub(ln, zmtp.Options{QueueBytes: int64(messages*size) / 2, Dropped: func(n int) { dropped.Add(int64(n)) }},
		func([]byte, zmtp.Subscriber) { joined <- struct{}{} })
	defer p.Close(0)

	silent := dialSilent(t, ln.Addr().String())
	defer silent.Close()
	<-joined

	healthy := zmq4.NewSub(ctx)
	defer healthy.Close()
	if err := healthy.Dial(ep); err != nil {
		t.Fatal(err)
	}
	if err := healthy.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	<-joined

	read := make(chan error, 1)
	received := make(chan struct{}, messages)
	go func() {
		read <- func() error {
			for i := range messages {
				m, err := healthy.Recv()
				if err != nil {
					return err
				}
				if n := int(binary.BigEndian.Uint32(m.Frames[1])); n != i {
					return fmt.Errorf("message %d arrived in place of %d", n, i)
				}
				received <- struct{}{}
			}
			return nil
		}()
	}()
	started := time.Now()
	body := make([]byte, size)
	var slowest time.Duration
	for i := range messages {
		binary.BigEndian.PutUint32(body, uint32(i))
		before := time.Now()
		p.Publish([]byte("stream"), body)
		slowest = max(slowest, time.Since(before))
		if i >= messages/4 { // the reader of this test is the slow part: stay within the healthy one's bound
			<-received
		}
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages of %d bytes in %v, slowest Publish %v, %d dropped for the silent subscriber", messages, size, time.Since(started), slowest, dropped.Load())
	if dropped.Load() == 0 {
		t.Error("nothing was dropped for the silent subscriber: the memory of a stalled client is not bounded")
	}
}

// dialSilent connects a subscriber to everything that never reads a message.
func dialSilent(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil { // so that what it leaves unread does not lie with the system
		t.Fatal(err)
	}
	g := make([]byte, 64)
	g[0], g[9], g[10] = 0xFF, 0x7F, 3
	copy(g[12:], "NULL")
	ready := zmtp.AppendCommand(nil, "READY", append([]byte("\x0bSocket-Type\x00\x00\x00\x03"), "SUB"...))
	for _, b := range [][]byte{g, ready, zmtp.AppendMessage(nil, []byte{1})} {
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	return nc
}

func TestCloseDeliversWhatIsQueued(t *testing.T) {
	ctx := timeout(t)
	ln, ep := listen(t)
	joined := make(chan struct{}, 1)
	p := zmtp.ListenPub(ln, zmtp.Options{}, func([]byte, zmtp.Subscriber) { joined <- struct{}{} })
	s := zmq4.NewSub(ctx)
	defer s.Close()
	if err := s.Dial(ep); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	<-joined
	for i := range 100 {
		p.Publish(fmt.Appendf(nil, "%d", i), make([]byte, 10_000))
	}
	if err := p.Close(time.Minute); err != nil { // it takes a moment, and longer on a busy machine
		t.Fatal(err)
	}
	for i := range 100 {
		if m, err := s.Recv(); err != nil || string(m.Frames[0]) != fmt.Sprint(i) {
			t.Fatalf("message %d: %v %v", i, m, err)
		}
	}
}

func TestPingIsAnswered(t *testing.T) {
	ln, _ := listen(t)
	p := zmtp.ListenPub(ln, zmtp.Options{}, nil)
	defer p.Close(0)
	nc := dialSilent(t, ln.Addr().String())
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := nc.Write(zmtp.AppendCommand(nil, "PING", []byte("\x00\x0acontext"))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	r := zmtp.NewReader(nc, 1<<16)
	for _, want := range []string{"READY", "PONG"} {
		got, err := r.Next()
		if err != nil || got.Command != want {
			t.Fatalf("%v %v, want %s", got, err, want)
		}
		if want == "PONG" && string(got.Frames[0]) != "context" {
			t.Errorf("PONG carries %q", got.Frames[0])
		}
	}
}
