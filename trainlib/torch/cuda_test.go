package torch_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// onGPU runs f on the libtorch thread with a GPU, in a scope, and finds that f left no memory behind.
func onGPU(t *testing.T, f func(gpu torch.Device)) {
	t.Helper()
	gpu := torchtest.CUDA(t)
	torchtest.Run(t, func() {
		t.Logf("libtorch %s", torch.Version())
		torch.Step(func() { f(gpu) })
	})
}

// far is the largest difference of two tensors, by the largest value of the second; NaN counts as far.
func far(a, b *torch.Tensor) float64 {
	a, b = a.To(torch.CPU).ToDType(torch.Float64), b.To(torch.CPU).ToDType(torch.Float64)
	d := a.Sub(b).Abs().Max().Item() / (1e-12 + b.Abs().Max().Item())
	if d != d {
		return 1
	}
	return d
}

func TestCUDAArithmetic(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		a := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3).To(gpu)
		if a.Device() != gpu || !strings.Contains(fmt.Sprint(a), "cuda:0") {
			t.Errorf("the tensor is on %v: %v", a.Device(), a)
		}
		if got := torch.ToSlice[float32](a.Add(a).AddScalar(1)); !reflect.DeepEqual(got, []float32{3, 5, 7, 9, 11, 13}) {
			t.Errorf("a+a+1 = %v", got)
		}
		if got := torch.ToSlice[float32](a.Transpose(0, 1)); !reflect.DeepEqual(got, []float32{1, 4, 2, 5, 3, 6}) {
			t.Errorf("a view is read out row-major: %v", got)
		}
		values, indices := a.MaxDim(1, false)
		if !reflect.DeepEqual(values.Float64s(), []float64{3, 6}) || !reflect.DeepEqual(indices.Int64s(), []int64{2, 2}) {
			t.Errorf("max by row: %v at %v", values.Float64s(), indices.Int64s())
		}
		if got := a.Sum().Item(); got != 21 {
			t.Errorf("sum %v", got)
		}
		if b := torch.Op("zeros", []int{2}, torch.KW{"dtype": torch.Int64, "device": gpu}); b.Device() != gpu {
			t.Errorf("zeros made on %v", b.Device())
		}
		err := torch.Try(func() { a.Add(torch.Ones(2, 3)) })
		if err == nil || !strings.Contains(err.Error(), "same device") || !strings.Contains(err.Error(), "add") {
			t.Errorf("a CPU and a GPU tensor added: %v", err)
		}
		big := torch.Randn(300, 200)
		if d := far(big.To(gpu).Mm(big.To(gpu).Transpose(0, 1)), big.ToDType(torch.Float64).Mm(big.ToDType(torch.Float64).Transpose(0, 1))); d > 1e-5 {
			t.Errorf("a product of float32 matrices is off by %v", d)
		}
	})
}

func TestCUDABackward(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		x := torch.FromSlice([]float32{1, 2, 3}).To(gpu).SetRequiresGrad(true)
		g := torch.Grad([]*torch.Tensor{x.PowScalar(3).Sum()}, []*torch.Tensor{x}, torch.GradOptions{CreateGraph: true})[0]
		h := torch.Grad([]*torch.Tensor{g.Sum()}, []*torch.Tensor{x}, torch.GradOptions{})[0]
		if got := h.Float64s(); !reflect.DeepEqual(got, []float64{6, 12, 18}) {
			t.Errorf("second derivative %v", got)
		}
		// A convolution with its gradients; TensorFloat32, cuDNN's default, has ten bits of mantissa.
		images, weight := torch.Randn(4, 3, 16, 16), torch.Randn(8, 3, 3, 3)
		grads := map[torch.Device]*torch.Tensor{}
		for _, d := range []torch.Device{torch.CPU, gpu} {
			w := weight.To(d).Clone().SetRequiresGrad(true)
			torch.Op("conv2d", images.To(d), w).Relu().Sum().Backward()
			if grads[d] = w.Grad(); grads[d].Device() != d {
				t.Errorf("the gradient is on %v", grads[d].Device())
			}
		}
		if d := far(grads[gpu], grads[torch.CPU]); d > 5e-3 {
			t.Errorf("the gradient of a convolution is off by %v", d)
		}
	})
}

func TestCUDAAutocast(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		a := torch.Randn(64, 64).To(gpu).SetRequiresGrad(true)
		exact := a.Mm(a)
		for dtype, tolerance := range map[torch.DType]float64{torch.BFloat16: 2e-2, torch.Float16: 2e-3} {
			torch.ZeroGrads([]*torch.Tensor{a})
			torch.Autocast(gpu, dtype, func() {
				y := a.Mm(a)
				if y.DType() != dtype {
					t.Errorf("mm under autocast to %v: %v", dtype, y.DType())
				}
				if d := far(y, exact); d > tolerance || d == 0 {
					t.Errorf("%v: off by %v", dtype, d)
				}
				if s := y.Softmax(1).DType(); s != torch.Float32 {
					t.Errorf("softmax under autocast to %v: %v", dtype, s)
				}
				torch.Autocast(torch.CPU, torch.BFloat16, func() {
					if got := a.Mm(a).DType(); got != dtype {
						t.Errorf("mm on the GPU inside the CPU's autocast: %v", got)
					}
				})
				y.Sum().Backward()
			})
			if g := a.Grad(); g.DType() != torch.Float32 {
				t.Errorf("%v: the gradient is %v", dtype, g.DType())
			}
		}
		if got := a.Mm(a).DType(); got != torch.Float32 {
			t.Errorf("mm after autocast: %v", got)
		}
	})
}

// A stream of its own: what is queued there runs beside the default one, and an event orders the two.
func TestCUDAStreams(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		side, main := torch.NewStream(gpu), torch.CurrentStream(gpu)
		defer side.Close()
		defer main.Close()
		a := torch.Randn(2048, 2048).To(gpu)
		for range 20 {
			torch.Step(func() {
				var b *torch.Tensor
				ready, done := torch.NewEvent(gpu), torch.NewEvent(gpu)
				ready.Record(main)
				side.Wait(ready)
				torch.WithStream(side, func() {
					b = a
					for range 8 {
						b = b.Mm(a).MulScalar(1.0 / 64)
					}
					current := torch.CurrentStream(gpu)
					done.Record(current)
					current.Close() // the caller's: it goes on to be open
				})
				main.Wait(done)
				b.RecordStream(main)
				sum := b.Sub(b).Abs().Sum()
				if v := sum.Item(); v != 0 {
					t.Errorf("b−b = %v", v)
				}
				done.Synchronize()
				if !done.Done() {
					t.Error("an event that was waited for is not done")
				}
				ready.Close()
				done.Close()
			})
		}
		side.Synchronize()
		torch.Synchronize(gpu)
		closed := torch.NewStream(gpu)
		closed.Close()
		if err := torch.Try(func() { torch.WithStream(closed, func() {}) }); err == nil {
			t.Error("a closed stream was used")
		}
	})
}

func TestCUDAPinned(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		data := make([]float32, 1<<20)
		for i := range data {
			data[i] = float32(i)
		}
		pinned := torch.FromSlicePinned(data, 1024, 1024)
		if r := torch.Ops("is_pinned", pinned); r[0] != true {
			t.Errorf("is_pinned = %v", r)
		}
		// The page-locked memory is let go of and asked for again while copies from it are under way.
		var sums []*torch.Tensor
		for range 50 {
			p := torch.FromSlicePinned(data, 1024, 1024)
			sums = append(sums, p.ToNonBlocking(gpu).ToDType(torch.Float64).Sum())
			p.Free()
		}
		for i, s := range sums {
			if want := float64(1<<20) * float64(1<<20-1) / 2; s.Item() != want {
				t.Errorf("copy %d adds up to %v, want %v", i, s.Item(), want)
			}
		}
	})
}

func TestCUDARandom(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		draw := func() []float64 { return torch.Op("rand", []int{8}, torch.KW{"device": gpu}).Float64s() }
		torch.ManualSeed(7)
		a := draw()
		state := torch.RNGState(gpu)
		b := draw()
		torch.SetRNGState(gpu, state)
		if again := draw(); !reflect.DeepEqual(again, b) {
			t.Errorf("%v after the state was put back, %v before", again, b)
		}
		torch.ManualSeed(7)
		if again := draw(); !reflect.DeepEqual(again, a) || reflect.DeepEqual(a, b) {
			t.Errorf("seed 7 gives %v, then %v", a, again)
		}
	})
}

func TestCUDAMemoryComesBack(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		a := torch.Randn(1024, 1024).To(gpu).SetRequiresGrad(true)
		step := func() {
			torch.Step(func() {
				x := a
				for range 10 {
					x = x.Mm(a).Tanh()
				}
				x.Sum().Backward()
				torch.ZeroGrads([]*torch.Tensor{a})
			})
		}
		step() // cuBLAS takes its workspace
		torch.Synchronize(gpu)
		before := torch.Memory(gpu)
		torch.ResetPeakMemory(gpu)
		for range 20 {
			step()
		}
		after := torch.Memory(gpu)
		if after.AllocatedBytes != before.AllocatedBytes {
			t.Errorf("%d bytes are allocated after the steps, %d before", after.AllocatedBytes, before.AllocatedBytes)
		}
		if after.PeakAllocatedBytes < before.AllocatedBytes+20<<20 || after.ReservedBytes < after.PeakAllocatedBytes {
			t.Errorf("20 intermediate results of 4 MiB, and the peak is %+v, from %+v", after, before)
		}
		torch.EmptyCache()
		if empty := torch.Memory(gpu); empty.ReservedBytes >= after.ReservedBytes {
			t.Errorf("%d bytes are reserved after EmptyCache, %d before", empty.ReservedBytes, after.ReservedBytes)
		}
	})
}

// A tensor that cannot be is an error that says so, and the next one is made; one for which there is room only when
// variables that were assigned anew are cleared away is made.
func TestCUDAOutOfMemory(t *testing.T) {
	gpu := torchtest.CUDA(t)
	torchtest.Run(t, func() { // outside of a scope, as in a notebook
		empty := func(bytes int) *torch.Tensor {
			return torch.Op("empty.memory_format", []int{bytes}, torch.KW{"device": gpu, "dtype": torch.Uint8})
		}
		var op *torch.OpError
		err := torch.Try(func() { empty(1 << 42) })
		if !errors.As(err, &op) || !op.OutOfMemory() {
			t.Fatalf("4 TiB: %v", err)
		}
		t.Log(err)
		found := regexp.MustCompile(`of which ([0-9.]+) GiB is free`).FindStringSubmatch(err.Error())
		if found == nil {
			t.Fatalf("the message does not say how much is free: %v", err)
		}
		free, _ := strconv.ParseFloat(found[1], 64)
		var x *torch.Tensor
		for i := range 4 {
			x = empty(int(free * 0.4 * (1 << 30)))
			if got := x.FillInPlace(i).Narrow(0, 0, 1).Item(); got != float64(i) {
				t.Errorf("tensor %d holds %v", i, got)
			}
		}
		x.Free()
		x = nil
		settle() // the tests after this one would be short of it
		torch.EmptyCache()
		if m := torch.Memory(gpu); m.AllocatedBytes > 1<<30 {
			t.Errorf("%d bytes are still allocated", m.AllocatedBytes)
		}
	})
}

// A step recorded once and launched many times.
func TestCUDAGraph(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		graph, err := torch.NewGraph()
		if err != nil {
			t.Fatal(err)
		}
		defer graph.Close()
		x, y := torch.Ones(1000).To(gpu), torch.Zeros(1000).To(gpu)
		w := torch.Randn(1000, 1000).To(gpu)
		f := func() { torch.Step(func() { y.CopyInPlace(w.Mv(x).Relu()) }) }
		stream := torch.NewStream(gpu)
		defer stream.Close()
		torch.Synchronize(gpu)
		torch.WithStream(stream, func() {
			f()
			stream.Synchronize()
			if err := graph.Capture(f); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				torch.NoGrad(func() { x.FillInPlace(float64(i)) })
				if err := graph.Replay(); err != nil {
					t.Fatal(err)
				}
				stream.Synchronize()
				if d := far(y, w.Mv(x).Relu()); d > 1e-6 && i > 0 {
					t.Errorf("replay %d is off by %v", i, d)
				}
			}
		})
	})
}

// The switches of cuDNN and cuBLAS do what they say: with TensorFloat32 a product is less exact.
func TestCUDAPrecision(t *testing.T) {
	onGPU(t, func(gpu torch.Device) {
		a := torch.Randn(512, 512)
		want := a.ToDType(torch.Float64).Mm(a.ToDType(torch.Float64))
		errorAt := func(precision string) float64 {
			if err := torch.SetFloat32MatmulPrecision(precision); err != nil {
				t.Fatal(err)
			}
			return far(a.To(gpu).Mm(a.To(gpu)), want)
		}
		defer torch.SetFloat32MatmulPrecision("highest")
		high, highest := errorAt("high"), errorAt("highest")
		t.Logf("off by %.1e with TensorFloat32, %.1e without", high, highest)
		if highest > 1e-5 || high > 1e-2 {
			t.Errorf("a product is off by %v, with TensorFloat32 by %v", highest, high)
		}
		if err := torch.SetFloat32MatmulPrecision("exact"); err == nil {
			t.Error("an unknown precision was taken")
		}
		torch.SetCuDNNBenchmark(true)
		torch.UseDeterministicAlgorithms(true)
		defer torch.SetCuDNNBenchmark(false)
		defer torch.UseDeterministicAlgorithms(false)
		x, w := torch.Randn(8, 16, 32, 32).To(gpu), torch.Randn(16, 16, 3, 3).To(gpu)
		var first *torch.Tensor
		for range 5 {
			v := w.Clone().SetRequiresGrad(true)
			torch.Op("conv2d", x, v).Sum().Backward()
			if first == nil {
				first = v.Grad()
			} else if !v.Grad().Equal(first) {
				t.Error("a deterministic convolution gives other gradients the second time")
			}
		}
	})
}
