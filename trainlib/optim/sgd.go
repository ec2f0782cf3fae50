package optim

import "gomosaic/trainlib/torch"

// SGDOptions are the arguments of torch.optim.SGD; zeros are its defaults.
type SGDOptions struct {
	LR          float64 // default 0.001
	Momentum    float64
	Dampening   float64
	WeightDecay float64
	Nesterov    bool // needs momentum, and no dampening
	Maximize    bool
}

// SGDOptimizer is stochastic gradient descent, made by [SGD].
type SGDOptimizer struct {
	base[sgdState]
}

// sgdState is the momentum buffer of one parameter.
type sgdState struct{ momentum *torch.Tensor }

// SGD makes an optimiser as torch.optim.SGD(foreach=True).
func SGD(params []*torch.Tensor, o SGDOptions) *SGDOptimizer {
	if o.LR == 0 {
		o.LR = 1e-3
	}
	if o.LR < 0 || o.Momentum < 0 || o.WeightDecay < 0 {
		panic(&torch.OpError{Op: "SGD", Msg: "the learning rate, momentum and weight decay must not be negative"})
	}
	if o.Nesterov && (o.Momentum == 0 || o.Dampening != 0) {
		panic(&torch.OpError{Op: "SGD", Msg: "Nesterov momentum requires a momentum and zero dampening"})
	}
	return &SGDOptimizer{newBase[sgdState]("SGD", params, ParamGroup{
		LR: o.LR, Momentum: o.Momentum, Dampening: o.Dampening, WeightDecay: o.WeightDecay, Nesterov: o.Nesterov, Maximize: o.Maximize,
	})}
}

// Step implements [Optimizer].
func (s *SGDOptimizer) Step() {
	s.step(func(g *ParamGroup, params, grads []*torch.Tensor) {
		d := decayed(g, params, grads, true)
		if g.Momentum != 0 {
			buffers := s.buffers(g, params, d)
			if g.Nesterov {
				torch.OpInPlace("_foreach_add_.List", d, buffers, torch.KW{"alpha": g.Momentum}) // into the gradients themselves, as Python does
			} else {
				d = buffers
			}
		}
		torch.OpInPlace("_foreach_add_.List", params, d, torch.KW{"alpha": -g.LR})
	})
}

// buffers are the momentum buffers after this step; a parameter's first one is its gradient.
func (s *SGDOptimizer) buffers(g *ParamGroup, params, d []*torch.Tensor) []*torch.Tensor {
	buffers := make([]*torch.Tensor, len(params))
	var old, oldGrads []*torch.Tensor
	for i, p := range params {
		st := s.state[p]
		if st == nil {
			st = &sgdState{momentum: torch.Keep(d[i].Clone())}
			s.state[p] = st
		} else {
			old, oldGrads = append(old, st.momentum), append(oldGrads, d[i])
		}
		buffers[i] = st.momentum
	}
	if len(old) > 0 {
		torch.OpInPlace("_foreach_mul_.Scalar", old, g.Momentum)
		torch.OpInPlace("_foreach_add_.List", old, oldGrads, torch.KW{"alpha": 1 - g.Dampening})
	}
	return buffers
}

// StateDict implements [Optimizer].
func (s *SGDOptimizer) StateDict() map[string]any {
	return s.stateDict(func(g *ParamGroup) map[string]any {
		return map[string]any{"momentum": g.Momentum, "dampening": g.Dampening, "nesterov": g.Nesterov}
	}, func(st *sgdState) map[string]any {
		return map[string]any{"momentum_buffer": st.momentum}
	})
}

// LoadStateDict implements [Optimizer].
func (s *SGDOptimizer) LoadStateDict(sd map[string]any) error {
	return s.loadStateDict(sd, func(g *ParamGroup, e map[string]any) error {
		for key, to := range map[string]*float64{"momentum": &g.Momentum, "dampening": &g.Dampening} {
			if v, ok := number(e[key]); ok {
				*to = v
			}
		}
		if v, ok := e["nesterov"].(bool); ok {
			g.Nesterov = v
		}
		return nil
	}, func(p *torch.Tensor, e map[string]any) (*sgdState, error) {
		if e["momentum_buffer"] == nil {
			return nil, nil
		}
		m, err := copied(p, e, "momentum_buffer")
		return &sgdState{m}, err
	})
}
