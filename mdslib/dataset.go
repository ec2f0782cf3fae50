package mdslib

// Dataset: a whole data set in a local folder, random access over all its shards. streamlib has its own, with remotes,
// a cache and an order; this one is for tools, tests and plain reading.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"
)

// ReadOptions says how a data set is opened. The zero value is sensible.
type ReadOptions struct {
	// Cache is a folder for decompressed shards, kept for the next time. "" uses temporary files that vanish when the
	// data set is closed. Shards that lie decompressed in the data set's own folder are used from there.
	Cache string
	// VerifyHashes compares each file with all its hashes in the index when its shard is first used. Sizes are always
	// compared.
	VerifyHashes bool
	// AllowUnsafeTypes opens data sets with pkl columns, as the reference's allow_unsafe_types does. Here reading a pickle
	// runs nothing: the switch says that you know that the column holds Python's own objects.
	AllowUnsafeTypes bool
}

// mostShards bounds the shards a Dataset keeps mapped: Linux gives a process 65,530 mappings.
const mostShards = 4096

// Dataset is an open local data set. It is safe for concurrent use.
type Dataset struct {
	dir    string
	opts   ReadOptions
	index  *Index
	begins []int // first sample of each shard, and the number of samples
	shards []openableShard
	closed atomic.Bool

	mu   sync.Mutex
	open []int // shards in the order they were opened
}

type openableShard struct {
	current atomic.Pointer[Shard]
	opening sync.Mutex
}

// OpenDataset opens the data set in a local folder: its index is read now, shards when they are first used.
func OpenDataset(dir string, opts ReadOptions) (*Dataset, error) {
	index, err := ReadIndex(filepath.Join(dir, IndexName))
	if err != nil {
		return nil, err
	}
	if !opts.AllowUnsafeTypes {
		if err := index.CheckSafe(); err != nil {
			return nil, err
		}
	}
	d := &Dataset{dir: dir, opts: opts, index: index, shards: make([]openableShard, len(index.Shards))}
	d.begins = make([]int, 1, len(index.Shards)+1)
	for i := range index.Shards {
		d.begins = append(d.begins, d.begins[i]+index.Shards[i].Samples)
	}
	return d, nil
}

// NumSamples returns the number of samples.
func (d *Dataset) NumSamples() int { return d.begins[len(d.begins)-1] }

// Index returns the data set's index, which is shared.
func (d *Dataset) Index() *Index { return d.index }

// Locate returns the shard that holds sample i and its position there. i must be in [0, NumSamples).
func (d *Dataset) Locate(i int) (shard, row int) {
	shard = sort.SearchInts(d.begins, i+1) - 1
	return shard, i - d.begins[shard]
}

// Get returns sample i decoded. It is the caller's.
func (d *Dataset) Get(i int) (sample Sample, err error) {
	err = d.read(i, func(s *Shard, raw []byte) (err error) {
		sample, err = s.schema.decode(raw)
		return err
	})
	return sample, err
}

// read gives use the bytes of sample i, which are its own, and locates its error.
func (d *Dataset) read(i int, use func(s *Shard, raw []byte) error) error {
	return d.onShard(i, func(s *Shard, row int) error {
		raw, err := s.Raw(row)
		if err != nil {
			return err
		}
		return locate(use(s, raw), s.name, int64(row))
	})
}

// view is read without a copy: use must copy what it keeps.
func (d *Dataset) view(i int, use func(s *Shard, raw []byte) error) error {
	return d.onShard(i, func(s *Shard, row int) error {
		return s.view(row, func(raw []byte) error { return use(s, raw) })
	})
}

// onShard calls read with the shard of sample i, anew if that is closed meanwhile.
func (d *Dataset) onShard(i int, read func(s *Shard, row int) error) error {
	if i < 0 || i >= d.NumSamples() {
		return fmt.Errorf("mdslib: no sample %d: %s has %d", i, d.dir, d.NumSamples())
	}
	number, row := d.Locate(i)
	for {
		s, err := d.Shard(number)
		if err != nil {
			return err
		}
		if err = read(s, row); !errors.Is(err, ErrClosed) || d.closed.Load() {
			return err
		}
		// it was closed to make room for others
	}
}

// All yields the samples in stored order, decoded; after an error it ends.
func (d *Dataset) All() iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for i := range d.NumSamples() {
			sample, err := d.Get(i)
			if !yield(sample, err) || err != nil {
				return
			}
		}
	}
}

// Shard returns a shard, opened if it is not; it belongs to the data set, which may close it when very many others are
// opened.
func (d *Dataset) Shard(number int) (*Shard, error) {
	place := &d.shards[number]
	if s := place.current.Load(); s != nil {
		return s, nil
	}
	place.opening.Lock() // one goroutine opens, the others wait for it
	defer place.opening.Unlock()
	if s := place.current.Load(); s != nil {
		return s, nil
	}
	if d.closed.Load() {
		return nil, ErrClosed
	}
	s, err := d.openNow(&d.index.Shards[number])
	if err != nil {
		return nil, fmt.Errorf("shard %d of %s: %w", number, d.dir, err)
	}
	place.current.Store(s)
	d.opened(number)
	if d.closed.Load() { // Close may have passed by
		d.closeShard(number)
		return nil, ErrClosed
	}
	return s, nil
}

// opened notes a mapped shard and closes the oldest one beyond the bound.
func (d *Dataset) opened(number int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = append(d.open, number)
	if len(d.open) > mostShards {
		d.closeShard(d.open[0])
		d.open = d.open[1:]
	}
}

func (d *Dataset) closeShard(number int) error {
	if s := d.shards[number].current.Swap(nil); s != nil {
		return s.Close()
	}
	return nil
}

// openNow opens the shard's raw files: the ones in the data set's folder, else the cached ones, else they are decompressed.
func (d *Dataset) openNow(info *ShardInfo) (*Shard, error) {
	ctx := context.Background()
	raw := filepath.Join(d.dir, filepath.FromSlash(info.RawData.Basename))
	if _, err := os.Stat(raw); err == nil || info.ZipData == nil {
		return d.openRaw(ctx, raw, info)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	if d.opts.Cache != "" {
		for _, p := range info.parts() {
			cached := filepath.Join(d.opts.Cache, filepath.FromSlash(p.raw.Basename))
			if _, err := os.Stat(cached); err == nil {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(cached), 0o777); err != nil {
				return nil, fmt.Errorf("mdslib: %w", err)
			}
			zip, err := d.verified(ctx, *p.zip)
			if err != nil {
				return nil, err
			}
			if err := Decompress(ctx, cached, zip, info.Compression, p.raw.Bytes); err != nil {
				return nil, err
			}
		}
		return d.openRaw(ctx, filepath.Join(d.opts.Cache, filepath.FromSlash(info.RawData.Basename)), info)
	}
	temp, err := os.MkdirTemp("", "mds-raw-")
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	defer os.RemoveAll(temp) // the mapping keeps the contents
	for _, p := range info.parts() {
		zip, err := d.verified(ctx, *p.zip)
		if err != nil {
			return nil, err
		}
		name := filepath.Join(temp, filepath.Base(filepath.FromSlash(p.raw.Basename)))
		if err := Decompress(ctx, name, zip, info.Compression, p.raw.Bytes); err != nil {
			return nil, err
		}
	}
	return d.openRaw(ctx, filepath.Join(temp, filepath.Base(filepath.FromSlash(info.RawData.Basename))), info)
}

// verified returns the path of a file of the data set's folder, compared with its hashes if the options say so.
func (d *Dataset) verified(ctx context.Context, info FileInfo) (string, error) {
	path := filepath.Join(d.dir, filepath.FromSlash(info.Basename))
	return path, d.verify(ctx, path, info)
}

// openRaw opens a shard whose raw files lie side by side.
func (d *Dataset) openRaw(ctx context.Context, path string, info *ShardInfo) (*Shard, error) {
	for _, p := range info.parts() {
		if err := d.verify(ctx, filepath.Join(filepath.Dir(path), filepath.Base(filepath.FromSlash(p.raw.Basename))), p.raw); err != nil {
			return nil, err
		}
	}
	return OpenShard(path, info)
}

func (d *Dataset) verify(ctx context.Context, path string, info FileInfo) error {
	if !d.opts.VerifyHashes {
		return nil
	}
	return VerifyFile(ctx, path, info)
}

// Close closes all shards; reads in flight finish.
func (d *Dataset) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	var errs []error
	for i := range d.shards {
		errs = append(errs, d.closeShard(i))
	}
	return errors.Join(errs...)
}
