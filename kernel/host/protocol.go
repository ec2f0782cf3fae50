package host

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"gomosaic/kernel/cell/rt"
)

// The front and its host speak over two pipes, the host's file descriptors 3 (commands) and 4 (events). A frame is
//
//	┌──────────────────┬──────────────────────────┐
//	│ length, 4 bytes  │ message, length bytes    │
//	│ big-endian       │ JSON                     │
//	└──────────────────┴──────────────────────────┘
//
// What cells print does not travel here: the host's descriptors 1 and 2 are pipes that the front reads itself, so that
// the last words of a dying host are not lost. An event that has a place among the output carries a mark: the host
// writes the mark's bytes to both output pipes before it sends the event, and the front handles the event when it has
// read the mark from both.
const (
	commandsFD    = 3
	eventsFD      = 4
	maxFrameBytes = 256 << 20 // a browser takes no more either
)

// Commands to the host.
const (
	msgRun       = "run"       // Seq, Plugin, Label
	msgInterrupt = "interrupt" // the running cell
	msgPeek      = "peek"      // ID, Seq (the variable's package), Text (its name there) → msgPeeked
	msgReply     = "reply"     // ID, and Text or Error, or Plan: the answer to a call
)

// Events from the host. Calls have an ID and get a reply.
const (
	msgReady   = "ready"
	msgLoaded  = "loaded"  // the plugin is in: what it declares counts
	msgDone    = "done"    // Status and, if it is not ok, Error and Frames
	msgDisplay = "display" // Data, Metadata, Transient, Update
	msgResult  = "result"  // Data, Metadata
	msgClear   = "clear"   // Wait
	msgPrinted = "printed" // nothing but its mark
	msgPeeked  = "peeked"  // ID, Text: the value, or empty
	msgInput   = "input"   // call: Text is the prompt, Password
	msgSource  = "source"  // call: Text is a place in a cell → Text, its line
	msgPlan    = "plan"    // call: Function, Package, Func, Arch → Plan
	msgBuild   = "build"   // call: Function, Package, Func, Arch, Snapshot, Types → Text, the program's path
)

// How a cell ended.
const (
	statusOK          = "ok"
	statusPanic       = "panic"
	statusError       = "error"       // check of an error
	statusInterrupted = "interrupted" // and unwound
	statusAbandoned   = "abandoned"   // interrupted, but blocked: left behind
	statusLoad        = "load"        // the plugin could not be loaded
)

// message is every command and event.
type message struct {
	Kind string `json:"kind"`
	ID   int    `json:"id,omitempty"`
	Mark int    `json:"mark,omitempty"`

	Seq    int    `json:"seq,omitempty"`
	Label  int    `json:"label,omitempty"`
	Plugin string `json:"plugin,omitempty"`

	Status string     `json:"status,omitempty"`
	Error  string     `json:"error,omitempty"`
	Name   string     `json:"name,omitempty"` // type of the panic value
	Frames []rt.Frame `json:"frames,omitempty"`

	Data      map[string]any `json:"data,omitempty"`
	Metadata  map[string]any `json:"metadata,omitempty"`
	Transient map[string]any `json:"transient,omitempty"`
	Update    bool           `json:"update,omitempty"`
	Wait      bool           `json:"wait,omitempty"`
	Text      string         `json:"text,omitempty"`
	Password  bool           `json:"password,omitempty"`

	Function string     `json:"function,omitempty"` // linker symbol of a cell's function
	Package  string     `json:"package,omitempty"`
	Func     string     `json:"func,omitempty"`
	Arch     string     `json:"arch,omitempty"`     // GOARCH of a program
	Snapshot string     `json:"snapshot,omitempty"` // file
	Types    []string   `json:"types,omitempty"`    // snapshot.TypeRef
	Plan     []variable `json:"plan,omitempty"`
}

// variable is a captured variable of a shipped function.
type variable struct {
	Name string `json:"name"` // the user's
	Cell int    `json:"cell"` // package
	Key  string `json:"key"`  // name there
}

// frameWriter writes frames; safe for concurrent use.
type frameWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *frameWriter) send(m message) error {
	frame, err := encodeFrame(m)
	if err != nil {
		return err
	}
	return f.write(frame)
}

func (f *frameWriter) write(frame []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.w.Write(frame)
	return err
}

// encodeFrame fails for what the other side would not take.
func encodeFrame(m message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", m.Kind, err)
	}
	if len(body) > maxFrameBytes {
		return nil, fmt.Errorf("%s are too much for a front-end, which takes %s", megabytes(int64(len(body))), megabytes(maxFrameBytes))
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...), nil
}

// readFrame reads one frame; io.EOF means that the other side is gone.
func readFrame(r *bufio.Reader) (message, error) {
	var m message
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrameBytes {
		return m, fmt.Errorf("host: frame of %d bytes", n)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return m, err
	}
	if len(body) < int(n) {
		return m, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("host: frame: %w", err)
	}
	return m, nil
}
