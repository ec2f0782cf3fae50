// Package torch binds libtorch: tensors, autograd, every operator by name, process groups. It needs no cgo and starts
// without libtorch; the library is found, its shim built (once per libtorch version) and both loaded at the first use.
//
//	a := torch.FromSlice([]float32{1, 2, 3}, 3).SetRequiresGrad(true)
//	loss := a.Mul(a).Sum()
//	loss.Backward()
//	a.Grad() // tensor([2., 4., 6.])
//
// # Memory
//
// Go's collector does not see the memory of a tensor. Inside [Step] (and the batches of trainlib/feed, which open a [Scope]
// for each) every tensor made is freed at the end, save those given to [Keep]. A tensor made outside a scope is freed some
// time after the last reference to it is gone, or at once by [Tensor.Free]. A freed tensor panics when used.
//
// # Errors
//
// Operators panic with [*OpError]: libtorch's message with the operator and the shapes it was given. Functions at the edge
// of the package ([Load], [Find], [BuildShim]) return errors.
//
// # Goroutines and threads
//
// Tensors are not safe for concurrent use. Grad mode, autocast, device and scope belong to the goroutine that set them, and
// travel with each call. Training runs best on one goroutine locked to its OS thread (runtime.LockOSThread): libtorch keeps a
// pool of workers per calling thread, and a goroutine that hops between threads takes up to twice the time per step.
package torch
