package main

// Tasks of Spark: the rows of one partition come on standard input, as text or as an Arrow stream, and become a data set of
// their own.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/spark/worker"
	_ "gomosaic/mdslib/store/s3"
)

// runTask does a task of Spark, whose only argument is the file of its job, and returns the exit status.
func runTask[Report any](ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, do func(context.Context, *worker.Job, io.Reader) (*Report, error)) int {
	err := errors.New("want the file of a job")
	if len(args) == 1 {
		err = worker.Run(ctx, args[0], stdin, stdout, do)
	}
	if err != nil {
		worker.Fail(stdin, stderr, err)
		return 1
	}
	return 0
}

// convertArrow writes the rows of an Arrow stream. The partition's number is in the environment.
func convertArrow(ctx context.Context, job *worker.Job, in io.Reader) (*worker.Result, error) {
	partition, err := strconv.Atoi(os.Getenv("GOMOSAIC_TASK_PARTITION"))
	if err != nil {
		return nil, fmt.Errorf("GOMOSAIC_TASK_PARTITION: %w", err)
	}
	return worker.Convert(ctx, job, partition, arrowRows(in))
}

// arrowRows yields the rows of an Arrow stream, which must have its end.
func arrowRows(in io.Reader) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		r, err := ipc.NewReader(in)
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.Release()
		values := make([]any, r.Schema().NumFields())
		for r.Next() {
			record := r.Record()
			columns := make([]func(int) any, len(values))
			for i := range columns {
				if columns[i], err = arrowmds.Values(record.Column(i)); err != nil {
					yield(nil, fmt.Errorf("column %q: %w", r.Schema().Field(i).Name, err))
					return
				}
			}
			for row := range int(record.NumRows()) {
				for i, value := range columns {
					values[i] = value(row)
				}
				if !yield(values, nil) {
					return
				}
			}
		}
		if err := r.Err(); err != nil {
			yield(nil, err)
		}
	}
}
