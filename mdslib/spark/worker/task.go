package worker

// A conversion's task from its beginning to its end, whichever program runs it.

import (
	"context"
	"encoding/json"
	"io"
	"os"
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
	go endWhenUseless(ctx, job, cancel)
	result, err := read(ctx, job, stdin)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil || result == nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}
