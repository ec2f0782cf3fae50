package torch_test

import (
	"fmt"
	"os"
	"testing"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

func TestMain(m *testing.M) { os.Exit(torchtest.Main(m)) }

func Example() {
	a := torch.FromSlice([]float32{1, 2, 3}).SetRequiresGrad(true)
	loss := a.Mul(a).Sum()
	loss.Backward()
	fmt.Println(loss)
	fmt.Println(a.Grad())
	// Output:
	// tensor(14., grad_fn=<SumBackward0>)
	// tensor([2., 4., 6.])
}

func ExampleOp() {
	// any operator of libtorch, by the name of its schema
	x := torch.FromSlice([]float32{3, 1, 2})
	fmt.Println(torch.Op("cumsum", x, 0))
	fmt.Println(torch.Op("add.Tensor", x, x, torch.KW{"alpha": 10}))
	// Output:
	// tensor([3., 4., 6.])
	// tensor([33., 11., 22.])
}

func ExampleStep() {
	var mean *torch.Tensor
	torch.Step(func() {
		x := torch.FromSlice([]float32{1, 2, 6})
		mean = torch.Keep(x.Mean()) // x is freed with the step, mean is not
	})
	fmt.Println(mean)
	// Output: tensor(3.)
}

func ExampleTry() {
	err := torch.Try(func() { torch.Zeros(2, 3).Mm(torch.Zeros(2, 3)) })
	fmt.Println(err)
	// Output: torch: mm: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3) (given [2, 3] and [2, 3])
}
