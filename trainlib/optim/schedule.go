package optim

import (
	"fmt"
	"math"

	"gomosaic/trainlib/torch"
)

// Schedule changes the learning rate of an optimiser over time; call Step once per epoch, or per batch for [OneCycleLR] and
// [LinearWarmup], after the optimiser's.
type Schedule interface {
	Step()
	// StateDict is the position, in Python's format; the learning rates themselves are in the optimiser's state.
	StateDict() map[string]any
	LoadStateDict(state map[string]any) error
}

// schedule is what the schedules share; next gives the learning rate of a group at last, the count of steps taken.
type schedule struct {
	opt  Optimizer
	last int
	base []float64 // the groups' initial learning rates
	next func(g *ParamGroup, i int) float64
}

// start makes the first learning rates.
func (s *schedule) start(opt Optimizer) {
	s.opt = opt
	for _, g := range opt.ParamGroups() {
		if _, ok := g.extra["initial_lr"]; !ok {
			g.setExtra("initial_lr", g.LR)
		}
		s.base = append(s.base, g.extra["initial_lr"])
	}
	s.apply()
}

func (s *schedule) apply() {
	for i, g := range s.opt.ParamGroups() {
		g.LR = s.next(g, i)
	}
}

// Step implements [Schedule].
func (s *schedule) Step() {
	s.last++
	s.apply()
}

// StateDict implements [Schedule].
func (s *schedule) StateDict() map[string]any {
	floats := func(f func(i int, g *ParamGroup) float64) []any {
		var v []any
		for i, g := range s.opt.ParamGroups() {
			v = append(v, f(i, g))
		}
		return v
	}
	return map[string]any{
		"last_epoch": int64(s.last), "_step_count": int64(s.last + 1), "_is_initial": false,
		"base_lrs": floats(func(i int, _ *ParamGroup) float64 { return s.base[i] }),
		"_last_lr": floats(func(_ int, g *ParamGroup) float64 { return g.LR }),
	}
}

// LoadStateDict implements [Schedule]. Load the optimiser's state, too: it holds the learning rates.
func (s *schedule) LoadStateDict(sd map[string]any) error {
	last, ok := number(sd["last_epoch"])
	if !ok || last < 0 {
		return fmt.Errorf("optim: schedule: last_epoch is %v, want a count", sd["last_epoch"])
	}
	if base, ok := sd["base_lrs"].([]any); ok {
		if len(base) != len(s.base) {
			return fmt.Errorf("optim: schedule: the state has %d groups, the optimiser %d", len(base), len(s.base))
		}
		for i := range base {
			if s.base[i], ok = number(base[i]); !ok {
				return fmt.Errorf("optim: schedule: base_lrs[%d] is %T, want a number", i, base[i])
			}
		}
	}
	s.last = int(last)
	return nil
}

// StepLR multiplies the learning rate by gamma (0: 0.1) every stepSize steps, as torch.optim.lr_scheduler.StepLR.
func StepLR(opt Optimizer, stepSize int, gamma float64) Schedule {
	if stepSize <= 0 {
		panic(&torch.OpError{Op: "StepLR", Msg: fmt.Sprintf("the step size must be positive, got %d", stepSize)})
	}
	if gamma == 0 {
		gamma = 0.1
	}
	s := &schedule{}
	s.next = func(g *ParamGroup, _ int) float64 {
		if s.last == 0 || s.last%stepSize != 0 {
			return g.LR
		}
		return g.LR * gamma
	}
	s.start(opt)
	return s
}

// CosineAnnealingLR lets the learning rate fall along half a cosine to etaMin within tMax steps, as
// torch.optim.lr_scheduler.CosineAnnealingLR (Loshchilov and Hutter, "SGDR", 2017, without restarts).
func CosineAnnealingLR(opt Optimizer, tMax int, etaMin float64) Schedule {
	if tMax <= 0 {
		panic(&torch.OpError{Op: "CosineAnnealingLR", Msg: fmt.Sprintf("the number of steps must be positive, got %d", tMax)})
	}
	s := &schedule{}
	n := float64(tMax)
	s.next = func(g *ParamGroup, i int) float64 {
		switch {
		case s.last == 0:
			return g.LR
		case mod(s.last-1-tMax, 2*tMax) == 0:
			return g.LR + float64(float64((s.base[i]-etaMin)*(1-cCos(math.Pi/n)))/2)
		}
		ratio := (1 + cCos(math.Pi*float64(s.last)/n)) / (1 + cCos(math.Pi*float64(s.last-1)/n))
		return float64(ratio*(g.LR-etaMin)) + etaMin
	}
	s.start(opt)
	return s
}

// mod is Python's %: never negative.
func mod(a, b int) int { return ((a % b) + b) % b }

// LinearWarmup raises the learning rate from startFactor (0: 1/3) of its value to all of it over the given number of steps,
// as torch.optim.lr_scheduler.LinearLR.
func LinearWarmup(opt Optimizer, steps int, startFactor float64) Schedule {
	if startFactor == 0 {
		startFactor = 1.0 / 3
	}
	if steps <= 0 || startFactor < 0 || startFactor > 1 {
		panic(&torch.OpError{Op: "LinearWarmup", Msg: fmt.Sprintf("want a positive number of steps and a factor in (0, 1], got %d and %v", steps, startFactor)})
	}
	s := &schedule{}
	s.next = func(g *ParamGroup, _ int) float64 {
		rise := 1 - startFactor
		switch {
		case s.last == 0:
			return g.LR * startFactor
		case s.last > steps:
			return g.LR
		}
		return g.LR * (1 + rise/(float64(float64(steps)*startFactor)+float64(float64(s.last-1)*rise)))
	}
	s.start(opt)
	return s
}
