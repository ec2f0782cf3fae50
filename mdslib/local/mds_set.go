package local

// A data set that rows are read of: in a folder of this machine, or at a store, whose shards come one at a time.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// mdsSet is a data set and its index.
type mdsSet struct {
	place  string      // its folder, or URL, as messages show it
	remote store.Store // nil for a folder of this machine
	index  *mdslib.Index
}

// openMDSSet reads the index of the data set at a path of a Read.
func openMDSSet(ctx context.Context, path string) (*mdsSet, error) {
	if dir, ok := store.LocalPath(path); ok {
		index, err := mdslib.ReadIndex(dir)
		return &mdsSet{place: dir, index: index}, err
	}
	s := &mdsSet{place: shownURL(path)}
	var err error
	if s.remote, err = store.Open(ctx, path); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "mds-index-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	if err := s.remote.Get(ctx, mdslib.IndexName, filepath.Join(temp, mdslib.IndexName)); err != nil {
		return nil, fmt.Errorf("no data set there, or it was not finished: %w", err)
	}
	if s.index, err = mdslib.ReadIndex(temp); err != nil {
		return nil, fmt.Errorf("%s: %w", s.place, err)
	}
	return s, nil
}

// basename is what messages call a shard.
func (s *mdsSet) basename(shard int) string {
	name := s.index.Shards[shard].RawData.Basename
	if s.remote != nil {
		return s.place + "/" + name
	}
	return filepath.Join(s.place, filepath.FromSlash(name))
}

// open opens the data set, or with a store one that consists of that shard only, which is then number 0 of it. Reading a pickle
// runs nothing, and here it stays as it is stored.
func (s *mdsSet) open(ctx context.Context, shard int) (_ *mdslib.Dataset, err error) {
	opts := mdslib.ReadOptions{AllowUnsafeTypes: true}
	if s.remote == nil {
		return mdslib.OpenDataset(s.place, opts)
	}
	temp, err := os.MkdirTemp("", "mds-shard-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp) // an open shard keeps its contents
	info := s.index.Shards[shard]
	for _, f := range info.Files() {
		path := filepath.Join(temp, filepath.FromSlash(f.Basename))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		if err := s.remote.Get(ctx, f.Basename, path); err != nil {
			return nil, err
		}
	}
	text, err := (&mdslib.Index{Shards: []mdslib.ShardInfo{info}}).AppendJSON(nil)
	if err == nil {
		err = os.WriteFile(filepath.Join(temp, mdslib.IndexName), text, 0o666)
	}
	if err != nil {
		return nil, err
	}
	d, err := mdslib.OpenDataset(temp, opts)
	if err != nil {
		return nil, err
	}
	if _, err := d.Shard(0); err != nil {
		return nil, fmt.Errorf("%s: %w", s.place, errors.Join(err, d.Close()))
	}
	return d, nil
}

// number is that of a shard in what open returns for it.
func (s *mdsSet) number(shard int) int {
	if s.remote != nil {
		return 0
	}
	return shard
}
