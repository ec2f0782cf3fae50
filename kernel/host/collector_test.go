package host

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLateCrashReport: a crash report that a busy machine writes slowly is shown, and tells of the host's end all the same; other text
// that only begins like one does not.
func TestLateCrashReport(t *testing.T) {
	for rest, want := range map[string]string{
		"\ngoroutine 7 [running]:\nnb/c1.f()\n\tcell[2]:1\n": "fatal error: all is lost\n\ngoroutine 7 [running]:\nnb/c1.f()\n\tcell[2]:1\n",
		"they say\n": "",
	} {
		synctest.Test(t, func(t *testing.T) {
			var shown, words string
			c := newCollector("n")
			c.stream = func(_, text string) { shown += text }
			c.words = func(text string) { words = text }
			over := make(chan bool)
			go func() { c.collect(); close(over) }()
			c.inputs <- input{stream: 1, data: []byte("fatal error: all is lost\n")}
			time.Sleep(2 * crashDelay)
			c.inputs <- input{stream: 1, data: []byte(rest)}
			c.inputs <- input{stream: 0, end: true}
			c.inputs <- input{stream: 1, end: true}
			c.inputs <- input{gone: true}
			<-over
			if words != want || shown != "fatal error: all is lost\n"+rest {
				t.Errorf("shown %q, last words %q, want %q", shown, words, want)
			}
		})
	}
}

// TestPrintedMark: what stands before the mark of two who print comes before what stands behind it, whichever stream is read first,
// and text of one stream stays one.
func TestPrintedMark(t *testing.T) {
	mark := string(markBytes("n", 1))
	for name, test := range map[string]struct {
		streams [2]string
		want    []string
	}{
		"order":    {[2]string{"out\n" + mark, mark + "err\n"}, []string{"stdout out\n", "stderr err\n"}},
		"together": {[2]string{"one\n" + mark + "two\n", mark}, []string{"stdout one\ntwo\n"}},
	} {
		var got []string
		c := newCollector("n")
		c.stream = func(stream, text string) { got = append(got, stream+" "+text) }
		c.handle = func(message) {}
		go func() {
			for _, stream := range []int{1, 0} {
				c.inputs <- input{stream: stream, data: []byte(test.streams[stream])}
			}
			c.inputs <- input{event: &message{Kind: msgPrinted, Mark: 1}}
			for stream := range test.streams {
				c.inputs <- input{stream: stream, end: true}
			}
			c.inputs <- input{gone: true}
		}()
		c.collect()
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestLastWill: what a dead host has written is read however late, but a child that keeps its pipe open is not waited for.
func TestLastWill(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	written := strings.Repeat("the end\n", 5000)
	if _, err := io.WriteString(w, written); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(&lastWill{f: r}); string(text) != written || err != nil {
		t.Errorf("%d of %d bytes, %v", len(text), len(written), err)
	}
}
