package worker

// A conversion's task from its beginning to its end, whichever program runs it.

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
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
	go endWhenUseless(job.Marker, cancel)
	result, err := read(ctx, job, stdin)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil || result == nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

// endWhenUseless ends this process when the one that started it is gone, or the driver has removed the conversion's folder,
// marker first: what we write is of no use then. Spark does not end us by itself: of a TRANSFORM whose task it kills it goes on
// to read what we print, until we end.
func endWhenUseless(marker string, cancel context.CancelCauseFunc) {
	parent := os.Getppid()
	exists := func() bool {
		_, err := os.Stat(marker)
		return marker == "" || !errors.Is(err, fs.ErrNotExist)
	}
	most := 2 // looks, as shared folders may falter
	if !exists() {
		most = 20 // the error that says so must get through
	}
	for gone := 0; os.Getppid() == parent && gone < most; {
		time.Sleep(time.Second)
		if gone++; exists() {
			gone = 0
		}
	}
	cancel(errors.New("the executor has ended, or the driver has given the conversion up"))
	time.Sleep(2 * time.Second) // for what is under way to be removed
	os.Exit(1)
}
