package torch_test

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

func TestArithmeticAndData(t *testing.T) {
	torchtest.Run(t, func() {
		a := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
		b := a.Add(a).AddScalar(1)
		if got := torch.ToSlice[float32](b); !reflect.DeepEqual(got, []float32{3, 5, 7, 9, 11, 13}) {
			t.Errorf("a+a+1 = %v", got)
		}
		if got := a.Transpose(0, 1).Shape(); !reflect.DeepEqual(got, []int{3, 2}) {
			t.Errorf("shape of the transpose: %v", got)
		}
		if got := torch.ToSlice[float32](a.Transpose(0, 1)); !reflect.DeepEqual(got, []float32{1, 4, 2, 5, 3, 6}) {
			t.Errorf("a view is read out row-major: %v", got)
		}
		n := torch.FromSlice([]int64{1, 2, 3}).AddScalar(1)
		if n.DType() != torch.Int64 {
			t.Errorf("int64 tensor + int scalar is %v", n.DType())
		}
		if got := torch.FromSlice([]bool{true, false}).Float64s(); !reflect.DeepEqual(got, []float64{1, 0}) {
			t.Errorf("bools as float64: %v", got)
		}
		if s := torch.Scalar(2.5); s.Dim() != 0 || s.Item() != 2.5 {
			t.Errorf("scalar: %v", s.Item())
		}
		values, indices := a.MaxDim(1, false)
		if !reflect.DeepEqual(values.Float64s(), []float64{3, 6}) || !reflect.DeepEqual(indices.Int64s(), []int64{2, 2}) {
			t.Errorf("max by row: %v at %v", values.Float64s(), indices.Int64s())
		}
		if parts := a.Split(2, 1); len(parts) != 2 || parts[1].Size(-1) != 1 {
			t.Errorf("split: %d parts", len(parts))
		}
		if got := torch.FromSlice([]uint8{7}).RawBytes(); got[0] != 7 {
			t.Errorf("raw bytes: %v", got)
		}
	})
}

func TestBackward(t *testing.T) {
	torchtest.Run(t, func() {
		x := torch.FromSlice([]float32{1, 2, 3}).SetRequiresGrad(true)
		if x.Grad() != nil {
			t.Error("a gradient before Backward")
		}
		x.Mul(x).Sum().Backward()
		if got := x.Grad().Float64s(); !reflect.DeepEqual(got, []float64{2, 4, 6}) {
			t.Errorf("gradient %v", got)
		}
		torch.ZeroGrads([]*torch.Tensor{x})
		if x.Grad() != nil {
			t.Error("a gradient after ZeroGrads")
		}
		torch.NoGrad(func() {
			if x.Mul(x).RequiresGrad() {
				t.Error("recorded under NoGrad")
			}
			torch.EnableGrad(func() {
				if !x.Mul(x).RequiresGrad() {
					t.Error("not recorded under EnableGrad")
				}
			})
		})
		g := torch.Grad([]*torch.Tensor{x.PowScalar(3).Sum()}, []*torch.Tensor{x}, torch.GradOptions{CreateGraph: true})[0]
		h := torch.Grad([]*torch.Tensor{g.Sum()}, []*torch.Tensor{x}, torch.GradOptions{})[0]
		if got := h.Float64s(); !reflect.DeepEqual(got, []float64{6, 12, 18}) {
			t.Errorf("second derivative %v", got)
		}
	})
}

func TestErrorsNameOperatorAndShapes(t *testing.T) {
	torchtest.Run(t, func() {
		a, b := torch.Zeros(2, 3), torch.Zeros(3)
		var op *torch.OpError
		err := torch.Try(func() { a.Mm(b) })
		if !errors.As(err, &op) || op.Op != "mm" || !reflect.DeepEqual(op.Shapes, [][]int{{2, 3}, {3}}) {
			t.Errorf("got %#v", err)
		}
		const begin, end = "torch: mm: mat2 must be a matrix", " (given [2, 3] and [3])" // newer releases say more between
		if err == nil || !strings.HasPrefix(err.Error(), begin) || !strings.HasSuffix(err.Error(), end) {
			t.Errorf("message %q, want %q … %q", err, begin, end)
		}
		for want, f := range map[string]func(){
			"no such operator: aten::frobnicate":  func() { torch.Op("frobnicate", a) },
			`no argument named "alpha2"`:          func() { torch.Op("add.Tensor", a, a, torch.KW{"alpha2": 2}) },
			`argument "other" is given twice`:     func() { torch.Op("add.Tensor", a, a, torch.KW{"other": a}) },
			"missing argument other":              func() { torch.Op("add.Tensor", a) },
			"type chan int cannot be passed":      func() { torch.Op("add.Tensor", a, make(chan int)) },
			"5 values do not fill the shape":      func() { torch.FromSlice(make([]float32, 5), 2, 3) },
			"the elements are float32, not int64": func() { torch.ToSlice[int64](a) },
			"want a tensor with one element":      func() { a.Item() },
			"the tensor is nil":                   func() { (*torch.Tensor)(nil).Neg() },
			"Only Tensors of floating point":      func() { torch.FromSlice([]int64{1}).SetRequiresGrad(true) },
		} {
			if err := torch.Try(f); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	})
}

func TestKeywordArguments(t *testing.T) {
	torchtest.Run(t, func() {
		a := torch.FromSlice([]float32{1, 2})
		if got := torch.Op("add.Tensor", a, a, torch.KW{"alpha": 3}).Float64s(); !reflect.DeepEqual(got, []float64{4, 8}) {
			t.Errorf("a + 3a = %v", got)
		}
		z := torch.Op("zeros", []int{2}, torch.KW{"dtype": torch.Int64, "device": torch.CPU})
		if z.DType() != torch.Int64 {
			t.Errorf("zeros of %v", z.DType())
		}
		if r := torch.Ops("equal", a, a); len(r) != 1 || r[0] != true {
			t.Errorf("equal = %v", r)
		}
	})
}

// settle frees what earlier tests left to the collector: until a few collections in a row free nothing more.
func settle() {
	for live, same := torch.LiveTensors(), 0; same < 3; same++ {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // cleanups run on goroutines of their own
		torch.Drain()
		if n := torch.LiveTensors(); n != live {
			live, same = n, 0
		}
	}
}

func TestScopesFreeWhatTheyMade(t *testing.T) {
	torchtest.Run(t, func() {
		settle()
		before := torch.LiveTensors()
		var kept, lost *torch.Tensor
		torch.Step(func() {
			lost = torch.Ones(4)
			kept = torch.Keep(lost.AddScalar(1))
			torch.Step(func() { lost.Mul(lost) })
			kept.Neg().Free()
		})
		if got := torch.LiveTensors() - before; got != 1 {
			t.Errorf("%d tensors live after the step, want the kept one", got)
		}
		if kept.Sum().Item() != 8 {
			t.Error("the kept tensor lost its values")
		}
		if err := torch.Try(func() { lost.Neg() }); err == nil || !strings.Contains(err.Error(), "has been freed") {
			t.Errorf("use after the step: %v", err)
		}
		kept.Free()
		kept.Free()
		sc := torch.OpenScope()
		inner := torch.OpenScope()
		if err := torch.Try(sc.Close); err == nil {
			t.Error("the outer scope was closed under the inner one")
		}
		inner.Close()
		sc.Close()
		sc.Close()
	})
}

func TestCollectorFreesWhatNoScopeOwns(t *testing.T) {
	torchtest.Run(t, func() {
		settle()
		before := torch.LiveTensors()
		for range 100 {
			torch.Ones(4)
		}
		deadline := time.Now().Add(10 * time.Second)
		for torch.LiveTensors() > before+1 && time.Now().Before(deadline) {
			runtime.GC()
			time.Sleep(time.Millisecond)
			torch.Drain()
		}
		if got := torch.LiveTensors() - before; got > 1 {
			t.Errorf("%d tensors live after collection", got)
		}
	})
}

// Grad mode belongs to the goroutine, whatever thread it runs on.
func TestGradModeStaysWithTheGoroutine(t *testing.T) {
	torchtest.Run(t, func() {
		w := torch.Ones(8).SetRequiresGrad(true)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				body := func() {
					for range 300 {
						r := w.Mul(w)
						if r.RequiresGrad() != (g%2 == 0) {
							t.Errorf("goroutine %d: recorded: %v", g, r.RequiresGrad())
						}
						r.Free()
						runtime.Gosched()
					}
				}
				if g%2 == 1 {
					torch.NoGrad(body)
				} else {
					body()
				}
			})
		}
		wg.Wait()
	})
}

func TestAutocast(t *testing.T) {
	torchtest.Run(t, func() {
		a := torch.Ones(4, 4)
		torch.Autocast(torch.CPU, torch.BFloat16, func() {
			if got := a.Mm(a).DType(); got != torch.BFloat16 {
				t.Errorf("mm under autocast: %v", got)
			}
		})
		if got := a.Mm(a).DType(); got != torch.Float32 {
			t.Errorf("mm after autocast: %v", got)
		}
	})
}

func TestRandomStateReturns(t *testing.T) {
	torchtest.Run(t, func() {
		torch.ManualSeed(7)
		state := torch.RNGState(torch.CPU)
		a := torch.Rand(5).Float64s()
		torch.SetRNGState(torch.CPU, state)
		if b := torch.Rand(5).Float64s(); !reflect.DeepEqual(a, b) {
			t.Errorf("%v after the state was put back, %v before", b, a)
		}
	})
}

func TestDevices(t *testing.T) {
	torchtest.Run(t, func() {
		for in, want := range map[string]torch.Device{"cpu": torch.CPU, "cuda": torch.CUDA(0), "cuda:3": torch.CUDA(3)} {
			if got, err := torch.ParseDevice(in); err != nil || got != want {
				t.Errorf("ParseDevice(%q) = %v, %v", in, got, err)
			}
		}
		for _, in := range []string{"", "gpu", "cuda:x", "cuda:-1"} {
			if _, err := torch.ParseDevice(in); err == nil {
				t.Errorf("ParseDevice(%q) succeeds", in)
			}
		}
		if !torch.CUDAAvailable() {
			if err := torch.Try(func() { torch.Ones(1).To(torch.CUDA(0)) }); err == nil {
				t.Error("a tensor was moved to a GPU that is not there")
			}
			if torch.BestDevice() != torch.CPU {
				t.Error("the best device is not the CPU")
			}
		}
	})
}
