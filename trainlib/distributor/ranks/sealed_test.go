package ranks

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// pair is both ends of a sealed connection, with a wire in the middle that the test holds.
func pair(t *testing.T) (launcher, task *sealed, toLauncher io.Writer, fromTheTask io.Reader) {
	t.Helper()
	l, wireL := net.Pipe()
	k, wireT := net.Pipe()
	token := []byte("0123456789abcdef0123456789abcdef")
	greet := func(from, to net.Conn) {
		b := make([]byte, len(magic)+nonceBytes)
		io.ReadFull(from, b)
		to.Write(b)
	}
	go func() { greet(wireL, wireT) }()
	go func() { greet(wireT, wireL) }()
	made := make(chan *sealed)
	go func() {
		s, err := seal(l, token, fromLauncher, fromTask)
		if err != nil {
			t.Error(err)
		}
		made <- s
	}()
	task, err := seal(k, token, fromTask, fromLauncher)
	if err != nil {
		t.Fatal(err)
	}
	return <-made, task, wireL, wireT
}

// TestSealed: what is said arrives; what was changed, repeated, left out or sent back does not open.
func TestSealed(t *testing.T) {
	frame := func(t *testing.T, task *sealed, wire io.Reader, text string) []byte {
		t.Helper()
		go task.Write([]byte(text))
		b := make([]byte, headBytes+len(text)+task.out.Overhead())
		if _, err := io.ReadFull(wire, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, tamper := range map[string]func(first, second []byte) []byte{
		"as it is": func(first, second []byte) []byte { return append(first, second...) },
		"changed":  func(first, second []byte) []byte { second[headBytes] ^= 1; return append(first, second...) },
		"repeated": func(first, second []byte) []byte { return append(bytes.Clone(first), first...) },
		"left out": func(first, second []byte) []byte { return second },
	} {
		t.Run(name, func(t *testing.T) {
			launcher, task, in, out := pair(t)
			wire := tamper(frame(t, task, out, "first"), frame(t, task, out, "other"))
			go in.Write(wire)
			got := make([]byte, 10)
			_, err := io.ReadFull(launcher, got)
			if name == "as it is" {
				if err != nil || string(got) != "firstother" {
					t.Errorf("%q, %v", got, err)
				}
			} else if !errors.Is(err, errStranger) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("sent back", func(t *testing.T) {
		_, task, _, out := pair(t)
		own := frame(t, task, out, "first")
		go out.(net.Conn).Write(own)
		if _, err := task.Read(make([]byte, 5)); !errors.Is(err, errStranger) {
			t.Error(err)
		}
	})
}
