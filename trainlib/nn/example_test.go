package nn_test

import (
	"fmt"
	"os"
	"testing"

	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// line is y = w·x + b, as a module of one layer.
type line struct {
	nn.Base
	FC *nn.LinearModule
}

func newLine() *line {
	l := &line{FC: nn.Linear(1, 1)}
	l.Init(l)
	return l
}

func (l *line) Forward(x *torch.Tensor) *torch.Tensor { return l.FC.Forward(x) }

func TestMain(m *testing.M) { os.Exit(torchtest.Main(m)) }

func Example() {
	torch.ManualSeed(0)
	m := newLine()
	opt := optim.SGD(m.Parameters(), optim.SGDOptions{LR: 0.1, Momentum: 0.5})
	x := torch.FromSlice([]float32{-1, 0, 1, 2}, 4, 1)
	y := x.MulScalar(3).AddScalar(1)
	for range 200 {
		torch.Step(func() {
			loss := nn.MSE(m.Forward(x), y)
			opt.ZeroGrad()
			loss.Backward()
			opt.Step()
		})
	}
	for _, p := range m.NamedParameters() {
		fmt.Printf("%s %.3f\n", p.Name, p.Tensor.Float64s()[0])
	}
	// Output:
	// fc.weight 3.000
	// fc.bias 1.000
}
