package host

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// read gives a stream to a markReader in pieces and writes what comes out as text with ⟨n⟩ for marks.
func readPieces(data []byte, cut func(rest int) int) string {
	m := newMarkReader("NONCE")
	var b strings.Builder
	write := func(list []segment) {
		for _, s := range list {
			if s.mark > 0 {
				fmt.Fprintf(&b, "⟨%d⟩", s.mark)
			}
			if s.stderr {
				fmt.Fprintf(&b, "‹%s›", s.text)
				continue
			}
			b.WriteString(s.text)
		}
	}
	for len(data) > 0 {
		n := cut(len(data))
		write(m.read(data[:n], false))
		data = data[n:]
	}
	write(m.read(nil, true))
	return b.String()
}

func TestMarksInPieces(t *testing.T) {
	stream := "one é Ꞷmain.Ꞷpt Ꞷx\x00 zero" + string(markBytes("NONCE", 1)) + "two" + string(markBytes("NONCE", 12)) + string(markBytes("OTHER", 3)) + "Ꞷ"
	want := "one é main.pt x\x00 zero⟨1⟩two⟨12⟩\x00\x1bOTHER:3\x00"
	for size := 1; size <= len(stream); size++ {
		if got := readPieces([]byte(stream), func(rest int) int { return min(size, rest) }); got != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
}

func TestStderrAmongOutput(t *testing.T) {
	long := strings.Repeat("Ꞷmain.Ꞷx line\n", 2000) + strings.Repeat("é", 5000)
	stream := "a" + string(bytes.Join(stderrBytes("NONCE", "b"), nil)) + "c"
	for _, piece := range stderrBytes("NONCE", long) {
		if len(piece) > atomicBytes {
			t.Errorf("a piece of %d bytes", len(piece))
		}
		stream += string(piece)
	}
	want := "a‹b›c‹" + strings.ReplaceAll(long, "Ꞷ", "") + "›"
	if got := strings.ReplaceAll(readPieces([]byte(stream), func(rest int) int { return rest }), "›‹", ""); got != want {
		t.Errorf("%.200q, want %.200q", got, want)
	}
}

// FuzzMarks: however a stream is cut, the same comes out.
func FuzzMarks(f *testing.F) {
	f.Add([]byte("a\x00\x1bNONCE:7\x00b"), uint8(3))
	f.Add([]byte("Ꞷmain.Ꞷx\xff\xc3"), uint8(1))
	f.Add([]byte("a\x00\x1bNONCE:e\x00Ꞷmain.Ꞷx\x00\x1bNONCE:o\x00b"), uint8(2))
	f.Add([]byte("\x00\x1bNONCE:\x00\x00\x1bNONCE:1"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		joined := strings.NewReplacer("›‹", "")
		whole := joined.Replace(readPieces(data, func(rest int) int { return rest }))
		pieces := joined.Replace(readPieces(data, func(rest int) int { return min(int(size)+1, rest) }))
		if whole != pieces {
			t.Errorf("whole %q, in pieces of %d %q", whole, int(size)+1, pieces)
		}
	})
}

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	for _, kind := range []string{msgRun, msgDone} {
		if err := (&frameWriter{w: &b}).send(message{Kind: kind, Seq: 3, Data: map[string]any{"text/plain": "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	cut := b.Bytes()[:b.Len()-1]
	r := bufio.NewReader(bytes.NewReader(cut))
	if m, err := readFrame(r); err != nil || m.Kind != msgRun || m.Seq != 3 || m.Data["text/plain"] != "x" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := readFrame(r); err != io.ErrUnexpectedEOF {
		t.Errorf("a frame that is cut short: %v", err)
	}
	if _, err := readFrame(r); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

// TestEventTooLarge: what cannot be sent leaves no mark among the output, behind which the front would wait for ever.
func TestEventTooLarge(t *testing.T) {
	var events bytes.Buffer
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := &server{nonce: "n", events: &frameWriter{w: &events}, marks: [2]*os.File{w, w}}
	if err := s.sendMarked(message{Kind: msgDisplay, Text: strings.Repeat("x", maxFrameBytes)}); err == nil || !strings.Contains(err.Error(), "too much for a front-end") {
		t.Error(err)
	}
	w.Close()
	if text, err := io.ReadAll(r); len(text) > 0 || err != nil || events.Len() > 0 || s.mark != 0 {
		t.Errorf("%q, %v, mark %d, %d bytes of events", text, err, s.mark, events.Len())
	}
}

func FuzzReadFrame(f *testing.F) {
	var b bytes.Buffer
	if err := (&frameWriter{w: &b}).send(message{Kind: msgReady}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			if _, err := readFrame(r); err != nil {
				return
			}
		}
	})
}

func TestLastWords(t *testing.T) {
	words := "runtime: goroutine stack exceeds 64-byte limit\nruntime: sp=0x1\nfatal error: stack overflow\n\nruntime stack:\nx()\n\n" +
		"goroutine 18 [running, locked to thread]:\nnb/c1.f(...)\n\tcell[4]:2 +0x1\nnb/c1.f(...)\n\tcell[4]:2 +0x1\nnb/c1.Run()\n\tcell[5]:1 +0x3\n\ngoroutine 1:\n\tcell[1]:1\n"
	e := deathOf(nil, words, false)
	if !strings.HasPrefix(e.Value, "fatal error: stack overflow (") || e.Traceback[1] != "    at cell[4]:2 < cell[5]:1" {
		t.Errorf("%s\n%q", e.Value, e.Traceback)
	}
	for text, want := range map[string]int{"panic: x": 0, "ok\nfatal error: y": 3, "don't panic: it is fine": -1, "": -1} {
		if got := crashStart(text); got != want {
			t.Errorf("%q starts a crash at %d, want %d", text, got, want)
		}
	}
}
