package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	defaultOutputBytes = 4 << 20
	spillFileBytes     = 1 << 30 // of one cell's file; what comes behind is counted and dropped
	spillTailBytes     = 2 << 10
)

// spill is the Output of one cell that shows a bounded amount of text: a notebook of hundreds of megabytes opens nowhere.
// What is above goes to a file, and the cell's end shows the last lines. Display values pass.
type spill struct {
	Output
	path  string // of the file
	limit int64  // bytes to show

	mu    sync.Mutex
	total int64 // bytes printed
	file  *os.File
	wrote int64
	err   error // of the file
	tail  []byte

	finished bool
}

// outputsFolder holds the files of cells that printed too much, in the cache.
const outputsFolder = "outputs"

// newSpill limits out to limit bytes. The cell's file is made when it is needed.
func newSpill(out Output, limit int64, cacheDir, session string, cell int) *spill {
	return &spill{Output: out, limit: limit, path: filepath.Join(cacheDir, outputsFolder, fmt.Sprintf("%s-cell-%d.txt", session, cell))}
}

// Stream shows text, or keeps it.
func (s *spill) Stream(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.limit - s.total
	s.total += int64(len(text))
	if left >= int64(len(text)) {
		s.Output.Stream(name, text)
		return
	}
	if left > 0 || s.file == nil && s.err == nil {
		cut := max(int(left), 0)
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		if cut > 0 {
			s.Output.Stream(name, text[:cut])
		}
		text = text[cut:]
		s.open()
	}
	s.keep(text)
}

func (s *spill) open() {
	if s.err = os.MkdirAll(filepath.Dir(s.path), 0o755); s.err == nil {
		s.file, s.err = os.Create(s.path)
	}
	where := "the rest goes to " + s.path
	if s.err != nil {
		where = "the rest is lost: " + s.err.Error()
	}
	s.Output.Stream("stderr", fmt.Sprintf("\n[this cell has printed %s, which is the limit of what is shown; %s]\n", megabytes(s.limit), where))
}

// keep writes text to the file and remembers the last of it.
func (s *spill) keep(text string) {
	s.tail = append(s.tail, text[max(0, len(text)-spillTailBytes):]...)
	s.tail = s.tail[max(0, len(s.tail)-spillTailBytes):]
	if s.err != nil || s.wrote >= spillFileBytes {
		return
	}
	n, err := s.file.WriteString(text)
	s.wrote += int64(n)
	s.err = err
}

// finish shows how much there was, and the last lines. What goroutines of the cell print later goes to the file alone.
func (s *spill) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tail == nil || s.finished {
		return
	}
	s.finished = true
	tail := string(s.tail)
	if i := strings.IndexByte(tail, '\n'); i >= 0 && i < len(tail)-1 {
		tail = tail[i+1:]
	}
	end := ""
	switch {
	case s.err != nil:
		end = "; the file ends early: " + s.err.Error()
	case s.wrote >= spillFileBytes:
		end = fmt.Sprintf("; the file holds the first %s of the rest", megabytes(s.wrote))
	}
	s.Output.Stream("stderr", fmt.Sprintf("[… %s in all%s. The last lines:]\n", megabytes(s.total), end))
	s.Output.Stream("stdout", strings.ToValidUTF8(tail, ""))
}

// close ends the file.
func (s *spill) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Close()
		s.file, s.err = nil, os.ErrClosed
	}
}

func megabytes(n int64) string {
	if n < 10_000_000 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
