package mdslib

// Going on with a data set: what lies in Out when a writer with Resume starts.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// resume finds the shards that stay: those of the index.json in Out or at the remote, or, where a writer died, the sound ones
// up to the first gap. What comes behind that gap is removed: its samples will be written again.
func (w *MDSWriter) resume(ctx context.Context, dir string) error {
	if w.opts.ExistOK {
		return errors.New("mdslib: Resume goes on with a data set, ExistOK replaces it: set one of them")
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	}
	index, err := w.earlierIndex(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) && w.remote == nil {
		index, err = w.recover(ctx, dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mdslib: resume: the remote has no %s, so what lies there is not known to be whole: write it anew", IndexName)
	}
	if err != nil {
		return err
	}
	for i := range index.Shards {
		s := &index.Shards[i]
		if s.Format != w.shard.Format || s.Newline != w.shard.Newline || s.Separator != w.shard.Separator || !reflect.DeepEqual(s.Columns(), w.shard.Columns()) {
			return fmt.Errorf("mdslib: resume: %s is %s with columns %v, the options say %s with %v", s.RawData.Basename, s.Format, s.Columns(), w.shard.Format, w.shard.Columns())
		}
		if number, ok := shardNumber(s.RawData.Basename); ok {
			w.next = max(w.next, number+1)
		}
	}
	w.earlier, w.first = index.Shards, w.next
	if dir == "" {
		return nil
	}
	return removeBehind(dir, w.next)
}

// removeBehind removes what a writer left that died while it appended: shards from the given number on, which no index
// names, and temporary files.
func removeBehind(dir string, number int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		n, shard := shardNumber(name)
		if entry.Type().IsRegular() && isDatasetFile(name) && (shard && n >= number || strings.HasPrefix(name, ".")) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("mdslib: resume: %w", err)
			}
		}
	}
	return nil
}

// earlierIndex reads the index of the data set that is there.
func (w *MDSWriter) earlierIndex(ctx context.Context, dir string) (*Index, error) {
	if w.remote == nil {
		return ReadIndex(filepath.Join(dir, IndexName))
	}
	temp, err := os.CreateTemp("", "mds-index-")
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	temp.Close()
	defer os.Remove(temp.Name())
	if err := retry(ctx, 2, func() error { return w.remote.Get(ctx, IndexName, temp.Name()) }); err != nil {
		return nil, fmt.Errorf("mdslib: resume: %w", err)
	}
	return ReadIndex(temp.Name())
}

// shardNumber is the number in the name of a shard at the root of its data set.
func shardNumber(basename string) (int, bool) {
	parts := strings.Split(basename, ".")
	if path.Dir(basename) != "." || len(parts) < 3 || parts[0] != "shard" {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil
}

// recover takes the shards that a writer left that died: the sound ones up to the first gap. The rest is removed.
func (w *MDSWriter) recover(ctx context.Context, dir string) (*Index, error) {
	found, err := findShards(dir)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if s.folder != "" {
			return nil, fmt.Errorf("mdslib: resume: %s holds partitions (%s): RebuildIndex makes its index anew", dir, s.folder)
		}
	}
	infos, problems := rebuildShards(ctx, dir, found)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	index := &Index{}
	whole := true
	for i, s := range found {
		if whole = whole && problems[i] == nil && s.number == i; whole {
			index.Shards = append(index.Shards, *infos[i])
			continue
		}
		for _, name := range s.files {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return nil, fmt.Errorf("mdslib: resume: %w", err)
			}
		}
	}
	return index, nil
}

// Resumed returns the number of samples that were there when a writer with Resume started: how many the caller may skip.
func (w *MDSWriter) Resumed() int64 {
	n := 0
	for i := range w.earlier {
		n += w.earlier[i].Samples
	}
	return int64(n)
}
