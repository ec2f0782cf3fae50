package ranks

// Ranks as processes of this machine.

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// EnvResult names the environment variable that tells a rank the folder where it leaves its result, as [ResultFile] says.
const EnvResult = "GOMOSAIC_RANK_RESULT"

// EnvData names the environment variable that tells a rank, one a line, the data sets that are for its program to try whether
// they can be read: the task's own has no driver for their URLs.
const EnvData = "GOMOSAIC_RANK_DATA"

// ResultFile is the file of a rank's result in the folder of $GOMOSAIC_RANK_RESULT.
func ResultFile(dir string, rank int) string {
	return filepath.Join(dir, fmt.Sprintf("rank-%d.result", rank))
}

// Process says what a rank is.
type Process struct {
	Path   string
	Args   []string
	Env    []string  // the whole environment, KEY=value
	Output io.Writer // takes both streams, which keeps their order
}

// End is how a rank ended.
type End struct {
	Rank int
	Host string        // where it ran; "" is here
	Exit string        // "" when it went well, else as "exit status 1", "signal: killed"
	Skew time.Duration // what its clock is ahead of ours
}

// Processes are ranks that run on this machine. No rank outlives the process that started it.
type Processes struct {
	commands []*exec.Cmd
	ends     chan End
}

// outputDelay is how long the output of a rank that has ended is read on: what it has left there, to whoever takes it slowly, and what
// processes that it started write.
const outputDelay = 3 * time.Second

// Start starts one process for each rank. Where one cannot be started, none is left and the error names it.
func Start(ranks []Process) (*Processes, error) {
	p := &Processes{ends: make(chan End, len(ranks))}
	for _, r := range ranks {
		cmd := exec.Command(r.Path, r.Args...)
		cmd.Env = r.Env
		cmd.Stdout, cmd.Stderr = r.Output, r.Output
		// A group of its own, so that stopping a rank stops what it started; and no rank outlives the launcher.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		cmd.WaitDelay = outputDelay
		p.commands = append(p.commands, cmd)
	}
	started := make(chan error, 1)
	go p.run(started)
	return p, <-started
}

// run starts the ranks from one OS thread that stays until all have ended: the kernel sends a child its Pdeathsig when the
// thread that made it ends.
func (p *Processes) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ended := make(chan struct{}, len(p.commands))
	running := 0
	wait := func() {
		for range running {
			<-ended
		}
	}
	for i, cmd := range p.commands {
		if err := cmd.Start(); err != nil {
			for _, earlier := range p.commands[:i] {
				syscall.Kill(-earlier.Process.Pid, syscall.SIGKILL)
			}
			wait()
			started <- fmt.Errorf("start rank %d, %s: %w", i, cmd.Path, err)
			return
		}
		running++
		go func() {
			p.ends <- End{Rank: i, Exit: exitOf(cmd.Wait())}
			ended <- struct{}{}
		}()
	}
	started <- nil
	wait()
}

// exitOf is how a process ended, "" when it went well.
func exitOf(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it went well, and what it started still has its output
		return ""
	case errors.As(err, &exit):
		return exit.String()
	}
	return err.Error()
}

// Ends gives one End for each rank, as they end.
func (p *Processes) Ends() <-chan End { return p.ends }

// Signal signals every rank's process group, with what the rank started; those that have ended are no matter.
func (p *Processes) Signal(sig syscall.Signal) {
	for _, cmd := range p.commands {
		syscall.Kill(-cmd.Process.Pid, sig)
	}
}

// Close ends what is left of the ranks' process groups.
func (p *Processes) Close() error {
	p.Signal(syscall.SIGKILL)
	return nil
}
