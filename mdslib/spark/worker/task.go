package worker

// A conversion's task from its beginning to its end, whichever program runs it.

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"
)

// Run does a task: it reads the job in file, has do work on the rows that it takes from stdin, and prints its report in a line;
// nothing where that is nil. The rows that do leaves are taken, too: Spark would have the broken pipe for a failure.
//
// An error that comes again (see [Fail]) is told to the driver beside Spark, which hears of it when all rows are read and then
// tries the task again.
func Run[Report any](ctx context.Context, file string, stdin io.Reader, stdout io.Writer, do func(context.Context, *Job, io.Reader) (*Report, error)) error {
	job, err := ReadJob(file)
	if err != nil {
		return err
	}
	// What the writers need for a time goes where Spark removes it, whatever becomes of us.
	if dir, err := os.Getwd(); err == nil && os.Getenv("TMPDIR") == "" {
		os.Setenv("TMPDIR", dir)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m, err := job.Place().open(ctx)
	if err != nil {
		return err
	}
	written := make(chan struct{})
	go m.endWhenUseless(ctx, cancel, written)
	signs := m.signs()
	if err := signs.begin(ctx, job); err != nil {
		return err
	}
	report, err := do(ctx, job, stdin)
	told := err != nil && signs.fail(ctx, err)
	signs.end(ctx, job)
	close(written)
	if told {
		awaitEnd(ctx, stdin)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil || report == nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(report)
}

// heard is how long a task waits to be ended by a driver that can read its error, before it tells Spark, which tries it again.
const heard = 5 * time.Second

// awaitEnd takes the rows that are left and waits: Spark tries the task again when it ends, and the driver is about to end them all.
func awaitEnd(ctx context.Context, rows io.Reader) {
	_, _ = io.Copy(io.Discard, rows)
	select {
	case <-time.After(heard):
	case <-ctx.Done():
	}
}
