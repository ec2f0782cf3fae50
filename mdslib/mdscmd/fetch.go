package mdscmd

// Files at a URL brought to a folder of this machine.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

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

// fetch brings the tables or images at a URL to a folder below dir, which is empty, and returns it, named as the URL's last
// part: the DataFrame reader reads files of this machine. It returns "" where a data set lies, whose shards come one after the
// other instead.
func (c *command) fetch(ctx context.Context, url, dir string) (string, error) {
	url = strings.TrimRight(url, "/")
	name := path.Base(url)
	if format, _ := tableFormat(url); format != "" { // a file, or a folder of that name, as Spark makes them
		parent, err := store.Open(ctx, strings.TrimSuffix(url, name))
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, name)
		if err := parent.Get(ctx, name, file); err == nil {
			return file, nil
		} // where it is a folder, each kind of store has its own error
	}
	remote, err := store.Open(ctx, url)
	if err != nil {
		return "", err
	}
	index := filepath.Join(dir, mdslib.IndexName)
	if err := remote.Get(ctx, mdslib.IndexName, index); err == nil {
		return "", os.Remove(index)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var keys []string
	for o, err := range remote.List(ctx, "") {
		if err != nil {
			return "", fmt.Errorf("%s holds no %s, and: %w", store.Redacted(url), mdslib.IndexName, err)
		}
		if format, _ := tableFormat(o.Key); (format != "" || isImage(o.Key)) && !hidden(o.Key) && store.CheckKey(o.Key) == nil {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return "", fmt.Errorf("%s holds no %s, no Parquet, Arrow, CSV or JSON lines files, and no images", store.Redacted(url), mdslib.IndexName)
	}
	folder := filepath.Join(dir, name)
	return folder, c.download(ctx, remote, keys, folder)
}

// hidden tells whether the reader passes a file by for its name or a folder's.
func hidden(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") {
			return true
		}
	}
	return false
}
