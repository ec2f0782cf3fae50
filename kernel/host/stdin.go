package host

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gomosaic/kernel/cell/rt"
)

// stdinTick is how often a running cell is looked at for readers of standard input.
const stdinTick = 25 * time.Millisecond

// stdin is the cells' standard input, descriptor 0: a pipe that this process writes to when somebody reads.
//
// A read of os.Stdin, by whatever way (bufio, fmt.Scan, a library), holds the file's read lock while it waits. So a
// probe that takes the lock tells it: one that has to wait for it, while the pipe is empty, means that somebody waits
// for input, and the user is asked for a line. C code and child processes are not seen; they get what was asked for
// others, and the end of the file when the cell is interrupted.
type stdin struct {
	ask  func(r *run) (string, error)
	conn syscall.RawConn // of os.Stdin

	mu     sync.Mutex
	writer int // descriptor of the pipe's other end
}

// openStdin puts a pipe in the place of descriptor 0.
func openStdin(ask func(r *run) (string, error)) (*stdin, error) {
	conn, err := os.Stdin.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	in := &stdin{ask: ask, conn: conn, writer: -1}
	return in, in.end()
}

// end lets all who read find the end of the file, and gives later readers a fresh pipe.
func (in *stdin) end() error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	err := unix.Dup3(ends[0], 0, 0)
	unix.Close(ends[0])
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer >= 0 {
		unix.Close(in.writer)
	}
	in.writer = ends[1]
	return err
}

// isEmpty tells whether all that was written has been read.
func (in *stdin) isEmpty() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	n, err := unix.IoctlGetInt(in.writer, unix.TIOCINQ)
	return err == nil && n == 0
}

func (in *stdin) write(text string) {
	in.mu.Lock()
	fd, err := unix.FcntlInt(uintptr(in.writer), unix.F_DUPFD_CLOEXEC, 0)
	in.mu.Unlock()
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "stdin")
	defer f.Close()
	_, _ = f.WriteString(text) // an error means that the reader has gone
}

// probe is one attempt to take the read lock.
type probe struct {
	begun atomic.Bool   // it is at the lock: one that a busy machine has not let run yet says nothing
	free  chan struct{} // closed when the lock was free
}

func (in *stdin) probe() *probe {
	p := &probe{free: make(chan struct{})}
	go func() {
		p.begun.Store(true)
		_ = in.conn.Read(func(uintptr) bool { return true })
		close(p.free)
	}()
	return p
}

// wasFree tells whether the probe has had the lock.
func (p *probe) wasFree() bool {
	select {
	case <-p.free:
		return true
	default:
		return false
	}
}

// watch serves the readers of a cell until it ends. A reader is believed in when a second probe, made after the first
// had waited, waits too: the first may have been stopped by the machine's scheduler a moment before it took the lock.
func (in *stdin) watch(r *run) {
	tick := time.NewTicker(stdinTick)
	defer tick.Stop()
	var probes []*probe
	waiting := 0 // ticks that somebody has waited for
	for {
		if len(probes) == 0 {
			probes, waiting = append(probes, in.probe()), 0
		}
		select {
		case <-r.ended:
			return
		case <-tick.C:
		}
		if slices.ContainsFunc(probes, (*probe).wasFree) {
			probes = nil
			continue
		}
		if !in.isEmpty() {
			waiting = 0
			continue
		}
		if !probes[len(probes)-1].begun.Load() {
			continue
		}
		if waiting++; waiting > 1 { // not one that is about to return
			waiting = 0
			if len(probes) == 1 {
				probes = append(probes, in.probe())
				continue
			}
			in.serve(r)
		}
	}
}

// serve asks for a line and hands it to the reader; where there is none, the reader gets the end of the file.
func (in *stdin) serve(r *run) {
	line, err := in.ask(r)
	switch {
	case err == nil:
		in.write(line + "\n")
		return
	case err != io.EOF && !r.goroutines.Interrupted():
		fmt.Fprintf(rt.Stderr(os.Stderr), "standard input is at its end: %v\n", err)
	}
	if err := in.end(); err != nil {
		fmt.Fprintln(rt.Stderr(os.Stderr), err)
	}
}
