package rt

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
)

// Hooks are the host's ears. Their functions are called on the goroutines of cells.
type Hooks struct {
	Shown    func(values []any)              // values of a cell's last expression
	GoPanic  func(value any, frames []Frame) // a goroutine started by a cell panicked and has ended
	Register func(seq int, run func(), variables map[string]any)
	Whos     func(variables []Variable)                     // %whos
	Test     func(flags string, functions []Function) error // %test
}

var hooks atomic.Pointer[Hooks]

// SetHooks is called once, by the host.
func SetHooks(h Hooks) { hooks.Store(&h) }

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

// Die ends a shipped program that panicked: the message with the notebook's frames first, then Go's own stack.
func Die(value any) {
	fmt.Fprintf(os.Stderr, "panic: %v\n%s\n\n%s", value, strings.Join(FramesText(Frames(), nil), "\n"), debug.Stack())
	os.Exit(2)
}
