package mdslib

// The commit protocol of DataFrameToMDS, shared by all engines. Partitions are written below an attempt folder in Out;
// when all are complete they are given their places and the merged index.json is written last:
//
//	Out/_attempt-5f0c-k3x9/00000/shard.00000.mds.zstd, index.json     while it runs
//	Out/00000/shard.00000.mds.zstd, index.json                        after Commit
//	Out/index.json                                                    the moment it becomes a data set
//
// An earlier data set in Out loses its index.json first, so at no moment does a half one read as whole. Shards that go to a remote
// and don't stay here are copied as they are finished, to folders of this attempt, and their indexes last (conversion_tasks.go);
// those that stay, when all are complete (conversion_remote.go). conversion_resume.go goes on with an attempt that was broken off.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gomosaic/display"
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
	broken    bool   // the earlier data set has lost its index.json
	resumed   bool   // attempt is one that was broken off
	remote    store.Store
	remoteURL string

	atRemote   bool          // shards go there as they are finished, to folders of this attempt
	tasksHere  bool          // tasks on other machines write to the attempt's folder
	tasksThere bool          // atRemote: tasks on other machines write there
	copied     copiedFiles   // to the remote
	uploads    chan struct{} // of all writers: a place for each that may be under way
	started    time.Time
	bar        *display.ProgressBar // nil without

	mu       sync.Mutex
	indexes  map[string]*Index     // atRemote: of complete partitions, by folder
	progress map[int]WriteProgress // by partition
	total    WriteProgress
	earlier  int64 // samples of partitions that a resumed attempt had
}

// StartConversion checks the options and Out and makes the attempt folder. Nothing that lies in Out is touched yet. identity
// is a text that differs where the plan, its sources or what the shards depend on differ, which tells what Resume may go on
// with; "" where there is none, and then Resume is refused.
func StartConversion(ctx context.Context, opts MDSOptions, identity string) (*Conversion, error) {
	c := &Conversion{opts: opts, remoteURL: opts.Remote, started: time.Now(), progress: map[int]WriteProgress{}, indexes: map[string]*Index{}}
	if opts.Resume && identity == "" {
		return nil, errors.New("mdslib: DataFrameToMDS: this engine can't tell what an earlier attempt wrote: leave Resume out")
	}
	if err := opts.Check(); err != nil {
		return nil, err
	}
	dir, local := store.LocalPath(opts.Out)
	switch {
	case opts.Out == "" && opts.Remote == "":
		return nil, errors.New("mdslib: MDSOptions.Out is empty: want a local folder or a URL")
	case !local && opts.Remote != "":
		return nil, fmt.Errorf("mdslib: with Remote %q set, Out %q must be a local folder", store.Redacted(opts.Remote), store.Redacted(opts.Out))
	case opts.Resume && (!local || opts.Out == ""):
		return nil, errors.New("mdslib: DataFrameToMDS: Resume needs a local folder that stays: set Out to one, and Remote to the URL")
	case !local:
		dir, c.remoteURL = "", opts.Out
	}
	if c.remoteURL != "" {
		var err error
		if c.remote, err = openWritable(ctx, c.remoteURL); err != nil {
			return nil, err
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
	} else if err := c.checkOut(dir, identity); err != nil {
		return nil, err
	}
	c.dir = dir
	c.atRemote = c.remote != nil && (c.temporary || !opts.KeepLocal && !opts.Resume)
	c.uploads = make(chan struct{}, opts.uploadWorkers())
	own := filepath.Join(dir, attemptName(identity))
	if c.resumed {
		err = os.Rename(c.attempt, own) // of two that go on with it one gets it
	} else {
		err = os.MkdirAll(own, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	c.attempt = own
	if opts.ProgressBar {
		c.bar = display.Progress(display.ProgressOptions{Desc: "writing MDS", Unit: "partition"})
	}
	return c, nil
}

// Expect says how many partitions there will be, for the progress bar.
func (c *Conversion) Expect(partitions int) {
	if c.bar != nil {
		c.bar.SetTotal(partitions)
	}
}

// checkOut sees whether dir may be written to, and removes what broken attempts left in it, but for the one that Resume goes
// on with.
func (c *Conversion) checkOut(dir, identity string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		c.made = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	if c.opts.Resume {
		entries = c.findAttempt(dir, identity, entries)
	}
	if len(entries) > 0 && !c.opts.ExistOK {
		what := ""
		if strings.HasPrefix(entries[0].Name(), attemptPrefix) {
			what = ", left by a conversion that was killed or still runs"
			if c.opts.Resume {
				what += ", of other data or with other options"
			}
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

// folder is the name of the folder that a partition is written to. At a remote, where nothing can be renamed, it is told from
// those of an earlier data set, and of another conversion, by this one's token.
func (c *Conversion) folder(partition int) string {
	if c.atRemote {
		return partitionDir(partition) + "-" + c.TaskToken()
	}
	return partitionDir(partition)
}

// PartitionOptions returns the options of the writer for one partition.
func (c *Conversion) PartitionOptions(partition int) MDSOptions {
	opts := c.opts
	opts.Out = filepath.Join(c.attempt, c.folder(partition))
	opts.Remote, opts.KeepLocal, opts.ExistOK = "", true, false
	if c.atRemote {
		opts.Remote, opts.KeepLocal, opts.conversion = store.Join(c.remoteURL, c.folder(partition)), false, c
	}
	opts.Progress = nil
	if hook := c.opts.OnInvalid; hook != nil {
		opts.OnInvalid = func(err error) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			return hook(err)
		}
	}
	if c.opts.Progress != nil || c.bar != nil {
		opts.Progress = func(p WriteProgress) { c.report(partition, p) }
	}
	opts.Resume, opts.ProgressBar, opts.UDFIterable = false, false, nil
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
	if c.bar != nil {
		c.bar.Note("samples", c.total.Samples)
		c.bar.Note("written", FormatBytes(c.total.StoredBytes))
	}
	if c.opts.Progress != nil {
		c.opts.Progress(c.total)
	}
}

// Report sums an index up as the report of one partition, which is complete.
func (c *Conversion) Report(partition int, index *Index, took time.Duration) PartitionReport {
	r := NewPartitionReport(partition, c.folder(partition), index, took)
	if c.atRemote {
		c.mu.Lock()
		c.indexes[r.Dir] = index
		c.mu.Unlock()
	}
	if c.bar != nil {
		c.bar.Add(1)
	}
	return r
}

// Commit publishes the partitions, in this order; those without samples are left out. An earlier data set is removed. On
// error the attempt is aborted.
func (c *Conversion) Commit(ctx context.Context, engine string, partitions []PartitionReport) (*Report, error) {
	r := &Report{
		Path: store.Redacted(c.opts.Out), Remote: store.Redacted(c.opts.Remote), Engine: engine, Columns: c.opts.Columns, Hashes: c.opts.Hashes, Replaced: c.replaces,
		Partitions: []PartitionReport{}, ResumedSamples: c.earlier, NoMergedIndex: c.opts.NoMergedIndex,
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
		what := "the DataFrame has no rows"
		if c.opts.UDFIterable != nil {
			what += ", or UDFIterable yields no samples"
		}
		return nil, c.Abort(errors.New("mdslib: DataFrameToMDS: " + what))
	}
	if err := ctx.Err(); err != nil {
		return nil, c.Abort(err)
	}
	if err := c.commit(ctx, r.Partitions); err != nil {
		for _, p := range r.Partitions { // those that had their places already
			if (!c.replaces || c.broken) && !c.atRemote {
				if place := filepath.Join(c.attempt, p.Dir); c.opts.Resume && os.Rename(filepath.Join(c.dir, p.Dir), place) == nil {
					continue // it is complete, and stays for the next attempt
				}
				err = errors.Join(err, os.RemoveAll(filepath.Join(c.dir, p.Dir)))
			}
		}
		return nil, c.Abort(err)
	}
	r.Seconds = time.Since(c.started).Seconds()
	if c.bar != nil {
		c.bar.Done()
	}
	return r, nil
}

// commit gives the partitions their places, which become their Dirs, and publishes the merged index.
func (c *Conversion) commit(ctx context.Context, partitions []PartitionReport) error {
	if c.atRemote {
		return c.commitAtRemote(ctx, partitions)
	}
	if err := c.removeEarlier(); err != nil {
		return err
	}
	var indexes []string
	for i := range partitions {
		p := &partitions[i]
		place := partitionDir(p.Partition)
		to := filepath.Join(c.dir, place)
		if err := os.Rename(filepath.Join(c.attempt, p.Dir), to); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		p.Dir = place
		indexes = append(indexes, filepath.Join(to, IndexName))
	}
	if c.remote == nil {
		if err := os.RemoveAll(c.attempt); err != nil { // but for tasks that were tried again, empty by now
			return fmt.Errorf("mdslib: %w", err)
		}
		if c.opts.NoMergedIndex {
			return nil
		}
		return MergeIndexFiles(ctx, indexes, c.dir, MergeOptions{})
	}
	if err := c.upload(ctx, partitions); err != nil {
		return err
	}
	if !c.opts.NoMergedIndex {
		if err := MergeIndexFiles(ctx, indexes, c.dir, MergeOptions{Remote: c.remoteURL}); err != nil {
			return err
		}
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
	c.broken = true
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

// Abort removes what the attempt wrote, here and at the remote, and returns cause with a line about what was removed and what
// is left. With Resume set, partitions that are complete stay for the next attempt.
func (c *Conversion) Abort(cause error) error {
	if c.bar != nil {
		c.bar.Stop()
	}
	if kept, unfinished, err := c.keepFinished(); kept > 0 && err == nil {
		return fmt.Errorf("%w\n(no data set was written to %s: %d complete partitions are kept in %s, the files of %d unfinished ones were removed%s; run it again with Resume to go on, or delete that folder)",
			cause, store.Redacted(c.opts.Out), kept, c.attempt, unfinished, c.removeCopied())
	}
	done := 0
	if entries, err := os.ReadDir(c.attempt); err == nil {
		for _, e := range entries {
			if e.IsDir() {
				done++
			}
		}
	}
	left := "nothing is left"
	if c.remote != nil {
		left += " here" // removeCopied speaks of the remote
	}
	err := c.removeAttempt()
	if c.temporary {
		err = errors.Join(err, os.RemoveAll(c.dir))
		if c.opts.ExistOK && !c.copied.replaced {
			left = "a data set that lay there before is as it was"
		}
	} else if entries, rerr := os.ReadDir(c.dir); rerr == nil {
		switch {
		case c.replaces && !c.broken:
			left = "the earlier data set there is as it was"
		case len(entries) == 0 && c.made:
			err = errors.Join(err, os.Remove(c.dir))
		case len(entries) > 0:
			left = fmt.Sprintf("%d files or folders are left there, without an %s", len(entries), IndexName)
		}
	}
	left += c.removeCopied()
	if err != nil {
		return fmt.Errorf("%w\n(removing the unfinished data set failed too: %v; delete %s)", cause, err, c.attempt)
	}
	if done > 0 {
		left = fmt.Sprintf("the files of %d unfinished partitions were removed, %s", done, left)
	}
	return fmt.Errorf("%w\n(no data set was written to %s: %s)", cause, store.Redacted(c.opts.Out), left)
}
