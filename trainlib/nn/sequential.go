package nn

import "gomosaic/trainlib/torch"

// SequentialModule is torch.nn.Sequential: its layers are named 0, 1, …
type SequentialModule struct {
	Base
	Layers []Module `nn:",inline"`
}

// Sequential makes a chain of layers.
func Sequential(layers ...Module) *SequentialModule {
	s := &SequentialModule{Layers: layers}
	s.Init(s)
	return s
}

// Forward runs the layers one after another. What one layer has made and the next has consumed is freed at once: autograd
// holds what it needs, and the rest of the memory is used again, which makes steps faster and their peak as low as Python's.
// A layer that stores its input or output for later must torch.Keep it.
func (s *SequentialModule) Forward(x *torch.Tensor) *torch.Tensor { return Chain(x, s.Layers...) }

// Chain runs x through layers as a [SequentialModule] does, for models that are not one chain.
func Chain(x *torch.Tensor, layers ...Module) *torch.Tensor {
	in := x
	for _, l := range layers {
		y := l.Forward(x)
		if x != in && y != x {
			torch.Release(x)
		}
		x = y
	}
	return x
}
