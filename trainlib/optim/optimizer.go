package optim

import (
	"fmt"

	"gomosaic/trainlib/torch"
)

// Optimizer updates parameters by their gradients.
type Optimizer interface {
	// Step updates every parameter that has a gradient, under NoGrad.
	Step()
	// ZeroGrad removes the gradients, as zero_grad(set_to_none=True).
	ZeroGrad()
	// ParamGroups are the groups, to be read and changed between steps.
	ParamGroups() []*ParamGroup
	// StateDict is the state in Python's format, sharing the optimiser's memory; package checkpoint saves it.
	StateDict() map[string]any
	// LoadStateDict takes a state in Python's format, such as a checkpoint of either language holds; values are copied.
	LoadStateDict(state map[string]any) error
}

// ParamGroup is a set of parameters with settings of their own; fields that an optimiser does not know are ignored.
type ParamGroup struct {
	Params      []*torch.Tensor
	LR          float64
	WeightDecay float64
	Maximize    bool

	Momentum  float64 // SGD
	Dampening float64 // SGD
	Nesterov  bool    // SGD

	Betas   [2]float64 // Adam, AdamW
	Eps     float64    // Adam, AdamW
	AMSGrad bool       // Adam, AdamW

	// extra are the entries that schedules keep in a group: initial_lr, max_lr, min_lr, max_momentum, base_momentum.
	extra map[string]float64
}

func (g *ParamGroup) setExtra(key string, v float64) {
	if g.extra == nil {
		g.extra = map[string]float64{}
	}
	g.extra[key] = v
}

// SetLR sets the learning rate of all groups.
func SetLR(opt Optimizer, lr float64) {
	for _, g := range opt.ParamGroups() {
		g.LR = lr
	}
}

// LR is the learning rate of the first group.
func LR(opt Optimizer) float64 { return opt.ParamGroups()[0].LR }

// base is what the optimisers share: groups, and a state for each parameter.
type base[S any] struct {
	name     string
	defaults ParamGroup
	groups   []*ParamGroup
	state    map[*torch.Tensor]*S
}

func newBase[S any](name string, params []*torch.Tensor, defaults ParamGroup) base[S] {
	if len(params) == 0 {
		panic(&torch.OpError{Op: name, Msg: "got an empty list of parameters"})
	}
	b := base[S]{name: name, defaults: defaults, state: map[*torch.Tensor]*S{}}
	b.AddParamGroup(params, nil)
	return b
}

// AddParamGroup adds parameters with settings of their own: they begin as the optimiser's options, and set, unless nil,
// changes them.
func (b *base[S]) AddParamGroup(params []*torch.Tensor, set func(g *ParamGroup)) {
	known := map[*torch.Tensor]bool{}
	for _, g := range b.groups {
		for _, p := range g.Params {
			known[p] = true
		}
	}
	for i, p := range params {
		if known[p] {
			panic(&torch.OpError{Op: b.name, Shapes: [][]int{p.Shape()}, Msg: fmt.Sprintf("parameter %d is listed twice", i)})
		}
		if !p.IsLeaf() {
			panic(&torch.OpError{Op: b.name, Shapes: [][]int{p.Shape()}, Msg: fmt.Sprintf("parameter %d is the result of an operation: can only optimise leaves", i)})
		}
		known[p] = true
	}
	g := b.defaults
	g.Params = append([]*torch.Tensor(nil), params...)
	if set != nil {
		set(&g)
	}
	b.groups = append(b.groups, &g)
}

// ParamGroups implements [Optimizer].
func (b *base[S]) ParamGroups() []*ParamGroup { return b.groups }

// ZeroGrad implements [Optimizer].
func (b *base[S]) ZeroGrad() {
	for _, g := range b.groups {
		torch.ZeroGrads(g.Params)
	}
}

// step calls update for each group with the parameters that have a gradient; temporaries made in it are freed.
func (b *base[S]) step(update func(g *ParamGroup, params, grads []*torch.Tensor)) {
	for _, g := range b.groups {
		torch.Step(func() {
			torch.NoGrad(func() {
				all := torch.Grads(g.Params)
				params, grads := make([]*torch.Tensor, 0, len(all)), make([]*torch.Tensor, 0, len(all))
				for i, gr := range all {
					if gr != nil {
						params, grads = append(params, g.Params[i]), append(grads, gr)
					}
				}
				if len(params) > 0 {
					update(g, params, grads)
				}
			})
		})
	}
}

// decayed are the gradients as an update uses them: negated for Maximize, with L2 regularisation added.
func decayed(g *ParamGroup, params, grads []*torch.Tensor, decay bool) []*torch.Tensor {
	if g.Maximize {
		grads = list("_foreach_neg", grads)
	}
	if decay && g.WeightDecay != 0 {
		grads = list("_foreach_add.List", grads, params, torch.KW{"alpha": g.WeightDecay})
	}
	return grads
}

// list calls an operator that returns a list of tensors.
func list(op string, args ...any) []*torch.Tensor {
	ts, _ := torch.Ops(op, args...)[0].([]*torch.Tensor)
	return ts
}

// stateDict lays the groups out as Python does: the parameters numbered through all groups; entries gives the settings of a
// group, states the state of a parameter (nil: none yet).
func (b *base[S]) stateDict(entries func(g *ParamGroup) map[string]any, states func(s *S) map[string]any) map[string]any {
	state := map[int64]any{}
	var groups []any
	n := int64(0)
	for _, g := range b.groups {
		e := entries(g)
		e["lr"], e["weight_decay"], e["maximize"] = g.LR, g.WeightDecay, g.Maximize
		e["foreach"], e["differentiable"], e["fused"] = nil, false, nil
		for k, v := range g.extra {
			e[k] = v
		}
		numbers := make([]any, len(g.Params))
		for i, p := range g.Params {
			if s := b.state[p]; s != nil {
				state[n] = states(s)
			}
			numbers[i] = n
			n++
		}
		e["params"] = numbers
		groups = append(groups, e)
	}
	return map[string]any{"state": state, "param_groups": groups}
}

// loadStateDict undoes stateDict: settings fills a group from its entries, restore a parameter's state.
func (b *base[S]) loadStateDict(sd map[string]any, settings func(g *ParamGroup, e map[string]any) error, restore func(p *torch.Tensor, e map[string]any) (*S, error)) error {
	groups, ok := sd["param_groups"].([]any)
	if !ok {
		return fmt.Errorf("optim: %s: the state dict has no list param_groups", b.name)
	}
	if len(groups) != len(b.groups) {
		return fmt.Errorf("optim: %s: the state dict has %d parameter groups, the optimiser %d", b.name, len(groups), len(b.groups))
	}
	byNumber := map[int64]*torch.Tensor{}
	updated := make([]ParamGroup, len(groups))
	for i, x := range groups {
		e, ok := x.(map[string]any)
		if !ok {
			return fmt.Errorf("optim: %s: param_groups[%d] is %T, want a dict", b.name, i, x)
		}
		numbers, _ := e["params"].([]any)
		if len(numbers) != len(b.groups[i].Params) {
			return fmt.Errorf("optim: %s: param_groups[%d] has %d parameters, the optimiser's %d", b.name, i, len(numbers), len(b.groups[i].Params))
		}
		for j, n := range numbers {
			num, ok := n.(int64)
			if !ok {
				return fmt.Errorf("optim: %s: param_groups[%d].params[%d] is %T, want an int", b.name, i, j, n)
			}
			byNumber[num] = b.groups[i].Params[j]
		}
		g := *b.groups[i]
		g.extra = nil
		for _, key := range []string{"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"} {
			if v, ok := number(e[key]); ok {
				g.setExtra(key, v)
			}
		}
		for key, to := range map[string]*float64{"lr": &g.LR, "weight_decay": &g.WeightDecay} {
			if v, ok := number(e[key]); ok {
				*to = v
			}
		}
		if v, ok := e["maximize"].(bool); ok {
			g.Maximize = v
		}
		if err := settings(&g, e); err != nil {
			return fmt.Errorf("optim: %s: param_groups[%d]: %w", b.name, i, err)
		}
		updated[i] = g
	}
	states := map[*torch.Tensor]*S{}
	var err error
	torch.NoGrad(func() {
		err = eachState(sd["state"], func(n int64, e map[string]any) error {
			p := byNumber[n]
			if p == nil {
				return fmt.Errorf("optim: %s: state[%d] belongs to no parameter", b.name, n)
			}
			s, err := restore(p, e)
			if err != nil {
				return fmt.Errorf("optim: %s: state[%d]: %w", b.name, n, err)
			}
			states[p] = s
			return nil
		})
	})
	if err != nil {
		return err
	}
	for i := range updated {
		*b.groups[i] = updated[i]
	}
	b.state = states
	return nil
}

// eachState visits the entries of "state", whose keys are ints; an empty dict has no kind of key.
func eachState(v any, f func(n int64, e map[string]any) error) error {
	switch m := v.(type) {
	case map[int64]any:
		for n, x := range m {
			e, ok := x.(map[string]any)
			if !ok {
				if sd, isSD := x.(*torch.StateDict); isSD { // a dict of tensors alone, as a checkpoint reads it
					e, ok = map[string]any{}, true
					for k, t := range sd.All() {
						e[k] = t
					}
				}
			}
			if !ok {
				return fmt.Errorf("optim: state[%d] is %T, want a dict", n, x)
			}
			if err := f(n, e); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if len(m) == 0 {
			return nil
		}
	case *torch.StateDict:
		if m.Len() == 0 {
			return nil
		}
	}
	return fmt.Errorf("optim: state is %T, want a dict with int keys", v)
}

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case int:
		return float64(x), true
	case *torch.Tensor:
		if x != nil && x.Numel() == 1 {
			return x.Item(), true
		}
	}
	return 0, false
}

// copied is a state tensor of a checkpoint as the optimiser keeps it: its own, on the parameter's device, with its type.
func copied(p *torch.Tensor, e map[string]any, key string) (*torch.Tensor, error) {
	t, ok := e[key].(*torch.Tensor)
	if !ok || t == nil {
		return nil, fmt.Errorf("%s is %T, want a tensor", key, e[key])
	}
	if have, want := t.Shape(), p.Shape(); fmt.Sprint(have) != fmt.Sprint(want) {
		return nil, fmt.Errorf("%s has shape %v, its parameter %v", key, have, want)
	}
	own := torch.Keep(p.ZerosLike())
	own.CopyInPlace(t)
	return own, nil
}
