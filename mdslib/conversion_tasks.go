package mdslib

// Conversions whose partitions are written by tasks on other machines, which may be killed, tried again, or run twice at the
// same time. Each try writes to a folder of its own; the ones that the driver hears of become the data set, the others are
// removed, and one that still writes after that writes what no index names.
//
// Where there is no remote, or the local files are kept beside it, the folders lie in the attempt's, which the tasks' machines
// must share with this one, and Commit gives those that count their places. Else tasks write to the remote, where nothing can
// be renamed: their folders keep their names there, as do those of partitions that this process writes, which are tried once,
//
//	s3://bucket/flowers/_attempt-5f0c-k3x9/_running, …                        while tasks run
//	s3://bucket/flowers/00003-k3x9-a7qw/shard.00000.mds.zstd, index.json      by a task
//	s3://bucket/flowers/00003-k3x9/shard.00000.mds.zstd, index.json           here
//	s3://bucket/flowers/index.json
//
// In both places the file _running tells tasks that they see what this process does, and that their work is wanted: when it is gone
// they end by themselves and remove what they wrote. What tasks say in turn lies beside it (conversion_signs.go).

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

// TaskOptions makes the marker and returns the options of the tasks' writers, of which each appends a folder of its own to Out or
// Remote, the one of both that is set. Its name is the partition's number in five digits or more, TaskToken and something that no
// other try has, with a "-" between. marker is the key of the marker there. Of another conversion whose driver died at the remote,
// and that ExistOK replaces, the tasks are ended.
func (c *Conversion) TaskOptions(ctx context.Context) (opts MDSOptions, marker string, err error) {
	opts = c.opts
	opts.ExistOK, opts.KeepLocal, opts.Resume, opts.ProgressBar, opts.NoMergedIndex = false, false, false, false, false
	opts.UDFIterable, opts.Progress, opts.OnInvalid, opts.SparkWriters = nil, nil, nil, ""
	if opts.Format == "" || opts.Format == "mds" {
		if opts.NullAs, err = opts.Columns.travelling(opts.NullAs); err != nil {
			return opts, "", err
		}
	}
	if limit, err := parseSizeLimit(opts.SizeLimit); err == nil && opts.WriterMemory == "" {
		opts.WriterMemory = Bytes(limit + limit/4)
	}
	mark := filepath.Join(c.attempt, markerName)
	if err := os.WriteFile(mark, nil, 0o666); err != nil {
		return opts, "", fmt.Errorf("mdslib: %w", err)
	}
	if !c.atRemote {
		c.tasksHere = true
		opts.Remote = ""
		if opts.Out, err = filepath.Abs(c.attempt); err != nil {
			return opts, "", fmt.Errorf("mdslib: %w", err)
		}
		return opts, markerName, nil
	}
	opts.Out, opts.Remote = "", c.remoteURL
	if dir, ok := store.LocalPath(c.remoteURL); ok {
		if opts.Remote, err = filepath.Abs(dir); err != nil {
			return opts, "", fmt.Errorf("mdslib: %w", err)
		}
	}
	if err := c.endTasks(ctx); err != nil {
		return opts, "", fmt.Errorf("mdslib: %w", err)
	}
	c.tasksThere = true
	if err := putFile(ctx, c.remote, mark, c.marker()); err != nil {
		return opts, "", fmt.Errorf("mdslib: %w", err)
	}
	return opts, c.marker(), nil
}

// removeAttempt removes the attempt's folder. Of tasks that are just being ended some may still put files into it, until they
// find that their folders are gone.
func (c *Conversion) removeAttempt() error {
	err := os.RemoveAll(c.attempt)
	for end := time.Now().Add(taskFarewell); c.tasksHere && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		if _, serr := os.Stat(c.attempt); errors.Is(serr, fs.ErrNotExist) {
			return nil
		}
		err = os.RemoveAll(c.attempt)
	}
	return err
}

// TaskToken is what the names of the folders of this conversion's tasks hold.
func (c *Conversion) TaskToken() string {
	name := filepath.Base(c.attempt)
	return name[strings.LastIndexByte(name, '-')+1:]
}

// ReportTask adds what a task says on its way to the progress.
func (c *Conversion) ReportTask(partition int, p WriteProgress) {
	if c.opts.Progress != nil || c.bar != nil {
		c.report(partition, p)
	}
}

// NoteTasks shows how far single tasks are, beside the whole.
func (c *Conversion) NoteTasks(text string) {
	if c.bar != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bar.Note("tasks", text)
	}
}

// TaskDone adds a task's end to the progress.
func (c *Conversion) TaskDone(r PartitionReport) {
	c.ReportTask(r.Partition, WriteProgress{Shards: r.Shards, Samples: r.Samples, RawBytes: r.RawBytes, StoredBytes: r.ZipBytes})
	if c.bar != nil {
		c.bar.Add(1)
	}
}

// CheckTasks sees whether what the tasks report lies where this process reads it, each partition once.
func (c *Conversion) CheckTasks(partitions []PartitionReport) error {
	seen := map[int]bool{}
	for _, p := range partitions {
		name, token, _ := strings.Cut(p.Dir, "-")
		if seen[p.Partition] || !isNumber(name) || name != partitionDir(p.Partition) || !strings.HasPrefix(token, c.TaskToken()+"-") || strings.ContainsAny(p.Dir, `/\`) {
			return fmt.Errorf("mdslib: a task reports partition %d in the folder %q, which is not one of this conversion, or the second of that partition", p.Partition, p.Dir)
		}
		seen[p.Partition] = true
		folder := filepath.Join(c.attempt, p.Dir)
		if c.atRemote {
			dir, local := store.LocalPath(c.remoteURL)
			if !local {
				continue // reading its index finds out
			}
			folder = filepath.Join(dir, p.Dir)
		}
		if _, err := os.Stat(filepath.Join(folder, IndexName)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mdslib: a task wrote partition %d to %s, which this process does not see (%w): want a folder that the executors share with it, or a URL", p.Partition, folder, err)
		} else if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	}
	return nil
}

// NewPartitionReport sums an index up as the report of one complete partition.
func NewPartitionReport(partition int, dir string, index *Index, took time.Duration) PartitionReport {
	r := PartitionReport{
		Partition: partition, Dir: dir, Samples: int64(index.NumSamples()), Shards: len(index.Shards),
		RawBytes: index.RawBytes(), ZipBytes: index.StoredBytes(), Seconds: took.Seconds(), ShardBytes: []int64{}, ShardZipBytes: []int64{},
	}
	for i := range index.Shards {
		raw, stored := int64(0), int64(0)
		for _, part := range index.Shards[i].parts() {
			raw += part.raw.Bytes
		}
		for _, f := range index.Shards[i].Files() {
			stored += f.Bytes
		}
		r.ShardBytes, r.ShardZipBytes = append(r.ShardBytes, raw), append(r.ShardZipBytes, stored)
	}
	return r
}

// isTaskDir tells whether a folder of a remote has the name of a partition, one written by a task or not.
func isTaskDir(name string) bool {
	number, rest, task := strings.Cut(name, "-")
	return isNumber(number) && (!task || rest != "")
}

// commitAtRemote makes a data set of what lies at the remote, written by tasks, or by writers of this process, whose indexes are
// still here: an earlier one goes, index.json first, and so does what belongs to no partition of this conversion.
func (c *Conversion) commitAtRemote(ctx context.Context, partitions []PartitionReport) error {
	c.copied.mu.Lock()
	c.copied.replaced = c.opts.ExistOK
	c.copied.mu.Unlock()
	if err := prepareRemote(ctx, c.remote, c.remoteURL, c.opts.ExistOK); err != nil {
		return err
	}
	if err := c.endTasks(ctx); err != nil { // tasks that were overtaken end
		return fmt.Errorf("mdslib: %w", err)
	}
	counts := map[string]bool{}
	var indexes []string
	for _, p := range partitions {
		counts[p.Dir] = true
		indexes = append(indexes, store.Join(c.remoteURL, p.Dir+"/"+IndexName))
	}
	if len(c.indexes) > 0 {
		if err := c.putIndexes(ctx, partitions); err != nil {
			return err
		}
	}
	others, err := c.taskFiles(ctx, func(dir string) bool { return !counts[dir] && c.clears(dir) })
	if err == nil {
		err = c.deleteAll(ctx, others)
	}
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	if !c.opts.NoMergedIndex {
		if err := MergeIndexFiles(ctx, indexes, c.remoteURL, MergeOptions{}); err != nil {
			return err
		}
	}
	// Of tries that were killed; not earlier, since an error until now makes this wait for those that run. One that stays harms nobody.
	_ = c.deleteSigns(ctx, func(dir, _ string) bool { return c.clears(dir) })
	return os.RemoveAll(c.dir)
}

// removeFolders deletes what this conversion wrote to the remote, and returns the number of files. Tasks are ended before.
func (c *Conversion) removeFolders(ctx context.Context) (files int, err error) {
	if c.tasksThere {
		err = c.awaitTasks(ctx)
	}
	keys, lerr := c.taskFiles(ctx, c.isOurs)
	err = errors.Join(err, lerr, c.deleteAll(ctx, keys))
	if c.tasksThere {
		err = errors.Join(err, c.deleteSigns(ctx, func(dir, _ string) bool { return c.isOurs(dir) }))
	}
	return len(keys), err
}

// isOurs tells whether a folder at the remote is that of one of this conversion's tasks.
func (c *Conversion) isOurs(dir string) bool {
	return slices.Contains(strings.Split(dir, "-"), c.TaskToken())
}

// clears tells whether a folder at the remote goes when this conversion is committed, if it belongs to none of its partitions.
func (c *Conversion) clears(dir string) bool { return c.opts.ExistOK || c.isOurs(dir) }

// taskFiles lists the data set's files at the remote in those folders of partitions that which accepts.
func (c *Conversion) taskFiles(ctx context.Context, which func(dir string) bool) (keys []string, err error) {
	for o, err := range c.remote.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if dir, name, _ := strings.Cut(o.Key, "/"); isPartitionFile(o.Key) && isDatasetFile(name) && which(dir) {
			keys = append(keys, o.Key)
		}
	}
	return keys, nil
}
