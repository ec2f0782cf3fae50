package distributor

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor/ranks"
	"gomosaic/trainlib/torch"
)

// RankError is the failure that ended a job: the first rank that failed, by time. Those that fail because it left come later.
type RankError struct {
	Rank int
	Host string // the executor's machine; "" in local mode
	At   time.Time
	Exit string // how the process ended: "exit status 1", "signal: killed"
	Text string // what the rank's function returned or panicked with, else the last lines that it printed
}

func (e *RankError) Error() string {
	where := ""
	if e.Host != "" {
		where = " on host " + e.Host
	}
	return fmt.Sprintf("distributor: rank %d%s failed (%s): %s", e.Rank, where, e.Exit, e.Text)
}

// here launches on this machine.
type here struct{}

func (here) launch(ctx context.Context, d TorchDistributor, program rankProgram, resultDir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ranks.CanRead(ctx, d.Data...); err != nil {
		return fmt.Errorf("distributor: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	logs, err := newLogs(d)
	if err != nil {
		return err
	}
	defer logs.close()

	n, torchDir := d.ranks(), libtorch()
	all := make([]ranks.Process, n)
	for i := range all {
		w := dist.World{Rank: i, Size: n, LocalRank: i, LocalSize: n, MasterAddr: "127.0.0.1", MasterPort: port}
		env := append(os.Environ(), w.Env()...)
		env = append(append(env, torchDir...), threads(runtime.NumCPU(), n), "GLOO_SOCKET_IFNAME=lo")
		if d.UseGPU {
			env = append(env, dist.EnvUseGPU+"=1")
		} else {
			env = append(env, dist.EnvUseGPU+"=", "CUDA_VISIBLE_DEVICES=")
		}
		if resultDir != "" {
			env = append(env, envResult+"="+resultDir)
		}
		all[i] = ranks.Process{Path: program.Path, Args: program.Args, Env: append(append(env, program.Env...), d.Env...), Output: logs.writer(i)}
	}
	processes, err := ranks.Start(all)
	if err != nil {
		return fmt.Errorf("distributor: %w", err)
	}
	return waitAll(ctx, d, processes, logs, resultDir)
}

// threads shares a machine's processors among its ranks.
func threads(cpus, ranks int) string {
	return "OMP_NUM_THREADS=" + strconv.Itoa(max(1, cpus/ranks))
}

// libtorch points the ranks at the libtorch that this process would load: their program may lie elsewhere, and where it looks
// begins with where it lies. On another machine it counts if it is there, too, as on a shared disk.
func libtorch() []string {
	l, err := torch.Find()
	if err != nil {
		return nil // the ranks may need none
	}
	return []string{torch.EnvTorchDir + "=" + l.Dir}
}

// group is the ranks of a job at work.
type group interface {
	Ends() <-chan ranks.End    // one for each rank
	Signal(sig syscall.Signal) // to all of them
	Close() error              // nothing of them is left
}

// waitAll waits for every rank to end. The first failure, or the end of ctx, stops the others.
func waitAll(ctx context.Context, d TorchDistributor, g group, logs *logs, resultDir string) error {
	defer g.Close()
	grace := time.Duration(d.GraceSeconds * float64(time.Second))
	if grace <= 0 {
		grace = 1500 * time.Millisecond
	}
	var first *RankError
	var cancelled error
	var kill <-chan time.Time
	stop := func() {
		if kill == nil {
			g.Signal(syscall.SIGTERM)
			kill = time.After(grace)
		}
	}
	done := ctx.Done()
	for left := d.ranks(); left > 0; {
		select {
		case e := <-g.Ends():
			left--
			if e.Exit != "" {
				if r := rankError(e, logs, resultDir); first == nil || r.At.Before(first.At) {
					first = r
				}
				stop()
			}
		case <-done:
			done = nil
			if first == nil {
				cancelled = context.Cause(ctx)
			}
			stop()
		case <-kill:
			g.Signal(syscall.SIGKILL)
		}
	}
	switch {
	case cancelled != nil:
		return cancelled
	case first != nil:
		return first
	}
	return nil
}

// rankError tells why a rank ended: by the error that it left, else by its last words.
func rankError(e ranks.End, logs *logs, resultDir string) *RankError {
	r := &RankError{Rank: e.Rank, Host: e.Host, At: time.Now(), Exit: e.Exit}
	if resultDir != "" {
		if left, err := readResult[struct{}](ranks.ResultFile(resultDir, e.Rank)); err == nil {
			r.Text, r.At = left.Error, left.At.Add(-e.Skew)
		}
	}
	if r.Text == "" {
		r.Text = strings.Join(logs.tail(e.Rank), "\n")
	}
	if r.Text == "" {
		r.Text = "it printed nothing"
	}
	return r
}

// freePort returns a TCP port that was free on the loopback interface a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("distributor: a port for rank 0's store: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
