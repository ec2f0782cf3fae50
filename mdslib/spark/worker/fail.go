package worker

// The last words of a task, and how the driver finds them in what Spark says.

import (
	"fmt"
	"io"
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

// recovered makes an error of a panic in a user's func, with the places in cells that led to it. It must be deferred.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the func panicked: %v%s", p, ship.Frames(string(debug.Stack())))
	}
}
