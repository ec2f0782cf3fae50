package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"gomosaic/kernel"
	"gomosaic/kernel/host"
	"gomosaic/kernel/wire"
)

// runKernel serves the sockets of the connection file that Jupyter wrote.
func runKernel(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: gomosaic kernel CONNECTION_FILE")
		return 2
	}
	conn, err := wire.ReadConnection(args[0])
	if err != nil {
		return fail("kernel", err)
	}
	o := kernel.ServeOptions{Host: hostOptions(), Version: version(), History: historyFile()}
	if err := kernel.Serve(context.Background(), conn, o); err != nil {
		return fail("kernel", err)
	}
	return 0
}

// historyFile is where the XDG base directory specification puts it; "" without a home.
func historyFile() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "gomosaic", "history.jsonl")
}

// megabytes reads a limit from the environment, where the kernelspec's --env puts it, in bytes; 0 if there is none.
func megabytes(name string) int64 {
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		fmt.Fprintf(os.Stderr, "gomosaic: %s=%q is not a number of megabytes and is ignored\n", name, text)
		return 0
	}
	return n << 20
}

func runHost(args []string) int { return host.Main(args) }
