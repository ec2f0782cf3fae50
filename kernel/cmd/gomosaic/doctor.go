package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"gomosaic/kernel"
)

// runDoctor prints what the kernel needs and has; its status is 1 when something required is missing.
func runDoctor(args []string) int {
	fs := flag.NewFlagSet("gomosaic doctor", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	findings := kernel.Doctor(context.Background(), kernel.DoctorOptions{ModuleDir: clone(), CacheBytes: megabytes("GOMOSAIC_CACHE_MB")})
	write := kernel.WriteFindings
	if *asJSON {
		write = kernel.WriteFindingsJSON
	}
	if err := write(os.Stdout, findings); err != nil {
		return fail("doctor", err)
	}
	if !kernel.Healthy(findings) {
		fmt.Fprintln(os.Stderr, "gomosaic doctor: something that is needed is missing, see the lines that begin with fail")
		return 1
	}
	return 0
}
