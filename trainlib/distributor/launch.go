package distributor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gomosaic/mdslib/ship"
	"gomosaic/trainlib/dist"
)

// RankError is the failure that ended a job: the first rank that failed, by time. Those that fail because it left come later.
type RankError struct {
	Rank int
	At   time.Time
	Exit string // how the process ended: "exit status 1", "signal: killed"
	Text string // what the rank's function returned or panicked with, else the last lines that it printed
}

func (e *RankError) Error() string {
	return fmt.Sprintf("distributor: rank %d failed (%s): %s", e.Rank, e.Exit, e.Text)
}

// ended is one rank's end.
type ended struct {
	rank int
	err  error
}

// launch runs program as every rank of d on this machine and waits for all of them. The ranks' result files go to
// resultDir, when there is one.
func launch(ctx context.Context, d TorchDistributor, program ship.Program, resultDir string) error {
	if err := ctx.Err(); err != nil {
		return err
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

	n := d.ranks()
	ranks := make([]*exec.Cmd, n)
	for i := range ranks {
		w := dist.World{Rank: i, Size: n, LocalRank: i, LocalSize: n, MasterAddr: "127.0.0.1", MasterPort: port}
		cmd := exec.Command(program.Path, program.Args...)
		cmd.Env = append(os.Environ(), w.Env()...)
		cmd.Env = append(cmd.Env, "OMP_NUM_THREADS="+strconv.Itoa(max(1, runtime.NumCPU()/n)), "GLOO_SOCKET_IFNAME=lo")
		if !d.UseGPU {
			cmd.Env = append(cmd.Env, "CUDA_VISIBLE_DEVICES=")
		}
		if resultDir != "" {
			cmd.Env = append(cmd.Env, envResult+"="+resultDir)
		}
		cmd.Env = append(append(cmd.Env, program.Env...), d.Env...)
		cmd.Stdout, cmd.Stderr = logs.writer(i), logs.writer(i)
		// A group of its own, so that stopping a rank stops what it started; and no rank outlives the launcher.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		cmd.WaitDelay = time.Second
		ranks[i] = cmd
	}

	started := make(chan error, 1)
	ends := make(chan ended, n)
	go startAll(ranks, started, ends)
	if err := <-started; err != nil {
		return err
	}
	return waitAll(ctx, d, ranks, ends, logs, resultDir)
}

// startAll starts the ranks from one OS thread that stays until all have ended: the kernel sends a child its Pdeathsig when
// the thread that made it ends.
func startAll(ranks []*exec.Cmd, started chan<- error, ends chan<- ended) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	waits := make(chan struct{}, len(ranks))
	running := 0
	for i, cmd := range ranks {
		if err := cmd.Start(); err != nil {
			for _, earlier := range ranks[:i] {
				syscall.Kill(-earlier.Process.Pid, syscall.SIGKILL)
			}
			for range running {
				<-waits
			}
			started <- fmt.Errorf("distributor: start rank %d, %s: %w", i, cmd.Path, err)
			return
		}
		running++
		go func() {
			err := cmd.Wait()
			ends <- ended{i, err}
			waits <- struct{}{}
		}()
	}
	started <- nil
	for range running {
		<-waits
	}
}

// waitAll waits for every rank to end. The first failure, or the end of ctx, stops the others.
func waitAll(ctx context.Context, d TorchDistributor, ranks []*exec.Cmd, ends <-chan ended, logs *logs, resultDir string) error {
	grace := time.Duration(d.GraceSeconds * float64(time.Second))
	if grace <= 0 {
		grace = 2 * time.Second
	}
	var first *RankError
	var cancelled error
	var kill <-chan time.Time
	stop := func() {
		if kill == nil {
			signalAll(ranks, syscall.SIGTERM)
			kill = time.After(grace)
		}
	}
	done := ctx.Done()
	for left := len(ranks); left > 0; {
		select {
		case e := <-ends:
			left--
			if e.err != nil {
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
			signalAll(ranks, syscall.SIGKILL)
		}
	}
	signalAll(ranks, syscall.SIGKILL) // what a rank started and left behind
	switch {
	case cancelled != nil:
		return cancelled
	case first != nil:
		return first
	}
	return nil
}

// signalAll signals every rank's process group; those that have ended are no matter.
func signalAll(ranks []*exec.Cmd, sig syscall.Signal) {
	for _, cmd := range ranks {
		syscall.Kill(-cmd.Process.Pid, sig)
	}
}

// rankError tells why a rank ended: by the error that it left, else by its last words.
func rankError(e ended, logs *logs, resultDir string) *RankError {
	r := &RankError{Rank: e.rank, At: time.Now(), Exit: e.err.Error()}
	var exit *exec.ExitError
	if errors.As(e.err, &exit) {
		r.Exit = exit.String()
	}
	if resultDir != "" {
		if left, err := readResult[struct{}](filepath.Join(resultDir, resultName(e.rank))); err == nil {
			r.Text, r.At = left.Error, left.At
		}
	}
	if r.Text == "" {
		r.Text = strings.Join(logs.tail(e.rank), "\n")
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
