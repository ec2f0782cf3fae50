package nn

import "gomosaic/trainlib/torch"

// ActivationOptions are the further argument of torch.nn's activations.
type ActivationOptions struct {
	InPlace bool // overwrite the input, which must not be needed elsewhere: less memory
}

// ReLUModule is torch.nn.ReLU.
type ReLUModule struct {
	Base
	inPlace bool
}

// ReLU makes max(0, x).
func ReLU(opts ...ActivationOptions) *ReLUModule {
	r := &ReLUModule{inPlace: option("ReLU", opts).InPlace}
	r.Init(r)
	return r
}

// Forward keeps the shape.
func (r *ReLUModule) Forward(x *torch.Tensor) *torch.Tensor {
	if r.inPlace {
		return x.ReluInPlace()
	}
	return x.Relu()
}

// ReLU6Module is torch.nn.ReLU6.
type ReLU6Module struct {
	Base
	inPlace bool
}

// ReLU6 makes min(max(0, x), 6).
func ReLU6(opts ...ActivationOptions) *ReLU6Module {
	r := &ReLU6Module{inPlace: option("ReLU6", opts).InPlace}
	r.Init(r)
	return r
}

// Forward keeps the shape.
func (r *ReLU6Module) Forward(x *torch.Tensor) *torch.Tensor {
	if r.inPlace {
		return x.HardtanhInPlace(0.0, 6.0)
	}
	return x.Hardtanh(0.0, 6.0)
}

// FuncModule is a layer without parameters, made by [Func].
type FuncModule struct {
	Base
	f func(x *torch.Tensor) *torch.Tensor
}

// Func makes a layer of a function: nn.Func((*torch.Tensor).Gelu).
func Func(f func(x *torch.Tensor) *torch.Tensor) *FuncModule {
	m := &FuncModule{f: f}
	m.Init(m)
	return m
}

// Forward calls the function.
func (m *FuncModule) Forward(x *torch.Tensor) *torch.Tensor { return m.f(x) }

// DropoutModule is torch.nn.Dropout (Srivastava et al., 2014).
type DropoutModule struct {
	Base
	p float64
}

// Dropout makes a layer that sets elements to zero with probability p in training and scales the others by 1/(1-p).
func Dropout(p float64) *DropoutModule {
	d := &DropoutModule{p: p}
	d.Init(d)
	return d
}

// Forward keeps the shape; in evaluation it returns x itself.
func (d *DropoutModule) Forward(x *torch.Tensor) *torch.Tensor {
	if !d.IsTraining() {
		return x
	}
	return x.Dropout(d.p, true)
}

// IdentityModule is torch.nn.Identity.
type IdentityModule struct{ Base }

// Identity makes a layer that does nothing.
func Identity() *IdentityModule {
	i := &IdentityModule{}
	i.Init(i)
	return i
}

// Forward returns x.
func (i *IdentityModule) Forward(x *torch.Tensor) *torch.Tensor { return x }
