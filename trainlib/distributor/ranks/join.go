package ranks

// A task's side: it comes, runs the ranks, and says how they end.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"gomosaic/mdslib/ship/sealed"
	"gomosaic/mdslib/store"
)

// JoinOptions says which task this is.
type JoinOptions struct {
	Number  int      // which of the job's tasks
	Program string   // the executable that the ranks run
	GPUs    []string // those that are the task's, as CUDA_VISIBLE_DEVICES names them; nil: nobody said
}

// Join comes to the rendezvous of an invitation, as a task of its job, and does what the launcher says until that is done or
// the connection, the process that started this one, or ctx ends: then no rank is left. An error means that the launcher
// could not be reached or did not prove to be the one who invited; how the work went is for the launcher alone, so that
// nobody runs a task twice. Variables that the launcher adds to the ranks' environment are set in this process, too.
func Join(ctx context.Context, invited string, opts JoinOptions) error {
	conn, err := sealed.Dial(ctx, invited)
	if err != nil {
		return fmt.Errorf("the launcher: %w", err)
	}
	defer conn.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go endWithParent(ctx, stop)
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	t := &taskSide{line: newLine(conn), opts: opts}
	arrival, port, err := arrive(conn, opts)
	if err != nil {
		return err
	}
	defer port.Close()
	if err := t.line.send(arrival); err != nil {
		return fmt.Errorf("the launcher: %w", err)
	}
	return t.serve(ctx, port)
}

// endWithParent calls end when the process that started this one is gone.
func endWithParent(ctx context.Context, end func()) {
	parent := os.Getppid()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for os.Getppid() == parent {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	end()
}

// arrive says what this task is, and holds a port for rank 0's store.
func arrive(conn net.Conn, opts JoinOptions) (Arrival, net.Listener, error) {
	addr := conn.LocalAddr().(*net.TCPAddr).IP.String()
	port, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		return Arrival{}, nil, fmt.Errorf("a port for rank 0's store: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = addr
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it, machines have names of their own
	return Arrival{
		Number: opts.Number, Host: host, Node: host + " " + strings.TrimSpace(string(boot)), Addr: addr,
		Port: port.Addr().(*net.TCPAddr).Port, CPUs: runtime.NumCPU(), GPUs: opts.GPUs, Clock: time.Now(),
	}, port, nil
}

// taskSide is a task that has come.
type taskSide struct {
	line *line
	opts JoinOptions
	work *Work

	unread []string // data sets that this program cannot open
}

// serve does what the launcher says.
func (t *taskSide) serve(ctx context.Context, port net.Listener) error {
	var processes *Processes
	var dir string
	done := make(chan struct{})
	defer func() {
		if processes != nil {
			processes.Signal(syscall.SIGTERM)
			select {
			case <-done:
			case <-time.After(time.Second):
			}
			processes.Close()
			<-done
			os.RemoveAll(dir)
		}
	}()
	for {
		var o order
		if err := t.line.dec.Decode(&o); err != nil {
			return nil // the launcher is gone, or has all that it wanted
		}
		switch {
		case o.Refuse != "":
			fmt.Fprintln(os.Stderr, "the launcher refuses this task:", o.Refuse)
			return nil
		case o.Work != nil:
			t.work = o.Work
			var r report
			if err := t.prepare(ctx); err != nil {
				r.Fault = err.Error()
			} else {
				r.Ready = true
			}
			t.line.send(r)
		case o.Go && t.work != nil && processes == nil:
			port.Close()
			var err error
			if dir, err = os.MkdirTemp("", "gomosaic-ranks-"); err == nil {
				processes, err = t.start(dir)
			}
			if err != nil {
				os.RemoveAll(dir)
				for i := range t.work.Ranks {
					t.line.send(report{Rank: t.work.First + i, Ended: true, Exit: err.Error()})
				}
				continue
			}
			go func() {
				defer close(done)
				for range t.work.Ranks {
					t.end(<-processes.Ends(), dir)
				}
			}()
		case o.Signal != 0 && processes != nil:
			processes.Signal(o.Signal)
		}
	}
}

// prepare checks that the ranks will find what they need.
func (t *taskSide) prepare(ctx context.Context) error {
	for _, variable := range t.work.Env {
		if name, value, ok := strings.Cut(variable, "="); ok {
			os.Setenv(name, value) // what stores are opened with may be among them
		}
	}
	if stat, err := os.Stat(t.opts.Program); err != nil {
		return fmt.Errorf("the ranks' program is not there: %w", err)
	} else if !stat.Mode().IsRegular() {
		return fmt.Errorf("the ranks' program %s is no file", t.opts.Program)
	}
	for _, root := range t.work.Data {
		err := CanRead(ctx, root)
		if errors.Is(err, store.ErrNoDriver) {
			t.unread = append(t.unread, root) // the ranks' program may have one
		} else if err != nil {
			return err
		}
	}
	return nil
}

// CanRead tells whether the index.json of each of the data sets, folders or URLs, can be read from here.
func CanRead(ctx context.Context, data ...string) error {
	if len(data) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "gomosaic-index-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, root := range data {
		s, err := store.Open(ctx, root)
		if err == nil {
			err = s.Get(ctx, "index.json", filepath.Join(dir, "index.json"))
		}
		if err != nil {
			return fmt.Errorf("the data set %s cannot be read: its index.json: %w", root, err)
		}
	}
	return nil
}

// start starts the ranks.
func (t *taskSide) start(dir string) (*Processes, error) {
	w := t.work
	common := os.Environ()
	for _, variable := range w.Paths {
		if _, path, ok := strings.Cut(variable, "="); ok {
			if _, err := os.Stat(path); err == nil {
				common = append(common, variable)
			}
		}
	}
	for path, content := range w.Files.Content {
		path = filepath.Join(dir, "files", filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
	}
	if w.Files.Env != "" {
		common = append(common, w.Files.Env+"="+filepath.Join(dir, "files"))
	}
	if name := interfaceOf(t.line.conn.LocalAddr()); name != "" && os.Getenv("GLOO_SOCKET_IFNAME") == "" {
		common = append(common, "GLOO_SOCKET_IFNAME="+name)
	}
	common = append(common, EnvResult+"="+dir)
	if len(t.unread) > 0 {
		common = append(common, EnvData+"="+strings.Join(t.unread, "\n"))
	}
	var all []Process
	for i, own := range w.Ranks {
		all = append(all, Process{
			Path: t.opts.Program, Args: w.Args, Env: slices.Concat(common, own, w.Env), Output: printed{t.line, w.First + i},
		})
	}
	return Start(all)
}

// interfaceOf is the name of the network interface that has an address.
func interfaceOf(addr net.Addr) string {
	ip := addr.(*net.TCPAddr).IP
	all, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, i := range all {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return i.Name
			}
		}
	}
	return ""
}

// printed sends on what a rank prints. It never fails: a launcher that is gone is the reader's to see.
type printed struct {
	line *line
	rank int
}

func (p printed) Write(text []byte) (int, error) {
	p.line.send(report{Rank: p.rank, Output: text})
	return len(text), nil
}

// resultPart is how much of a result goes in one message.
const resultPart = 512 << 10

// end reports how a rank ended, after the result that it left.
func (t *taskSide) end(e End, dir string) {
	rank := t.work.First + e.Rank
	if f, err := os.Open(ResultFile(dir, rank)); err == nil {
		defer f.Close()
		part := make([]byte, resultPart)
		for {
			n, err := io.ReadFull(f, part)
			if n > 0 && t.line.send(report{Rank: rank, Result: part[:n]}) != nil || err != nil {
				break
			}
		}
	}
	t.line.send(report{Rank: rank, Ended: true, Exit: e.Exit})
}
