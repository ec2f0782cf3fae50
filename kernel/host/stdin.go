package host

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gomosaic/kernel/cell/rt"
)

// stdinTick is how often a running cell is looked at for readers of standard input.
const stdinTick = 100 * time.Millisecond

// stdin is the cells' standard input, descriptor 0: a pipe that this process writes to when somebody reads.
//
// Who reads is known to the system: a thread that sleeps in a read of descriptor 0 while the pipe is empty waits for
// input, whether Go or C has called (proc(5), /proc/PID/task/TID/syscall), and the user is asked for a line. Child
// processes are not looked at; they get what was asked for others, and the end of the file when the cell is interrupted.
type stdin struct {
	ask func(r *run) (string, error)

	mu     sync.Mutex
	writer int // descriptor of the pipe's other end
}

// openStdin puts a pipe in the place of descriptor 0.
func openStdin(ask func(r *run) (string, error)) (*stdin, error) {
	in := &stdin{ask: ask, writer: -1}
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

// hasReader tells whether a thread of this process waits for input. One that has been given some is not asleep any more.
func (in *stdin) hasReader() bool {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		state, err := os.ReadFile("/proc/self/task/" + task.Name() + "/syscall")
		if err != nil {
			continue // it has ended
		}
		var call, descriptor int
		if n, _ := fmt.Sscanf(string(state), "%d 0x%x", &call, &descriptor); n == 2 && (call == unix.SYS_READ || call == unix.SYS_READV) && descriptor == 0 {
			return in.isEmpty()
		}
	}
	return false
}

// watch serves the readers of a cell until it ends.
func (in *stdin) watch(r *run) {
	tick := time.NewTicker(stdinTick)
	defer tick.Stop()
	for {
		select {
		case <-r.ended:
			return
		case <-tick.C:
		}
		if in.hasReader() {
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
