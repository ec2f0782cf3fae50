package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistoryAccess(t *testing.T) {
	h := &history{session: 3, log: t.Logf, entries: []historyEntry{{1, 1, "a := 1"}, {2, 1, "b/c"}, {2, 2, "a := 2"}, {3, 1, "x"}, {3, 2, "b/c"}, {3, 3, "x"}}}
	for _, c := range []struct {
		request historyRequest
		want    string
	}{
		{historyRequest{Type: "tail", N: 2}, "[[3 2 b/c] [3 3 x]]"},
		{historyRequest{Type: "range", Start: 1, Stop: 3}, "[[3 1 x] [3 2 b/c]]"},
		{historyRequest{Type: "range", Session: -1, Start: 2}, "[[2 2 a := 2]]"},
		{historyRequest{Type: "range", Session: 1}, "[[1 1 a := 1]]"},
		{historyRequest{Type: "search", Pattern: "a*"}, "[[1 1 a := 1] [2 2 a := 2]]"},
		{historyRequest{Type: "search", Pattern: "*c"}, "[[2 1 b/c] [3 2 b/c]]"},
		{historyRequest{Type: "search", Pattern: "*", Unique: true, N: 2}, "[[3 2 b/c] [3 3 x]]"},
		{historyRequest{Type: "search", Pattern: "nothing"}, "[]"},
		{historyRequest{Type: "tail", N: 1, Output: true}, "[[3 3 [x <nil>]]]"},
	} {
		if got, err := h.find(c.request); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%+v: %v %v, want %s", c.request, got, err, c.want)
		}
	}
	for _, bad := range []historyRequest{{Type: "all"}, {Type: "search", Pattern: "["}} {
		if _, err := h.find(bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

func TestHistoryOutlivesTheSession(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a folder", "history.jsonl")
	for session := 1; session <= 2; session++ {
		h := openHistory(name, t.Logf)
		if h.session != session {
			t.Fatalf("session %d, want %d", h.session, session)
		}
		h.add(1, fmt.Sprintf("x := %d\n", session))
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, `{"session":2,"li`) // cut short
	f.Close()
	h := openHistory(name, t.Logf)
	defer h.close()
	got, err := h.find(historyRequest{Type: "tail", N: 9})
	if err != nil || fmt.Sprintf("%q", got) != `[['\x01' '\x01' "x := 1\n"] ['\x02' '\x01' "x := 2\n"]]` {
		t.Errorf("%q %v", got, err)
	}
}

func TestHistoryFileIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.jsonl")
	h := openHistory(name, t.Logf)
	long := strings.Repeat("x", 4096)
	for i := range historyKeep + 100 {
		h.add(i+1, long)
	}
	h.close()
	h = openHistory(name, t.Logf)
	if len(h.entries) != historyKeep || h.entries[0].Line != 101 {
		t.Errorf("%d entries, the first is %d", len(h.entries), h.entries[0].Line)
	}
	h.add(1, "new")
	h.close()
	h = openHistory(name, t.Logf)
	defer h.close()
	if last := h.entries[len(h.entries)-1]; last.Input != "new" || last.Session != 2 {
		t.Errorf("last entry %+v", last)
	}
}

func TestHistoryThatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told := false
	h := openHistory(filepath.Join(file, "history.jsonl"), func(string, ...any) { told = true })
	h.add(1, "x")
	if got, err := h.find(historyRequest{Type: "tail"}); !told || err != nil || len(got) != 1 {
		t.Errorf("told %v, %v %v", told, got, err)
	}
}
