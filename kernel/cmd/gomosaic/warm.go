package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sync/errgroup"

	"gomosaic/kernel/host"
	"gomosaic/trainlib/torch"
)

// runWarm does in advance what the first cell and the first tensor would otherwise wait for: it fills the compile cache
// and builds the libtorch shim, side by side. Both are shared by all kernels of this user; a repeated call is fast.
func runWarm([]string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return host.Warm(ctx, hostOptions(), func(what string) { fmt.Println(what) })
	})
	g.Go(func() error {
		shim, err := torch.BuildShim(ctx, torch.BuildOptions{})
		var missing *torch.NotFoundError
		if errors.As(err, &missing) {
			fmt.Println("no libtorch is installed: its shim is built when there is one")
			return nil
		}
		if err == nil {
			fmt.Println("libtorch shim:", shim)
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return fail("warm", err)
	}
	return 0
}
