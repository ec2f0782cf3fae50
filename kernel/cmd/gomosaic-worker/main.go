// Command gomosaic-worker is the part of gomosaic that travels to other machines: one static binary without cgo, dlopen
// or charts, for linux/amd64 and linux/arm64, that reads and writes Mosaic data shards and
// runs the ranks of training jobs.
//
//	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" ./kernel/cmd/gomosaic-worker
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"gomosaic/mdslib/spark/exchange"
	"gomosaic/mdslib/spark/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

const usage = `gomosaic-worker reads and writes Mosaic data shards, and runs ranks, on machines without gomosaic.

  partitions < job.json             print how many partitions a DataFrame's plan has
  convert < job.json                write one partition as MDS; print its report
  ranks PROGRAM INVITATION          run ranks of a training job as its launcher says; see package ranks
  rows JOB < rows                   write a partition's rows, as Spark's TRANSFORM gives them, as MDS; print its result
  arrow JOB < stream                the same of an Arrow stream
  deal JOB < splits                 read pieces of Parquet files, and deal their rows out to partitions
  dealt JOB < partition             write the rows that were dealt to a partition as MDS; print its result
  verify [-samples N] [-json] DIR   check a data set: index, sizes, hashes, every sample; print the first N
  version                           print the version and the platform

A job is {"plan": …, "partition": 0, "options": {"out": DIR, "columns": {"image": "jpeg"}, "compression": "zstd"}}.
`

// run executes one command and returns the exit status: 0, 1 for a failed job, 2 for a wrong command line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "partitions", "convert":
		work := map[string]func(context.Context, io.Reader, io.Writer) error{"partitions": partitions, "convert": convert}[args[0]]
		if len(args) > 1 {
			fmt.Fprintf(stderr, "gomosaic-worker %s takes no arguments: its job is read from standard input\n", args[0])
			return 2
		}
		if err := work(ctx, stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "gomosaic-worker %s: %v\n", args[0], err)
			return 1
		}
		return 0
	case "ranks":
		return joinJob(ctx, args[1:], stdin, stderr)
	case "rows":
		return runTask(ctx, args[1:], stdin, stdout, stderr, worker.ConvertText)
	case "arrow":
		return runTask(ctx, args[1:], stdin, stdout, stderr, convertArrow)
	case "deal":
		return runTask(ctx, args[1:], stdin, stdout, stderr, exchange.Deal)
	case "dealt":
		return runTask(ctx, args[1:], stdin, stdout, stderr, exchange.Convert)
	case "verify":
		return verify(ctx, args[1:], stdout, stderr)
	case "version":
		fmt.Fprintf(stdout, "gomosaic-worker %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "gomosaic-worker: there is no command %q\n\n%s", args[0], usage)
	return 2
}

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return strings.TrimPrefix(b.Main.Version, "v")
	}
	return "(devel)"
}
