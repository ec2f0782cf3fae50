package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"gomosaic/kernel/wire"
)

// patience bounds each wait of a client; nothing here takes more than a fraction of it.
const patience = 60 * time.Second

// newConnection is a connection file's content with five free ports. They lie below those that the system gives to
// others: the kernel opens them a moment later.
func newConnection(t testing.TB) wire.Connection {
	t.Helper()
	c := wire.Connection{Transport: "tcp", IP: "127.0.0.1", Key: "test-key", SignatureScheme: "hmac-sha256"}
	for _, port := range []*int{&c.ShellPort, &c.ControlPort, &c.StdinPort, &c.IOPubPort, &c.HeartbeatPort} {
		for tries := 0; ; tries++ {
			*port = 10_000 + rand.IntN(20_000)
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
			if err == nil {
				defer ln.Close()
				break
			}
			if tries == 100 {
				t.Fatal(err)
			}
		}
	}
	return c
}

// writeConnection writes the connection file.
func writeConnection(t testing.TB, c wire.Connection) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "connection file.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is a Jupyter client over another implementation's sockets. Every message that it receives is checked against
// the schema.
type client struct {
	t       testing.TB
	codec   *wire.Codec
	sockets map[string]zmq4.Socket
	inbox   map[string]chan *wire.Message
	serial  int
	seen    map[string]bool // message types read by next
	name    string

	connection wire.Connection
}

// dial connects a client with the given identity; it returns when iopub has welcomed it.
func dial(t testing.TB, c wire.Connection, name string) *client {
	t.Helper()
	codec, err := wire.NewCodec(c.Key, c.SignatureScheme)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	id := zmq4.WithID(zmq4.SocketIdentity(name))
	cl := &client{t: t, codec: codec, name: name, connection: c, seen: map[string]bool{}, inbox: map[string]chan *wire.Message{}, sockets: map[string]zmq4.Socket{
		"shell": zmq4.NewDealer(ctx, id), "control": zmq4.NewDealer(ctx, id), "stdin": zmq4.NewDealer(ctx, id),
		"iopub": zmq4.NewSub(ctx, id), "hb": zmq4.NewReq(ctx),
	}}
	for channel, port := range map[string]int{"shell": c.ShellPort, "control": c.ControlPort, "stdin": c.StdinPort, "iopub": c.IOPubPort, "hb": c.HeartbeatPort} {
		s := cl.sockets[channel]
		if err := s.Dial(fmt.Sprintf("tcp://%s:%d", c.IP, port)); err != nil {
			t.Fatalf("%s: %v", channel, err)
		}
		t.Cleanup(func() { s.Close() })
		if channel == "hb" {
			continue
		}
		in := make(chan *wire.Message, 100_000)
		cl.inbox[channel] = in
		if channel == "iopub" {
			if err := s.SetOption(zmq4.OptionSubscribe, ""); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			defer close(in)
			for {
				m, err := s.Recv()
				if err != nil {
					return
				}
				decoded, err := codec.Decode(m.Frames)
				if err != nil {
					t.Errorf("%s: %v", channel, err)
					return
				}
				if err := conforms(decoded); err != nil {
					t.Errorf("%s: %v", channel, err)
				}
				in <- decoded
			}
		}()
	}
	if m := cl.next("iopub"); m.Header.Type != "iopub_welcome" {
		t.Fatalf("first on iopub: %s", m.Header.Type)
	}
	return cl
}

// next is the next message of a channel.
func (c *client) next(channel string) *wire.Message {
	c.t.Helper()
	select {
	case m, ok := <-c.inbox[channel]:
		if !ok {
			c.t.Fatalf("%s is closed", channel)
		}
		c.seen[m.Header.Type] = true
		return m
	case <-time.After(patience):
		c.t.Fatalf("nothing on %s within %v", channel, patience)
		return nil
	}
}

// send sends a request and returns its identifier.
func (c *client) send(channel, msgType string, content any) string {
	c.t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		c.t.Fatal(err)
	}
	c.serial++
	id := fmt.Sprintf("%s-%d", c.name, c.serial)
	frames, err := c.codec.Encode(&wire.Message{Content: raw, Header: wire.Header{ID: id, Session: c.name, Username: "test",
		Date: "2026-11-23T09:00:00.000000Z", Type: msgType, Version: "5.4"}})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.sockets[channel].SendMulti(zmq4.NewMsgFrom(frames...)); err != nil {
		c.t.Fatal(err)
	}
	return id
}

// parentOf is the identifier of the request that caused m.
func parentOf(m *wire.Message) string {
	var h struct {
		ID string `json:"msg_id"`
	}
	json.Unmarshal(m.Parent, &h)
	return h.ID
}

// content decodes a message's content.
func content(t testing.TB, m *wire.Message) map[string]any {
	t.Helper()
	var v map[string]any
	if err := m.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// ask sends a request and returns the content of its reply.
func (c *client) ask(channel, msgType string, request any) map[string]any {
	c.t.Helper()
	id := c.send(channel, msgType, request)
	return content(c.t, c.replyTo(channel, id))
}

func (c *client) replyTo(channel, id string) *wire.Message {
	c.t.Helper()
	for {
		if m := c.next(channel); parentOf(m) == id {
			return m
		}
	}
}

// outputs reads iopub up to the request's idle and returns what belongs to it, the two statuses left out.
func (c *client) outputs(id string) []*wire.Message {
	c.t.Helper()
	var outputs []*wire.Message
	for busy := false; ; {
		m := c.next("iopub")
		if parentOf(m) != id {
			continue
		}
		if m.Header.Type != "status" {
			if !busy {
				c.t.Errorf("%s before busy", m.Header.Type)
			}
			outputs = append(outputs, m)
			continue
		}
		switch content(c.t, m)["execution_state"] {
		case "busy":
			busy = true
		case "idle":
			if !busy {
				c.t.Error("idle before busy")
			}
			return outputs
		}
	}
}

// run executes a cell and returns the reply's content and the outputs behind execute_input.
func (c *client) run(code string) (reply map[string]any, outputs []*wire.Message) {
	c.t.Helper()
	id := c.send("shell", "execute_request", map[string]any{"code": code, "allow_stdin": true})
	outputs = c.outputs(id)
	reply = content(c.t, c.replyTo("shell", id))
	if len(outputs) == 0 || outputs[0].Header.Type != "execute_input" || content(c.t, outputs[0])["code"] != code {
		c.t.Fatalf("%q: the first output is not its execute_input", code)
	}
	return reply, outputs[1:]
}
