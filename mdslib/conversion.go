package mdslib

// The commit protocol of DataFrameToMDS, shared by all engines. Partitions are written below an attempt folder in Out;
// when all are complete they are given their places and the merged index.json is written last:
//
//	Out/_attempt-k3x9/00000/shard.00000.mds.zstd, index.json     while it runs
//	Out/00000/shard.00000.mds.zstd, index.json                   after Commit
//	Out/index.json                                               the moment it becomes a data set
//
// An earlier data set in Out loses its index.json first, so at no moment does a half one read as whole.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/store"
)

// attemptPrefix starts the names of attempt folders; readers of folders skip names that start with "_".
const attemptPrefix = "_attempt-"

// Conversion is one attempt to write a data set from partitions. An engine starts it, writes each partition with a
// writer made of [Conversion.PartitionOptions], and ends with Commit or Abort. Its methods are safe for concurrent use.
type Conversion struct {
	opts      MDSOptions
	dir       string // Out as a local folder
	attempt   string // folder of the attempt, below dir
	made      bool   // dir was made by this attempt
	temporary bool   // dir is a temporary one and goes away
	replaces  bool   // dir holds an earlier data set
	remote    store.Store
	remoteURL string
	started   time.Time

	mu       sync.Mutex
	progress map[int]WriteProgress // by partition
	total    WriteProgress
}

// StartConversion checks the options and Out and makes the attempt folder. Nothing that lies in Out is touched yet.
func StartConversion(ctx context.Context, opts MDSOptions) (*Conversion, error) {
	c := &Conversion{opts: opts, remoteURL: opts.Remote, started: time.Now(), progress: map[int]WriteProgress{}}
	dir, local := store.LocalPath(opts.Out)
	switch {
	case opts.Out == "" && opts.Remote == "":
		return nil, errors.New("mdslib: MDSOptions.Out is empty: want a local folder or a URL")
	case !local && opts.Remote != "":
		return nil, fmt.Errorf("mdslib: with Remote %q set, Out %q must be a local folder", store.Redacted(opts.Remote), opts.Out)
	case !local:
		dir, c.remoteURL = "", opts.Out
	}
	if c.remoteURL != "" {
		var err error
		if c.remote, err = store.Open(ctx, c.remoteURL); err != nil {
			return nil, fmt.Errorf("mdslib: %w", err)
		}
		if !opts.ExistOK {
			if err := prepareRemote(ctx, c.remote, c.remoteURL, false); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if dir == "" {
		c.temporary = true
		if dir, err = os.MkdirTemp("", "mds-"); err != nil {
			return nil, fmt.Errorf("mdslib: %w", err)
		}
	} else if err := c.checkOut(dir); err != nil {
		return nil, err
	}
	c.dir = dir
	c.attempt = filepath.Join(dir, attemptPrefix+strconv.FormatUint(rand.Uint64(), 36))
	if err := os.MkdirAll(c.attempt, 0o777); err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	return c, nil
}

// checkOut sees whether dir may be written to, and removes what broken attempts left in it.
func (c *Conversion) checkOut(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		c.made = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	if len(entries) > 0 && !c.opts.ExistOK {
		what := ""
		if strings.HasPrefix(entries[0].Name(), attemptPrefix) {
			what = ", left by a conversion that was killed or still runs"
		}
		return fmt.Errorf("mdslib: out folder %s is not empty (%w): it holds %s%s; choose another, delete it, or set ExistOK to replace it", dir, fs.ErrExist, entries[0].Name(), what)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && (!entry.Type().IsRegular() || !isDatasetFile(entry.Name())) {
			return fmt.Errorf("mdslib: out folder %s holds %s, which is no part of a data set, so it is not replaced (%w)", dir, path, fs.ErrExist)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), attemptPrefix) {
			c.replaces = true
		} else if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	}
	return nil
}

// partitionDir is the name of a partition's folder; the zeros keep the order of names that of numbers.
func partitionDir(partition int) string { return fmt.Sprintf("%05d", partition) }

// PartitionOptions returns the options of the writer for one partition. A partition that is tried again gets a folder of
// its own: only the one that PartitionReport names counts.
func (c *Conversion) PartitionOptions(partition int) MDSOptions {
	opts := c.opts
	opts.Out = filepath.Join(c.attempt, partitionDir(partition))
	opts.Remote, opts.KeepLocal, opts.ExistOK = "", true, false
	opts.Progress = nil
	if hook := c.opts.OnInvalid; hook != nil {
		opts.OnInvalid = func(err error) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			return hook(err)
		}
	}
	if c.opts.Progress != nil {
		opts.Progress = func(p WriteProgress) { c.report(partition, p) }
	}
	return opts
}

// report adds a partition's progress to the whole.
func (c *Conversion) report(partition int, p WriteProgress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.progress[partition]
	c.progress[partition] = p
	c.total.Shards += p.Shards - old.Shards
	c.total.Samples += p.Samples - old.Samples
	c.total.RawBytes += p.RawBytes - old.RawBytes
	c.total.StoredBytes += p.StoredBytes - old.StoredBytes
	c.total.UploadedFiles += p.UploadedFiles - old.UploadedFiles
	c.total.Elapsed = time.Since(c.started)
	c.opts.Progress(c.total)
}

// Report sums an index up as the report of one partition.
func (c *Conversion) Report(partition int, index *Index, took time.Duration) PartitionReport {
	return PartitionReport{
		Partition: partition, Dir: partitionDir(partition), Samples: int64(index.NumSamples()), Shards: len(index.Shards),
		RawBytes: index.RawBytes(), ZipBytes: index.StoredBytes(), Seconds: took.Seconds(),
	}
}

// Commit publishes the partitions, in this order; those without samples are left out. An earlier data set is removed. On
// error the attempt is aborted.
func (c *Conversion) Commit(ctx context.Context, engine string, partitions []PartitionReport) (*Report, error) {
	r := &Report{
		Path: store.Redacted(c.opts.Out), Remote: store.Redacted(c.opts.Remote), Engine: engine, Columns: c.opts.Columns, Hashes: c.opts.Hashes, Replaced: c.replaces,
		Partitions: []PartitionReport{},
	}
	if codec, err := parseCompression(c.opts.Compression); err == nil {
		r.Compression = codec.text
	}
	for _, p := range partitions {
		if p.Samples == 0 {
			continue
		}
		r.Partitions = append(r.Partitions, p)
		r.Samples += p.Samples
		r.Shards += p.Shards
		r.RawBytes += p.RawBytes
		r.ZipBytes += p.ZipBytes
	}
	if len(r.Partitions) == 0 {
		return nil, c.Abort(errors.New("mdslib: DataFrameToMDS: the DataFrame has no rows"))
	}
	if err := ctx.Err(); err != nil {
		return nil, c.Abort(err)
	}
	if err := c.commit(ctx, r.Partitions); err != nil {
		for _, p := range r.Partitions { // those that had their places already
			if !c.replaces {
				err = errors.Join(err, os.RemoveAll(filepath.Join(c.dir, p.Dir)))
			}
		}
		return nil, c.Abort(err)
	}
	r.Seconds = time.Since(c.started).Seconds()
	return r, nil
}

func (c *Conversion) commit(ctx context.Context, partitions []PartitionReport) error {
	if err := c.removeEarlier(); err != nil {
		return err
	}
	c.replaces = false
	var indexes []string
	for _, p := range partitions {
		to := filepath.Join(c.dir, p.Dir)
		if err := os.Rename(filepath.Join(c.attempt, p.Dir), to); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		indexes = append(indexes, filepath.Join(to, IndexName))
	}
	if c.remote == nil {
		if err := os.RemoveAll(c.attempt); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		return MergeIndexFiles(ctx, indexes, c.dir, MergeOptions{})
	}
	if err := c.upload(ctx, partitions); err != nil {
		return err
	}
	if err := MergeIndexFiles(ctx, indexes, c.dir, MergeOptions{Remote: c.remoteURL}); err != nil {
		return err
	}
	if !c.opts.KeepLocal || c.temporary {
		return os.RemoveAll(c.dir)
	}
	return os.RemoveAll(c.attempt)
}

// removeEarlier removes the data set that lies in dir, index.json first.
func (c *Conversion) removeEarlier() error {
	if !c.replaces {
		return nil
	}
	if err := os.Remove(filepath.Join(c.dir, IndexName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mdslib: %w", err)
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(c.attempt) {
			if err := os.RemoveAll(filepath.Join(c.dir, e.Name())); err != nil {
				return fmt.Errorf("mdslib: %w", err)
			}
		}
	}
	return nil
}

// isPartitionFile tells whether a partition's file has such a key.
func isPartitionFile(key string) bool {
	dir, name, _ := strings.Cut(key, "/")
	return isNumber(dir) && name != "" && !strings.Contains(name, "/")
}

// upload copies all files but the merged index and removes those of an earlier data set, whose index goes first.
func (c *Conversion) upload(ctx context.Context, partitions []PartitionReport) error {
	if err := prepareRemote(ctx, c.remote, c.remoteURL, true); err != nil {
		return err
	}
	attempts := c.opts.Retry
	if attempts == 0 {
		attempts = 2
	}
	workers := c.opts.MaxWorkers
	if workers == 0 {
		workers = min(32, runtime.NumCPU()+4)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	fresh := map[string]bool{}
	for _, p := range partitions {
		files, err := os.ReadDir(filepath.Join(c.dir, p.Dir))
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		for _, f := range files {
			key := p.Dir + "/" + f.Name()
			fresh[key] = true
			group.Go(func() error {
				if err := retry(ctx, attempts, func() error { return c.remote.Put(ctx, filepath.Join(c.dir, key), key) }); err != nil {
					return fmt.Errorf("mdslib: upload %s: %w", key, err)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if !c.opts.ExistOK {
		return nil
	}
	for o, err := range c.remote.List(context.WithoutCancel(ctx), "") {
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		if base := o.Key[strings.LastIndexByte(o.Key, '/')+1:]; isPartitionFile(o.Key) && isDatasetFile(base) && !fresh[o.Key] {
			if err := c.remote.Delete(context.WithoutCancel(ctx), o.Key); err != nil {
				return fmt.Errorf("mdslib: %w", err)
			}
		}
	}
	return nil
}

// Abort removes what the attempt wrote and returns cause with a line about what was removed and what is left.
func (c *Conversion) Abort(cause error) error {
	done := 0
	if entries, err := os.ReadDir(c.attempt); err == nil {
		done = len(entries)
	}
	left := "nothing is left"
	err := os.RemoveAll(c.attempt)
	if c.temporary {
		err = errors.Join(err, os.RemoveAll(c.dir))
	} else if entries, rerr := os.ReadDir(c.dir); rerr == nil {
		switch {
		case c.replaces:
			left = "the earlier data set there is as it was"
		case len(entries) == 0 && c.made:
			err = errors.Join(err, os.Remove(c.dir))
		case len(entries) > 0:
			left = fmt.Sprintf("%d files or folders are left there, without an %s", len(entries), IndexName)
		}
	}
	if err != nil {
		return fmt.Errorf("%w\n(removing the unfinished data set failed too: %v; delete %s)", cause, err, c.attempt)
	}
	return fmt.Errorf("%w\n(no data set was written to %s: the files of %d unfinished partitions were removed, %s)", cause, store.Redacted(c.opts.Out), done, left)
}
