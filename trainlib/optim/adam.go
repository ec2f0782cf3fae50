package optim

import (
	"fmt"

	"gomosaic/trainlib/torch"
)

// AdamOptions are the arguments of torch.optim.Adam and AdamW; zeros are their defaults.
type AdamOptions struct {
	LR          float64    // default 0.001
	Betas       [2]float64 // default {0.9, 0.999}
	Eps         float64    // default 1e-8
	WeightDecay float64    // default 0 for Adam, 0.01 for AdamW; negative: none
	AMSGrad     bool       // the variant of Reddi et al., 2018
	Maximize    bool
}

// AdamOptimizer is Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019), made by [Adam] or [AdamW].
type AdamOptimizer struct {
	base[adamState]
	decoupled bool // weight decay acts on the parameters, not through the gradients
}

// adamState is the state of one parameter: steps taken, and the running averages of the gradient and its square.
type adamState struct {
	step                float64
	avg, square, maxSqr *torch.Tensor
}

// Adam makes an optimiser as torch.optim.Adam(foreach=True).
func Adam(params []*torch.Tensor, o AdamOptions) *AdamOptimizer {
	return newAdam("Adam", params, o, false)
}

// AdamW makes an optimiser as torch.optim.AdamW(foreach=True).
func AdamW(params []*torch.Tensor, o AdamOptions) *AdamOptimizer {
	if o.WeightDecay == 0 {
		o.WeightDecay = 1e-2
	}
	return newAdam("AdamW", params, o, true)
}

func newAdam(name string, params []*torch.Tensor, o AdamOptions, decoupled bool) *AdamOptimizer {
	if o.LR == 0 {
		o.LR = 1e-3
	}
	if o.Betas == ([2]float64{}) {
		o.Betas = [2]float64{0.9, 0.999}
	}
	if o.Eps == 0 {
		o.Eps = 1e-8
	}
	if o.LR < 0 || o.Eps < 0 {
		panic(&torch.OpError{Op: name, Msg: "the learning rate and eps must not be negative"})
	}
	for _, b := range o.Betas {
		if b < 0 || b >= 1 {
			panic(&torch.OpError{Op: name, Msg: fmt.Sprintf("betas %v must lie in [0, 1)", o.Betas)})
		}
	}
	return &AdamOptimizer{newBase[adamState](name, params, ParamGroup{
		LR: o.LR, Betas: o.Betas, Eps: o.Eps, WeightDecay: max(o.WeightDecay, 0), AMSGrad: o.AMSGrad, Maximize: o.Maximize,
	}), decoupled}
}

// Step implements [Optimizer].
func (a *AdamOptimizer) Step() {
	a.step(func(g *ParamGroup, params, grads []*torch.Tensor) {
		avg, square, maxSqr := make([]*torch.Tensor, len(params)), make([]*torch.Tensor, len(params)), make([]*torch.Tensor, len(params))
		rates, roots := make([]float64, len(params)), make([]float64, len(params))
		var lastStep, rate, root float64
		for i, p := range params {
			s := a.state[p]
			if s == nil {
				s = &adamState{avg: torch.Keep(p.ZerosLike()), square: torch.Keep(p.ZerosLike())}
				a.state[p] = s
			}
			if g.AMSGrad && s.maxSqr == nil {
				s.maxSqr = torch.Keep(p.ZerosLike())
			}
			s.step++
			if s.step != lastStep {
				// the C library's pow, as Python's **: the last bit of a step size is part of "equal"
				lastStep = s.step
				rate = -(g.LR / (1 - cPow(g.Betas[0], s.step)))
				root = cPow(1-cPow(g.Betas[1], s.step), 0.5)
			}
			avg[i], square[i], maxSqr[i], rates[i], roots[i] = s.avg, s.square, s.maxSqr, rate, root
		}
		if a.decoupled && g.WeightDecay != 0 {
			torch.OpInPlace("_foreach_mul_.Scalar", params, 1-float64(g.LR*g.WeightDecay))
		}
		d := decayed(g, params, grads, !a.decoupled)
		torch.OpInPlace("_foreach_lerp_.Scalar", avg, d, 1-g.Betas[0])
		torch.OpInPlace("_foreach_mul_.Scalar", square, g.Betas[1])
		torch.OpInPlace("_foreach_addcmul_.Scalar", square, d, d, 1-g.Betas[1])
		if g.AMSGrad {
			torch.OpInPlace("_foreach_maximum_.List", maxSqr, square)
			square = maxSqr
		}
		denominator := list("_foreach_sqrt", square)
		torch.OpInPlace("_foreach_div_.ScalarList", denominator, roots)
		torch.OpInPlace("_foreach_add_.Scalar", denominator, g.Eps)
		torch.OpInPlace("_foreach_addcdiv_.ScalarList", params, avg, denominator, rates)
	})
}

// StateDict implements [Optimizer].
func (a *AdamOptimizer) StateDict() map[string]any {
	return a.stateDict(func(g *ParamGroup) map[string]any {
		return map[string]any{
			"betas": []any{g.Betas[0], g.Betas[1]}, "eps": g.Eps, "amsgrad": g.AMSGrad, "capturable": false, "decoupled_weight_decay": a.decoupled,
		}
	}, func(s *adamState) map[string]any {
		e := map[string]any{"step": torch.Keep(torch.Scalar(float32(s.step))), "exp_avg": s.avg, "exp_avg_sq": s.square}
		if s.maxSqr != nil {
			e["max_exp_avg_sq"] = s.maxSqr
		}
		return e
	})
}

// LoadStateDict implements [Optimizer].
func (a *AdamOptimizer) LoadStateDict(sd map[string]any) error {
	return a.loadStateDict(sd, func(g *ParamGroup, e map[string]any) error {
		if b, ok := e["betas"].([]any); ok {
			if len(b) != 2 {
				return fmt.Errorf("betas has %d values, want 2", len(b))
			}
			for i := range b {
				v, ok := number(b[i])
				if !ok {
					return fmt.Errorf("betas[%d] is %T, want a number", i, b[i])
				}
				g.Betas[i] = v
			}
		}
		if v, ok := number(e["eps"]); ok {
			g.Eps = v
		}
		if v, ok := e["amsgrad"].(bool); ok {
			g.AMSGrad = v
		}
		return nil
	}, func(p *torch.Tensor, e map[string]any) (*adamState, error) {
		s := &adamState{}
		var ok bool
		if s.step, ok = number(e["step"]); !ok {
			return nil, fmt.Errorf("step is %T, want a number", e["step"])
		}
		var err error
		if s.avg, err = copied(p, e, "exp_avg"); err != nil {
			return nil, err
		}
		if s.square, err = copied(p, e, "exp_avg_sq"); err != nil {
			return nil, err
		}
		if e["max_exp_avg_sq"] != nil {
			s.maxSqr, err = copied(p, e, "max_exp_avg_sq")
		}
		return s, err
	})
}
