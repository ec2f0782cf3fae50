package mdslib

// A conversion's files copied to the remote, and taken back where it fails.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/store"
)

// copiedFiles are the keys that were, or may have been, written to the remote.
type copiedFiles struct {
	mu       sync.Mutex
	keys     []string
	replaced bool // an earlier data set at the remote has lost its index.json
}

// isPartitionFile tells whether a partition's file has such a key.
func isPartitionFile(key string) bool {
	dir, name, _ := strings.Cut(key, "/")
	return isTaskDir(dir) && name != "" && !strings.Contains(name, "/")
}

// upload copies all files but the merged index, the partitions' own indexes after their shards, and removes those of an
// earlier data set, whose index goes first.
func (c *Conversion) upload(ctx context.Context, partitions []PartitionReport) error {
	if c.bar != nil {
		c.bar.SetDesc("copying to the remote")
	}
	if c.opts.ExistOK {
		c.copied.replaced = true
	}
	if err := prepareRemote(ctx, c.remote, c.remoteURL, true); err != nil {
		return err
	}
	var shards, indexes []string
	for _, p := range partitions {
		files, err := os.ReadDir(filepath.Join(c.dir, p.Dir))
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		for _, f := range files {
			if f.Name() == IndexName {
				indexes = append(indexes, p.Dir+"/"+f.Name())
			} else {
				shards = append(shards, p.Dir+"/"+f.Name())
			}
		}
	}
	for _, keys := range [][]string{shards, indexes} {
		if err := c.put(ctx, keys); err != nil {
			return err
		}
	}
	if !c.opts.ExistOK {
		return nil
	}
	fresh := map[string]bool{}
	for _, key := range append(shards, indexes...) {
		fresh[key] = true
	}
	for o, err := range c.remote.List(context.WithoutCancel(ctx), "") {
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		if base := o.Key[strings.LastIndexByte(o.Key, '/')+1:]; (isPartitionFile(o.Key) && isDatasetFile(base) && !fresh[o.Key]) || isSign(o.Key) {
			if err := c.remote.Delete(context.WithoutCancel(ctx), o.Key); err != nil {
				return fmt.Errorf("mdslib: %w", err)
			}
		}
	}
	return nil
}

// putIndexes copies the indexes of the partitions whose shards are at the remote already.
func (c *Conversion) putIndexes(ctx context.Context, partitions []PartitionReport) error {
	var keys []string
	for _, p := range partitions {
		text, err := c.indexes[p.Dir].AppendJSON(nil)
		if err == nil {
			err = os.MkdirAll(filepath.Join(c.dir, p.Dir), 0o777)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, p.Dir, IndexName), text, 0o666)
		}
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		keys = append(keys, p.Dir+"/"+IndexName)
	}
	return c.put(ctx, keys)
}

// put copies files side by side.
func (c *Conversion) put(ctx context.Context, keys []string) error {
	attempts := c.opts.Retry
	if attempts == 0 {
		attempts = 2
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(c.opts.uploadWorkers())
	for _, key := range keys {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			c.copied.mu.Lock()
			c.copied.keys = append(c.copied.keys, key)
			c.copied.mu.Unlock()
			if err := retry(groupCtx, attempts, func() error { return putFile(groupCtx, c.remote, filepath.Join(c.dir, filepath.FromSlash(key)), key) }); err != nil {
				return fmt.Errorf("mdslib: upload %s: %w", key, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// deleteAll deletes files at the remote, side by side.
func (c *Conversion) deleteAll(ctx context.Context, keys []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, key := range keys {
		group.Go(func() error { return c.remote.Delete(ctx, key) })
	}
	return group.Wait()
}

// takeBackTimeout bounds how long a failed conversion deletes at the remote.
const takeBackTimeout = 2 * time.Minute

// removeCopied deletes what was copied to the remote and says what became of it, as the end of a sentence.
func (c *Conversion) removeCopied() (said string) {
	c.copied.mu.Lock()
	defer c.copied.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), takeBackTimeout) // the conversion's own may be done
	defer cancel()
	url := store.Redacted(c.remoteURL)
	if c.atRemote {
		if n, err := c.removeFolders(ctx); err != nil {
			said = fmt.Sprintf(", what was written to %s belongs to no data set and was not all removed (%v): delete the folders whose names hold %s", url, err, c.TaskToken())
		} else if n > 0 {
			said = fmt.Sprintf(", the %d files copied to %s were removed again", n, url)
		}
	} else if len(c.copied.keys) > 0 {
		said = fmt.Sprintf(", the %d files copied to %s were removed again", len(c.copied.keys), url)
		if err := c.deleteAll(ctx, c.copied.keys); err != nil {
			said = fmt.Sprintf(", the %d files copied to %s belong to no data set and could not all be removed (%v): delete them", len(c.copied.keys), url, err)
		}
		c.copied.keys = nil
	}
	if said != "" && c.copied.replaced {
		said += "; a data set that lay there has lost its " + IndexName
	}
	return said
}
