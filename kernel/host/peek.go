package host

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync"
	"time"

	"gomosaic/display"
	"gomosaic/kernel/cell"
)

// peekWait is how long an inspection waits for the value of a variable. A host that lives answers within a moment, where the machine is
// not busy.
const peekWait = 5 * time.Second

// peek asks the host for the value of a variable, as short text. Values are read between cells only.
func (s *Session) peek(v cell.Captured) string {
	s.mu.Lock()
	p, busy := s.host, s.active != nil
	s.mu.Unlock()
	if busy {
		return "// its value is not read while a cell runs"
	}
	if p == nil {
		return ""
	}
	answer := make(chan string, 1)
	id := p.peeks.add(answer)
	defer p.peeks.remove(id)
	if err := p.send(message{Kind: msgPeek, ID: id, Seq: v.Cell, Text: v.Key}); err != nil {
		return ""
	}
	select {
	case text := <-answer:
		return cell.Demangle(text)
	case <-p.exited:
		return ""
	case <-time.After(peekWait):
		return ""
	}
}

// peeks are the questions for values that a host has not answered yet. It is safe for concurrent use.
type peeks struct {
	mu      sync.Mutex
	last    int
	waiting map[int]chan<- string
}

func (q *peeks) add(answer chan<- string) (id int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == nil {
		q.waiting = map[int]chan<- string{}
	}
	q.last++
	q.waiting[q.last] = answer
	return q.last
}

func (q *peeks) remove(id int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, id)
}

func (q *peeks) answer(id int, text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if answer := q.waiting[id]; answer != nil {
		answer <- text
		delete(q.waiting, id)
	}
}

// workingDir is the host's working directory, which cells may have changed; other is the answer where it cannot be seen.
func (p *process) workingDir(other string) string {
	if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid)); err == nil {
		return dir
	}
	return other
}

// peek answers the front's question for a value. It runs on the goroutine that reads commands, so that no cell starts
// meanwhile, and calls no method of the user's: a look must not change or stop anything.
func (s *server) peek(m message) {
	s.mu.Lock()
	busy, pointer := s.current != nil, s.cells[m.Seq].variables[m.Text]
	s.mu.Unlock()
	text := ""
	if !busy && pointer != nil {
		text = glimpse(reflect.ValueOf(pointer).Elem())
	}
	_ = s.events.send(message{Kind: msgPeeked, ID: m.ID, Text: text})
}

// peekRunes bounds the text.
const peekRunes = 600

func glimpse(v reflect.Value) (text string) {
	defer func() {
		if recover() != nil { // memory that the user's unsafe code has broken, at worst
			text = ""
		}
	}()
	return display.Glimpse(v, peekRunes, !cellGoroutines())
}

// cellGoroutines tells whether a goroutine of a cell still runs. It might write to a map, and Go ends a process that
// reads a map meanwhile.
func cellGoroutines() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("\nnb/c"))
}
