package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/user"
	"sync"
	"time"

	"gomosaic/kernel/wire/zmtp"
)

// Channels are a kernel's five sockets. All methods are safe for concurrent use.
type Channels struct {
	codec    *Codec
	session  string
	username string

	iopub     *zmtp.Pub
	heartbeat *zmtp.Rep
	routers   [3]*zmtp.Router // by Channel
}

// Channel names a ROUTER socket that requests arrive on.
type Channel int

const (
	Shell   Channel = iota // execute, complete, inspect, …
	Control                // interrupt, shutdown: answered while a cell runs
	Stdin                  // input_request to the client, input_reply from it
)

func (c Channel) String() string { return [...]string{"shell", "control", "stdin"}[c] }

// Options are the limits of the sockets, and where to report what nobody else can.
type Options struct {
	Sockets zmtp.Options                     // Dropped and Refused are set by Listen
	Log     func(format string, args ...any) // problems of single messages and peers; nil: none
}

// Listen opens the sockets of a connection file. Each subscriber of iopub gets an iopub_welcome message of its own
// (JEP 65) when its subscription takes effect: what is published from then on reaches it.
func Listen(conn Connection, o Options) (*Channels, error) {
	codec, err := NewCodec(conn.Key, conn.SignatureScheme)
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = func(string, ...any) {}
	}
	var once sync.Once
	o.Sockets.Dropped = func(int) {
		once.Do(func() { log("a client has stopped reading: its oldest messages are being dropped") })
	}
	o.Sockets.Refused = func(a net.Addr, err error) { log("connection from %v refused: %v", a, err) }

	ports := [...]int{conn.ShellPort, conn.ControlPort, conn.StdinPort, conn.IOPubPort, conn.HeartbeatPort}
	var lns [len(ports)]net.Listener
	for i, port := range ports {
		if lns[i], err = conn.listen(port); err != nil {
			for _, ln := range lns[:i] {
				ln.Close()
			}
			return nil, fmt.Errorf("wire: opening port %d: %w", port, err)
		}
	}
	c := &Channels{codec: codec, session: newID(), username: "kernel"}
	if u, err := user.Current(); err == nil {
		c.username = u.Username
	}
	for i := range c.routers {
		c.routers[i] = zmtp.ListenRouter(lns[i], o.Sockets)
	}
	c.iopub = zmtp.ListenPub(lns[3], o.Sockets, c.welcome)
	c.heartbeat = zmtp.ListenRep(lns[4], o.Sockets, func(request [][]byte) [][]byte { return request })
	return c, nil
}

// Receive returns the next well-formed, correctly signed message of a channel. log gets what was wrong with others.
// Errors are ctx's and zmtp.ErrClosed.
func (c *Channels) Receive(ctx context.Context, from Channel, log func(error)) (*Message, error) {
	for {
		l, err := c.routers[from].Receive(ctx)
		if err != nil {
			return nil, err
		}
		m, err := c.codec.Decode(l.Frames)
		if err != nil {
			log(fmt.Errorf("%s channel: %w", from, err))
			continue
		}
		m.Identities = append([][]byte{l.Peer}, m.Identities...)
		return m, nil
	}
}

// Reply answers request on the channel that it came from. The reply's parent is the request. metadata may be nil.
func (c *Channels) Reply(on Channel, request *Message, msgType string, content any, metadata map[string]any) error {
	return c.send(on, request, msgType, content, metadata)
}

// Request sends a message of the kernel's own accord to the client that sent parent: an input_request. It waits, within
// ctx, for the client to have connected its socket.
func (c *Channels) Request(ctx context.Context, on Channel, parent *Message, msgType string, content any) error {
	if err := c.routers[on].WaitPeer(ctx, parent.Identities[0]); err != nil {
		return fmt.Errorf("wire: %s to the client's %s channel: %w", msgType, on, err)
	}
	return c.send(on, parent, msgType, content, nil)
}

func (c *Channels) send(on Channel, parent *Message, msgType string, content any, metadata map[string]any) error {
	frames, err := c.encode(parent.Identities[1:], parent.ParentHeader(), msgType, content, metadata)
	if err != nil {
		return err
	}
	if err := c.routers[on].Send(parent.Identities[0], frames...); err != nil && !errors.Is(err, zmtp.ErrNoPeer) {
		return err
	}
	return nil // a client that has gone does not want its answer
}

// Publish sends a message to all subscribers. parent is the message that caused it, nil for none.
func (c *Channels) Publish(parent *Message, msgType string, content any) error {
	frames, err := c.encode([][]byte{[]byte(msgType)}, parent.ParentHeader(), msgType, content, nil)
	if err != nil {
		return err
	}
	c.iopub.Publish(frames...)
	return nil
}

func (c *Channels) welcome(topic []byte, s zmtp.Subscriber) {
	var identities [][]byte
	if len(topic) > 0 {
		identities = [][]byte{topic}
	}
	frames, err := c.encode(identities, nil, "iopub_welcome", map[string]any{"subscription": string(topic)}, nil)
	if err == nil {
		s.Send(frames...)
	}
}

func (c *Channels) encode(identities [][]byte, parent json.RawMessage, msgType string, content any, metadata map[string]any) ([][]byte, error) {
	raw, err := marshal(content)
	if err != nil {
		return nil, fmt.Errorf("wire: content of %s: %w", msgType, err)
	}
	m := &Message{
		Identities: identities,
		Header:     Header{ID: newID(), Session: c.session, Username: c.username, Date: now(), Type: msgType, Version: ProtocolVersion},
		Parent:     parent, Content: raw,
	}
	if len(metadata) > 0 {
		if m.Metadata, err = marshal(metadata); err != nil {
			return nil, fmt.Errorf("wire: metadata of %s: %w", msgType, err)
		}
	}
	return c.codec.Encode(m)
}

// marshal leaves <, > and & alone: charts are HTML and SVG, and escaping makes them half as long again.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Session is the identifier that this kernel process puts into its headers.
func (c *Channels) Session() string { return c.session }

// Close closes the sockets; clients have up to linger to take what is on its way to them.
func (c *Channels) Close(linger time.Duration) error {
	errs := make([]error, 5)
	var wg sync.WaitGroup
	for i, r := range c.routers {
		wg.Go(func() { errs[i] = r.Close(linger) })
	}
	wg.Go(func() { errs[3] = c.iopub.Close(linger) })
	wg.Go(func() { errs[4] = c.heartbeat.Close(linger) })
	wg.Wait()
	return errors.Join(errs...)
}
