// Package ship turns a function value into a program that runs elsewhere: another process, another machine, a Spark
// executor. It is a leaf: the cell host implements [Shipper] (it alone knows the source of notebook functions), and the
// distributor and mdslib call it, so neither knows the kernel.
package ship

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrNoShipper is returned by [Default] in a program that has no notebook session: an ordinary Go program ships itself
// (its own executable) instead.
var ErrNoShipper = errors.New("ship: no shipper is registered: notebook functions can be shipped only from a notebook")

// Entry names the exported generic or plain Go function that the program's main calls with the shipped function as its
// only argument, for example {"gomosaic/trainlib/distributor", "RankMain"}.
type Entry struct {
	Package string // import path
	Func    string // exported function: func(fn F), called once; the program exits when it returns
}

// Program is an executable that calls the entry with the shipped function and the snapshot of its captured variables.
type Program struct {
	Path string   // absolute path of the executable; owned by the shipper, valid while the session lives
	Args []string // arguments that must precede the caller's own
	Env  []string // additions to the environment, KEY=value
}

// Shipper makes programs. Implementations must be safe for concurrent use.
type Shipper interface {
	// Ship compiles fn, a function declared in a notebook cell, and everything it uses into a program. A variable that
	// cannot travel (channel, function value, foreign unexported field) is an error that names it.
	Ship(ctx context.Context, fn any, entry Entry) (Program, error)
}

type holder struct{ Shipper }

var current atomic.Value

// Register makes s the process's shipper, in the manner of a database/sql driver. The cell host calls it once.
func Register(s Shipper) { current.Store(holder{s}) }

// Default returns the registered shipper, or [ErrNoShipper].
func Default() (Shipper, error) {
	if h, ok := current.Load().(holder); ok && h.Shipper != nil {
		return h.Shipper, nil
	}
	return nil, ErrNoShipper
}
