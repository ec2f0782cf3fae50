package streamlib

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gomosaic/mdslib"
	"gomosaic/streamlib/order"
	"gomosaic/streamlib/transforms"
)

// pipeline is one loop over an epoch at work. A planner deals batches and looks ahead, fetchers bring the shards that it
// sees coming, workers decode and transform pieces of batches, and the batches come out in order:
//
//	planner ──wanted──▶ fetchers
//	   └────pieces───▶ workers ──▶ batch done
//	   └────batches──▶ next (in order), or ahead of it what prepares them
//
// The capacity of batches bounds what is made ahead. All goroutines end with ctx.
type pipeline struct {
	dataset *StreamingDataset
	seed    uint64
	epoch   int

	ctx     context.Context
	cancel  context.CancelFunc
	group   sync.WaitGroup
	coming  []atomic.Bool // shards that were asked for and are not here yet, or cannot be had
	wanted  chan int
	pieces  chan piece
	batches chan *making
}

// making is a batch in the making.
type making struct {
	ids     []int64
	samples []mdslib.Sample
	left    atomic.Int32  // pieces that are not done
	failed  atomic.Bool   // some piece failed: the others need not try
	done    chan struct{} // closed when batch or err is set

	mu    sync.Mutex
	at    int // the sample that err is about
	err   error
	batch *Batch
}

// piece is the part of a batch that one worker makes at a time.
type piece struct {
	*making
	from, to int
}

// fetchers is the number of shards brought at a time: enough to hide the latency of a store, few enough that the first
// shard is not slowed by the later ones.
const fetchers = 4

func startPipeline(ctx context.Context, d *StreamingDataset, deal *dealer, pos order.Position, parallel, prefetch, ahead int) *pipeline {
	ctx, cancel := context.WithCancel(ctx)
	p := &pipeline{dataset: d, seed: pos.Seed, epoch: pos.Epoch, ctx: ctx, cancel: cancel,
		coming: make([]atomic.Bool, len(d.cache.slots)), wanted: make(chan int), pieces: make(chan piece), batches: make(chan *making, prefetch*parallel)}
	for shard := range d.cache.slots {
		d.cache.takeFailure(shard) // of an earlier loop
	}
	p.group.Go(func() { p.plan(deal, parallel, ahead) })
	for range fetchers {
		p.group.Go(p.fetch)
	}
	for range parallel {
		p.group.Go(p.work)
	}
	return p
}

// stop ends all goroutines and waits for them.
func (p *pipeline) stop() {
	p.cancel()
	p.group.Wait()
}

// next returns the next batch, nil at the end.
func (p *pipeline) next() (*Batch, error) {
	select {
	case m, ok := <-p.batches:
		if !ok { // the end, or what ends the planner
			return nil, context.Cause(p.ctx)
		}
		select {
		case <-m.done:
			return m.batch, m.err
		case <-p.ctx.Done():
		}
	case <-p.ctx.Done():
	}
	return nil, context.Cause(p.ctx)
}

// ahead is next with prepare done to the batches, in order, by one goroutine that is up to n of them ahead.
func (p *pipeline) ahead(n int, prepare func(*Batch) error) (next func() (*Batch, error)) {
	type prepared struct {
		batch *Batch
		err   error
	}
	ready := make(chan prepared, n)
	p.group.Go(func() {
		defer close(ready)
		for {
			var r prepared
			if r.batch, r.err = p.next(); r.batch == nil && r.err == nil {
				return
			}
			if r.err == nil {
				r.err = prepare(r.batch)
			}
			select {
			case ready <- r:
			case <-p.ctx.Done():
				return
			}
			if r.err != nil {
				return
			}
		}
	})
	return func() (*Batch, error) {
		select {
		case r, ok := <-ready:
			if ok || p.ctx.Err() == nil {
				return r.batch, r.err
			}
		case <-p.ctx.Done():
		}
		return nil, context.Cause(p.ctx)
	}
}

// plan deals the epoch's batches to the workers, having looked at least `ahead` samples further for shards to bring.
func (p *pipeline) plan(deal *dealer, parallel, ahead int) {
	defer close(p.batches)
	defer close(p.pieces)
	defer close(p.wanted)
	cache := p.dataset.cache
	var queue [][]int64 // dealt, not handed out
	queued := 0
	var wanted []int // shards to bring, in order
	last := -1
	for more := true; more || len(queue) > 0; {
		for more && queued <= ahead {
			batch := deal.next()
			if batch == nil {
				more = false
				break
			}
			queue = append(queue, batch)
			queued += len(batch)
			for _, id := range batch {
				shard, _ := cache.locate(int(id))
				if shard == last {
					continue
				}
				last = shard
				if !cache.present(shard) && !p.coming[shard].Swap(true) {
					wanted = append(wanted, shard)
				}
			}
		}
		if len(queue) == 0 {
			return
		}
		m := newMaking(queue[0])
		// The batch is announced first, so that the number of batches in the making stays bounded.
		if wanted = send(p, p.batches, m, wanted); p.ctx.Err() != nil {
			return
		}
		queued -= len(queue[0])
		queue = queue[1:]
		for _, part := range m.pieces(p.dataset.transforms != nil, parallel) {
			if wanted = send(p, p.pieces, part, wanted); p.ctx.Err() != nil {
				return
			}
		}
	}
}

// send sends v to its channel and, while that has to wait, shards to the fetchers. It returns the shards left to ask for.
func send[T any](p *pipeline, to chan<- T, v T, wanted []int) []int {
	for {
		if len(wanted) == 0 {
			select {
			case to <- v:
			case <-p.ctx.Done():
			}
			return nil
		}
		select {
		case to <- v:
			return wanted
		case p.wanted <- wanted[0]:
			wanted = wanted[1:]
		case <-p.ctx.Done():
			return nil
		}
	}
}

func newMaking(ids []int64) *making {
	return &making{ids: ids, samples: make([]mdslib.Sample, len(ids)), done: make(chan struct{})}
}

// pieces cuts a batch for the workers: into several where samples are costly, because they are transformed.
func (m *making) pieces(costly bool, parallel int) []piece {
	n := len(m.ids)
	size := n
	if costly {
		size = max(1, (n+2*parallel-1)/(2*parallel))
	}
	var all []piece
	for from := 0; from < n; from += size {
		all = append(all, piece{m, from, min(from+size, n)})
	}
	m.left.Store(int32(len(all)))
	return all
}

func (p *pipeline) fetch() {
	for shard := range p.wanted {
		if p.ctx.Err() == nil && p.dataset.cache.prefetch(p.ctx, shard) {
			p.coming[shard].Store(false) // if it is evicted, it may be asked for again
		}
	}
}

func (p *pipeline) work() {
	arenaBytes := 0
	for part := range p.pieces {
		arenaBytes = p.make(part, arenaBytes)
	}
}

// make decodes and transforms a piece; the last one of a batch makes the batch. arenaBytes is what the samples' bytes
// took the last time.
func (p *pipeline) make(part piece, arenaBytes int) int {
	m := part.making
	d := p.dataset
	var arena []byte
	if arenaBytes > 0 {
		arena = make([]byte, 0, arenaBytes+arenaBytes/16)
	}
	for i := part.from; i < part.to && !m.failed.Load(); i++ {
		id := m.ids[i]
		var err error
		if m.samples[i], arena, err = d.read(p.ctx, int(id), arena); err == nil && d.transforms != nil {
			err = d.transform(m.samples[i], transforms.Draw{Seed: p.seed, Epoch: p.epoch, Sample: id})
		}
		if err != nil {
			m.fail(i, err)
		}
	}
	if m.left.Add(-1) == 0 {
		if m.err == nil {
			m.batch, m.err = collate(m.samples, m.ids)
		}
		m.samples = nil
		close(m.done)
	}
	return len(arena)
}

// fail notes an error of sample i of the batch; the earliest sample's is kept.
func (m *making) fail(i int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed.Store(true)
	if m.err == nil || i < m.at {
		m.at, m.err = i, err
	}
}

func panicStack() string { return string(debug.Stack()) }
