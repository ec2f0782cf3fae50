package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

func TestReadConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kernel 1.json")
	if err := os.WriteFile(path, []byte(`{"transport":"tcp","ip":"127.0.0.1","shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5,
		"key":"k","signature_scheme":"hmac-sha256","kernel_name":"gomosaic","jupyter_session":"x.ipynb"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConnection(path)
	want := Connection{"tcp", "127.0.0.1", 1, 4, 3, 2, 5, "k", "hmac-sha256", "gomosaic"}
	if err != nil || c != want {
		t.Errorf("%+v %v", c, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, path + ".missing"} {
		if _, err := ReadConnection(path); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, c := range map[string]Connection{
		"a port in use": {Transport: "tcp", IP: "127.0.0.1", HeartbeatPort: port},
		"a transport":   {Transport: "udp"},
		"a scheme":      {Transport: "tcp", IP: "127.0.0.1", Key: "k", SignatureScheme: "hmac-sha512"},
	} {
		if ch, err := Listen(c, Options{}); err == nil {
			ch.Close(0)
			t.Errorf("%s: no error", name)
		}
	}
}

// TestChannelsOverIPC drives all five sockets over Unix sockets; the kernel's own tests do so over TCP.
func TestChannelsOverIPC(t *testing.T) {
	dir, err := os.MkdirTemp("", "ipc") // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	conn := Connection{Transport: "ipc", IP: filepath.Join(dir, "k"), ShellPort: 1, ControlPort: 2, StdinPort: 3, IOPubPort: 4, HeartbeatPort: 5, Key: "k"}
	c, err := Listen(conn, Options{Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dial := func(s zmq4.Socket, port int) zmq4.Socket {
		if err := s.Dial(fmt.Sprintf("ipc://%s-%d", conn.IP, port)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	id := zmq4.WithID(zmq4.SocketIdentity("me"))
	shell, stdin, beat, iopub := dial(zmq4.NewDealer(ctx, id), 1), dial(zmq4.NewDealer(ctx, id), 3), dial(zmq4.NewReq(ctx), 5), dial(zmq4.NewSub(ctx), 4)
	if err := iopub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	receive := func(s zmq4.Socket) *Message {
		t.Helper()
		m, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		d, err := c.codec.Decode(m.Frames)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if m := receive(iopub); m.Header.Type != "iopub_welcome" || string(m.Content) != `{"subscription":""}` {
		t.Errorf("%s %s", m.Header.Type, m.Content)
	}
	if err := beat.Send(zmq4.NewMsgString("ping")); err != nil {
		t.Fatal(err)
	}
	if m, err := beat.Recv(); err != nil || string(m.Frames[0]) != "ping" {
		t.Errorf("heartbeat: %v %v", m, err)
	}

	frames, err := c.codec.Encode(&Message{Header: Header{ID: "1", Type: "execute_request"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.SendMulti(zmq4.NewMsgFrom(frames...)); err != nil {
		t.Fatal(err)
	}
	request, err := c.Receive(ctx, Shell, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Request(ctx, Stdin, request, "input_request", map[string]string{"prompt": "?"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(request, "stream", map[string]string{"text": "<b>"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Reply(Shell, request, "execute_reply", struct{}{}, map[string]any{"started": "now"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(request, "stream", func() {}); err == nil {
		t.Error("a function is no JSON")
	}
	for name, s := range map[string]zmq4.Socket{"execute_reply": shell, "input_request": stdin, "stream": iopub} {
		m := receive(s)
		var parent Header
		if err := json.Unmarshal(m.Parent, &parent); err != nil || m.Header.Type != name || parent.ID != "1" || m.Header.Session != c.Session() {
			t.Errorf("%s: %+v, parent %s", name, m.Header, m.Parent)
		}
		if name == "stream" && string(m.Content) != `{"text":"<b>"}` {
			t.Errorf("content %s", m.Content)
		}
		if name == "execute_reply" && string(m.Metadata) != `{"started":"now"}` {
			t.Errorf("metadata %s", m.Metadata)
		}
	}
	if err := c.Close(time.Second); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
