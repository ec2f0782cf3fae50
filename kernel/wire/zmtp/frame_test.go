package zmtp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
)

func TestMessageBytesAreThoseOfTheSpecification(t *testing.T) {
	long := bytes.Repeat([]byte{'x'}, 256)
	got := AppendMessage(nil, []byte("ab"), nil, long)
	want := append([]byte{0x01, 2, 'a', 'b', 0x01, 0, 0x02, 0, 0, 0, 0, 0, 0, 1, 0}, long...)
	if !bytes.Equal(got, want) {
		t.Fatalf("got % x", got[:20])
	}
	if n := messageBytes([][]byte{[]byte("ab"), nil, long}); n != len(want) {
		t.Errorf("messageBytes = %d, want %d", n, len(want))
	}
	if got, want := AppendCommand(nil, "PING", []byte{0, 9}), []byte{0x04, 7, 4, 'P', 'I', 'N', 'G', 0, 9}; !bytes.Equal(got, want) {
		t.Errorf("command % x, want % x", got, want)
	}
}

func TestReaderReadsWhatWasAppended(t *testing.T) {
	messages := [][][]byte{
		{[]byte("one")},
		{{}, []byte("two"), bytes.Repeat([]byte("three"), 100_000)},
		{make([]byte, 255), make([]byte, 256)},
	}
	var b []byte
	for _, m := range messages {
		b = AppendMessage(b, m...)
	}
	b = AppendCommand(b, "PING", []byte{0, 1, 'c'})
	r := NewReader(bytes.NewReader(b), 1<<20)
	for i, m := range messages {
		got, err := r.Next()
		if err != nil || got.Command != "" || !reflect.DeepEqual(got.Frames, m) {
			t.Fatalf("message %d: %d frames, command %q, %v", i, len(got.Frames), got.Command, err)
		}
	}
	if got, err := r.Next(); err != nil || got.Command != "PING" || string(got.Frames[0]) != "\x00\x01c" {
		t.Fatalf("command: %q, %v", got, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("at the end: %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	var bad FrameError
	for _, c := range []struct {
		name string
		in   []byte
		want func(error) bool
	}{
		{"reserved flags", []byte{0x08, 0}, func(err error) bool { return errors.As(err, &bad) }},
		{"command with more", []byte{0x05, 0}, func(err error) bool { return errors.As(err, &bad) }},
		{"command inside a message", []byte{0x01, 0, 0x04, 2, 1, 'A'}, func(err error) bool { return errors.As(err, &bad) }},
		{"command without a name", []byte{0x04, 0}, func(err error) bool { return errors.As(err, &bad) }},
		{"command name beyond its body", []byte{0x04, 2, 2, 'A'}, func(err error) bool { return errors.As(err, &bad) }},
		{"long frame", []byte{0x02, 0, 0, 0, 0, 0, 1, 0, 0}, func(err error) bool { return errors.Is(err, ErrTooLarge) }},
		{"longest frame", []byte{0x02, 255, 255, 255, 255, 255, 255, 255, 255}, func(err error) bool { return errors.Is(err, ErrTooLarge) }},
		{"frames that are long together", append([]byte{0x01, 200}, append(make([]byte, 200), 0, 100)...), func(err error) bool { return errors.Is(err, ErrTooLarge) }},
		{"end in a length", []byte{0x02, 0, 0}, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"end in a body", []byte{0x00, 3, 'a'}, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"end between frames", []byte{0x01, 1, 'a'}, func(err error) bool { return err == io.ErrUnexpectedEOF }},
	} {
		if got, err := NewReader(bytes.NewReader(c.in), 256).Next(); err == nil || !c.want(err) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(AppendMessage(nil, []byte("topic"), []byte("<IDS|MSG>"), make([]byte, 300)))
	f.Add(AppendCommand(nil, "SUBSCRIBE", nil))
	f.Add([]byte{0x02, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte{0x01, 0, 0x04, 2, 1, 'A'})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in), 1<<16)
		var again []byte
		for {
			m, err := r.Next()
			if err != nil {
				break
			}
			if m.Command != "" {
				again = AppendCommand(again, m.Command, m.Frames[0])
			} else {
				again = AppendMessage(again, m.Frames...)
			}
		}
		// What was read can be written and read again, to the same bytes (a peer may use long lengths where short would do).
		r2 := NewReader(bytes.NewReader(again), 1<<16)
		var third []byte
		for {
			m, err := r2.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("reading back: %v", err)
			}
			if m.Command != "" {
				third = AppendCommand(third, m.Command, m.Frames[0])
			} else {
				third = AppendMessage(third, m.Frames...)
			}
		}
		if !bytes.Equal(again, third) {
			t.Fatal("not the same bytes the second time")
		}
	})
}
