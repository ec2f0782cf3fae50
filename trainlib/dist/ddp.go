package dist

import (
	"fmt"

	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch"
)

// DistributedDataParallel is a model whose gradients are averaged over the ranks while Backward runs, as
// torch.nn.parallel.DistributedDataParallel: c10d's Reducer does it, bucket by bucket. Its parameters' names begin with
// "module.", as in Python.
type DistributedDataParallel struct {
	nn.Base
	Module nn.Module // the model of this rank

	group   *Group
	reducer *torch.Reducer
	buffers []*torch.Tensor

	accumulating   bool // inside NoSync
	buffersAreOurs bool // the last forward pass synchronised, so the next one begins with rank 0's buffers
	broadcast      bool
	findUnused     bool
}

// DDPOptions are the arguments of DistributedDataParallel; the zero value is Python's.
type DDPOptions struct {
	BucketBytes          int64 // gradients are exchanged in buckets of this size; default 25 MiB
	FindUnusedParameters bool  // some parameters may get no gradient in a step
	KeepBuffers          bool  // broadcast_buffers=False: every rank keeps its own running statistics
	GradAsBucketView     bool  // gradients live in the buckets: less memory, no copy
}

// DDP makes model data-parallel over the group: every rank starts with rank 0's parameters and buffers. All ranks must call
// it, with equal models. Make the optimiser of the parameters of either; Close the result before the group.
func DDP(model nn.Module, group *Group, opts ...DDPOptions) (*DistributedDataParallel, error) {
	var o DDPOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	d := &DistributedDataParallel{
		Module: model, group: group, buffersAreOurs: true, broadcast: !o.KeepBuffers, findUnused: o.FindUnusedParameters,
	}
	d.Init(d)
	var names []string
	var params []*torch.Tensor
	for _, p := range model.NamedParameters() {
		if p.Tensor.RequiresGrad() {
			names, params = append(names, p.Name), append(params, p.Tensor)
		}
	}
	for _, b := range model.NamedBuffers() {
		d.buffers = append(d.buffers, b.Tensor)
	}
	var err error
	// The reducer's constructor compares the parameters' shapes over the ranks, so it comes before values are sent.
	d.reducer, err = torch.NewReducer(group.pg, params, names, torch.ReducerOptions{
		BucketBytes: o.BucketBytes, FindUnusedParameters: o.FindUnusedParameters, GradAsBucketView: o.GradAsBucketView,
	})
	if err != nil {
		return nil, fmt.Errorf("dist: rank %d of %d: DDP of %T: %w", group.World.Rank, group.World.Size, model, err)
	}
	if err := group.Broadcast(0, append(model.Parameters(), d.buffers...)...); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Forward computes the model's output and arms the exchange of gradients for the Backward that follows. It panics with the
// group's error when a peer is gone.
func (d *DistributedDataParallel) Forward(x *torch.Tensor) *torch.Tensor {
	exchange := torch.IsGradEnabled() && !d.accumulating
	if exchange {
		_, err := d.reducer.PrepareForward()
		d.must("forward", err)
	}
	if d.broadcast && d.buffersAreOurs && len(d.buffers) > 0 {
		d.must("buffers", d.group.pg.BroadcastCoalesced(d.buffers, 0, 0))
	}
	y := d.Module.Forward(x)
	d.buffersAreOurs = exchange
	if exchange {
		var outputs []*torch.Tensor
		if d.findUnused {
			outputs = []*torch.Tensor{y}
		}
		d.must("backward", d.reducer.PrepareBackward(outputs...))
	}
	return y
}

// NoSync calls f, in which forward and backward passes only accumulate gradients on each rank; they are exchanged by the
// next pass outside.
func (d *DistributedDataParallel) NoSync(f func()) {
	outer := d.accumulating
	d.accumulating = true
	defer func() { d.accumulating = outer }()
	f()
}

// Close unhooks from the parameters. Closing twice does nothing.
func (d *DistributedDataParallel) Close() { d.reducer.Close() }

// must panics with a located error: a model's Forward has no error to return.
func (d *DistributedDataParallel) must(pass string, err error) {
	if err != nil {
		panic(fmt.Errorf("dist: rank %d of %d: DDP %s: %w", d.group.World.Rank, d.group.World.Size, pass, err))
	}
}
