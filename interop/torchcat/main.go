// Command torchcat is the Go half of the interoperability tests of trainlib: it trains as a job says and leaves what another
// language's program can compare.
//
//	torchcat JOB.json
//
// A job names its files; tensors travel as checkpoints of either language.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
)

// job is what to do, in this order.
type job struct {
	Device    string // cpu, cuda, cuda:N; "" is the CPU
	Model     string // mobilenet_v2 or resnet18
	Classes   int
	Seed      int64  // of the initialisation
	Weights   string // load these, or a checkpoint with model, optimizer and schedule; "" keeps the initialisation
	Input     string // a dict of x [batch, 3, size, size] and y [batch]
	Optimizer string // sgd, adam or adamw
	Cycle     int    // > 0: OneCycleLR of so many steps
	DropSeed  int64  // set before the steps
	Steps     int
	Out       string // a checkpoint of model, optimizer, schedule, logits (before the steps) and losses; .safetensors: the model alone
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: torchcat JOB.json")
		os.Exit(2)
	}
	runtime.LockOSThread()
	var err error
	if e := torch.Try(func() { err = run(os.Args[1]) }); e != nil {
		err = e
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	device := torch.CPU
	if j.Device != "" {
		if device, err = torch.ParseDevice(j.Device); err != nil {
			return err
		}
		torch.UseDeterministicAlgorithms(true)
	}
	torch.SetNumThreads(1)
	torch.ManualSeed(j.Seed)
	var m nn.Module
	switch j.Model {
	case "mobilenet_v2":
		m = models.MobileNetV2(models.Options{Classes: j.Classes})
	case "resnet18":
		m = models.ResNet18(models.Options{Classes: j.Classes})
	default:
		return fmt.Errorf("%s: no model %q", path, j.Model)
	}
	m.To(device)
	opt, err := optimizer(j.Optimizer, m.Parameters())
	if err != nil {
		return err
	}
	var cycle optim.Schedule
	if j.Cycle > 0 {
		cycle = optim.OneCycleLR(opt, optim.OneCycleOptions{MaxLR: 0.01, TotalSteps: j.Cycle})
	}
	if j.Weights != "" {
		if err := resume(j.Weights, m, opt, cycle); err != nil {
			return err
		}
	}
	in, err := checkpoint.LoadStateDict(j.Input)
	if err != nil {
		return err
	}
	x, y := in.Get("x").To(device), in.Get("y").To(device)
	out := map[string]any{}
	m.Eval()
	torch.NoGrad(func() { out["logits"] = m.Forward(x) })
	m.Train()
	torch.ManualSeed(j.DropSeed)
	var losses []float64
	for range j.Steps {
		torch.Step(func() {
			opt.ZeroGrad()
			loss := nn.CrossEntropy(m.Forward(x), y)
			loss.Backward()
			opt.Step()
			if cycle != nil {
				cycle.Step()
			}
			losses = append(losses, loss.Item())
		})
	}
	out["losses"], out["model"], out["optimizer"] = losses, m.StateDict(), opt.StateDict()
	if cycle != nil {
		out["schedule"] = cycle.StateDict()
	}
	if len(j.Out) > 12 && j.Out[len(j.Out)-12:] == ".safetensors" {
		return checkpoint.Save(j.Out, m.StateDict())
	}
	return checkpoint.Save(j.Out, out)
}

func optimizer(name string, params []*torch.Tensor) (optim.Optimizer, error) {
	switch name {
	case "sgd":
		return optim.SGD(params, optim.SGDOptions{LR: 0.05, Momentum: 0.9, WeightDecay: 1e-4, Nesterov: true}), nil
	case "adam":
		return optim.Adam(params, optim.AdamOptions{LR: 1e-3, WeightDecay: 1e-3}), nil
	case "adamw":
		return optim.AdamW(params, optim.AdamOptions{LR: 2e-3, WeightDecay: 0.02}), nil
	}
	return nil, fmt.Errorf("no optimizer %q", name)
}

// resume loads a state dict, or all parts of a checkpoint.
func resume(path string, m nn.Module, opt optim.Optimizer, cycle optim.Schedule) error {
	v, err := checkpoint.Load(path)
	if err != nil {
		return err
	}
	if sd, ok := v.(*torch.StateDict); ok {
		return m.LoadStateDict(sd)
	}
	parts, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s holds a %T", path, v)
	}
	sd, ok := parts["model"].(*torch.StateDict)
	if !ok {
		return fmt.Errorf("%s holds no model", path)
	}
	if err := m.LoadStateDict(sd); err != nil {
		return err
	}
	if s, ok := parts["optimizer"].(map[string]any); ok {
		if err := opt.LoadStateDict(s); err != nil {
			return err
		}
	}
	if s, ok := parts["schedule"].(map[string]any); ok && cycle != nil {
		return cycle.LoadStateDict(s)
	}
	return nil
}
