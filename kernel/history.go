package kernel

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// history keeps the inputs of this session in memory and appends them to a file, one JSON object a line, which later
// sessions read: a terminal client's arrow keys walk through it. It is safe for concurrent use.
type history struct {
	mu      sync.Mutex
	entries []historyEntry
	session int // number of this session; earlier ones are smaller
	file    *os.File
	log     func(string, ...any)
}

type historyEntry struct {
	Session int    `json:"session"`
	Line    int    `json:"line"`
	Input   string `json:"input"`
}

const (
	historyFileBytes = 8 << 20 // a longer file is cut to its newest entries at the next start
	historyKeep      = 5000    // entries kept then
)

// openHistory reads the file at name; "" keeps this session's inputs in memory only. A file that cannot be used costs
// the past, not the kernel: log gets the reason.
func openHistory(name string, log func(string, ...any)) *history {
	h := &history{session: 1, log: log}
	if name == "" {
		return h
	}
	if err := h.load(name); err != nil {
		log("history: %v", err)
	}
	return h
}

func (h *history) load(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 64<<20)
	size := 0
	for scan.Scan() {
		var e historyEntry
		size += len(scan.Bytes()) + 1
		if json.Unmarshal(scan.Bytes(), &e) == nil { // a line cut short by a full disk is left out
			h.entries = append(h.entries, e)
			h.session = max(h.session, e.Session+1)
		}
	}
	if err := scan.Err(); err != nil {
		f.Close()
		return err
	}
	h.file = f
	if size > historyFileBytes {
		h.entries = slices.Clone(h.entries[max(0, len(h.entries)-historyKeep):])
		return h.rewrite(name)
	}
	return nil
}

// rewrite replaces the file by the entries in memory.
func (h *history) rewrite(name string) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".history-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	w := bufio.NewWriter(tmp)
	e := json.NewEncoder(w)
	for _, entry := range h.entries {
		if err := e.Encode(entry); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	h.file.Close()
	h.file = tmp
	return nil
}

func (h *history) add(line int, input string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := historyEntry{h.session, line, input}
	h.entries = append(h.entries, e)
	if h.file == nil {
		return
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = h.file.Write(append(b, '\n')) // one write: kernels that share the file do not mix their lines
	}
	if err != nil {
		h.log("history: %v", err)
		h.file.Close()
		h.file = nil
	}
}

func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	f := h.file
	h.file = nil
	return f.Close()
}

// historyRequest is the content of a history_request.
type historyRequest struct {
	Output  bool   `json:"output"`
	Raw     bool   `json:"raw"`
	Type    string `json:"hist_access_type"` // range, tail or search
	Session int    `json:"session"`          // range: 0 is this session, -1 the one before
	Start   int    `json:"start"`
	Stop    int    `json:"stop"` // exclusive
	N       int    `json:"n"`
	Pattern string `json:"pattern"` // search: a glob over the whole input
	Unique  bool   `json:"unique"`
}

// find returns entries as the protocol wants them: [session, line, input], or with Output [session, line, [input, null]],
// outputs not being kept. Glob patterns are those of path.Match, with * matching slashes too.
func (h *history) find(r historyRequest) ([]any, error) {
	h.mu.Lock()
	entries := slices.Clone(h.entries)
	session := h.session
	h.mu.Unlock()
	switch r.Type {
	case "range":
		if r.Session <= 0 {
			r.Session += session
		}
		entries = slices.DeleteFunc(entries, func(e historyEntry) bool {
			return e.Session != r.Session || e.Line < r.Start || (r.Stop > 0 && e.Line >= r.Stop)
		})
	case "tail":
	case "search":
		if _, err := path.Match(r.Pattern, ""); err != nil {
			return nil, fmt.Errorf("history: pattern %q: %w", r.Pattern, err)
		}
		entries = slices.DeleteFunc(entries, func(e historyEntry) bool { return !glob(r.Pattern, e.Input) })
		if r.Unique {
			entries = newest(entries)
		}
	default:
		return nil, fmt.Errorf("history: hist_access_type %q is none of range, tail and search", r.Type)
	}
	if r.Type != "range" && r.N > 0 && len(entries) > r.N {
		entries = entries[len(entries)-r.N:]
	}
	found := make([]any, len(entries))
	for i, e := range entries {
		if r.Output {
			found[i] = []any{e.Session, e.Line, []any{e.Input, nil}}
		} else {
			found[i] = []any{e.Session, e.Line, e.Input}
		}
	}
	return found, nil
}

// newest keeps the last of equal inputs.
func newest(entries []historyEntry) []historyEntry {
	seen := map[string]bool{}
	slices.Reverse(entries)
	entries = slices.DeleteFunc(entries, func(e historyEntry) bool {
		if seen[e.Input] {
			return true
		}
		seen[e.Input] = true
		return false
	})
	slices.Reverse(entries)
	return entries
}

// slashes stands in for / in names and patterns: path.Match stops * at a slash, which inputs are full of.
var slashes = strings.NewReplacer("/", "\uE000")

func glob(pattern, s string) bool {
	ok, _ := path.Match(slashes.Replace(pattern), slashes.Replace(s))
	return ok
}
