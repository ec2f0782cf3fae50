package sealed

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// pair is both ends of a sealed connection, with a wire in the middle that the test holds.
func pair(t *testing.T) (listener, dialer *Conn, toListener io.Writer, fromTheDialer io.Reader) {
	t.Helper()
	l, wireL := net.Pipe()
	k, wireT := net.Pipe()
	token := []byte("0123456789abcdef0123456789abcdef")
	shake := func(from, to net.Conn) {
		for _, n := range []int{len(Magic) + nonceBytes, headBytes + 16} {
			b := make([]byte, n)
			io.ReadFull(from, b)
			to.Write(b)
		}
	}
	var shaken sync.WaitGroup
	shaken.Go(func() { shake(wireL, wireT) })
	shaken.Go(func() { shake(wireT, wireL) })
	made := make(chan *Conn)
	go func() {
		s, err := seal(l, token, fromListener, fromDialer)
		if err != nil {
			t.Error(err)
		}
		made <- s
	}()
	dialer, err := seal(k, token, fromDialer, fromListener)
	if err != nil {
		t.Fatal(err)
	}
	listener = <-made
	shaken.Wait()
	return listener, dialer, wireL, wireT
}

// TestSealed: what is said arrives; what was changed, repeated, left out or sent back does not open.
func TestSealed(t *testing.T) {
	frame := func(t *testing.T, dialer *Conn, wire io.Reader, text string) []byte {
		t.Helper()
		go dialer.Write([]byte(text))
		b := make([]byte, headBytes+len(text)+dialer.out.Overhead())
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
			listener, dialer, in, out := pair(t)
			wire := tamper(frame(t, dialer, out, "first"), frame(t, dialer, out, "other"))
			go in.Write(wire)
			got := make([]byte, 10)
			_, err := io.ReadFull(listener, got)
			if name == "as it is" {
				if err != nil || string(got) != "firstother" {
					t.Errorf("%q, %v", got, err)
				}
			} else if !errors.Is(err, ErrStranger) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("sent back", func(t *testing.T) {
		_, dialer, _, out := pair(t)
		own := frame(t, dialer, out, "first")
		go out.(net.Conn).Write(own)
		if _, err := dialer.Read(make([]byte, 5)); !errors.Is(err, ErrStranger) {
			t.Error(err)
		}
	})
}
