package optim

import (
	"fmt"
	"math"

	"gomosaic/trainlib/torch"
)

// OneCycleOptions are the arguments of torch.optim.lr_scheduler.OneCycleLR; zeros are its defaults.
type OneCycleOptions struct {
	MaxLR          float64 // the peak
	TotalSteps     int     // steps of the whole cycle
	PctStart       float64 // the part of the cycle that rises; default 0.3
	DivFactor      float64 // the first learning rate is MaxLR/DivFactor; default 25
	FinalDivFactor float64 // the last one is the first/FinalDivFactor; default 1e4
	Linear         bool    // straight lines instead of cosines
	ThreePhase     bool    // fall as long as it rose, then to the last learning rate
	FixedMomentum  bool    // leave the momentum (SGD) or first beta (Adam) alone instead of cycling it against the learning rate
	BaseMomentum   float64 // at the peak; default 0.85
	MaxMomentum    float64 // at both ends; default 0.95
}

// phase is a stretch of the cycle: up to end, values go from one of the group's to another.
type phase struct {
	end                    float64
	startLR, endLR         string
	startMoment, endMoment string
}

// OneCycleLR raises the learning rate to a peak and lets it fall far below its start, one step per batch (Smith and Topin,
// "Super-convergence", 2019), as torch.optim.lr_scheduler.OneCycleLR. Stepping beyond TotalSteps panics.
func OneCycleLR(opt Optimizer, o OneCycleOptions) Schedule {
	def := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.PctStart, 0.3)
	def(&o.DivFactor, 25)
	def(&o.FinalDivFactor, 1e4)
	def(&o.BaseMomentum, 0.85)
	def(&o.MaxMomentum, 0.95)
	if o.TotalSteps <= 0 || o.MaxLR <= 0 || o.PctStart < 0 || o.PctStart > 1 {
		panic(&torch.OpError{Op: "OneCycleLR", Msg: fmt.Sprintf("want TotalSteps and MaxLR positive and PctStart in [0, 1], got %d, %v and %v", o.TotalSteps, o.MaxLR, o.PctStart)})
	}
	total := float64(o.TotalSteps)
	phases := []phase{
		{float64(o.PctStart*total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
		{total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"},
	}
	if o.ThreePhase {
		phases = []phase{
			phases[0],
			{float64(2*o.PctStart*total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
			{total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"},
		}
	}
	anneal := func(start, end, pct float64) float64 {
		if o.Linear {
			return float64((end-start)*pct) + start
		}
		return end + float64((start-end)/2*(cCos(math.Pi*pct)+1))
	}
	for _, g := range opt.ParamGroups() {
		g.setExtra("initial_lr", o.MaxLR/o.DivFactor)
		g.setExtra("max_lr", o.MaxLR)
		g.setExtra("min_lr", g.extra["initial_lr"]/o.FinalDivFactor)
		if !o.FixedMomentum {
			g.setExtra("max_momentum", o.MaxMomentum)
			g.setExtra("base_momentum", o.BaseMomentum)
		}
	}
	s := &schedule{}
	s.next = func(g *ParamGroup, _ int) float64 {
		if s.last > o.TotalSteps {
			panic(&torch.OpError{Op: "OneCycleLR", Msg: fmt.Sprintf("step %d of a cycle of %d", s.last, o.TotalSteps)})
		}
		start := 0.0
		for i, p := range phases {
			if float64(s.last) > p.end && i < len(phases)-1 {
				start = p.end
				continue
			}
			pct := (float64(s.last) - start) / (p.end - start)
			if !o.FixedMomentum {
				m := anneal(g.extra[p.startMoment], g.extra[p.endMoment], pct)
				if _, adam := opt.(*AdamOptimizer); adam {
					g.Betas[0] = m
				} else {
					g.Momentum = m
				}
			}
			return anneal(g.extra[p.startLR], g.extra[p.endLR], pct)
		}
		return g.LR
	}
	s.start(opt)
	return s
}
