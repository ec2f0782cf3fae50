package streamlib

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"gomosaic/streamlib/order"
)

// LoaderOptions says how a [StreamingDataLoader] makes batches. Fields are named as the arguments of torch's DataLoader.
type LoaderOptions struct {
	// BatchSize is the samples per batch; 0 takes the data set's, which the order is made for.
	BatchSize int `json:"batch_size,omitempty"`
	// NumWorkers is the number of workers that the order of samples is dealt to, as in the reference: equal numbers give
	// equal batches. How many goroutines do the work is Parallel.
	NumWorkers int `json:"num_workers,omitempty"`
	// DropLast leaves out a worker's last batch if it is not full.
	DropLast bool `json:"drop_last,omitempty"`
	// Parallel is the number of goroutines that decode and transform; 0 stands for GOMAXPROCS.
	Parallel int `json:"parallel,omitempty"`
	// PrefetchFactor is the number of batches that are made ahead of the one in use, per goroutine (2).
	PrefetchFactor int `json:"prefetch_factor,omitempty"`
}

// StreamingDataLoader iterates a data set batch by batch, epoch by epoch, and knows where it stands. Its methods may be
// called from any goroutine, but only one loop may run at a time.
type StreamingDataLoader struct {
	dataset *StreamingDataset
	opts    LoaderOptions

	mu      sync.Mutex
	running bool
	current *order.Position // where the latest loop began; nil before the first
	yielded int             // samples of this rank since then
}

// NewStreamingDataLoader makes a loader of a data set. Options that cannot be are the first error of its batches.
func NewStreamingDataLoader(dataset *StreamingDataset, opts LoaderOptions) *StreamingDataLoader {
	return &StreamingDataLoader{dataset: dataset, opts: opts}
}

// Dataset returns the data set.
func (l *StreamingDataLoader) Dataset() *StreamingDataset { return l.dataset }

// String says what the loader yields, for people.
func (l *StreamingDataLoader) String() string {
	return fmt.Sprintf("StreamingDataLoader of %d batches of up to %d samples, from a %v", l.Len(), l.BatchSize(), l.dataset)
}

// BatchSize returns the samples per batch.
func (l *StreamingDataLoader) BatchSize() int {
	return first(l.opts.BatchSize, l.dataset.opts.BatchSize)
}

// Len returns the number of batches of a whole epoch on this rank, as the reference's len(loader): with several workers,
// whose last batches may each be short, an epoch may have a few more.
func (l *StreamingDataLoader) Len() int {
	size := l.BatchSize()
	if size <= 0 {
		return 0
	}
	if l.opts.DropLast {
		return l.dataset.Len() / size
	}
	return (l.dataset.Len() + size - 1) / size
}

// Batches iterates one epoch: the next one, or the rest of the one that a loaded state is in. A batch is the caller's. An
// error (a shard that is damaged or cannot be had, a value that cannot be decoded, ctx's end) comes after all batches
// before it and ends the loop; it is never followed by further batches, and nothing is left out silently. Leaving the
// loop early stops the work in the background before the loop statement returns. The next call goes on with the next
// epoch.
func (l *StreamingDataLoader) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return l.BatchesAhead(ctx, 0, nil)
}

// BatchesAhead is [StreamingDataLoader.Batches] for loops that have something done to each batch before they get it, such
// as copying it to a GPU: prepare is called with the batches in order, on a goroutine of its own that is up to n batches
// ahead of the loop. Its error ends the loop as any other does. The loader's state counts what the loop got. When the loop
// statement returns, prepare has, too, and was called for up to n+1 batches more than the loop got.
func (l *StreamingDataLoader) BatchesAhead(ctx context.Context, n int, prepare func(*Batch) error) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if err := l.start(); err != nil {
			yield(nil, err)
			return
		}
		defer l.stop()
		p, err := l.pipeline(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer p.stop()
		next := p.next
		if prepare != nil {
			next = p.ahead(n, prepare)
		}
		for {
			batch, err := next()
			if err != nil {
				yield(nil, err)
				return
			}
			if batch == nil {
				return
			}
			l.mu.Lock()
			l.yielded += batch.Samples
			l.mu.Unlock()
			if !yield(batch, nil) {
				return
			}
		}
	}
}

func (l *StreamingDataLoader) start() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		return errors.New("streamlib: the loader is being iterated already: leave that loop first, or make another loader")
	}
	l.running = true
	return nil
}

func (l *StreamingDataLoader) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = false
}

// pipeline works out the epoch's order and starts the goroutines.
func (l *StreamingDataLoader) pipeline(ctx context.Context) (*pipeline, error) {
	d := l.dataset
	o := l.opts
	size := l.BatchSize()
	if size <= 0 || o.NumWorkers < 0 || o.Parallel < 0 || o.PrefetchFactor < 0 {
		return nil, fmt.Errorf("streamlib: loader options %+v: BatchSize must be positive here or in the data set's options, the others not negative", o)
	}
	plan := d.plan
	if d.opts.BatchSize == 0 { // the order is made for the loader's batches
		plan = plan.WithBatchSize(size)
	}
	world, rank, err := d.world.order(o.NumWorkers, d.opts.Replication)
	if err != nil {
		return nil, fmt.Errorf("streamlib: %w", err)
	}
	l.mu.Lock()
	pos := d.begin()
	l.current, l.yielded = &pos, 0
	l.mu.Unlock()
	work, err := plan.RankWork(world, pos, rank)
	if err != nil {
		return nil, fmt.Errorf("streamlib: epoch %d: %w", pos.Epoch, err)
	}
	if d.cache.closed.Load() {
		return nil, errClosed
	}
	deal := newDealer(work.Samples(rank), work.BatchSize, world.WorkersPerRank, size, o.DropLast)
	ahead := d.opts.Predownload
	if ahead == 0 {
		ahead = 8 * size
	}
	parallel := first(o.Parallel, runtime.GOMAXPROCS(0))
	return startPipeline(ctx, d, deal, pos, parallel, first(o.PrefetchFactor, 2), ahead*world.WorkersPerRank), nil
}

// StateDict returns where the loader stands: after the batches that were yielded so far, the one in use included. It is
// the same on all ranks that have yielded equally many samples. Before the first epoch its Epoch is -1.
func (l *StreamingDataLoader) StateDict() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.dataset
	d.run.Lock()
	defer d.run.Unlock()
	world, _, err := d.world.order(0, d.opts.Replication)
	if err != nil {
		return State{} // checked when the data set was opened
	}
	var pos order.Position
	switch {
	case d.run.resume != nil: // loaded, not begun
		pos = d.position()
	case l.current != nil:
		pos = *l.current
		pos.SampleInEpoch += l.yielded * world.Ranks()
	default:
		pos = d.position()
		pos.Epoch = d.run.next - 1
	}
	return pos.State(world)
}

// LoadStateDict makes the next loop go on where the state says: at its epoch and sample, with its seed and canonical
// nodes, on whatever world this is. Every rank must load it.
func (l *StreamingDataLoader) LoadStateDict(state State) error { return l.dataset.loadState(state) }
