//go:build !unix

package spark

import "os/exec"

// detach does nothing here.
func detach(*exec.Cmd) {}
