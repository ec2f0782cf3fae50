package models

import (
	"math"

	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch"
)

// Options are the arguments of a model's constructor; the zero value is torchvision's.
type Options struct {
	Classes   int     // outputs; default 1000
	Dropout   float64 // before the classifier; default 0.2 for MobileNetV2; negative: none. ResNet has none
	WidthMult float64 // of MobileNetV2's channels; default 1
	Weights   string  // a .pt, .pth or .safetensors file of the model's state dict; default: freshly initialised
	Strict    bool    // refuse weights whose classifier has another number of classes, instead of leaving it initialised
}

// MobileNet is torchvision's mobilenet_v2 (Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", 2018).
type MobileNet struct {
	nn.Base
	Features   *nn.SequentialModule
	Classifier *nn.SequentialModule
}

// mobileNetV2 is table 2 of the paper: expansion, channels, blocks, stride of the first block.
var mobileNetV2 = [...]struct{ expand, channels, blocks, stride int }{
	{1, 16, 1, 1},
	{6, 24, 2, 2},
	{6, 32, 3, 2},
	{6, 64, 4, 2},
	{6, 96, 3, 1},
	{6, 160, 3, 2},
	{6, 320, 1, 1},
}

// MobileNetV2 makes a mobilenet_v2. It panics with *torch.OpError when Options.Weights cannot be read or do not fit; see
// [LoadWeights] for an error value.
func MobileNetV2(o Options) *MobileNet {
	classes, width, dropout := o.Classes, o.WidthMult, o.Dropout
	if classes == 0 {
		classes = 1000
	}
	if width == 0 {
		width = 1
	}
	if dropout == 0 {
		dropout = 0.2
	}
	in := divisible(32*width, 8)
	last := divisible(1280*math.Max(1, width), 8)
	features := []nn.Module{convNormReLU6(3, in, 3, 2, 1)}
	for _, row := range mobileNetV2 {
		out := divisible(float64(row.channels)*width, 8)
		for i := range row.blocks {
			stride := 1
			if i == 0 {
				stride = row.stride
			}
			features = append(features, newInvertedResidual(in, out, stride, row.expand))
			in = out
		}
	}
	features = append(features, convNormReLU6(in, last, 1, 1, 1))
	m := &MobileNet{
		Features:   nn.Sequential(features...),
		Classifier: nn.Sequential(nn.Dropout(math.Max(dropout, 0)), nn.Linear(last, classes)),
	}
	m.Init(m)
	m.Apply(func(l nn.Module) {
		switch l := l.(type) {
		case *nn.Conv2dModule:
			nn.KaimingNormal(l.Weight, 0, nn.FanOut)
		case *nn.LinearModule:
			nn.Normal(l.Weight, 0, 0.01)
			nn.Constant(l.Bias, 0)
		}
	})
	mustLoad(m, "MobileNetV2", []string{"classifier.1.weight", "classifier.1.bias"}, o)
	return m
}

// Forward maps images [batch, 3, height, width] to logits [batch, classes].
func (m *MobileNet) Forward(x *torch.Tensor) *torch.Tensor {
	f := m.Features.Forward(x)
	p := f.AdaptiveAvgPool2d([]int{1, 1})
	torch.Release(f)
	v := p.Flatten(1, -1)
	torch.Release(p)
	y := m.Classifier.Forward(v)
	torch.Release(v)
	return y
}

// convNormReLU6 is torchvision's Conv2dNormActivation: names 0 (convolution), 1 (normalisation), 2 (activation).
func convNormReLU6(in, out, kernel, stride, groups int) *nn.SequentialModule {
	return nn.Sequential(
		nn.Conv2d(in, out, kernel, nn.ConvOptions{Stride: stride, Padding: (kernel - 1) / 2, Groups: groups, NoBias: true}),
		nn.BatchNorm2d(out),
		nn.ReLU6(nn.ActivationOptions{InPlace: true}),
	)
}

// invertedResidual widens by 1×1, filters by channel and narrows again; it adds its input where the shapes allow.
type invertedResidual struct {
	nn.Base
	conv *nn.SequentialModule

	residual bool
}

func newInvertedResidual(in, out, stride, expand int) *invertedResidual {
	hidden := in * expand
	var layers []nn.Module
	if expand != 1 {
		layers = append(layers, convNormReLU6(in, hidden, 1, 1, 1))
	}
	layers = append(layers,
		convNormReLU6(hidden, hidden, 3, stride, hidden),
		nn.Conv2d(hidden, out, 1, nn.ConvOptions{NoBias: true}),
		nn.BatchNorm2d(out),
	)
	r := &invertedResidual{conv: nn.Sequential(layers...), residual: stride == 1 && in == out}
	r.Init(r)
	return r
}

func (r *invertedResidual) Forward(x *torch.Tensor) *torch.Tensor {
	y := r.conv.Forward(x)
	if !r.residual {
		return y
	}
	sum := x.Add(y)
	torch.Release(y)
	return sum
}

// divisible rounds channels to a multiple, never down by more than a tenth: torchvision's _make_divisible.
func divisible(v float64, divisor int) int {
	n := max(divisor, int(v+float64(divisor)/2)/divisor*divisor)
	if float64(n) < 0.9*v {
		n += divisor
	}
	return n
}
