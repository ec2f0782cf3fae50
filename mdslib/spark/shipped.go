package spark

// The user's funcs as programs for executors.

import (
	"context"
	"errors"
	"runtime"

	"gomosaic/mdslib/ship"
)

// What the main of a program calls with the user's func.
var (
	mapEntry     = ship.Entry{Package: "gomosaic/mdslib/spark/worker", Func: "Map"}
	iterateEntry = ship.Entry{Package: "gomosaic/mdslib/spark/worker", Func: "Iterate"}
)

// errNoShipper says what an ordinary program lacks.
var errNoShipper = errors.New("this program is no notebook, and it has not said which of its funcs may run on executors: begin its main with reexec.Main (package gomosaic/kernel/cell/rt/reexec)")

// shippedTask is the task that runs the program of a func, made now with the values that its variables have.
func shippedTask(ctx context.Context, fn any, entry ship.Entry) (*task, error) {
	shipper, err := ship.Default()
	if errors.Is(err, ship.ErrNoShipper) {
		return nil, errNoShipper
	}
	if err != nil {
		return nil, err
	}
	made, err := shipper.Ship(ctx, fn, entry)
	if err != nil {
		return nil, err
	}
	p := &program{name: "gomosaic-func", build: func(ctx context.Context, arch string) (string, error) {
		if arch == runtime.GOARCH {
			return made.Path, nil
		}
		entry.Arch = arch
		other, err := shipper.Ship(ctx, fn, entry)
		return other.Path, err
	}}
	return &task{program: p, env: made.Env, args: made.Args}, nil
}
