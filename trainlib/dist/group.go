package dist

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"gomosaic/trainlib/torch"
)

// Group is the processes of a job joined by c10d. Every rank must call the same collectives in the same order; they block
// until all have, and fail when a peer is gone, the timeout is over or the context of [Init] ends. A Group is not safe for
// concurrent use.
type Group struct {
	World World

	device          torch.Device
	store, prefixed *torch.Store
	pg              *torch.ProcessGroup
	unwatch         func() // stops watching the context, and waits for an abort under way
}

// GroupOptions are the arguments of torch.distributed.init_process_group. The zero value is right: NCCL beside Gloo where the
// ranks have GPUs, else Gloo; see [EnvUseGPU].
type GroupOptions struct {
	CPUOnly        bool    // Gloo alone, although there are GPUs
	Interface      string  // network interface of Gloo; default $GLOO_SOCKET_IFNAME, else by host name
	TimeoutSeconds float64 // of the rendezvous and of each collective; default 300
}

// Init joins the ranks of w; it returns when all have called it. It is torch.distributed's env:// rendezvous, so that Python
// ranks can be among them: rank 0 keeps the store, unless torchrun's agent does. The group belongs to the caller, who must
// Close it. When ctx ends, collectives under way fail.
func Init(ctx context.Context, w World, opts GroupOptions) (*Group, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	timeout := time.Duration(cmp.Or(opts.TimeoutSeconds, 300) * float64(time.Second))
	where := net.JoinHostPort(w.MasterAddr, strconv.Itoa(w.MasterPort))
	g := &Group{World: w}
	if !opts.CPUOnly {
		switch gpus := torch.CUDADeviceCount(); {
		case gpus >= w.LocalSize:
			g.device = torch.CUDA(w.LocalRank)
		case os.Getenv(EnvUseGPU) != "":
			return nil, fmt.Errorf("dist: rank %d of %d is to have a GPU, but libtorch sees %d here (CUDA_VISIBLE_DEVICES=%q) for the %d ranks of this machine: is its NVIDIA driver there, and a libtorch built for CUDA?", w.Rank, w.Size, gpus, os.Getenv("CUDA_VISIBLE_DEVICES"), w.LocalSize)
		}
	}
	ready := false
	defer func() {
		if !ready {
			g.Close()
		}
	}()
	var err error
	g.store, _, err = torch.NewTCPStore(w.MasterAddr, w.MasterPort, torch.TCPStoreOptions{
		Server:    w.Rank == 0 && os.Getenv("TORCHELASTIC_USE_AGENT_STORE") != "True",
		WorldSize: w.Size, WaitForWorkers: true, Timeout: timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("dist: rank %d: the store at %s: %w", w.Rank, where, err)
	}
	if g.prefixed, err = torch.NewPrefixStore("default_pg/0", g.store); err != nil {
		return nil, fmt.Errorf("dist: rank %d: the store at %s: %w", w.Rank, where, err)
	}
	g.pg, err = torch.NewProcessGroup(g.prefixed, w.Rank, w.Size, torch.ProcessGroupOptions{
		NCCL: g.device != torch.CPU, Device: g.device,
		Interface: cmp.Or(opts.Interface, os.Getenv("GLOO_SOCKET_IFNAME")),
		Timeout:   timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("dist: rank %d of %d joining at %s: %w", w.Rank, w.Size, where, err)
	}
	g.abortWith(ctx)
	ready = true
	return g, nil
}

// abortWith makes collectives fail when ctx ends, until unwatch.
func (g *Group) abortWith(ctx context.Context) {
	pg, aborted := g.pg, make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(aborted)
		pg.Abort()
	})
	g.unwatch = func() {
		if !stop() {
			<-aborted
		}
	}
}

// Device is where this rank computes: the GPU of its local rank where the group spans GPUs, else the CPU.
func (g *Group) Device() torch.Device { return g.device }

// AllReduce adds up each tensor over the ranks, in place.
func (g *Group) AllReduce(ts ...*torch.Tensor) error {
	return g.located("all_reduce", g.pg.AllReduce(torch.ReduceSum, ts...))
}

// Sum adds up numbers over the ranks and returns the sums to all of them: counts of right answers, total losses.
func (g *Group) Sum(values ...float64) (sums []float64, err error) {
	torch.Step(func() {
		t := torch.FromSlice(values).To(g.Device())
		if err = g.AllReduce(t); err == nil {
			sums = t.Float64s()
		}
	})
	return sums, err
}

// Broadcast overwrites the tensors with rank source's.
func (g *Group) Broadcast(source int, ts ...*torch.Tensor) error {
	return g.located("broadcast", g.pg.BroadcastCoalesced(ts, source, 0))
}

// AllGather returns the tensors of all ranks, by rank; they must have one shape and type.
func (g *Group) AllGather(t *torch.Tensor) ([]*torch.Tensor, error) {
	all, err := g.pg.AllGather(t)
	return all, g.located("all_gather", err)
}

// Barrier returns when all ranks have called it.
func (g *Group) Barrier() error { return g.located("barrier", g.pg.Barrier()) }

// Close leaves the group. Call [Group.Barrier] before, so that no rank leaves while others still compute. Closing twice does
// nothing.
func (g *Group) Close() {
	if g.unwatch != nil {
		g.unwatch()
		g.unwatch = nil
	}
	if g.pg != nil {
		g.pg.Close()
		g.pg = nil
	}
	for _, s := range []*torch.Store{g.prefixed, g.store} {
		if s != nil {
			s.Close()
		}
	}
	g.prefixed, g.store = nil, nil
}

// located adds the rank to an error.
func (g *Group) located(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dist: rank %d of %d: %s: %w", g.World.Rank, g.World.Size, op, err)
}
