package models

import (
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch"
)

// ResNet is torchvision's resnet18 (He et al., "Deep residual learning for image recognition", 2016).
type ResNet struct {
	nn.Base
	conv1                          *nn.Conv2dModule
	bn1                            *nn.BatchNorm2dModule
	layer1, layer2, layer3, layer4 *nn.SequentialModule
	FC                             *nn.LinearModule
}

// ResNet18 makes a resnet18. It panics with *torch.OpError when Options.Weights cannot be read or do not fit.
func ResNet18(o Options) *ResNet {
	classes := o.Classes
	if classes == 0 {
		classes = 1000
	}
	m := &ResNet{
		conv1:  nn.Conv2d(3, 64, 7, nn.ConvOptions{Stride: 2, Padding: 3, NoBias: true}),
		bn1:    nn.BatchNorm2d(64),
		layer1: basicLayer(64, 64, 1),
		layer2: basicLayer(64, 128, 2),
		layer3: basicLayer(128, 256, 2),
		layer4: basicLayer(256, 512, 2),
		FC:     nn.Linear(512, classes),
	}
	m.Init(m)
	m.Apply(func(l nn.Module) {
		if c, ok := l.(*nn.Conv2dModule); ok {
			nn.KaimingNormal(c.Weight, 0, nn.FanOut)
		}
	})
	mustLoad(m, "ResNet18", []string{"fc.weight", "fc.bias"}, o)
	return m
}

// Forward maps images [batch, 3, height, width] to logits [batch, classes].
func (m *ResNet) Forward(x *torch.Tensor) *torch.Tensor {
	pool := func(x *torch.Tensor) *torch.Tensor {
		return x.MaxPool2d([]int{3, 3}, []int{2, 2}, []int{1, 1}, []int{1, 1}, false)
	}
	c := m.conv1.Forward(x)
	b := m.bn1.Forward(c)
	torch.Release(c)
	p := pool(b.ReluInPlace())
	torch.Release(b)
	f := nn.Chain(p, m.layer1, m.layer2, m.layer3, m.layer4)
	torch.Release(p)
	a := f.AdaptiveAvgPool2d([]int{1, 1})
	torch.Release(f)
	v := a.Flatten(1, -1)
	torch.Release(a)
	y := m.FC.Forward(v)
	torch.Release(v)
	return y
}

// basicBlock is two 3×3 convolutions around which the input is led.
type basicBlock struct {
	nn.Base
	conv1      *nn.Conv2dModule
	bn1        *nn.BatchNorm2dModule
	conv2      *nn.Conv2dModule
	bn2        *nn.BatchNorm2dModule
	downsample *nn.SequentialModule // nil where the input has the output's shape
}

func newBasicBlock(in, out, stride int, downsample *nn.SequentialModule) *basicBlock {
	b := &basicBlock{
		conv1:      nn.Conv2d(in, out, 3, nn.ConvOptions{Stride: stride, Padding: 1, NoBias: true}),
		bn1:        nn.BatchNorm2d(out),
		conv2:      nn.Conv2d(out, out, 3, nn.ConvOptions{Padding: 1, NoBias: true}),
		bn2:        nn.BatchNorm2d(out),
		downsample: downsample,
	}
	b.Init(b)
	return b
}

// basicLayer is two blocks, the first of which may shrink the image.
func basicLayer(in, out, stride int) *nn.SequentialModule {
	var downsample *nn.SequentialModule
	if stride != 1 || in != out { // made first, as torchvision does: the order of random numbers is part of the model
		downsample = nn.Sequential(nn.Conv2d(in, out, 1, nn.ConvOptions{Stride: stride, NoBias: true}), nn.BatchNorm2d(out))
	}
	return nn.Sequential(newBasicBlock(in, out, stride, downsample), newBasicBlock(out, out, 1, nil))
}

func (b *basicBlock) Forward(x *torch.Tensor) *torch.Tensor {
	c := b.conv1.Forward(x)
	n := b.bn1.Forward(c)
	torch.Release(c)
	d := b.conv2.Forward(n.ReluInPlace())
	torch.Release(n)
	y := b.bn2.Forward(d)
	torch.Release(d)
	identity := x
	if b.downsample != nil {
		identity = b.downsample.Forward(x)
	}
	y.AddInPlace(identity)
	if identity != x {
		torch.Release(identity)
	}
	return y.ReluInPlace()
}
