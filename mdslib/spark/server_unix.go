//go:build unix

package spark

import (
	"os/exec"
	"syscall"
)

// detach keeps the server out of reach of the signals that a terminal sends to this process and its like: an interrupt
// stops a cell, not Spark.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
