package host

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gomosaic/display"
	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
	"gomosaic/mdslib/ship"
)

// Main is the cell host's process, `gomosaic host NONCE FOLDER STACKBYTES`, started by a [Session]; it returns the exit
// status. It ends when the front's end of the command pipe closes.
func Main(args []string) int {
	if len(args) > 0 && args[0] == "toolexec" { // of the go command, see buildProgram
		return cell.RunTool(args[1:])
	}
	if len(args) != 3 {
		fmt.Fprintln(os.Stderr, "gomosaic host is started by the kernel, not by hand")
		return 2
	}
	stackBytes, err := strconv.Atoi(args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gomosaic host: stack bytes:", err)
		return 2
	}
	debug.SetMaxStack(stackBytes)
	for _, fd := range []int{commandsFD, eventsFD} {
		unix.CloseOnExec(fd) // children of cells must not hold the pipes open
	}
	s := &server{
		nonce: args[0], folder: args[1],
		events:  &frameWriter{w: os.NewFile(eventsFD, "events")},
		cells:   map[int]loadedCell{},
		calls:   map[int]chan message{},
		pending: make(chan *run),
	}
	if s.marks, err = markPipes(); err != nil {
		fmt.Fprintln(os.Stderr, "gomosaic host:", err)
		return 2
	}
	s.stdin, err = openStdin(func(r *run) (string, error) { return s.Input(r.goroutines.Context(), "", false) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "gomosaic host:", err)
		return 2
	}
	lineBufferC()
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM) // the front's death: see startProcess
	go func() { <-terminated; endGroup() }()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT) // interrupts come as commands
	rt.SetHooks(rt.Hooks{Shown: s.shown, Stderr: s.stderr, Printed: s.printed, GoPanic: s.goPanic, Register: s.register, Whos: s.whos, Test: s.test, Source: s.source})
	log.SetOutput(rt.Stderr(os.Stderr))
	restore := display.SetPublisher(s)
	defer restore()
	ship.Register(&shipper{s})
	go s.runner()
	if err := s.events.send(message{Kind: msgReady}); err != nil {
		return 1
	}
	s.serve(bufio.NewReader(os.NewFile(commandsFD, "commands")))
	endGroup()
	return 0
}

// endGroup ends the host and the processes that its cells started.
func endGroup() { _ = unix.Kill(0, unix.SIGKILL) }

// server is the host's side of a session.
type server struct {
	nonce  string // of the marks
	folder string // for snapshots
	events *frameWriter
	marks  [2]*os.File // duplicates of descriptors 1 and 2, which cells may close or replace

	markMu sync.Mutex
	mark   int

	mu      sync.Mutex
	current *run
	left    []*run // left behind
	cells   map[int]loadedCell
	calls   map[int]chan message
	lastID  int

	pending chan *run // to the runner
	stdin   *stdin
}

// loadedCell is what a plugin registered.
type loadedCell struct {
	run       func()
	variables map[string]any // pointers by generated name
}

func markPipes() (marks [2]*os.File, err error) {
	for i := range marks {
		fd, err := unix.FcntlInt(uintptr(i+1), unix.F_DUPFD_CLOEXEC, 10)
		if err != nil {
			return marks, fmt.Errorf("descriptor %d: %w", i+1, err)
		}
		marks[i] = os.NewFile(uintptr(fd), "marks")
	}
	return marks, nil
}

// serve handles commands until the front is gone.
func (s *server) serve(commands *bufio.Reader) {
	for {
		m, err := readFrame(commands)
		if err != nil {
			return
		}
		switch m.Kind {
		case msgRun:
			r := &run{seq: m.Seq, label: m.Label, plugin: m.Plugin, goroutines: rt.NewRun(), started: uptime(), ended: make(chan struct{})}
			s.mu.Lock()
			s.current = r
			s.mu.Unlock()
			s.pending <- r
		case msgInterrupt:
			s.interrupt()
		case msgPeek:
			s.peek(m)
		case msgReply:
			s.mu.Lock()
			reply := s.calls[m.ID]
			delete(s.calls, m.ID)
			s.mu.Unlock()
			if reply != nil {
				reply <- m
			}
		}
	}
}

// sendMarked sends an event that has its place among the output. One that cannot be sent leaves no mark there, behind
// which the front would wait.
func (s *server) sendMarked(m message) error {
	flushC()
	s.markMu.Lock()
	defer s.markMu.Unlock()
	m.Mark = s.mark + 1
	frame, err := encodeFrame(m)
	if err != nil {
		return err
	}
	s.mark++
	for _, pipe := range s.marks {
		if _, err := pipe.Write(markBytes(s.nonce, s.mark)); err != nil {
			return err
		}
	}
	return s.events.write(frame)
}

// stderr writes what Go code prints on standard error in its place among what is printed on standard output.
func (s *server) stderr(text string) error {
	flushC()
	for _, piece := range stderrBytes(s.nonce, text) {
		if _, err := s.marks[0].Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// printed puts a mark behind what both streams have so far.
func (s *server) printed() error { return s.sendMarked(message{Kind: msgPrinted}) }

// call sends an event and waits for the front's reply, for the end of ctx, or for an interruption of the caller's run.
func (s *server) call(ctx context.Context, m message) (message, error) {
	reply := make(chan message, 1)
	s.mu.Lock()
	s.lastID++
	m.ID = s.lastID
	s.calls[m.ID] = reply
	s.mu.Unlock()
	if err := s.sendMarked(m); err != nil {
		return message{}, err
	}
	select {
	case answer := <-reply:
		if answer.Error != "" {
			return answer, fmt.Errorf("%s", answer.Error)
		}
		return answer, nil
	case <-ctx.Done():
	case <-rt.Done():
	}
	s.mu.Lock()
	delete(s.calls, m.ID)
	s.mu.Unlock()
	return message{}, cmp.Or(ctx.Err(), context.Canceled)
}

func (s *server) register(seq int, run func(), variables map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cells[seq] = loadedCell{run, variables}
}

// sourcePatience is how long a trace waits for its line of a cell, which a front that is not busy gives within a moment.
const sourcePatience = 5 * time.Second

// source asks the front, which has the text of the cells.
func (s *server) source(place string) string {
	ctx, cancel := context.WithTimeout(context.Background(), sourcePatience)
	defer cancel()
	answer, _ := s.call(ctx, message{Kind: msgSource, Text: place}) // a trace does without
	return answer.Text
}

// goPanic reports the panic of a goroutine that a cell started: it ends the goroutine, nothing else.
func (s *server) goPanic(text string, frames []rt.Frame) {
	fmt.Fprintf(rt.Stderr(os.Stderr), "panic in goroutine: %s\n%s\n", text, rt.Trace(frames))
}
