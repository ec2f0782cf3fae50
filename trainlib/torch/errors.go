package torch

import (
	"fmt"
	"strings"
)

// OpError is what an operator panics with: libtorch's message, with the operator and what it was given. A cell of a notebook
// shows it as one line; a caller that wants an error value recovers it with [Try].
type OpError struct {
	Op     string  // "mm", "conv2d"
	Shapes [][]int // of the tensors among the arguments, in order
	Msg    string  // libtorch's words
}

func (e *OpError) Error() string {
	s := "torch: " + e.Op + ": " + e.Msg
	if len(e.Shapes) > 0 {
		shapes := make([]string, len(e.Shapes))
		for i, sh := range e.Shapes {
			shapes[i] = strings.ReplaceAll(fmt.Sprint(sh), " ", ", ")
		}
		s += " (given " + strings.Join(shapes, " and ") + ")"
	}
	return s
}

// OutOfMemory reports whether a GPU had no room, as torch.OutOfMemoryError: a smaller batch may fit.
func (e *OpError) OutOfMemory() bool { return isOutOfMemory(e.Msg) }

// isOutOfMemory knows the words of c10's allocator for GPUs.
func isOutOfMemory(msg string) bool { return strings.Contains(msg, "CUDA out of memory") }

func newOpError(op, msg string, args []*Tensor) *OpError {
	e := &OpError{Op: op, Msg: strings.TrimPrefix(msg, op+": ")}
	for _, t := range args {
		if t == nil || t.h == 0 {
			continue
		}
		if len(e.Shapes) == 8 { // a list operator may have hundreds
			break
		}
		e.Shapes = append(e.Shapes, t.Shape())
	}
	return e
}

// Try runs f and returns the *OpError or *LoadError that it panicked with, or nil. Other panics go on.
func Try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *OpError:
			err = r
		case *LoadError:
			err = r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}
