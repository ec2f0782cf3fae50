package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"gomosaic/kernel/host"
)

// extension is what this kernel has beyond gomosaic. A file that gomosaic build generates sets it.
var extension *host.Extension

// hostOptions are those that all sessions of this binary share.
func hostOptions() host.Options {
	return host.Options{ModuleDir: clone(), Extension: extension,
		OutputBytes: megabytes("GOMOSAIC_OUTPUT_MB"), CacheBytes: megabytes("GOMOSAIC_CACHE_MB")}
}

// listFlag collects a repeated flag.
type listFlag []string

func (l *listFlag) String() string { return "" }

func (l *listFlag) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// runBuild builds a kernel with more packages.
func runBuild(args []string) int {
	fs := flag.NewFlagSet("gomosaic build", flag.ContinueOnError)
	var with listFlag
	fs.Var(&with, "with", "link `PATH@VERSION` in, a package or a module (PATH/... for all of its packages), or the module in a folder, ./DIR; may be repeated")
	out := fs.String("o", "", "write the kernel to `FILE`")
	rest, status, ok := parseMixed(fs, "gomosaic build --with PATH@VERSION [--with …] -o FILE", args)
	if !ok {
		return status
	}
	with = append(with, rest...) // --with a b
	if len(with) == 0 || *out == "" {
		fs.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flags := []string{"-ldflags=-s -w -X 'main.moduleDir=" + clone() + "'"}
	packages, err := host.BuildKernel(ctx, hostOptions(), with, *out, flags, func(line string) { fmt.Println(line) })
	if err != nil {
		return fail("build", err)
	}
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.Name
	}
	if len(names) == 0 {
		fmt.Println("linked in; their names are taken, so cells import them")
	} else {
		fmt.Printf("cells use %s without an import\n", strings.Join(names, ", "))
	}
	fmt.Printf("Install it: %s install --user\n", *out)
	return 0
}
