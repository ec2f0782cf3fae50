package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"gomosaic/kernel/host"
	"gomosaic/kernel/wire"
	"gomosaic/kernel/wire/zmtp"
)

// ServeOptions configures one kernel process.
type ServeOptions struct {
	Host    host.Options
	Version string                           // of gomosaic, for kernel_info_reply
	History string                           // file that inputs are kept in across sessions; "": this session only
	Log     func(format string, args ...any) // what no client can be told; nil: standard error
	Sockets zmtp.Options                     // bounds of the sockets' queues
}

// linger is how long clients have, at the end, to take the messages that are on their way to them.
const linger = time.Second

// Serve runs a kernel on the sockets of a connection file until a client asks it to shut down, ctx ends, or the process
// that started it dies. The cell host starts in the background: kernel_info is answered meanwhile.
func Serve(ctx context.Context, conn wire.Connection, o ServeOptions) error {
	return serve(ctx, conn, o, func(ctx context.Context) (session, error) {
		s, err := host.Start(ctx, o.Host)
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

func serve(ctx context.Context, conn wire.Connection, o ServeOptions, start func(context.Context) (session, error)) error {
	if o.Log == nil {
		o.Log = func(format string, args ...any) { fmt.Fprintf(os.Stderr, "gomosaic kernel: "+format+"\n", args...) }
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	channels, err := wire.Listen(conn, wire.Options{Sockets: o.Sockets, Log: o.Log})
	if err != nil {
		return err
	}
	f := &front{
		channels: channels,
		options:  o,
		cells:    newCellQueue(),
		history:  openHistory(o.History, o.Log),
		replies:  make(chan string, 1),
		asides:   make(chan *wire.Message, 256),
		quit:     cancel,
	}
	f.host = startHost(ctx, start)
	f.publish(nil, "status", map[string]any{"execution_state": "starting"})

	var wg sync.WaitGroup
	for _, loop := range []func(context.Context){f.serveShell, f.serveAsides, f.serveControl, f.serveStdin, f.runCells, f.serveSignals} {
		wg.Go(func() { loop(ctx) })
	}
	go endWithParent(ctx, cancel)
	<-ctx.Done()
	closing := make(chan error, 1)
	go func() { closing <- f.host.close() }()
	err = channels.Close(linger)
	err = errors.Join(err, <-closing)
	wg.Wait()
	return errors.Join(err, f.history.close())
}

// front is the state of one kernel. Its loops run concurrently; each field says who may touch it.
type front struct {
	channels *wire.Channels
	options  ServeOptions
	host     *hostHandle
	cells    *cellQueue
	history  *history
	board    board
	asking   sync.Mutex         // held by who waits for the user's answer
	replies  chan string        // input_reply values, from serveStdin to the cell that asked
	asides   chan *wire.Message // shell requests other than execute_request
	quit     context.CancelFunc // ends the kernel
	count    int                // execution count; runCells only
}

// board publishes whether the kernel is busy, once per request as the protocol wants it. Since asides are answered
// while a cell runs, the last word after an aside must be the cell's "busy" again: clients show the latest status.
type board struct {
	mu      sync.Mutex
	running *wire.Message
}

func (f *front) publish(parent *wire.Message, msgType string, content any) {
	if err := f.channels.Publish(parent, msgType, content); err != nil {
		f.options.Log("%v", err)
	}
}

func (f *front) status(request *wire.Message, state string) {
	f.publish(request, "status", map[string]any{"execution_state": state})
}

func (f *front) beginCell(request *wire.Message) {
	f.board.mu.Lock()
	defer f.board.mu.Unlock()
	f.board.running = request
	f.status(request, "busy")
}

func (f *front) endCell(request *wire.Message) {
	f.board.mu.Lock()
	defer f.board.mu.Unlock()
	f.board.running = nil
	f.status(request, "idle")
}

// aside runs answer for a request that is no cell, between its busy and idle.
func (f *front) aside(request *wire.Message, answer func()) {
	f.status(request, "busy")
	answer()
	f.board.mu.Lock()
	defer f.board.mu.Unlock()
	f.status(request, "idle")
	if f.board.running != nil {
		f.status(f.board.running, "busy")
	}
}

func (f *front) reply(on wire.Channel, request *wire.Message, msgType string, content any) {
	if err := f.channels.Reply(on, request, msgType, content, nil); err != nil {
		f.options.Log("%v", err)
	}
}

// receive loops over the messages of a channel.
func (f *front) receive(ctx context.Context, from wire.Channel, handle func(*wire.Message)) {
	for {
		m, err := f.channels.Receive(ctx, from, func(err error) { f.options.Log("%v", err) })
		if err != nil {
			return
		}
		handle(m)
	}
}

func (f *front) serveShell(ctx context.Context) {
	f.receive(ctx, wire.Shell, func(m *wire.Message) {
		if m.Header.Type == "execute_request" {
			f.cells.add(m)
			return
		}
		select {
		case f.asides <- m:
		case <-ctx.Done():
		}
	})
}

func (f *front) serveAsides(ctx context.Context) {
	for {
		select {
		case m := <-f.asides:
			f.answer(ctx, wire.Shell, m)
		case <-ctx.Done():
			return
		}
	}
}

func (f *front) serveControl(ctx context.Context) {
	f.receive(ctx, wire.Control, func(m *wire.Message) { f.answer(ctx, wire.Control, m) })
}

func (f *front) serveStdin(ctx context.Context) {
	f.receive(ctx, wire.Stdin, f.takeInput)
}

// serveSignals makes SIGINT an interrupt, as an interrupt_request is; SIGTERM ends the kernel in good order.
func (f *front) serveSignals(ctx context.Context) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(c)
	for {
		select {
		case s := <-c:
			if s == syscall.SIGTERM {
				f.quit()
				return
			}
			f.interrupt()
		case <-ctx.Done():
			return
		}
	}
}
