package rt

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
)

// Hooks are the host's ears. Their functions are called on the goroutines of cells.
type Hooks struct {
	Shown    func(values []any)                // values of a cell's last expression
	GoPanic  func(text string, frames []Frame) // a goroutine started by a cell panicked
	Stderr   func(text string) error           // text for standard error, in order with standard output
	Printed  func() error                      // see [Printed]
	Register func(seq int, run func(), variables map[string]any)
	Whos     func(variables []Variable)                     // %whos
	Test     func(flags string, functions []Function) error // %test
	Source   func(place string) string                      // the line of a cell that a frame's place stands for
}

var hooks atomic.Pointer[Hooks]

// SetHooks is called once, by the host.
func SetHooks(h Hooks) { hooks.Store(&h) }

// systemStderr is os.Stderr as it was before anybody replaced it.
var systemStderr = os.Stderr

// Stderr stands in cells for an os.Stderr that is handed to what prints (fmt.Fprintln(os.Stderr, …), log.New): in a
// notebook it keeps the order with what is written to standard output.
func Stderr(f *os.File) io.Writer {
	if f != systemStderr || hooks.Load() == nil {
		return f
	}
	return orderedStderr{}
}

type orderedStderr struct{}

func (orderedStderr) Write(p []byte) (int, error) {
	if err := hooks.Load().Stderr(string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Printed keeps the order between two that print to the descriptors of standard output and standard error, one after the
// other: all that the first has written on either is shown before what the second writes on either.
func Printed() error {
	if h := hooks.Load(); h != nil {
		return h.Printed()
	}
	return nil
}

// Show hands the values of a cell's last expression to the host.
func Show(values ...any) {
	if h := hooks.Load(); h != nil {
		h.Shown(values)
	}
}

// ShowError is Show for an expression of type error: no error is nothing to show.
func ShowError(err error) {
	if err != nil {
		Show(err)
	}
}

// Register makes a loaded cell known to the host: what runs it, and pointers to the variables of its package.
func Register(seq int, run func(), variables map[string]any) {
	if h := hooks.Load(); h != nil {
		h.Register(seq, run, variables)
	}
}

// Trace writes frames as a text for people, with the line of the innermost one where the host is there to tell.
func Trace(frames []Frame) string {
	var source func(string) string
	if h := hooks.Load(); h != nil {
		source = h.Source
	}
	return strings.Join(FramesText(frames, source), "\n")
}

// Die ends a shipped program that panicked: the message with the notebook's frames first, then Go's own stack.
func Die(value any) {
	fmt.Fprintf(os.Stderr, "panic: %s\n%s\n\n%s", PanicText(value), Trace(Frames()), debug.Stack())
	os.Exit(2)
}
