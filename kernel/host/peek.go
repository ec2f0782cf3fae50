package host

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gomosaic/kernel/cell"
)

// peekWait is how long an inspection waits for the value of a variable.
const peekWait = 500 * time.Millisecond

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
		text = preview(reflect.ValueOf(pointer).Elem())
	}
	_ = s.events.send(message{Kind: msgPeeked, ID: m.ID, Text: text})
}

// Bounds of a preview.
const (
	previewBytes    = 600
	previewDepth    = 4
	previewElements = 20
)

// preview writes a value in the manner of %+v, bounded in depth and length.
func preview(v reflect.Value) (text string) {
	p := &previewer{maps: !cellGoroutines()}
	defer func() {
		if recover() != nil { // memory that the user's unsafe code has broken, at worst
			text = ""
		}
	}()
	p.value(v, 0)
	return p.String()
}

// cellGoroutines tells whether a goroutine of a cell still runs. It might write to a map, and Go ends a process that
// reads a map meanwhile.
func cellGoroutines() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("\nnb/c"))
}

type previewer struct {
	strings.Builder
	maps bool // may be read
}

func (p *previewer) value(v reflect.Value, depth int) {
	switch {
	case !v.IsValid():
		p.WriteString("nil")
		return
	case p.Len() > previewBytes:
		p.WriteString("…")
		return
	case v.CanInterface() && selfDescribing[v.Type().PkgPath()]:
		switch x := v.Interface().(type) {
		case error:
			p.WriteString(strconv.Quote(x.Error()))
			return
		case fmt.Stringer:
			p.WriteString(x.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		p.quote(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			p.WriteString("nil")
			return
		}
		p.WriteByte('&')
		p.deeper(v.Elem(), depth)
	case reflect.Interface:
		if v.IsNil() {
			p.WriteString("nil")
			return
		}
		if inner := v.Elem(); inner.Kind() == reflect.Struct || inner.Kind() == reflect.Pointer || inner.Type().PkgPath() != "" {
			fmt.Fprintf(p, "(%s) ", inner.Type())
		}
		p.value(v.Elem(), depth)
	case reflect.Slice, reflect.Array:
		p.list(v, depth)
	case reflect.Map:
		p.table(v, depth)
	case reflect.Struct:
		p.fields(v, depth)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		p.WriteString(v.Type().String())
		if v.IsNil() {
			p.WriteString("(nil)")
		}
	default: // numbers and booleans: fmt looks behind unexported fields too, and calls no method of these
		fmt.Fprintf(p, "%v", plain(v))
	}
}

// selfDescribing are packages whose String and Error methods are quick and change nothing.
var selfDescribing = map[string]bool{"time": true, "errors": true, "math/big": true, "net/url": true, "io/fs": true}

// plain is the number or truth value in v, without its type's methods.
func plain(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		if v.Kind() == reflect.Float32 {
			return float32(v.Float())
		}
		return v.Float()
	case v.CanComplex():
		return v.Complex()
	}
	return v.Bool()
}

func (p *previewer) deeper(v reflect.Value, depth int) {
	if depth >= previewDepth {
		p.WriteString("…")
		return
	}
	p.value(v, depth+1)
}

func (p *previewer) quote(text string) {
	const longest = 200
	if len(text) <= longest {
		p.WriteString(strconv.Quote(text))
		return
	}
	fmt.Fprintf(p, "%s… (%d bytes)", strconv.Quote(strings.ToValidUTF8(text[:longest], "")), len(text))
}

func (p *previewer) list(v reflect.Value, depth int) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		p.WriteString("nil")
		return
	}
	p.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			p.WriteByte(' ')
		}
		if i == previewElements || p.Len() > previewBytes {
			p.WriteString("…")
			break
		}
		p.deeper(v.Index(i), depth)
	}
	p.WriteByte(']')
	if v.Len() > previewElements {
		fmt.Fprintf(p, " (%d elements)", v.Len())
	}
}

func (p *previewer) table(v reflect.Value, depth int) {
	if v.IsNil() {
		p.WriteString("nil")
		return
	}
	if !p.maps {
		p.WriteString("map[…] (not read while goroutines of cells run)")
		return
	}
	keys := make([]string, 0, previewElements)
	values := map[string]reflect.Value{}
	for iter := v.MapRange(); iter.Next() && len(keys) < 1000; {
		key := previewer{maps: true}
		key.value(iter.Key(), previewDepth)
		keys = append(keys, key.String())
		values[key.String()] = iter.Value()
	}
	slices.Sort(keys)
	p.WriteString("map[")
	for i, key := range keys {
		if i > 0 {
			p.WriteByte(' ')
		}
		if i == previewElements || p.Len() > previewBytes {
			p.WriteString("…")
			break
		}
		p.WriteString(key + ":")
		p.deeper(values[key], depth)
	}
	p.WriteByte(']')
	if v.Len() > previewElements {
		fmt.Fprintf(p, " (%d entries)", v.Len())
	}
}

// fields writes a struct: all fields of the user's own types, the exported ones of others.
func (p *previewer) fields(v reflect.Value, depth int) {
	t := v.Type()
	p.WriteByte('{')
	written, left := false, false
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() && f.PkgPath != "main" && !strings.HasPrefix(f.PkgPath, "nb/c") {
			left = true
			continue
		}
		if written {
			p.WriteByte(' ')
		}
		written = true
		p.WriteString(f.Name + ":")
		p.deeper(v.Field(i), depth)
	}
	if left {
		if written {
			p.WriteByte(' ')
		}
		p.WriteString("…")
	}
	p.WriteByte('}')
}
