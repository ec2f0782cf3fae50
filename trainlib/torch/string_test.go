package torch_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// TestStringEqualsPython renders the tensors of testdata/strings.py.
func TestStringEqualsPython(t *testing.T) {
	b, err := os.ReadFile("testdata/strings.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	torchtest.Run(t, func() {
		inf := float32(math.Inf(1))
		arange := func(n float64, shape ...int) *torch.Tensor {
			return torch.Arange(0.0, n, 1.0).Reshape(shape...)
		}
		have := map[string]*torch.Tensor{
			"float":          torch.FromSlice([]float32{1, 2.5, -3, 4}, 2, 2),
			"whole":          torch.FromSlice([]float32{1, 2, 300}),
			"whole with nan": torch.FromSlice([]float32{1, float32(math.NaN()), inf, -inf}),
			"zeros":          torch.Zeros(2, 3),
			"science":        torch.FromSlice([]float32{1e-5, 1, 1000}),
			"whole science":  torch.FromSlice([]float32{1, 1e9}),
			"int":            torch.FromSlice([]int64{1, -20, 300, 4}, 2, 2),
			"uint8":          torch.FromSlice([]uint8{1, 2}),
			"bool":           torch.FromSlice([]bool{true, false}),
			"double":         torch.FromSlice([]float64{0.1, 0.25}),
			"scalar":         torch.Scalar(float32(0.5)),
			"int scalar":     torch.Scalar(int64(7)),
			"empty":          torch.Zeros(0),
			"empty two":      torch.Op("zeros", []int{2, 0}, torch.KW{"dtype": torch.Int64}),
			"leaf":           torch.FromSlice([]float32{1, 2}).SetRequiresGrad(true),
			"sum":            torch.FromSlice([]float32{1, 2}).SetRequiresGrad(true).MulScalar(2).Sum(),
			"long":           torch.Arange(0, 100, 1),
			"summary":        torch.Arange(0, 2000, 1),
			"summary two":    arange(10000, 100, 100),
			"summary three":  arange(2400, 2, 30, 40).DivScalar(7),
			"wide":           arange(60, 2, 30).DivScalar(7),
			"four":           torch.Arange(0, 16, 1).Reshape(2, 2, 2, 2),
			"half":           torch.FromSlice([]float32{0.1}).ToDType(torch.Float16),
			"negative":       torch.FromSlice([]float32{-0.5, 100.25}),
		}
		for name, w := range want {
			if have[name] == nil {
				t.Errorf("%s: no such case", name)
				continue
			}
			if got := fmt.Sprint(have[name]); got != w {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, w)
			}
		}
		if got := (*torch.Tensor)(nil).String(); got != "tensor(nil)" {
			t.Errorf("nil: %s", got)
		}
		freed := torch.Zeros(1)
		freed.Free()
		if got := freed.String(); got != "tensor(freed)" {
			t.Errorf("freed: %s", got)
		}
	})
}
