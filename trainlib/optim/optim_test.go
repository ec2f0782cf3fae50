package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// reference is what testdata/reference.py wrote.
type reference struct {
	Steps map[string][][]float64
	Rates map[string][][2]float64
}

func readReference(t *testing.T) reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// params are reference.py's two parameters.
func params() []*torch.Tensor { return paramsOn(torch.CPU) }

func paramsOn(device torch.Device) []*torch.Tensor {
	var ps []*torch.Tensor
	for _, n := range []int{37, 5} {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(float64(i%13-6)/8 + float64(i)/1000)
		}
		ps = append(ps, torch.FromSlice(v).To(device).SetRequiresGrad(true))
	}
	return ps
}

// setGrads are reference.py's gradients.
func setGrads(ps []*torch.Tensor, step int) {
	for k, p := range ps {
		v := make([]float32, p.Numel())
		for i := range v {
			v[i] = float32(float64((i*7+step*3+k)%11-5) / 7)
		}
		p.SetGrad(torch.FromSlice(v).To(p.Device()))
	}
}

func compare(t *testing.T, name string, ps []*torch.Tensor, want [][]float64) {
	t.Helper()
	for k, p := range ps {
		for i, got := range p.Float64s() {
			w := want[k][i]
			exact := runtime.GOARCH == "amd64" && p.Device() == torch.CPU
			if got != w && (exact || math.Abs(got-w) > 1e-6*(1+math.Abs(w))) {
				t.Errorf("%s: parameter %d[%d] = %v, want %v", name, k, i, got, w)
				return
			}
		}
	}
}

var optimisers = map[string]func(ps []*torch.Tensor) optim.Optimizer{
	"sgd": func(ps []*torch.Tensor) optim.Optimizer { return optim.SGD(ps, optim.SGDOptions{LR: 0.1}) },
	"sgd momentum": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.SGD(ps, optim.SGDOptions{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01})
	},
	"sgd dampening": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.SGD(ps, optim.SGDOptions{LR: 0.1, Momentum: 0.9, Dampening: 0.3, Maximize: true})
	},
	"sgd nesterov": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.SGD(ps, optim.SGDOptions{LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01})
	},
	"sgd nesterov bare": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.SGD(ps, optim.SGDOptions{LR: 0.1, Momentum: 0.9, Nesterov: true})
	},
	"adam": func(ps []*torch.Tensor) optim.Optimizer { return optim.Adam(ps, optim.AdamOptions{LR: 0.01}) },
	"adam decay": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.Adam(ps, optim.AdamOptions{LR: 0.01, Betas: [2]float64{0.8, 0.99}, Eps: 1e-6, WeightDecay: 0.1})
	},
	"adam amsgrad": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.Adam(ps, optim.AdamOptions{LR: 0.01, AMSGrad: true, Maximize: true})
	},
	"adamw": func(ps []*torch.Tensor) optim.Optimizer {
		return optim.AdamW(ps, optim.AdamOptions{LR: 0.01, WeightDecay: 0.05})
	},
}

func TestStepsEqualPython(t *testing.T) {
	for _, device := range torchtest.Devices(t) {
		t.Run(device.String(), func(t *testing.T) { stepsEqualPython(t, device) })
	}
}

func stepsEqualPython(t *testing.T, device torch.Device) {
	want := readReference(t)
	torchtest.Run(t, func() {
		for name, build := range optimisers {
			ps := paramsOn(device)
			opt := build(ps)
			for s := range 6 {
				torch.Step(func() {
					setGrads(ps, s)
					opt.Step()
				})
			}
			compare(t, name, ps, want.Steps[name])
		}
		ps := paramsOn(device)
		sgd := optim.SGD(ps[:1], optim.SGDOptions{LR: 0.1, WeightDecay: 0.1})
		sgd.AddParamGroup(ps[1:], func(g *optim.ParamGroup) { g.LR, g.WeightDecay = 0.5, 0 })
		for s := range 3 {
			setGrads(ps, s)
			sgd.Step()
		}
		compare(t, "groups", ps, want.Steps["groups"])
		ps = paramsOn(device)
		opt := optim.AdamW(ps, optim.AdamOptions{LR: 2e-3, WeightDecay: 0.02})
		sch := optim.OneCycleLR(opt, optim.OneCycleOptions{MaxLR: 4e-3, TotalSteps: 8})
		for s := range 7 {
			setGrads(ps, s)
			opt.Step()
			sch.Step()
		}
		compare(t, "adamw one cycle", ps, want.Steps["adamw one cycle"])
	})
}

func TestRatesEqualPython(t *testing.T) {
	want := readReference(t)
	torchtest.Run(t, func() {
		for name, build := range map[string]func(optim.Optimizer) optim.Schedule{
			"step":   func(o optim.Optimizer) optim.Schedule { return optim.StepLR(o, 3, 0.3) },
			"cosine": func(o optim.Optimizer) optim.Schedule { return optim.CosineAnnealingLR(o, 7, 0.001) },
			"warmup": func(o optim.Optimizer) optim.Schedule { return optim.LinearWarmup(o, 5, 0.1) },
			"one cycle": func(o optim.Optimizer) optim.Schedule {
				return optim.OneCycleLR(o, optim.OneCycleOptions{MaxLR: 0.4, TotalSteps: 25})
			},
			"one cycle three": func(o optim.Optimizer) optim.Schedule {
				return optim.OneCycleLR(o, optim.OneCycleOptions{MaxLR: 0.4, TotalSteps: 25, ThreePhase: true, Linear: true, PctStart: 0.4})
			},
		} {
			opt := optim.SGD(params(), optim.SGDOptions{LR: 0.1, Momentum: 0.9})
			sch := build(opt)
			for i, w := range want.Rates[name] {
				g := opt.ParamGroups()[0]
				if g.LR != w[0] || g.Momentum != w[1] {
					t.Errorf("%s: step %d: rate %v, momentum %v, want %v and %v", name, i, g.LR, g.Momentum, w[0], w[1])
				}
				if i == 4 { // a schedule that goes on from a saved state
					other := optim.SGD(params(), optim.SGDOptions{LR: 0.1, Momentum: 0.9})
					next := build(other)
					if err := other.LoadStateDict(opt.StateDict()); err != nil {
						t.Fatal(err)
					}
					if err := next.LoadStateDict(sch.StateDict()); err != nil {
						t.Fatal(err)
					}
					opt, sch = other, next
				}
				if i < len(want.Rates[name])-1 {
					sch.Step()
				}
			}
		}
	})
}

// Training goes on after a saved state exactly as without the break.
func TestStateDictResumes(t *testing.T) {
	for _, device := range torchtest.Devices(t) {
		t.Run(device.String(), func(t *testing.T) { stateDictResumes(t, device) })
	}
}

func stateDictResumes(t *testing.T, device torch.Device) {
	want := readReference(t)
	torchtest.Run(t, func() {
		for name, build := range optimisers {
			ps := paramsOn(device)
			opt := build(ps)
			for s := range 6 {
				if s == 3 {
					path := filepath.Join(t.TempDir(), "opt.pt")
					if err := checkpoint.Save(path, opt.StateDict()); err != nil {
						t.Fatal(err)
					}
					v, err := checkpoint.Load(path)
					if err != nil {
						t.Fatal(err)
					}
					opt = build(ps)
					if err := opt.LoadStateDict(v.(map[string]any)); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				setGrads(ps, s)
				opt.Step()
			}
			compare(t, name, ps, want.Steps[name])
		}
	})
}

func TestPythonsStateDictResumes(t *testing.T) {
	want := readReference(t)
	torchtest.Run(t, func() {
		v, err := checkpoint.Load("testdata/adamw.pt")
		if err != nil {
			t.Fatal(err)
		}
		file := v.(map[string]any)
		var ps []*torch.Tensor
		for _, p := range file["params"].([]any) {
			ps = append(ps, p.(*torch.Tensor).Clone().SetRequiresGrad(true))
		}
		opt := optim.AdamW(ps, optim.AdamOptions{LR: 1})
		if err := opt.LoadStateDict(file["optimizer"].(map[string]any)); err != nil {
			t.Fatal(err)
		}
		for s := 3; s < 6; s++ {
			setGrads(ps, s)
			opt.Step()
		}
		compare(t, "adamw", ps, want.Steps["adamw"])
	})
}

func TestRefusals(t *testing.T) {
	torchtest.Run(t, func() {
		ps := params()
		for want, f := range map[string]func(){
			"empty list":           func() { optim.SGD(nil, optim.SGDOptions{}) },
			"must not be negative": func() { optim.SGD(ps, optim.SGDOptions{LR: -1}) },
			"Nesterov":             func() { optim.SGD(ps, optim.SGDOptions{Nesterov: true}) },
			"can only optimise":    func() { optim.SGD([]*torch.Tensor{ps[0].MulScalar(2)}, optim.SGDOptions{}) },
			"is listed twice":      func() { optim.Adam([]*torch.Tensor{ps[0], ps[0]}, optim.AdamOptions{}) },
			"must lie in [0, 1)":   func() { optim.Adam(ps, optim.AdamOptions{Betas: [2]float64{1, 0}}) },
			"step size must be":    func() { optim.StepLR(optim.SGD(ps, optim.SGDOptions{}), 0, 0) },
			"TotalSteps and MaxLR": func() { optim.OneCycleLR(optim.SGD(ps, optim.SGDOptions{}), optim.OneCycleOptions{}) },
			"step 2 of a cycle of 1": func() {
				s := optim.OneCycleLR(optim.SGD(ps, optim.SGDOptions{}), optim.OneCycleOptions{MaxLR: 1, TotalSteps: 1})
				s.Step()
				s.Step()
			},
		} {
			if err := torch.Try(f); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		opt := optim.SGD(ps, optim.SGDOptions{LR: 0.1, Momentum: 0.9})
		setGrads(ps, 0)
		opt.Step()
		for want, sd := range map[string]map[string]any{
			"no list param_groups":                {},
			"has 0 parameter groups":              {"param_groups": []any{}},
			"is string, want a dict":              {"param_groups": []any{"x"}},
			"has 1 parameters, the optimiser's 2": {"param_groups": []any{map[string]any{"params": []any{int64(0)}}}},
		} {
			if err := opt.LoadStateDict(sd); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		sd := opt.StateDict()
		sd["state"].(map[int64]any)[0] = map[string]any{"momentum_buffer": torch.Zeros(3)}
		if err := opt.LoadStateDict(sd); err == nil || !strings.Contains(err.Error(), "state[0]: momentum_buffer has shape [3], its parameter [37]") {
			t.Errorf("a buffer of another shape: %v", err)
		}
		optim.SetLR(opt, 0.25)
		if optim.LR(opt) != 0.25 {
			t.Error("SetLR")
		}
	})
}
