package zmtp

import (
	"net"
	"strings"
	"testing"
	"time"
)

// answers runs a handshake of the server against what a peer sends.
func answers(t *testing.T, sent []byte) error {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	deadline := time.Now().Add(time.Minute)
	ours.SetDeadline(deadline)
	theirs.SetDeadline(deadline)
	go func() { // a pipe has no buffer: take what the server says
		b := make([]byte, 1024)
		for {
			if _, err := theirs.Read(b); err != nil {
				return
			}
		}
	}()
	go func() {
		theirs.Write(sent)
		theirs.Close()
	}()
	_, _, err := handshake(ours, "ROUTER", []string{"DEALER", "REQ"}, 1<<20)
	return err
}

func readyOf(kind string) []byte {
	return AppendCommand(nil, "READY", appendProperty(appendProperty(nil, "Socket-Type", []byte(kind)), "Identity", []byte("me")))
}

func TestHandshake(t *testing.T) {
	with := func(change func([]byte)) []byte {
		g := greeting()
		change(g)
		return append(g, readyOf("DEALER")...)
	}
	for _, c := range []struct {
		name string
		sent []byte
		want string // part of the error, "" for none
	}{
		{"libzmq 3.1", with(func(g []byte) { g[greetingMinor] = 1 }), ""},
		{"ours", with(func([]byte) {}), ""},
		{"not ZMTP", []byte(strings.Repeat("GET / HTTP/1.1\r\n", 4)), "does not speak ZMTP"},
		{"old", with(func(g []byte) { g[greetingVersion] = 1 }), "ZMTP 1.0"},
		{"CURVE", with(func(g []byte) { copy(g[greetingMech:], "CURVE\x00") }), `"CURVE"`},
		{"cut short", greeting()[:20], "reading the greeting"},
		{"no READY", append(greeting(), AppendCommand(nil, "ERROR", nil)...), `"ERROR"`},
		{"a message instead", append(greeting(), AppendMessage(nil, []byte("x"))...), "want READY"},
		{"wrong type", append(greeting(), readyOf("SUB")...), `"SUB"`},
		{"bad property", append(greeting(), AppendCommand(nil, "READY", []byte{5, 'a'})...), "cut short"},
		{"bad value length", append(greeting(), AppendCommand(nil, "READY", []byte{1, 'a', 255, 255, 255, 255})...), "cut short"},
	} {
		err := answers(t, c.sent)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzProperties(f *testing.F) {
	f.Add(appendProperty(appendProperty(nil, "Socket-Type", []byte("SUB")), "Identity", nil))
	f.Add([]byte{1, 'a', 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		props, err := parseProperties(in)
		if err != nil {
			return
		}
		total := 0
		for k, v := range props {
			if k != strings.ToLower(k) {
				t.Errorf("name %q is not in lower case", k)
			}
			total += len(v)
		}
		if total > len(in) {
			t.Error("more came out than went in")
		}
	})
}
