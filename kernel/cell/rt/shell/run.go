package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"gomosaic/kernel/cell/rt"
)

// grace is what an interrupted command has to end by itself.
const grace = 300 * time.Millisecond

// Run runs a command line with bash, or sh where there is none: the printed parts, one behind the other. What it writes
// goes where the cell's own output goes; it reads nothing. The cell fails when it does not exit with status 0, and the
// command and those that it started end when the cell is interrupted.
func Run(parts ...any) {
	var line strings.Builder
	for _, part := range parts {
		fmt.Fprint(&line, part)
	}
	name := "bash"
	if _, err := exec.LookPath(name); err != nil {
		name = "sh"
	}
	run(exec.Command(name, "-c", line.String()))
}

// Bash runs a script with bash and the given options.
func Bash(options, script string) {
	args := append(strings.Fields(options), "-c", script)
	run(exec.Command("bash", args...))
}

func run(cmd *exec.Cmd) { rt.Check(runUntil(*rt.Context(), cmd)) }

// runUntil runs a command until it ends or ctx does. It stays in the host's process group, which is ended as a whole
// when the host is; so an interruption goes to its descendants one by one.
func runUntil(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Its standard error has a pipe of its own, which nothing else keeps in order with the other one.
	if err := rt.Printed(); err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = rt.Printed() }() // the front is gone: so is the cell
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return exitError(cmd, err)
	case <-ctx.Done():
	}
	children := descendants(cmd.Process.Pid) // before they lose their parent
	signalAll(children, syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(grace):
		children = append(children, descendants(cmd.Process.Pid)...)
		signalAll(children, syscall.SIGKILL)
		<-ended
	}
	return ctx.Err()
}

func signalAll(pids []int, signal syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, signal) // it may have ended
	}
}

// exitError names the program: `bash: exit status 2`.
func exitError(cmd *exec.Cmd, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", cmd.Args[0], exit)
	}
	return err
}
