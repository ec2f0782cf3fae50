package streamlib

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gomosaic/mdslib"
	"gomosaic/streamlib/order"
	"gomosaic/streamlib/transforms"
)

// StreamingDataset is a data set whose shards come to this machine as they are needed. It is safe for concurrent use.
type StreamingDataset struct {
	opts       DatasetOptions
	world      World
	plan       *order.Plan
	cache      *cache
	transforms transforms.Transform
	decodeAll  bool     // no column is left to the transforms to decode
	encoded    []string // the columns that are; nil: those of images

	run struct { // what iterations leave behind
		sync.Mutex
		next   int             // epoch to iterate next
		resume *order.State    // where to go on instead, if a state was loaded
		base   *order.Position // seed, canonical and initial nodes of a resumed run
	}
}

// NewStreamingDataset opens the streams of a data set: their indexes are read (and downloaded) now, shards when they are
// needed. ctx bounds the opening only. [StreamingDataset.Close] gives the open shards back.
func NewStreamingDataset(ctx context.Context, opts DatasetOptions) (_ *StreamingDataset, err error) {
	d := &StreamingDataset{opts: opts, transforms: opts.Transforms}
	if opts.World != nil {
		d.world = *opts.World
		err = d.world.check()
	} else {
		d.world, err = WorldFromEnv()
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := d.world.order(0, opts.Replication); err != nil {
		return nil, fmt.Errorf("streamlib: %w", err)
	}
	limit, err := opts.cacheLimitBytes()
	if err != nil {
		return nil, err
	}
	streams, err := opts.streams()
	if err != nil {
		return nil, err
	}
	var sources []*source
	defer func() {
		if err != nil {
			for _, s := range sources {
				s.close()
			}
		}
	}()
	weights := make([]order.Stream, len(streams))
	folders := map[string]int{}
	for i, stream := range streams {
		s, err := openSource(ctx, i, stream)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
		if !opts.AllowUnsafeTypes {
			if err := s.index.CheckSafe(); err != nil {
				return nil, fmt.Errorf("streamlib: stream %d (%s): %w", i, s.name(), err)
			}
		}
		if folder, err := filepath.Abs(s.dir); err == nil {
			if other, taken := folders[folder]; taken {
				return nil, fmt.Errorf("streamlib: streams %d and %d use the same folder %s", other, i, s.dir)
			}
			folders[folder] = i
		}
		sizes := make([]int, len(s.index.Shards))
		for k := range sizes {
			sizes[k] = s.index.Shards[k].Samples
		}
		weights[i] = order.Stream{Sizes: sizes, Proportion: stream.Proportion, Repeat: stream.Repeat, Choose: stream.Choose}
		if weights[i].Samples() == 0 {
			return nil, fmt.Errorf("streamlib: stream %d (%s) contains no samples", i, s.name())
		}
	}
	if d.plan, err = order.NewPlan(weights, opts.args()); err != nil {
		return nil, fmt.Errorf("streamlib: %w", err)
	}
	d.cache = newCache(sources, limit)
	if err = d.cache.space.check(); err != nil {
		return nil, err
	}
	switch t := opts.Transforms.(type) {
	case nil, transforms.Func:
		d.decodeAll = true
	case EncodedReader:
		d.encoded = t.EncodedColumns()
		d.decodeAll = len(d.encoded) == 0
	}
	return d, nil
}

// Options returns the options that the data set was opened with.
func (d *StreamingDataset) Options() DatasetOptions { return d.opts }

// String says what the data set holds, for people.
func (d *StreamingDataset) String() string {
	columns := d.Columns()
	names := columns.Names()
	for i, name := range names {
		names[i] = name + ": " + columns[name]
	}
	return fmt.Sprintf("StreamingDataset of %d samples in %d shards (%s)", d.Size(), len(d.cache.owners), strings.Join(names, ", "))
}

// Size returns the number of different samples.
func (d *StreamingDataset) Size() int { return d.cache.samples() }

// Len returns the number of samples of an epoch on each rank, rounded up: the reference's len(dataset).
func (d *StreamingDataset) Len() int {
	world, _, err := d.world.order(0, d.opts.Replication)
	if err != nil {
		return 0 // checked when the data set was opened
	}
	return (d.plan.Mix().EpochSize + world.Ranks() - 1) / world.Ranks()
}

// Columns returns the columns of the first stream and their encodings.
func (d *StreamingDataset) Columns() mdslib.Columns { return d.cache.info(0).Columns() }

// Get returns sample i of Size, decoded and transformed, from its shard, which is brought here first if need be. Negative
// i count from the end. The transforms draw as in the epoch to come. The sample is the caller's.
func (d *StreamingDataset) Get(i int) (mdslib.Sample, error) {
	return d.GetContext(context.Background(), i)
}

// GetContext is Get with a context that bounds the bringing of the shard.
func (d *StreamingDataset) GetContext(ctx context.Context, i int) (mdslib.Sample, error) {
	n := d.Size()
	if i < -n || i >= n {
		return nil, fmt.Errorf("streamlib: no sample %d in a data set of %d", i, n)
	}
	if i < 0 {
		i += n
	}
	sample, _, err := d.read(ctx, i, nil)
	if err != nil || d.transforms == nil {
		return sample, err
	}
	d.run.Lock()
	draw := transforms.Draw{Seed: d.position().Seed, Epoch: max(0, d.run.next), Sample: int64(i)}
	d.run.Unlock()
	if err := d.transform(sample, draw); err != nil {
		return nil, err
	}
	return sample, nil
}

// read decodes a sample whose bytes it appends to arena, which it returns grown; the sample's bytes and strings alias it.
func (d *StreamingDataset) read(ctx context.Context, id int, arena []byte) (mdslib.Sample, []byte, error) {
	number, row := d.cache.locate(id)
	from := len(arena)
	for {
		shard, err := d.cache.get(ctx, number)
		if err != nil {
			return nil, arena, err
		}
		grown, err := shard.AppendRaw(arena, row)
		if errors.Is(err, mdslib.ErrClosed) && ctx.Err() == nil {
			continue // evicted between the two calls
		}
		if err != nil {
			return nil, arena, d.at(number, id, err)
		}
		raw := grown[from:len(grown):len(grown)]
		var sample mdslib.Sample
		if d.decodeAll {
			sample, err = shard.Decode(raw)
		} else {
			sample, err = d.decode(shard, raw)
		}
		if err != nil {
			return nil, arena, d.at(number, id, err)
		}
		return sample, grown, nil
	}
}

// decode decodes the columns that the transforms do not decode themselves.
func (d *StreamingDataset) decode(shard *mdslib.Shard, raw []byte) (mdslib.Sample, error) {
	var scratch [8][]byte
	fields, err := shard.Fields(scratch[:0], raw)
	if err != nil {
		return nil, err
	}
	names, encodings := shard.Columns(), shard.Encodings()
	sample := make(mdslib.Sample, len(names)+2)
	for i, name := range names {
		encoding := encodings[i].Name()
		if slices.Contains(d.encoded, name) || d.encoded == nil && (encoding == "jpeg" || encoding == "png") {
			sample[name] = fields[i]
			continue
		}
		if sample[name], err = encodings[i].Decode(fields[i]); err != nil {
			return nil, &mdslib.SampleError{Sample: -1, Column: name, Err: err}
		}
	}
	return sample, nil
}

// at says where a sample lies that could not be read.
func (d *StreamingDataset) at(shard, id int, err error) error {
	owner := d.cache.owners[shard]
	return fmt.Errorf("streamlib: stream %d (%s): shard %s: sample %d (%d of the data set): %w",
		owner.number, owner.name(), d.cache.info(shard).RawData.Basename, id-d.cache.spans[shard], id, err)
}

// transform applies the transforms to a sample. A panic in one is its error.
func (d *StreamingDataset) transform(sample mdslib.Sample, draw transforms.Draw) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, panicStack())
		}
		if err != nil {
			shard, _ := d.cache.locate(int(draw.Sample))
			err = d.at(shard, int(draw.Sample), fmt.Errorf("transforms: %w", err))
		}
	}()
	return d.transforms.Apply(sample, draw)
}

// Close closes the shards. Loops over its loaders must have ended; samples that were returned stay valid.
func (d *StreamingDataset) Close() error { return d.cache.close() }
