package main

import (
	"errors"
	"flag"
	"os"

	"gomosaic/streamlib/order"
)

// runOrder answers one sample order case: JSON on standard input (name, streams, world, args, epoch, state_dict,
// sample_in_epoch, replication), {"shape": […], "ids": […]} or {"error": "…"} on standard output.
func runOrder(args []string) int {
	fs := flag.NewFlagSet("gomosaic order", flag.ContinueOnError)
	fs.Bool("json", true, "read and write JSON (the only form there is)")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if err := order.RunJSON(os.Stdin, os.Stdout); err != nil {
		return fail("order", err)
	}
	return 0
}
