package torch

import (
	"sync"
	"sync/atomic"
)

// callState is mt_ctx of mdstorch.h: the thread state that travels with each call.
type callState struct {
	grad, inference, autocastCPU, autocastCUDA int8
	cpuDType, cudaDType                        int8
	deviceKind, deviceIndex                    int8
	stream                                     uintptr
}

// goroutineState is what NoGrad, Autocast, WithStream and scopes have set on one goroutine. Only that goroutine touches it.
type goroutineState struct {
	call   callState
	stream *Stream // whose handle call has
	scope  *Scope
	depth  int // how many settings are in force; the entry goes with the last
}

// states holds an entry for each goroutine that has something set; all others use byDefault, which nobody changes.
var (
	states    sync.Map // goroutine() → *goroutineState
	stateful  atomic.Int32
	byDefault = &goroutineState{call: callState{grad: 1, deviceIndex: -1}}
)

// current is the state of the running goroutine, not to be changed.
func current() *goroutineState {
	if stateful.Load() == 0 {
		return byDefault
	}
	if s, ok := states.Load(goroutine()); ok {
		return s.(*goroutineState)
	}
	return byDefault
}

// enter is the state of the running goroutine, to be changed; leave undoes it.
func enter() *goroutineState {
	s := current()
	if s == byDefault {
		s = &goroutineState{call: byDefault.call}
		states.Store(goroutine(), s)
		stateful.Add(1)
	}
	s.depth++
	return s
}

func (s *goroutineState) leave() {
	if s.depth--; s.depth == 0 {
		states.Delete(goroutine())
		stateful.Add(-1)
	}
}

// NoGrad runs f with autograd off, as torch.no_grad(): nothing is recorded for Backward. It concerns this goroutine only.
func NoGrad(f func()) { withGrad(0, f) }

// EnableGrad runs f with autograd on inside a [NoGrad], as torch.enable_grad().
func EnableGrad(f func()) { withGrad(1, f) }

func withGrad(v int8, f func()) {
	s := enter()
	before := s.call.grad
	s.call.grad = v
	defer func() {
		s.call.grad = before
		s.leave()
	}()
	f()
}

// IsGradEnabled reports whether this goroutine's operations are recorded for Backward.
func IsGradEnabled() bool { return current().call.grad != 0 }

// InferenceMode runs f as torch.inference_mode(): as [NoGrad], and the tensors made carry no version counter, so that they
// can never enter autograd.
func InferenceMode(f func()) {
	s := enter()
	grad, inference := s.call.grad, s.call.inference
	s.call.grad, s.call.inference = 0, 1
	defer func() {
		s.call.grad, s.call.inference = grad, inference
		s.leave()
	}()
	f()
}

// Autocast runs f with the matrix operators of a device in a lower precision, as torch.autocast(device, dtype): BFloat16 on
// the CPU; Float16 or BFloat16 on CUDA.
func Autocast(device Device, dtype DType, f func()) {
	s := enter()
	before := s.call
	if device.Kind() == KindCUDA {
		s.call.autocastCUDA, s.call.cudaDType = 1, int8(dtype)
	} else {
		s.call.autocastCPU, s.call.cpuDType = 1, int8(dtype)
	}
	outermost := before.autocastCPU == 0 && before.autocastCUDA == 0
	defer func() {
		s.call = before
		s.leave()
		if outermost { // the lowered copies of the weights are kept while it lasts
			lib().clearAutocast()
		}
	}()
	f()
}
