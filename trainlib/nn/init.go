package nn

import (
	"fmt"
	"math"

	"gomosaic/trainlib/torch"
)

// FanMode says which side of a weight keeps its variance through a layer.
type FanMode int

// The modes of torch.nn.init: the inputs (forward pass) or the outputs (backward pass) of a weight.
const (
	FanIn FanMode = iota
	FanOut
)

// fan counts the inputs or outputs of a weight [out, in, …], as torch.nn.init._calculate_fan_in_and_fan_out.
func fan(w *torch.Tensor, mode FanMode) float64 {
	s := w.Shape()
	if len(s) < 2 {
		panic(&torch.OpError{Op: "init", Shapes: [][]int{s}, Msg: "fan in and fan out need a tensor with two dimensions at least"})
	}
	n := s[1]
	if mode == FanOut {
		n = s[0]
	}
	for _, k := range s[2:] {
		n *= k
	}
	return float64(n)
}

// KaimingUniform fills w from U(-b, b) with b = √3 · √(2/(1+a²)) / √fan, as torch.nn.init.kaiming_uniform_ for leaky_relu
// with slope a (He et al., "Delving deep into rectifiers", 2015). Linear and Conv2d are made with a = √5 and FanIn.
func KaimingUniform(w *torch.Tensor, a float64, mode FanMode) {
	std := math.Sqrt(2/(1+a*a)) / math.Sqrt(fan(w, mode))
	bound := math.Sqrt(3) * std
	Uniform(w, -bound, bound)
}

// KaimingNormal fills w from N(0, s²) with s = √(2/(1+a²)) / √fan, as torch.nn.init.kaiming_normal_; a = 0 is relu.
func KaimingNormal(w *torch.Tensor, a float64, mode FanMode) {
	Normal(w, 0, math.Sqrt(2/(1+a*a))/math.Sqrt(fan(w, mode)))
}

// XavierUniform fills w from U(-b, b) with b = gain · √(6/(fan in + fan out)), as torch.nn.init.xavier_uniform_ (Glorot and
// Bengio, 2010).
func XavierUniform(w *torch.Tensor, gain float64) {
	std := gain * math.Sqrt(2/(fan(w, FanIn)+fan(w, FanOut)))
	bound := math.Sqrt(3) * std
	Uniform(w, -bound, bound)
}

// XavierNormal fills w from N(0, s²) with s = gain · √(2/(fan in + fan out)), as torch.nn.init.xavier_normal_.
func XavierNormal(w *torch.Tensor, gain float64) {
	Normal(w, 0, gain*math.Sqrt(2/(fan(w, FanIn)+fan(w, FanOut))))
}

// Uniform fills t from U(low, high).
func Uniform(t *torch.Tensor, low, high float64) {
	torch.NoGrad(func() { t.UniformInPlace(low, high) })
}

// Normal fills t from N(mean, std²).
func Normal(t *torch.Tensor, mean, std float64) {
	torch.NoGrad(func() { t.NormalInPlace(mean, std) })
}

// Constant fills t with v.
func Constant(t *torch.Tensor, v float64) {
	torch.NoGrad(func() { t.FillInPlace(v) })
}

func positive(constructor string, sizes ...int) {
	for _, n := range sizes {
		if n <= 0 {
			panic(fmt.Sprintf("nn: %s: sizes must be positive, got %v", constructor, sizes))
		}
	}
}
