package worker

// A conversion's task from its beginning to its end, whichever program runs it.

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"
)

// Run does a task: it reads the job in file, has read write the rows that it takes from stdin, and prints the result in a line;
// nothing where there are no rows. The rows that read leaves are taken, too: Spark would have the broken pipe for a failure.
func Run(ctx context.Context, file string, stdin io.Reader, stdout io.Writer, read func(context.Context, *Job, io.Reader) (*Result, error)) error {
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
	go endWithParent(cancel)
	result, err := read(ctx, job, stdin)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil || result == nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

// endWithParent cancels when the process that started us is gone: what we write is of no use then.
func endWithParent(cancel context.CancelCauseFunc) {
	parent := os.Getppid()
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	cancel(errors.New("the executor has ended"))
	time.Sleep(10 * time.Second) // for what is under way to be removed
	os.Exit(1)
}
