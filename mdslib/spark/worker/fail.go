package worker

// The last words of a task, and how the driver finds them in what Spark says.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gomosaic/mdslib/ship"
)

// mostSaid is how much of an error is said: Spark keeps some 2 KB of a task's standard error.
const mostSaid = 1500

// Fail says an error so that Spark passes it on whole: standard input is read to its end, or Spark takes the broken pipe for
// the reason, and the reader of standard error is given time.
//
// Spark then tries the task again, spark.task.maxFailures times in all. Before Fail, a conversion's task tells the driver of errors
// that come again whoever tries, so that it ends them all at once. Such errors are
//   - that of a sample that can't be encoded ([mdslib.SampleError]), and that of too many rows that were left out;
//   - that of a file that a row names and that is not there;
//   - what a user's func returns or panics with, unless it is an error of the system or the network, by which is meant one that tells
//     whether it is a timeout (such as syscall.Errno and *net.OpError), and that is not fs.ErrNotExist.
//
// All others, of a disk, a store, the executor, or of rows that do not come whole, may be mended by another try.
func Fail(in io.Reader, stderr io.Writer, err error) {
	_, _ = io.Copy(io.Discard, in)
	text := err.Error()
	quoted := strconv.Quote(text)
	for n := mostSaid; len(quoted) > mostSaid; n -= 100 {
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		quoted = strconv.Quote(text[:min(n, len(text))] + " …")
	}
	fmt.Fprintf(stderr, "%s%s\n", failed, quoted)
	time.Sleep(200 * time.Millisecond)
}

// failed begins a task's last words, which are quoted as in Go.
const failed = "gomosaic failed: "

// Said finds what [Fail] said in what Spark says of a failed task.
func Said(text string) (string, bool) {
	_, text, _ = strings.Cut(text, failed)
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", false
	}
	said, err := strconv.Unquote(quoted)
	return said, err == nil
}

// finalError is an error that comes again whoever tries.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// final tells whether an error comes again whoever tries.
func final(err error) bool {
	var f *finalError
	return errors.As(err, &f)
}

// finalOf marks the error of a user's func, or of a file that a row names, as final if it is.
func finalOf(err error) error {
	var system interface{ Timeout() bool }
	if errors.As(err, &system) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &finalError{err}
}

// recovered makes an error of a panic in a user's func, with the places in cells that led to it. It must be deferred.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the func panicked: %v%s", p, ship.Frames(string(debug.Stack())))
	}
}
