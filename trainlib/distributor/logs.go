package distributor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

const (
	tailLines    = 20      // last words kept of each rank
	maxLineBytes = 1 << 16 // a longer line is passed on in pieces
)

// logs passes on what the ranks print, whole lines at a time, and keeps each rank's last words.
type logs struct {
	mu    sync.Mutex
	print func(rank int, line string)
	ranks []*rankLog
}

// rankLog is the log of one rank.
type rankLog struct {
	logs    *logs
	rank    int
	partial []byte // an unfinished line
	last    []string
	file    *os.File
}

func newLogs(d TorchDistributor) (*logs, error) {
	l := &logs{print: d.Log}
	if l.print == nil {
		l.print = func(rank int, line string) { fmt.Printf("[%d] %s\n", rank, line) }
	}
	for i := range d.ranks() {
		r := &rankLog{logs: l, rank: i}
		if d.LogDir != "" {
			if err := os.MkdirAll(d.LogDir, 0o777); err != nil {
				return nil, fmt.Errorf("distributor: LogDir: %w", err)
			}
			f, err := os.Create(filepath.Join(d.LogDir, fmt.Sprintf("rank-%d.log", i)))
			if err != nil {
				return nil, fmt.Errorf("distributor: LogDir: %w", err)
			}
			r.file = f
		}
		l.ranks = append(l.ranks, r)
	}
	return l, nil
}

// writer returns where rank i's output goes. One writer for both streams keeps their order.
func (l *logs) writer(i int) io.Writer { return l.ranks[i] }

// tail returns the last lines that a rank printed.
func (l *logs) tail(rank int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ranks[rank].flush()
	return l.ranks[rank].last
}

// close passes on unfinished lines and closes the files.
func (l *logs) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.ranks {
		r.flush()
		if r.file != nil {
			r.file.Close()
		}
	}
}

// Write takes what the rank printed. It never fails: a full disk must not stop a rank.
func (r *rankLog) Write(p []byte) (int, error) {
	r.logs.mu.Lock()
	defer r.logs.mu.Unlock()
	if r.file != nil {
		r.file.Write(p)
	}
	r.partial = append(r.partial, p...)
	for {
		end := bytes.IndexByte(r.partial, '\n')
		if end < 0 {
			if len(r.partial) > maxLineBytes {
				r.flush()
			}
			return len(p), nil
		}
		r.line(string(r.partial[:end]))
		r.partial = r.partial[end+1:]
	}
}

// flush passes on an unfinished line.
func (r *rankLog) flush() {
	if len(r.partial) > 0 {
		r.line(string(r.partial))
		r.partial = nil
	}
}

func (r *rankLog) line(text string) {
	r.last = append(r.last, text)
	if len(r.last) > tailLines {
		r.last = r.last[1:]
	}
	r.logs.print(r.rank, text)
}
