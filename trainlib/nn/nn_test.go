package nn_test

import (
	"errors"
	"math"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// net has every kind of field that a module may have.
type net struct {
	nn.Base
	Conv1   *nn.Conv2dModule
	bn      *nn.BatchNorm2dModule
	Blocks  []nn.Module
	FC      *nn.LinearModule `nn:"classifier"`
	Absent  *nn.LinearModule
	Scale   *torch.Tensor
	Steps   *torch.Tensor `nn:"steps,buffer"`
	Scratch *torch.Tensor `nn:"-"`
	name    string
}

func newNet() *net {
	n := &net{
		Conv1:   nn.Conv2d(3, 4, 3, nn.ConvOptions{Padding: 1}),
		bn:      nn.BatchNorm2d(4),
		Blocks:  []nn.Module{nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1)), nn.Identity()},
		FC:      nn.Linear(4, 2),
		Scale:   nn.Parameter(torch.Ones(1)),
		Steps:   nn.Buffer(torch.Scalar(int64(0))),
		Scratch: torch.Ones(1),
		name:    "net",
	}
	n.Init(n)
	return n
}

func (n *net) Forward(x *torch.Tensor) *torch.Tensor {
	x = nn.Chain(x, append([]nn.Module{n.Conv1, n.bn}, n.Blocks...)...)
	return n.FC.Forward(x.MeanDim([]int{2, 3}, false).Mul(n.Scale))
}

func names(ts []torch.Named) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.Name)
	}
	return out
}

func TestNamesComeFromFields(t *testing.T) {
	torchtest.Run(t, func() {
		n := newNet()
		params := []string{"scale", "conv1.weight", "conv1.bias", "bn.weight", "bn.bias", "blocks.0.1.weight", "blocks.0.1.bias", "classifier.weight", "classifier.bias"}
		if got := names(n.NamedParameters()); !reflect.DeepEqual(got, params) {
			t.Errorf("parameters %v\nwant       %v", got, params)
		}
		buffers := []string{"steps", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"}
		if got := names(n.NamedBuffers()); !reflect.DeepEqual(got, buffers) {
			t.Errorf("buffers %v, want %v", got, buffers)
		}
		state := []string{"scale", "steps", "conv1.weight", "conv1.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked",
			"blocks.0.1.weight", "blocks.0.1.bias", "classifier.weight", "classifier.bias"}
		if got := n.StateDict().Names(); !reflect.DeepEqual(got, state) {
			t.Errorf("state dict %v\nwant       %v", got, state)
		}
		n.Eval()
		if n.bn.IsTraining() {
			t.Error("Eval did not reach a field")
		}
		n.Train()
		if !n.Blocks[0].IsTraining() {
			t.Error("Train did not reach a slice")
		}
		var order []string
		n.Apply(func(m nn.Module) { order = append(order, reflect.TypeOf(m).Elem().Name()) })
		if got := strings.Join(order, " "); got != "Conv2dModule BatchNorm2dModule ReLUModule Conv2dModule SequentialModule IdentityModule LinearModule net" {
			t.Errorf("Apply visits %s", got)
		}
		shared := nn.Linear(2, 2)
		if got := len(nn.Sequential(shared, shared).Parameters()); got != 2 {
			t.Errorf("%d parameters of a shared layer", got)
		}
	})
}

func TestLoadStateDict(t *testing.T) {
	torchtest.Run(t, func() {
		a, b := newNet(), newNet()
		if err := b.LoadStateDict(a.StateDict()); err != nil {
			t.Fatal(err)
		}
		for name, v := range a.StateDict().All() {
			if !v.Equal(b.StateDict().Get(name)) {
				t.Errorf("%s differs after loading", name)
			}
		}
		sd := a.StateDict()
		sd.Delete("scale")
		sd.Set("extra", torch.Ones(1))
		sd.Set("classifier.weight", torch.Ones(5, 4))
		before := b.FC.Weight.Float64s()
		err := b.LoadStateDict(sd)
		var bad *nn.StateDictError
		if !errors.As(err, &bad) || !reflect.DeepEqual(bad.Missing, []string{"scale"}) || !reflect.DeepEqual(bad.Unexpected, []string{"extra"}) {
			t.Fatalf("got %v", err)
		}
		if want := "nn: the state dict does not fit the model: shapes differ: classifier.weight: [5, 4] in the state dict, [2, 4] in the module; missing: scale; unexpected: extra"; err.Error() != want {
			t.Errorf("message %q\nwant    %q", err, want)
		}
		if !reflect.DeepEqual(before, b.FC.Weight.Float64s()) {
			t.Error("a refused state dict changed the module")
		}
		sd.Delete("classifier.weight")
		if err := b.LoadStateDict(sd, nn.LoadOptions{Partial: true}); err != nil {
			t.Errorf("partial: %v", err)
		}
	})
}

func TestDTypeAndLayoutKeepParameters(t *testing.T) {
	torchtest.Run(t, func() {
		n := newNet()
		p := n.Conv1.Weight
		n.Forward(torch.Ones(2, 3, 4, 4)).Sum().Backward()
		n.ToDType(torch.Float64)
		if p.DType() != torch.Float64 || p.Grad().DType() != torch.Float64 || n.Steps.DType() != torch.Int64 {
			t.Errorf("parameter %v, gradient %v, counter %v", p.DType(), p.Grad().DType(), n.Steps.DType())
		}
		if !p.IsLeaf() || !p.RequiresGrad() {
			t.Error("the parameter is no leaf any more")
		}
		if m := n.To(torch.CPU); m != nn.Module(n) {
			t.Error("To does not return the module")
		}
		n.ToChannelsLast()
		if got := p.Strides(); got[1] != 1 {
			t.Errorf("channels-last strides %v", got)
		}
		n.ZeroGrad()
		if p.Grad() != nil {
			t.Error("a gradient after ZeroGrad")
		}
	})
}

func TestParametersOutliveTheScope(t *testing.T) {
	torchtest.Run(t, func() {
		var n *net
		torch.Step(func() { n = newNet() })
		if got := n.Forward(torch.Ones(1, 3, 4, 4)).Shape(); !reflect.DeepEqual(got, []int{1, 2}) {
			t.Errorf("shape %v", got)
		}
	})
}

func TestChainFreesIntermediates(t *testing.T) {
	torchtest.Run(t, func() {
		var seen []*torch.Tensor
		note := nn.Func(func(x *torch.Tensor) *torch.Tensor {
			seen = append(seen, x)
			return x.Neg()
		})
		keep := nn.Func(func(x *torch.Tensor) *torch.Tensor {
			seen = append(seen, torch.Keep(x))
			return x.Neg()
		})
		x := torch.Ones(2)
		y := nn.Sequential(note, nn.Identity(), note, keep).Forward(x)
		if seen[0] != x || x.Freed() {
			t.Error("the chain's own input was freed")
		}
		if !seen[1].Freed() || seen[2].Freed() {
			t.Errorf("freed: consumed %v, kept %v", seen[1].Freed(), seen[2].Freed())
		}
		if y.Sum().Item() != -2 {
			t.Errorf("value %v", y)
		}
	})
}

// Numbers by hand, or of torch.nn.functional (2.15.0), where the formula is too long for that.
func TestLosses(t *testing.T) {
	torchtest.Run(t, func() {
		logits := torch.FromSlice([]float32{1, 2, 3, 1, 0, 0}, 2, 3)
		labels := torch.FromSlice([]int64{2, 0})
		for _, c := range []struct {
			name string
			got  *torch.Tensor
			want float64
		}{
			{"cross entropy", nn.CrossEntropy(logits, labels), (0.40760597 + 0.55144471) / 2},
			{"smoothed", nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{LabelSmoothing: 0.3}), 0.7295253276824951},
			{"weighted", nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{Weight: torch.FromSlice([]float32{1, 1, 3})}), (0.55144471 + 3*0.40760597) / 4},
			{"summed", nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{Reduction: nn.Sum}), 0.40760597 + 0.55144471},
			{"ignored", nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{IgnoreIndex: new(0)}), 0.40760597},
			{"nll", nn.NLL(logits.LogSoftmax(1), labels), (0.40760597 + 0.55144471) / 2},
			{"mse", nn.MSE(torch.FromSlice([]float32{1, 2}), torch.FromSlice([]float32{3, 2})), 2},
			{"l1", nn.L1(torch.FromSlice([]float32{1, 2}), torch.FromSlice([]float32{3, 2}), nn.Sum), 2},
			{"bce", nn.BCEWithLogits(torch.Zeros(2), torch.Ones(2)), math.Ln2},
		} {
			if got := c.got.Item(); math.Abs(got-c.want) > 1e-6 {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		if got := nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{Reduction: nn.None}).Shape(); !reflect.DeepEqual(got, []int{2}) {
			t.Errorf("unreduced shape %v", got)
		}
	})
}

func TestLayerShapes(t *testing.T) {
	torchtest.Run(t, func() {
		x := torch.Randn(2, 4, 6, 6)
		for _, c := range []struct {
			layer nn.Module
			in    *torch.Tensor
			want  []int
		}{
			{nn.Conv2d(4, 8, 3, nn.ConvOptions{Stride: 2, Padding: 1, Groups: 2}), x, []int{2, 8, 3, 3}},
			{nn.Conv2d(4, 8, 3, nn.ConvOptions{Dilation: 2}), x, []int{2, 8, 2, 2}},
			{nn.MaxPool2d(2), x, []int{2, 4, 3, 3}},
			{nn.AdaptiveAvgPool2d(1, 2), x, []int{2, 4, 1, 2}},
			{nn.Flatten(), x, []int{2, 144}},
			{nn.GroupNorm(2, 4), x, []int{2, 4, 6, 6}},
			{nn.LayerNorm(6, 6), x, []int{2, 4, 6, 6}},
			{nn.Dropout(0.5), x, []int{2, 4, 6, 6}},
			{nn.ReLU6(), x, []int{2, 4, 6, 6}},
			{nn.Embedding(10, 3), torch.FromSlice([]int64{1, 9}), []int{2, 3}},
			{nn.Linear(6, 5, nn.LinearOptions{NoBias: true}), x, []int{2, 4, 6, 5}},
		} {
			if got := c.layer.Forward(c.in).Shape(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%T: shape %v, want %v", c.layer, got, c.want)
			}
		}
	})
}

func TestMisuse(t *testing.T) {
	torchtest.Run(t, func() {
		for want, f := range map[string]func(){
			"before its constructor called Init": func() { (&net{}).Parameters() },
			"want the pointer to the struct":     func() { n := net{}; n.Init(n) },
			"does not embed this nn.Base":        func() { n := net{}; n.Init(newNet()) },
			"at most one options struct":         func() { nn.ReLU(nn.ActivationOptions{}, nn.ActivationOptions{}) },
			"sizes must be positive":             func() { nn.Linear(0, 3) },
			"multiples of the groups":            func() { nn.Conv2d(3, 4, 1, nn.ConvOptions{Groups: 2}) },
		} {
			func() {
				defer func() {
					var msg string
					switch r := recover().(type) {
					case error:
						msg = r.Error()
					case string:
						msg = r
					}
					if !strings.Contains(msg, want) {
						t.Errorf("panic %q, want %q", msg, want)
					}
				}()
				f()
			}()
		}
	})
}

// rss is the resident memory of this process in MiB.
func rss(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc: the memory test needs Linux")
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize() >> 20
}

// Memory stays flat over training steps, and no handle is left behind.
func TestMemoryStaysFlat(t *testing.T) {
	torchtest.Run(t, func() {
		torch.SetNumThreads(1)
		var layers []nn.Module
		for range 6 {
			layers = append(layers, nn.Conv2d(8, 8, 3, nn.ConvOptions{Padding: 1}), nn.BatchNorm2d(8), nn.ReLU())
		}
		m := nn.Sequential(append(layers, nn.AdaptiveAvgPool2d(1, 1), nn.Flatten(), nn.Linear(8, 4))...)
		opt := optim.AdamW(m.Parameters(), optim.AdamOptions{})
		x, y := torch.Randn(8, 8, 32, 32), torch.Randint(0, 4, 8)
		step := func() {
			torch.Step(func() {
				opt.ZeroGrad()
				loss := nn.CrossEntropy(m.Forward(x), y)
				loss.Backward()
				opt.Step()
				loss.Item()
			})
		}
		for range 50 {
			step()
		}
		runtime.GC()
		live, before := torch.LiveTensors(), rss(t)
		for range 200 {
			step()
		}
		if got := torch.LiveTensors(); got > live {
			t.Errorf("%d tensors live, %d before the steps", got, live)
		}
		if got := rss(t); got > before+16 {
			t.Errorf("%d MiB resident after 200 steps, %d before", got, before)
		}
	})
}
