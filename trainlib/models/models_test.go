package models_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// reference is one recipe's numbers, made by testdata/reference.py.
type reference struct {
	Init, Logits, After     string
	InitSample, AfterSample map[string]float64
	LogitsSample, Losses    []float64
	Parameters              []string
}

// held are the environment variables that keep libtorch's kernels to one instruction set, as in testdata/reference.py.
var held = []string{"ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "MKL_CBWR=AVX2"}

// TestEqualToTorchvision compares initialisation, logits and three training steps with torchvision's, bit for bit. libtorch
// reads its variables as it loads, so the comparison runs in a process of its own.
func TestEqualToTorchvision(t *testing.T) {
	if os.Getenv("MODELS_TEST_HELD") == "" {
		torchtest.Require(t)
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestEqualToTorchvision$", "-test.v")
		cmd.Env = append(os.Environ(), append(held, "MODELS_TEST_HELD=1")...)
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s", out)
		return
	}
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]reference
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	sgd := func(ps []*torch.Tensor) optim.Optimizer {
		return optim.SGD(ps, optim.SGDOptions{LR: 0.05, Momentum: 0.9, WeightDecay: 1e-4})
	}
	adamw := func(ps []*torch.Tensor) optim.Optimizer {
		return optim.AdamW(ps, optim.AdamOptions{LR: 2e-3, WeightDecay: 0.02})
	}
	for _, c := range []struct {
		name string
		make func() nn.Module
		size int
		opt  func([]*torch.Tensor) optim.Optimizer
	}{
		{"mobilenet_v2", func() nn.Module { return models.MobileNetV2(models.Options{}) }, 96, sgd},
		{"mobilenet_v2 narrow", func() nn.Module {
			return models.MobileNetV2(models.Options{Classes: 5, WidthMult: 0.35, Dropout: 0.5})
		}, 64, adamw},
		{"resnet18", func() nn.Module { return models.ResNet18(models.Options{Classes: 10}) }, 64, sgd},
	} {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Run(t, func() { torch.Step(func() { compare(t, want[c.name], c.make, c.size, c.opt) }) })
		})
	}
}

func compare(t *testing.T, want reference, build func() nn.Module, size int, optimiser func([]*torch.Tensor) optim.Optimizer) {
	torch.SetNumThreads(2)
	torch.ManualSeed(0)
	m := build()
	same(t, "initialisation", digest(m), want.Init, sample(m), want.InitSample)
	if want.Parameters != nil {
		var names []string
		for _, p := range m.NamedParameters() {
			names = append(names, p.Name)
		}
		if !reflect.DeepEqual(names, want.Parameters) {
			t.Errorf("parameters %v\nwant %v", names, want.Parameters)
		}
	}
	torch.ManualSeed(1)
	x, y := torch.Randn(4, 3, size, size), torch.FromSlice([]int64{1, 2, 3, 4})
	m.Eval()
	torch.NoGrad(func() {
		logits := m.Forward(x)
		sum := sha256.Sum256(logits.RawBytes())
		have, wantSample := map[string]float64{}, map[string]float64{}
		for i, v := range logits.Narrow(1, 0, 4).Float64s() {
			have[string(rune('a'+i))], wantSample[string(rune('a'+i))] = v, want.LogitsSample[i]
		}
		same(t, "logits", hex.EncodeToString(sum[:]), want.Logits, have, wantSample)
	})
	m.Train()
	torch.ManualSeed(7)
	opt := optimiser(m.Parameters())
	for i, w := range want.Losses {
		torch.Step(func() {
			opt.ZeroGrad()
			loss := nn.CrossEntropy(m.Forward(x), y)
			loss.Backward()
			opt.Step()
			if got := loss.Item(); got != w && (bitEqual() || math.Abs(got-w) > 1e-3) {
				t.Errorf("loss of step %d: %v, want %v", i, got, w)
			}
		})
	}
	same(t, "state after training", digest(m), want.After, sample(m), want.AfterSample)
}

// bitEqual reports whether this machine can run the kernels that the reference was made with.
func bitEqual() bool {
	if runtime.GOARCH != "amd64" {
		return false
	}
	b, err := os.ReadFile("/proc/cpuinfo")
	return err != nil || bytes.Contains(b, []byte(" avx2 "))
}

func same(t *testing.T, what, digest, want string, sample, wantSample map[string]float64) {
	t.Helper()
	if digest == want {
		return
	}
	if bitEqual() {
		t.Errorf("%s differs from torchvision's in some bit", what)
	}
	for k, w := range wantSample {
		if got := sample[k]; math.Abs(got-w) > 1e-3*(1+math.Abs(w)) {
			t.Errorf("%s: %s sums to %v, want %v", what, k, got, w)
		}
	}
}

// digest is reference.py's: names and raw elements of the state dict, in its order.
func digest(m nn.Module) string {
	h := sha256.New()
	for name, t := range m.StateDict().All() {
		h.Write([]byte(name + "\x00"))
		h.Write(t.RawBytes())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sample(m nn.Module) map[string]float64 {
	s := map[string]float64{}
	i := 0
	for name, t := range m.StateDict().All() {
		if i%40 == 0 {
			s[name] = t.ToDType(torch.Float64).Sum().Item()
		}
		i++
	}
	return s
}

func TestWeightsFromFile(t *testing.T) {
	torchtest.Run(t, func() {
		torch.Step(func() {
			dir := t.TempDir()
			a := models.MobileNetV2(models.Options{Classes: 5, WidthMult: 0.35})
			for _, ext := range []string{".pt", ".safetensors"} {
				path := filepath.Join(dir, "m"+ext)
				if err := checkpoint.Save(path, a.StateDict()); err != nil {
					t.Fatal(err)
				}
				b := models.MobileNetV2(models.Options{Classes: 5, WidthMult: 0.35, Weights: path})
				if digest(a) != digest(b) {
					t.Errorf("%s: weights differ", ext)
				}
				c := models.MobileNetV2(models.Options{Classes: 7, WidthMult: 0.35})
				note, err := models.LoadWeights(c, path, []string{"classifier.1.weight", "classifier.1.bias"}, false)
				if err != nil || !strings.Contains(note, "classifier.1.weight ([5 1280] in the file, [7 1280] in the model)") {
					t.Errorf("%s: note %q, %v", ext, note, err)
				}
				if !c.Features.StateDict().Get("0.0.weight").Equal(a.Features.StateDict().Get("0.0.weight")) {
					t.Errorf("%s: features were not loaded", ext)
				}
				err = torch.Try(func() {
					models.MobileNetV2(models.Options{Classes: 7, WidthMult: 0.35, Weights: path, Strict: true})
				})
				if err == nil || !strings.Contains(err.Error(), "classifier.1.weight: [5, 1280] in the state dict, [7, 1280] in the module") {
					t.Errorf("%s: strict: %v", ext, err)
				}
			}
			if err := torch.Try(func() { models.ResNet18(models.Options{Weights: filepath.Join(dir, "m.pt")}) }); err == nil {
				t.Error("a resnet18 took a mobilenet's weights")
			}
		})
	})
}
