package mdscmd

// A data set named on the command line: a folder, or a URL whose files come to a temporary folder.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// set is a data set at hand.
type set struct {
	name   string // as given, without a password
	dir    string
	index  *mdslib.Index
	remote store.Store // nil for a local one
}

// openSet reads the index of the data set at place. close must be called.
func openSet(ctx context.Context, place string) (*set, error) {
	s := &set{name: store.Redacted(place)}
	dir, local := store.LocalPath(place)
	if local {
		s.dir = dir
	} else {
		var err error
		if s.remote, err = store.Open(ctx, place); err != nil {
			return nil, err
		}
		if s.dir, err = os.MkdirTemp("", "mds-set-"); err != nil {
			return nil, err
		}
		if err := s.remote.Get(ctx, mdslib.IndexName, filepath.Join(s.dir, mdslib.IndexName)); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	var err error
	if s.index, err = mdslib.ReadIndex(filepath.Join(s.dir, mdslib.IndexName)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// bring downloads the shards from one number up to another, that one not included, if the data set is remote.
func (s *set) bring(ctx context.Context, from, to int) error {
	if s.remote == nil {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(downloads)
	for i := from; i < to; i++ {
		for _, f := range s.index.Shards[i].Files() {
			group.Go(func() error {
				path := filepath.Join(s.dir, filepath.FromSlash(f.Basename))
				if _, err := os.Stat(path); err == nil {
					return nil
				}
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					return err
				}
				return s.remote.Get(ctx, f.Basename, path)
			})
		}
	}
	return group.Wait()
}

// whole downloads all shards of a remote data set.
func (s *set) whole(ctx context.Context, c *command) error {
	if s.remote == nil {
		return nil
	}
	bar := c.progress("downloaded", int64(len(s.index.Shards)))
	defer bar.end()
	for i := 0; i < len(s.index.Shards); i += downloads {
		if err := s.bring(ctx, i, min(i+downloads, len(s.index.Shards))); err != nil {
			return err
		}
		bar.at(int64(min(i+downloads, len(s.index.Shards))))
	}
	return nil
}

// downloads are made side by side.
const downloads = 8

// download brings files below dir, side by side.
func (c *command) download(ctx context.Context, remote store.Store, keys []string, dir string) error {
	bar := c.progress("downloaded", int64(len(keys)))
	defer bar.end()
	var done atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(downloads)
	for _, key := range keys {
		group.Go(func() error {
			to := filepath.Join(dir, filepath.FromSlash(key))
			if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
				return err
			}
			defer done.Add(1)
			return remote.Get(groupCtx, key, to)
		})
		bar.at(done.Load())
	}
	return group.Wait()
}

// open opens the data set for reading. Pickles may be in it: reading one runs nothing, and columns that are not shown are
// not decoded.
func (s *set) open() (*mdslib.Dataset, error) {
	return mdslib.OpenDataset(s.dir, mdslib.ReadOptions{AllowUnsafeTypes: true})
}

func (s *set) close() error {
	if s.remote == nil {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// isText tells whether a shard is one of a text format.
func isText(info *mdslib.ShardInfo) bool { return info.Format != "mds" }

// columns are those of all shards, in stored order, with their encodings in MDS: float of a text format is float64, int and
// str are encodings of both. A data set whose shards differ in them is refused.
func (s *set) columns() (names []string, columns mdslib.Columns, err error) {
	for i := range s.index.Shards {
		info := &s.index.Shards[i]
		have := info.Columns()
		if isText(info) {
			for name, encoding := range have {
				if encoding == "float" {
					have[name] = "float64"
				}
			}
		}
		if i == 0 {
			columns = have
			names = columns.Names()
		} else if !maps.Equal(have, columns) {
			return nil, nil, fmt.Errorf("%s: %s has other columns than the first shard: %v", s.name, info.RawData.Basename, have)
		}
	}
	return names, columns, nil
}
