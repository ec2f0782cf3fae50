package torch

import (
	"errors"
	"runtime"
	"time"
	"unsafe"
)

// ProcessGroup is c10d's process group: Gloo for tensors on the CPU, NCCL for those on GPUs where it is asked for. Every rank must call the same
// collectives in the same order. They block until done, and fail when a peer is gone longer than the timeout; Abort, from
// another goroutine, ends a stuck one. They run without autograd.
type ProcessGroup struct {
	h          uintptr
	rank, size int
	device     Device
	failed     bool // a collective did: peers may be gone
}

// ProcessGroupOptions are the arguments of torch.distributed.init_process_group; the zero value is Gloo on the default
// interface with a timeout of five minutes.
type ProcessGroupOptions struct {
	NCCL      bool          // for tensors on GPUs; needs CUDA and the NCCL headers when the shim was built. Without it Gloo moves them, by way of the CPU
	Device    Device        // this rank's GPU, with NCCL: one that no other rank of the machine has; default CUDA(0)
	Interface string        // network interface of Gloo, as GLOO_SOCKET_IFNAME; default by host name
	Timeout   time.Duration // of a collective; default 5 minutes
}

// NewProcessGroup joins the group of the given size as rank; it returns when all ranks have. The store is the one that all
// of them share: with torch.distributed's own prefix, "default_pg/0", a Python rank can be among them. The group keeps the
// store alive.
func NewProcessGroup(store *Store, rank, size int, opts ProcessGroupOptions) (*ProcessGroup, error) {
	l := lib()
	g := &ProcessGroup{rank: rank, size: size}
	if opts.NCCL {
		g.device = max(opts.Device, CUDA(0))
	}
	if e := l.pgNew(store.h, int32(rank), int32(size), &g.h); e != 0 {
		return nil, failure("process group", e)
	}
	if e := l.pgAddGloo(g.h, int32(rank), int32(size), milliseconds(opts.Timeout), opts.Interface, cbool(l.cuda && !opts.NCCL)); e != 0 {
		g.Close()
		return nil, failure("process group: gloo", e)
	}
	if opts.NCCL {
		if l.pgAddNCCL == nil {
			g.Close()
			return nil, errors.New("torch: process group: no NCCL: CUDA is not available, or its headers (cuda-runtime, cuda-crt, cuda-cccl, nccl) were missing when the shim was built")
		}
		if e := l.pgAddNCCL(g.h, int32(rank), int32(size), milliseconds(opts.Timeout)); e != 0 {
			g.Close()
			return nil, failure("process group: nccl", e)
		}
	}
	return g, nil
}

// Rank is this process's place in the group.
func (g *ProcessGroup) Rank() int { return g.rank }

// Size is the number of processes in the group.
func (g *ProcessGroup) Size() int { return g.size }

// Close leaves the group. Close its reducers first, and call Barrier before, or peers may see their connections reset.
func (g *ProcessGroup) Close() {
	if g.h != 0 {
		lib().pgFree(g.h, cbool(!g.failed))
		g.h = 0
	}
}

// outcome is failure for collectives.
func (g *ProcessGroup) outcome(op string, e uintptr) error {
	g.failed = g.failed || e != 0
	return failure(op, e)
}

// Abort makes collectives that are under way, in this process, fail. It may be called from another goroutine.
func (g *ProcessGroup) Abort() error { return failure("abort", lib().pgAbort(g.h)) }

// ReduceOp is how AllReduce combines, numbered as c10d::ReduceOp.
type ReduceOp int32

// The ways to combine; Gloo has no ReduceAvg.
const (
	ReduceSum ReduceOp = iota
	ReduceAvg
	ReduceProduct
	ReduceMin
	ReduceMax
)

// collective is the thread state of the group's collectives: on the rank's GPU, in the order of the goroutine's stream, and
// with autograd off, or an in-place operation on a parameter is refused.
func (g *ProcessGroup) collective() *callState {
	c := callState{deviceIndex: -1, stream: current().call.stream}
	if g.device != CPU {
		kind, index := g.device.parts()
		c.deviceKind, c.deviceIndex = int8(kind), int8(index)
	}
	return &c
}

// AllReduce combines each tensor with the peers' and leaves the result in place.
func (g *ProcessGroup) AllReduce(op ReduceOp, ts ...*Tensor) error {
	h := handles("all_reduce", ts)
	e := lib().allReduce(g.collective(), g.h, &h[:1][0], int64(len(ts)), int32(op))
	runtime.KeepAlive(ts)
	return g.outcome("all_reduce", e)
}

// Broadcast overwrites t with the source rank's.
func (g *ProcessGroup) Broadcast(t *Tensor, source int) error {
	e := lib().broadcast(g.collective(), g.h, t.handle("broadcast"), int32(source))
	runtime.KeepAlive(t)
	return g.outcome("broadcast", e)
}

// BroadcastCoalesced overwrites the tensors with the source rank's, packed into messages of up to bufferBytes (0: 250 MiB, as
// DistributedDataParallel).
func (g *ProcessGroup) BroadcastCoalesced(ts []*Tensor, source int, bufferBytes int64) error {
	if len(ts) == 0 {
		return nil
	}
	if bufferBytes <= 0 {
		bufferBytes = 250 << 20
	}
	h := handles("broadcast_coalesced", ts)
	e := lib().broadcastCoalesced(g.collective(), g.h, &h[0], int64(len(ts)), bufferBytes, int32(source))
	runtime.KeepAlive(ts)
	return g.outcome("broadcast_coalesced", e)
}

// AllGather returns the tensors of all ranks, by rank; they must have one shape and type.
func (g *ProcessGroup) AllGather(t *Tensor) ([]*Tensor, error) {
	out := make([]*Tensor, g.size)
	NoGrad(func() {
		for i := range out {
			out[i] = t.EmptyLike()
		}
	})
	h := handles("all_gather", out)
	e := lib().allGather(g.collective(), g.h, &h[0], int64(len(h)), t.handle("all_gather"))
	runtime.KeepAlive(t)
	if e != 0 {
		return nil, g.outcome("all_gather", e)
	}
	return out, nil
}

// Barrier returns when all ranks have called it.
func (g *ProcessGroup) Barrier() error {
	return g.outcome("barrier", lib().barrier(g.collective(), g.h))
}

// Reducer is c10d::Reducer, the engine of DistributedDataParallel: it averages gradients over the ranks, bucket by bucket,
// while Backward runs. A training step that synchronises calls
//
//	PrepareForward, the forward pass, PrepareBackward, Backward, the optimiser's step
//
// and one that only accumulates leaves both out.
type Reducer struct{ h uintptr }

// ReducerOptions are the arguments of DistributedDataParallel that concern buckets; the zero value is Python's.
type ReducerOptions struct {
	BucketBytes          int64 // default 25 MiB
	FirstBucketBytes     int64 // default 1 MiB, so that the first exchange starts early
	FindUnusedParameters bool  // some parameters may get no gradient in a step
	GradAsBucketView     bool  // gradients live in the buckets: less memory, no copy
}

// NewReducer checks that all ranks have the same parameters and hooks into their gradients. Names are for messages.
func NewReducer(g *ProcessGroup, params []*Tensor, names []string, opts ReducerOptions) (*Reducer, error) {
	if len(params) == 0 || len(names) != len(params) {
		return nil, errors.New("torch: reducer: want parameters, and as many names")
	}
	if opts.BucketBytes <= 0 {
		opts.BucketBytes = 25 << 20
	}
	if opts.FirstBucketBytes <= 0 {
		opts.FirstBucketBytes = 1 << 20
	}
	c := make([]*byte, len(names))
	for i, n := range names {
		c[i] = unsafe.SliceData(append([]byte(n), 0))
	}
	h := handles("reducer", params)
	r := &Reducer{}
	e := lib().reducerNew(g.h, &h[0], int64(len(h)), &c[0], opts.BucketBytes, opts.FirstBucketBytes, cbool(opts.FindUnusedParameters), cbool(opts.GradAsBucketView), &r.h)
	runtime.KeepAlive(params)
	runtime.KeepAlive(c)
	if e != 0 {
		return nil, failure("reducer", e)
	}
	return r, nil
}

// PrepareForward begins a synchronised step. After the first one the buckets are rebuilt in the order in which gradients
// arrived, which it reports.
func (r *Reducer) PrepareForward() (rebuilt bool, err error) {
	var v int32
	state := current()
	e := lib().reducerPrepareForward(&state.call, r.h, &v)
	return v != 0, failure("reducer", e)
}

// PrepareBackward arms the hooks. The outputs of the forward pass are needed only with FindUnusedParameters.
func (r *Reducer) PrepareBackward(outputs ...*Tensor) error {
	h := handles("reducer", outputs)
	state := current()
	e := lib().reducerPrepareBackward(&state.call, r.h, &h[:1][0], int64(len(outputs)))
	runtime.KeepAlive(outputs)
	return failure("reducer", e)
}

// Close unhooks from the parameters. Closing twice does nothing.
func (r *Reducer) Close() {
	if r.h != 0 {
		lib().reducerFree(r.h)
		r.h = 0
	}
}
