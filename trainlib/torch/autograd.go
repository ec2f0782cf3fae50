package torch

import "runtime"

// SetRequiresGrad says whether operations on the tensor are recorded for Backward, and returns the tensor. Only tensors of
// floating-point type can require gradients.
func (t *Tensor) SetRequiresGrad(v bool) *Tensor {
	check("requires_grad_", lib().setRequiresGrad(t.handle("requires_grad_"), cbool(v)), t)
	return t
}

// Backward adds the gradients of t, a scalar such as a loss, to the leaves it was made of, and frees the recorded graph.
func (t *Tensor) Backward() { Backward([]*Tensor{t}, BackwardOptions{}) }

// BackwardOptions are the arguments of torch.autograd.backward.
type BackwardOptions struct {
	Grads       []*Tensor // the gradient of each tensor; nil: ones, for scalars
	RetainGraph bool      // keep the graph for another Backward
	CreateGraph bool      // record the backward pass itself, for second derivatives
}

// Backward is torch.autograd.backward.
func Backward(ts []*Tensor, opts BackwardOptions) {
	Drain()
	h := handles("backward", ts)
	var g *uintptr
	if opts.Grads != nil {
		if len(opts.Grads) != len(ts) {
			panic(newOpError("backward", "want one gradient for each tensor", ts))
		}
		gh := handles("backward", opts.Grads)
		g = &gh[:1][0]
	}
	state := current()
	check("backward", lib().backward(&state.call, &h[:1][0], int64(len(ts)), g, cbool(opts.RetainGraph || opts.CreateGraph), cbool(opts.CreateGraph)), ts...)
	runtime.KeepAlive(opts.Grads)
	runtime.KeepAlive(ts)
}

// GradOptions are the arguments of torch.autograd.grad.
type GradOptions struct {
	GradOutputs []*Tensor
	RetainGraph bool
	CreateGraph bool
	AllowUnused bool // an input that the outputs do not depend on gets nil
}

// Grad is torch.autograd.grad: the gradients of the outputs' sum by each input, without touching .grad.
func Grad(outputs, inputs []*Tensor, opts GradOptions) []*Tensor {
	Drain()
	o, in := handles("grad", outputs), handles("grad", inputs)
	var g *uintptr
	if opts.GradOutputs != nil {
		if len(opts.GradOutputs) != len(outputs) {
			panic(newOpError("grad", "want one gradient for each output", outputs))
		}
		gh := handles("grad", opts.GradOutputs)
		g = &gh[:1][0]
	}
	r := make([]uintptr, len(inputs)+1)
	state := current()
	check("grad", lib().autogradGrad(&state.call, &o[:1][0], int64(len(outputs)), &in[:1][0], int64(len(inputs)), g,
		cbool(opts.RetainGraph || opts.CreateGraph), cbool(opts.CreateGraph), cbool(opts.AllowUnused), &r[0]), outputs...)
	runtime.KeepAlive(opts.GradOutputs)
	runtime.KeepAlive(outputs)
	runtime.KeepAlive(inputs)
	return wrapAll(r[:len(inputs)])
}

func wrapAll(h []uintptr) []*Tensor {
	ts := make([]*Tensor, len(h))
	for i, x := range h {
		ts[i] = wrap(x, 0)
	}
	return ts
}

// Grad is the gradient that Backward has added up in a leaf; nil before the first Backward and after ZeroGrad. It shares its
// memory with the leaf's.
func (t *Tensor) Grad() *Tensor { return Grads([]*Tensor{t})[0] }

// Grads is [Tensor.Grad] of each tensor, in one call.
func Grads(ts []*Tensor) []*Tensor {
	h := handles("grad", ts)
	r := make([]uintptr, len(ts)+1)
	check("grad", lib().grads(&h[:1][0], int64(len(ts)), &r[0]), ts...)
	runtime.KeepAlive(ts)
	return wrapAll(r[:len(ts)])
}

// SetGrad replaces the gradient; nil removes it.
func (t *Tensor) SetGrad(g *Tensor) {
	var h uintptr
	if g != nil {
		h = g.handle("set_grad")
	}
	check("set_grad", lib().setGrad(t.handle("set_grad"), h), t)
	runtime.KeepAlive(g)
}

// ZeroGrads removes the gradients, as zero_grad(set_to_none=True).
func ZeroGrads(ts []*Tensor) {
	h := handles("zero_grad", ts)
	check("zero_grad", lib().zeroGrads(&h[:1][0], int64(len(ts))), ts...)
	runtime.KeepAlive(ts)
}

// SetData makes t share the elements of data, as `t.data = data`: the tensor stays the same leaf with the same gradient.
func (t *Tensor) SetData(data *Tensor) {
	check("set_data", lib().setData(t.handle("set_data"), data.handle("set_data")), t, data)
	runtime.KeepAlive(data)
}
