package nn

import (
	"math"

	"gomosaic/trainlib/torch"
)

// Conv2dModule is torch.nn.Conv2d: weight [out, in/groups, kernel, kernel], bias [out] or none.
type Conv2dModule struct {
	Base
	Weight *torch.Tensor
	Bias   *torch.Tensor

	stride, padding, dilation []int
	groups                    int
}

// ConvOptions are the further arguments of torch.nn.Conv2d; zeros are its defaults.
type ConvOptions struct {
	Stride   int // default 1
	Padding  int
	Dilation int // default 1
	Groups   int // default 1; the number of input channels makes it depthwise
	NoBias   bool
}

// Conv2d makes a convolution of images [batch, in, height, width] with a square kernel.
func Conv2d(in, out, kernel int, opts ...ConvOptions) *Conv2dModule {
	o := option("Conv2d", opts)
	positive("Conv2d", in, out, kernel)
	groups := or(o.Groups, 1)
	if in%groups != 0 || out%groups != 0 {
		panic(&torch.OpError{Op: "Conv2d", Shapes: [][]int{{in, out, groups}}, Msg: "the channels in and out must be multiples of the groups"})
	}
	c := &Conv2dModule{
		Weight: torch.Empty(out, in/groups, kernel, kernel),
		stride: square(or(o.Stride, 1)), padding: square(o.Padding), dilation: square(or(o.Dilation, 1)), groups: groups,
	}
	KaimingUniform(c.Weight, math.Sqrt(5), FanIn)
	parameter(c.Weight)
	if !o.NoBias {
		c.Bias = parameter(uniformBias(c.Weight, out))
	}
	c.Init(c)
	return c
}

func square(n int) []int { return []int{n, n} }

// uniformBias is the bias that PyTorch gives a linear layer or convolution: U(-b, b) with b = 1/√(fan in).
func uniformBias(w *torch.Tensor, n int) *torch.Tensor {
	b := torch.Empty(n)
	bound := 1 / math.Sqrt(fan(w, FanIn))
	Uniform(b, -bound, bound)
	return b
}

// Forward maps [batch, in, height, width] to [batch, out, height', width'].
func (c *Conv2dModule) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Conv2d(c.Weight, c.Bias, c.stride, c.padding, c.dilation, c.groups)
}
