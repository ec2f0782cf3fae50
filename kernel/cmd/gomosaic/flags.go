package main

// Flags that stand anywhere among a command's arguments.

import (
	"errors"
	"flag"
	"fmt"
)

// parseMixed parses flags that may stand behind other arguments, and returns those. Where the command has nothing to do
// then, after -h or a mistake, ok is false and status is its exit status. usage is the line above the flags' list.
func parseMixed(fs *flag.FlagSet, usage string, args []string) (rest []string, status int, ok bool) {
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "usage: "+usage)
		fs.PrintDefaults()
	}
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, 0, false
			}
			return nil, 2, false
		}
		if fs.NArg() == 0 {
			return rest, 0, true
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}
