package worker

// UDFIterable on executors: what a Go func yields of a partition's rows becomes its data set.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"gomosaic/mdslib"
)

// Iterate is the main of a program that writes what a func yields of a partition's rows, as UDFIterable of
// [mdslib.MDSOptions] says. Its last argument is the file of a [Job], standard input has the rows as [TextReader] reads them,
// and the [Result] is printed. It does not return: the status is 0, or 1 after an error, which [Fail] says. What the func prints
// goes to standard error.
func Iterate(udf func(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error]) {
	out := os.Stdout
	os.Stdout = os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Run(ctx, os.Args[len(os.Args)-1], os.Stdin, out, func(ctx context.Context, job *Job, in io.Reader) (*Result, error) {
		return convertYielded(ctx, job, in, udf)
	})
	if err != nil {
		Fail(os.Stdin, os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// convertYielded writes what udf yields of the rows that in holds as text. Without rows udf is not called, and without samples
// the result is nil.
func convertYielded(ctx context.Context, job *Job, in io.Reader, udf func(iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error]) (_ *Result, err error) {
	r, err := NewTextReader(in, job)
	if err != nil {
		return nil, err
	}
	first, err := r.Next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var w *taskWriter
	var last []any // the row that was read last
	number := int64(-1)
	files := newFileLoader(job)
	rows := func(yield func(mdslib.Sample, error) bool) {
		for values, err := first, error(nil); !errors.Is(err, io.EOF); values, err = r.Next() {
			if err == nil {
				err = context.Cause(ctx)
			}
			if err == nil {
				if err = files.load(values, job); err != nil {
					err = fmt.Errorf("row %d of partition %d: %w", number+1, r.Partition(), err)
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			last = owned(values)
			if number++; w != nil {
				w.took()
			}
			if !yield(mdslib.SampleOf(job.Schema, slices.Clone(last)), nil) {
				return
			}
		}
	}
	defer func() {
		if w != nil {
			w.beats.end()
			if err != nil {
				err = errors.Join(err, w.Abort())
			}
		}
	}()
	var unwritten error
	err = mdslib.Yield(udf, rows, func(sample mdslib.Sample) error {
		unwritten = context.Cause(ctx)
		if unwritten == nil && w == nil {
			w, unwritten = newTaskWriter(ctx, job, r.Partition())
		}
		if unwritten == nil {
			unwritten = w.Write(sample)
		}
		return unwritten
	})
	var of *mdslib.UDFError
	var bad *mdslib.SampleError
	switch {
	case errors.As(err, &of):
		where := fmt.Sprintf("partition %d", r.Partition())
		if last != nil {
			where = fmt.Sprintf("row %d of partition %d%s", number, r.Partition(), brief(job.Schema, last))
		}
		err = fmt.Errorf("%s: %w", where, err)
		if unwritten == nil || errors.As(unwritten, &bad) {
			err = finalOf(err)
		}
		return nil, err
	case err != nil:
		return nil, err
	case w == nil:
		return nil, nil
	}
	return w.end()
}

// owned are the values of a row to keep: bytes are good only until the next one.
func owned(values []any) []any {
	values = slices.Clone(values)
	for i, v := range values {
		if b, ok := v.([]byte); ok {
			values[i] = slices.Clone(b)
		}
	}
	return values
}
