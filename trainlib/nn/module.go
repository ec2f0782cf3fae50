package nn

import (
	"fmt"
	"reflect"

	"gomosaic/trainlib/torch"
)

// Module is a layer or a model. All of it but Forward comes with an embedded [Base].
type Module interface {
	// Forward computes the output; recorded for Backward unless under torch.NoGrad.
	Forward(x *torch.Tensor) *torch.Tensor

	NamedParameters() []torch.Named                               // in Python's order; one that is shared is listed once
	Parameters() []*torch.Tensor                                  // the same without names
	NamedBuffers() []torch.Named                                  // running statistics and the like
	Train()                                                       // training mode, in which a module is made
	Eval()                                                        // evaluation mode
	IsTraining() bool                                             //
	To(d torch.Device) Module                                     // moves parameters and buffers; returns the module itself
	ZeroGrad()                                                    // removes all gradients
	StateDict() *torch.StateDict                                  // parameters and buffers, sharing the module's memory
	LoadStateDict(sd *torch.StateDict, opts ...LoadOptions) error // copies values in
	Apply(f func(m Module))                                       // calls f on each sub-module, then on the module

	base() *Base
}

// Base makes the struct that embeds it a [Module], once the struct has a Forward method and its constructor has called Init.
type Base struct {
	self any // the pointer to the struct that embeds this Base
	eval bool
}

// Init tells the Base which struct it is part of: m.Init(m), after the fields are set.
func (b *Base) Init(self any) {
	v := reflect.ValueOf(self)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("nn: Init(%T): want the pointer to the struct that embeds nn.Base", self))
	}
	if m, ok := self.(member); !ok || m.base() != b {
		panic(fmt.Sprintf("nn: Init(%T): the struct does not embed this nn.Base", self))
	}
	b.self = self
}

func (b *Base) base() *Base { return b }

// member is what the fields of a module are searched for: anything that embeds Base, even where Forward takes more than one
// tensor and the struct is no Module.
type member interface{ base() *Base }

// NamedParameters implements [Module].
func (b *Base) NamedParameters() []torch.Named { return b.named(false) }

// NamedBuffers implements [Module].
func (b *Base) NamedBuffers() []torch.Named { return b.named(true) }

func (b *Base) named(buffers bool) []torch.Named {
	var all []torch.Named
	seen := map[*torch.Tensor]bool{}
	b.walk("", func(prefix string, m *Base) {
		for _, f := range m.tensors() {
			if f.buffer == buffers && !seen[f.tensor] {
				seen[f.tensor] = true
				all = append(all, torch.Named{Name: prefix + f.name, Tensor: f.tensor})
			}
		}
	})
	return all
}

// Parameters implements [Module].
func (b *Base) Parameters() []*torch.Tensor {
	named := b.NamedParameters()
	ts := make([]*torch.Tensor, len(named))
	for i, n := range named {
		ts[i] = n.Tensor
	}
	return ts
}

// Train implements [Module].
func (b *Base) Train() { b.walk("", func(_ string, m *Base) { m.eval = false }) }

// Eval implements [Module].
func (b *Base) Eval() { b.walk("", func(_ string, m *Base) { m.eval = true }) }

// IsTraining implements [Module].
func (b *Base) IsTraining() bool { return !b.eval }

// To implements [Module]. The tensors stay the same *torch.Tensor, so an optimiser made before stays good; gradients move
// along. It returns nil for a struct whose Forward is not that of a Module.
func (b *Base) To(d torch.Device) Module {
	b.convert(func(t *torch.Tensor) *torch.Tensor { return t.To(d) })
	m, _ := b.self.(Module)
	return m
}

// ToDType turns the parameters and buffers of floating-point type into another one, as module.to(dtype).
func (b *Base) ToDType(dtype torch.DType) {
	b.convert(func(t *torch.Tensor) *torch.Tensor {
		if t.DType().IsFloat() {
			return t.ToDType(dtype)
		}
		return t
	})
}

// ToChannelsLast lays the four-dimensional parameters out with the channels of a pixel together, as
// module.to(memory_format=torch.channels_last): faster convolutions where images come in the same layout.
func (b *Base) ToChannelsLast() {
	b.convert(func(t *torch.Tensor) *torch.Tensor {
		if t.Dim() == 4 {
			return t.ContiguousIn(torch.ChannelsLast)
		}
		return t
	})
}

func (b *Base) convert(f func(*torch.Tensor) *torch.Tensor) {
	torch.Step(func() {
		torch.NoGrad(func() {
			b.walk("", func(_ string, m *Base) {
				for _, field := range m.tensors() {
					t := field.tensor
					if c := f(t); c != t {
						if g := t.Grad(); g != nil {
							t.SetGrad(nil)
							t.SetData(c)
							t.SetGrad(f(g))
							continue
						}
						t.SetData(c)
					}
				}
			})
		})
	})
}

// ZeroGrad implements [Module].
func (b *Base) ZeroGrad() { torch.ZeroGrads(b.Parameters()) }

// Apply implements [Module].
func (b *Base) Apply(f func(m Module)) {
	for _, c := range b.children() {
		c.module.Apply(f)
	}
	if m, ok := b.self.(Module); ok {
		f(m)
	}
}

// parameter makes a tensor a parameter: it requires gradients and outlives the scope it was made in.
func parameter(t *torch.Tensor) *torch.Tensor { return torch.Keep(t).SetRequiresGrad(true) }

// Parameter makes a leaf tensor a parameter for a field of a module: it requires gradients and outlives the scope it was made
// in.
func Parameter(t *torch.Tensor) *torch.Tensor { return parameter(t) }

// Buffer makes a tensor outlive the scope it was made in, for a field tagged `nn:",buffer"`.
func Buffer(t *torch.Tensor) *torch.Tensor { return torch.Keep(t) }

// option is the optional last argument of a constructor.
func option[T any](constructor string, opts []T) T {
	var o T
	switch len(opts) {
	case 0:
	case 1:
		o = opts[0]
	default:
		panic(fmt.Sprintf("nn: %s: want at most one options struct, got %d", constructor, len(opts)))
	}
	return o
}

// or is v, or the default where v is zero.
func or[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}
