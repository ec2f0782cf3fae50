package host

import (
	"io"
	"os"
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
