package nn

import (
	"gomosaic/trainlib/torch"
)

// BatchNorm2dModule is torch.nn.BatchNorm2d (Ioffe and Szegedy, 2015): weight and bias [features], and the running mean and
// variance that evaluation uses.
type BatchNorm2dModule struct {
	Base
	Weight            *torch.Tensor
	Bias              *torch.Tensor
	RunningMean       *torch.Tensor `nn:",buffer"`
	RunningVar        *torch.Tensor `nn:",buffer"`
	NumBatchesTracked *torch.Tensor `nn:",buffer"`

	eps, momentum float64
}

// BatchNormOptions are the further arguments of torch.nn.BatchNorm2d; zeros are its defaults.
type BatchNormOptions struct {
	Eps      float64 // default 1e-5
	Momentum float64 // of the running statistics; default 0.1
	NoAffine bool    // without weight and bias
}

// BatchNorm2d makes a batch normalisation of images [batch, features, height, width].
func BatchNorm2d(features int, opts ...BatchNormOptions) *BatchNorm2dModule {
	o := option("BatchNorm2d", opts)
	positive("BatchNorm2d", features)
	b := &BatchNorm2dModule{
		RunningMean: Buffer(torch.Zeros(features)), RunningVar: Buffer(torch.Ones(features)), NumBatchesTracked: Buffer(torch.Scalar(int64(0))),
		eps: or(o.Eps, 1e-5), momentum: or(o.Momentum, 0.1),
	}
	if !o.NoAffine {
		b.Weight, b.Bias = parameter(torch.Ones(features)), parameter(torch.Zeros(features))
	}
	b.Init(b)
	return b
}

// Forward normalises by the batch's own statistics in training, by the running ones in evaluation.
func (b *BatchNorm2dModule) Forward(x *torch.Tensor) *torch.Tensor {
	if b.IsTraining() {
		b.NumBatchesTracked.AddScalarInPlace(1)
	}
	return x.BatchNorm(b.Weight, b.Bias, b.RunningMean, b.RunningVar, b.IsTraining(), b.momentum, b.eps, true)
}

// LayerNormModule is torch.nn.LayerNorm (Ba et al., 2016) over the last dimensions.
type LayerNormModule struct {
	Base
	Weight *torch.Tensor
	Bias   *torch.Tensor

	shape []int
}

// LayerNorm makes a normalisation over the last dimensions, which have the given sizes; eps is 1e-5.
func LayerNorm(shape ...int) *LayerNormModule {
	positive("LayerNorm", shape...)
	l := &LayerNormModule{Weight: parameter(torch.Ones(shape...)), Bias: parameter(torch.Zeros(shape...)), shape: shape}
	l.Init(l)
	return l
}

// Forward keeps the shape.
func (l *LayerNormModule) Forward(x *torch.Tensor) *torch.Tensor {
	return x.LayerNorm(l.shape, l.Weight, l.Bias, 1e-5)
}

// GroupNormModule is torch.nn.GroupNorm (Wu and He, 2018).
type GroupNormModule struct {
	Base
	Weight *torch.Tensor
	Bias   *torch.Tensor

	groups int
}

// GroupNorm makes a normalisation of [batch, channels, ...] over groups of channels; eps is 1e-5.
func GroupNorm(groups, channels int) *GroupNormModule {
	positive("GroupNorm", groups, channels)
	if channels%groups != 0 {
		panic(&torch.OpError{Op: "GroupNorm", Shapes: [][]int{{groups, channels}}, Msg: "the channels must be a multiple of the groups"})
	}
	g := &GroupNormModule{Weight: parameter(torch.Ones(channels)), Bias: parameter(torch.Zeros(channels)), groups: groups}
	g.Init(g)
	return g
}

// Forward keeps the shape.
func (g *GroupNormModule) Forward(x *torch.Tensor) *torch.Tensor {
	return x.GroupNorm(g.groups, g.Weight, g.Bias, 1e-5)
}
