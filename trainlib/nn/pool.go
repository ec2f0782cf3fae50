package nn

import "gomosaic/trainlib/torch"

// PoolOptions are the further arguments of torch.nn.MaxPool2d.
type PoolOptions struct {
	Stride  int // default: the kernel
	Padding int
}

// MaxPool2dModule is torch.nn.MaxPool2d.
type MaxPool2dModule struct {
	Base
	kernel, stride, padding int
}

// MaxPool2d makes a maximum over square windows.
func MaxPool2d(kernel int, opts ...PoolOptions) *MaxPool2dModule {
	o := option("MaxPool2d", opts)
	positive("MaxPool2d", kernel)
	m := &MaxPool2dModule{kernel: kernel, stride: or(o.Stride, kernel), padding: o.Padding}
	m.Init(m)
	return m
}

// Forward maps [batch, channels, height, width] to [batch, channels, height', width'].
func (m *MaxPool2dModule) Forward(x *torch.Tensor) *torch.Tensor {
	return x.MaxPool2d(square(m.kernel), square(m.stride), square(m.padding), square(1), false)
}

// AdaptiveAvgPool2dModule is torch.nn.AdaptiveAvgPool2d.
type AdaptiveAvgPool2dModule struct {
	Base
	height, width int
}

// AdaptiveAvgPool2d makes an average over as many windows as give the wanted output size.
func AdaptiveAvgPool2d(height, width int) *AdaptiveAvgPool2dModule {
	positive("AdaptiveAvgPool2d", height, width)
	a := &AdaptiveAvgPool2dModule{height: height, width: width}
	a.Init(a)
	return a
}

// Forward maps [batch, channels, h, w] to [batch, channels, height, width].
func (a *AdaptiveAvgPool2dModule) Forward(x *torch.Tensor) *torch.Tensor {
	return x.AdaptiveAvgPool2d([]int{a.height, a.width})
}

// FlattenModule is torch.nn.Flatten.
type FlattenModule struct{ Base }

// Flatten makes a layer that joins all dimensions but the first.
func Flatten() *FlattenModule {
	f := &FlattenModule{}
	f.Init(f)
	return f
}

// Forward maps [batch, ...] to [batch, product].
func (f *FlattenModule) Forward(x *torch.Tensor) *torch.Tensor { return x.Flatten(1, -1) }
