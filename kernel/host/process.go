package host

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	defaultStackBytes = 256 << 20
	pipeBytes         = 1 << 20                // asked for; the system may give less
	lateOutput        = 200 * time.Millisecond // what a dead host's children may hold the pipes open for
)

// process is a running host as the front sees it.
type process struct {
	commands  *frameWriter
	pipe      *os.File // of commands
	collector *collector
	peeks     peeks
	pid       int
	ready     chan struct{} // closed by the host's first event
	exited    chan struct{} // closed when the process is gone and all that it wrote has been given out
	state     *os.ProcessState
	words     string // last words, valid after exited
	oomKills  int64  // of the system, as it began
	killOnce  sync.Once
}

// startProcess starts a host. handle gets its events, stream its output; both on one goroutine.
func startProcess(o Options, folder string, stream func(p *process, name, text string), handle func(p *process, m message)) (*process, error) {
	nonce := rand.Text()
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	eventsR, eventsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	var outR, outW [2]*os.File
	for i := range outR {
		if outR[i], outW[i], err = os.Pipe(); err != nil {
			return nil, err
		}
		_, _ = unix.FcntlInt(outW[i].Fd(), unix.F_SETPIPE_SZ, pipeBytes) // best effort: the user's share may be used up
	}
	cmd := exec.Command(o.Binary, "host", nonce, folder, strconv.Itoa(o.StackBytes))
	cmd.Dir = o.Dir
	cmd.Env = append(os.Environ(), o.Env...)
	cmd.Stdout, cmd.Stderr = outW[0], outW[1]
	cmd.ExtraFiles = []*os.File{commandsR, eventsW}
	// Its own process group, so that a Ctrl-C in the terminal of Jupyter does not reach it and its children end with it.
	// SIGTERM and not SIGKILL at the front's death, so that the host can end its children too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p := &process{commands: &frameWriter{w: commandsW}, pipe: commandsW, collector: newCollector(nonce),
		ready: make(chan struct{}), exited: make(chan struct{}), oomKills: oomKills()}
	p.collector.stream = func(name, text string) { stream(p, name, text) }
	p.collector.words = func(text string) { p.words = text }
	var readyOnce sync.Once
	p.collector.handle = func(m message) {
		if m.Kind == msgReady {
			readyOnce.Do(func() { close(p.ready) })
			return
		}
		handle(p, m)
	}
	started, waited := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the death signal comes when the starting thread ends: it must live as long as the host
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			p.state = cmd.ProcessState
			close(waited)
		}
	}()
	err = <-started
	for _, f := range []*os.File{commandsR, eventsW, outW[0], outW[1]} {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{commandsW, eventsR, outR[0], outR[1]} {
			f.Close()
		}
		return nil, fmt.Errorf("host: start %s: %w", o.Binary, err)
	}
	p.pid = cmd.Process.Pid
	go p.readEvents(eventsR)
	for i := range outR {
		go p.readStream(i, outR[i])
	}
	go func() {
		<-waited
		_ = unix.Kill(-p.pid, unix.SIGKILL) // what its cells started
		deadline := time.Now().Add(lateOutput)
		for _, f := range []*os.File{outR[0], outR[1], eventsR} {
			_ = f.SetReadDeadline(deadline)
		}
		commandsW.Close()
	}()
	go func() {
		p.collector.collect()
		<-waited
		close(p.exited)
	}()
	return p, nil
}

func (p *process) readEvents(f *os.File) {
	defer f.Close()
	r := bufio.NewReaderSize(&lastWill{f: f}, 64<<10)
	for {
		m, err := readFrame(r)
		if err != nil { // it is gone, or a cell has closed the pipe: without events nobody would know of anything
			p.collector.inputs <- input{gone: true}
			_ = unix.Kill(-p.pid, unix.SIGKILL)
			return
		}
		p.collector.inputs <- input{event: &m}
	}
}

func (p *process) readStream(stream int, f *os.File) {
	defer f.Close()
	r, buf := &lastWill{f: f}, make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			p.collector.inputs <- input{stream: stream, data: append([]byte(nil), buf[:n]...)}
		}
		if err != nil {
			p.collector.inputs <- input{stream: stream, end: true}
			return
		}
	}
}

// lastWill reads a pipe of a host. Behind the deadline that the host's death sets it still gives what lies there, which is what the host
// wrote, however late a busy front comes to read it; it does not wait for more, from children that keep the pipe open.
type lastWill struct {
	f    *os.File
	late bool
	left int // bytes, no more than a pipe holds
}

func (w *lastWill) Read(b []byte) (n int, err error) {
	if !w.late {
		if n, err = w.f.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		w.late, w.left = true, pipeBytes
		if err := w.f.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
	conn, err := w.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	b = b[:min(len(b), w.left)]
	_ = conn.Read(func(fd uintptr) bool { // which does not block: the file's descriptor is the poller's
		for n, err = unix.Read(int(fd), b); err == unix.EINTR; {
			n, err = unix.Read(int(fd), b)
		}
		return true
	})
	if n <= 0 {
		return 0, io.EOF
	}
	w.left -= n
	return n, nil
}

// send sends a command; an error means that the host is gone.
func (p *process) send(m message) error {
	if err := p.commands.send(m); err != nil {
		if errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE) {
			return io.EOF
		}
		return err
	}
	return nil
}

// waitReady waits for the host's first event.
func (p *process) waitReady(ctx context.Context) error {
	select {
	case <-p.ready:
		return nil
	case <-p.exited:
		return fmt.Errorf("the cell host did not start: %s", p.death().Value)
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	}
}

// death describes its end, after exited.
func (p *process) death() *CellError { return deathOf(p.state, p.words, oomKills() > p.oomKills) }

// kill ends the host, the processes that its cells started, and waits for what they wrote.
func (p *process) kill() {
	select {
	case <-p.exited: // its number may be another process's by now
		return
	default:
	}
	p.killOnce.Do(func() { _ = unix.Kill(-p.pid, unix.SIGKILL) })
	<-p.exited
}
