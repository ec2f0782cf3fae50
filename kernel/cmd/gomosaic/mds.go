package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"gomosaic/mdslib/mdscmd"
)

// runMDS runs one command over data sets; an interrupt ends it with nothing half-written.
func runMDS(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return mdscmd.Run(ctx, args, os.Stdout, os.Stderr)
}
