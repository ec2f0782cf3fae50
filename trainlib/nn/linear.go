package nn

import (
	"math"

	"gomosaic/trainlib/torch"
)

// LinearModule is torch.nn.Linear: weight [out, in], bias [out] or none.
type LinearModule struct {
	Base
	Weight *torch.Tensor
	Bias   *torch.Tensor
}

// LinearOptions are the further arguments of torch.nn.Linear.
type LinearOptions struct {
	NoBias bool
}

// Linear makes a fully connected layer.
func Linear(in, out int, opts ...LinearOptions) *LinearModule {
	o := option("Linear", opts)
	positive("Linear", in, out)
	l := &LinearModule{Weight: torch.Empty(out, in)}
	KaimingUniform(l.Weight, math.Sqrt(5), FanIn)
	parameter(l.Weight)
	if !o.NoBias {
		l.Bias = parameter(uniformBias(l.Weight, out))
	}
	l.Init(l)
	return l
}

// Forward maps [..., in] to [..., out].
func (l *LinearModule) Forward(x *torch.Tensor) *torch.Tensor { return x.Linear(l.Weight, l.Bias) }

// EmbeddingModule is torch.nn.Embedding: weight [entries, size].
type EmbeddingModule struct {
	Base
	Weight *torch.Tensor
}

// Embedding makes a table of entries vectors of the given size, drawn from N(0, 1).
func Embedding(entries, size int) *EmbeddingModule {
	positive("Embedding", entries, size)
	e := &EmbeddingModule{Weight: torch.Empty(entries, size)}
	Normal(e.Weight, 0, 1)
	parameter(e.Weight)
	e.Init(e)
	return e
}

// Forward maps int64 indices [...] to [..., size].
func (e *EmbeddingModule) Forward(x *torch.Tensor) *torch.Tensor {
	return torch.Op("embedding", e.Weight, x)
}
