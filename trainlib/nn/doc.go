// Package nn holds layers, losses and initialisation, named as in torch.nn and initialised with the same random numbers: a
// model built here after torch.ManualSeed(0) equals Python's after torch.manual_seed(0), bit for bit.
//
// A model is a struct that embeds [Base] and calls Init in its constructor; its fields are its layers, and their names, in
// snake case or as tagged, are the names of the state dict:
//
//	type Net struct {
//		nn.Base
//		Conv1 *nn.Conv2dModule
//		FC    *nn.LinearModule `nn:"classifier"`
//	}
//
//	func NewNet() *Net {
//		n := &Net{Conv1: nn.Conv2d(3, 16, 3), FC: nn.Linear(16, 5)}
//		n.Init(n)
//		return n
//	}
//
//	func (n *Net) Forward(x *torch.Tensor) *torch.Tensor { … }
//
// The parameters of a layer outlive the scope they were made in (see torch.Keep). Modules are not safe for concurrent use.
package nn
