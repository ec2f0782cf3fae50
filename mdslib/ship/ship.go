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
	Arch    string // GOARCH of the machines that run the program, which have Linux; "" is this machine's
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

// Cluster runs programs on other machines: those of an engine such as Spark. Implementations must be safe for concurrent use.
type Cluster interface {
	// Address is this machine's as the cluster's machines reach it: a name or IP address, without a port.
	Address(ctx context.Context) (string, error)

	// RunTasks runs tasks side by side and returns when all have ended. When ctx ends, they are ended. The error tells why
	// they could not be run; what they do is between them and who invited them.
	RunTasks(ctx context.Context, tasks Tasks) error
}

// Tasks are places on a cluster, each a process that joins a job and runs the program as it is told there:
// trainlib/distributor/ranks has both sides.
type Tasks struct {
	Count   int     // at the same time; each knows its number, 0 … Count-1
	Program Program // its executable is at every task's hand
	// Other makes the program for machines of another GOARCH than this one's; nil: there is none for them.
	Other      func(ctx context.Context, arch string) (Program, error)
	Invitation string // one word that each gets; it is secret: it may not stand in command lines, plans or logs
	Submitted  func() // called once, when the cluster has been given the tasks: all that remains is to find room for them
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
