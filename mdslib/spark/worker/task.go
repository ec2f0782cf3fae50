package worker

// A conversion's task from its beginning to its end, whichever program runs it.

import (
	"context"
	"encoding/json"
	"io"
	"os"
)

// Run does a task: it reads the job in file, has do work on the rows that it takes from stdin, and prints its report in a line;
// nothing where that is nil. The rows that do leaves are taken, too: Spark would have the broken pipe for a failure.
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
	go endWhenUseless(ctx, job, cancel)
	report, err := do(ctx, job, stdin)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil || report == nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(report)
}
