package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOutputFlood: a cell that prints very much shows some of it, and a file has the rest.
func TestOutputFlood(t *testing.T) {
	megabytes := 32
	if os.Getenv("GOMOSAIC_LONG") != "" {
		megabytes = 1000
	}
	n := openNotebook(t)
	out := &recorder{}
	before := residentBytes(t, os.Getpid())
	started := time.Now()
	code := fmt.Sprintf("import (\"bytes\"; \"os\"; \"fmt\")\nblock := bytes.Repeat([]byte(\"sixteen letters\\n\"), 1<<16)\nfor range %d { os.Stdout.Write(block) }\nfmt.Println(\"the end\")\n7", megabytes)
	if err := n.Execute(t.Context(), code, 1, out); err != nil {
		t.Fatal(err)
	}
	text := out.text()
	t.Logf("%d MiB in %v, the front grew by %d MB", megabytes, time.Since(started).Round(time.Millisecond), (residentBytes(t, os.Getpid())-before)>>20)
	if len(text) > defaultOutputBytes+10_000 {
		t.Errorf("%d bytes are shown", len(text))
	}
	if !strings.HasSuffix(text, "sixteen letters\nthe end\n") {
		t.Errorf("the last line is not shown: …%q", text[len(text)-200:])
	}
	m := regexp.MustCompile(`the rest goes to (.*\.txt)\]`).FindStringSubmatch(text)
	if m == nil || !strings.Contains(text, "MB in all") {
		t.Fatalf("no note in %q", text[defaultOutputBytes:])
	}
	rest, err := os.Stat(m[1])
	if err != nil || filepath.Dir(m[1]) != filepath.Join(testOptions.CacheDir, outputsFolder) {
		t.Fatal(err, m[1])
	}
	if want := int64(megabytes)<<20 + 8 - defaultOutputBytes; rest.Size() != want && rest.Size() < spillFileBytes {
		t.Errorf("the file has %d bytes, want %d", rest.Size(), want)
	}
	n.count = 1
	n.want("fmt.Println(\"next\")", "next\n")
}

// residentBytes is a process's resident memory.
func residentBytes(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(status), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

func TestSpill(t *testing.T) {
	out := &recorder{}
	s := newSpill(out, 10, t.TempDir(), "s", 3)
	s.Stream("stdout", "12345678é")
	s.Stream("stdout", "9\nab")
	s.Stream("stderr", "cd\nlast\n")
	s.finish()
	s.finish()
	s.Stream("stdout", "late")
	s.close()
	s.Stream("stdout", "too late")
	file, err := os.ReadFile(s.path)
	if string(file) != "9\nabcd\nlast\nlate" || err != nil {
		t.Errorf("the file has %q, %v", file, err)
	}
	if got := out.text(); !strings.HasPrefix(got, "12345678é\n[this cell") || !strings.HasSuffix(got, "lines:]\nabcd\nlast\n") {
		t.Errorf("shown: %q", got)
	}
}

// TestSpillWithoutAFile says so where the file cannot be written.
func TestSpillWithoutAFile(t *testing.T) {
	out := &recorder{}
	s := newSpill(out, 3, filepath.Join(os.Args[0], "no folder"), "s", 1)
	s.Stream("stdout", "äöü")
	s.Stream("stdout", "x")
	s.finish()
	if got := out.text(); !strings.HasPrefix(got, "ä\n[this cell") || !strings.Contains(got, "the rest is lost") || !strings.HasSuffix(got, "öüx") {
		t.Errorf("shown: %q", got)
	}
}

// TestCrashReportFlood: standard error that looks like a crash is not held without bound.
func TestCrashReportFlood(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"os\"; \"strings\")\nos.Stderr.WriteString(\"panic: no\\n\" + strings.Repeat(\"x\", 3<<20) + \"\\n\")\n5", "panic: no\nxxx")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &recorder{}
	err := n.Execute(ctx, "for range 5000 { go func() { select {} }() }\nvar m map[string]int\nfunc() { defer os.Exit(2); os.Stderr.WriteString(\"fatal error: many words\\n\\ngoroutine 1 [running]:\\n\" + strings.Repeat(\"nb/c1.x\\n\\tcell[2]:1\\n\", 200_000)) }()", 2, out)
	if e, ok := err.(*CellError); !ok || !strings.Contains(e.Text(), "fatal error: many words") {
		t.Errorf("gave %v", err)
	}
}
