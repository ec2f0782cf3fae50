package streamlib

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gomosaic/mdslib"
)

// space keeps the files of a data set's streams below CacheLimit, together with the other processes that share their
// folders. The least recently used shards go first. What lies in a local folder without a remote is never removed, unless
// it was decompressed from a file that stays.
type space struct {
	limitBytes int64 // 0: no limit
	sources    []*source
	cache      *cache
}

// check refuses a limit that the reference refuses: below the indexes, or below four of the largest shard.
func (sp *space) check() error {
	if sp.limitBytes == 0 {
		return nil
	}
	var indexes, largest int64
	for _, s := range sp.sources {
		if stat, err := os.Stat(filepath.Join(first(s.from, s.dir), mdslib.IndexName)); err == nil {
			indexes += stat.Size()
		}
		for i := range s.index.Shards {
			largest = max(largest, shardBytes(&s.index.Shards[i]))
		}
	}
	if sp.limitBytes <= indexes {
		return fmt.Errorf("streamlib: CacheLimit of %d bytes is no more than the index files take (%d bytes)", sp.limitBytes, indexes)
	}
	if sp.limitBytes < 4*largest {
		return fmt.Errorf("streamlib: CacheLimit of %d bytes is less than four times the largest shard (%d bytes, raw and compressed)", sp.limitBytes, largest)
	}
	return nil
}

// shardBytes is the most a shard takes: raw and compressed.
func shardBytes(info *mdslib.ShardInfo) int64 {
	var n int64
	for _, f := range shardFiles(info) {
		n += f.Bytes
	}
	return n
}

// stored is a shard's share of the limit.
type stored struct {
	source *source
	shard  int
	bytes  int64
	used   time.Time
}

// reserve makes room for shard i of s, whose lock the caller holds.
func (sp *space) reserve(ctx context.Context, s *source, i int) error {
	if sp.limitBytes == 0 {
		return nil
	}
	// Goroutines of this process share its locks, so they take turns first; then all processes do, each over all folders
	// in the same order.
	sp.cache.accounting.Lock()
	defer sp.cache.accounting.Unlock()
	for _, other := range sp.sources {
		locks, err := other.lockFile()
		if err != nil {
			return err
		}
		if err := locks.lock(ctx, folderLock); err != nil {
			return err
		}
		defer locks.unlock(folderLock)
	}

	need := shardBytes(&s.index.Shards[i])
	var used int64
	var shards []stored
	for _, other := range sp.sources {
		for k := range other.index.Shards {
			if other == s && k == i {
				continue
			}
			bytes, last := other.storedBytes(k)
			if sp.cache.busy(other, k) || other.lockedElsewhere(k, bytes) {
				used += shardBytes(&other.index.Shards[k]) // on its way
				continue
			}
			used += bytes
			if bytes > 0 {
				shards = append(shards, stored{other, k, bytes, last})
			}
		}
		if stat, err := os.Stat(filepath.Join(other.dir, mdslib.IndexName)); err == nil {
			used += stat.Size()
		}
	}
	for used+need > sp.limitBytes {
		oldest := -1
		for k := range shards {
			if oldest < 0 || shards[k].used.Before(shards[oldest].used) {
				oldest = k
			}
		}
		if oldest < 0 {
			return fmt.Errorf("no room for %s: %d bytes are in use by shards on their way, CacheLimit is %d",
				s.index.Shards[i].RawData.Basename, used, sp.limitBytes)
		}
		e := shards[oldest]
		sp.cache.drop(e.source, e.shard)
		if err := e.source.removeShard(e.shard); err != nil {
			return err
		}
		used -= e.bytes
		shards[oldest] = shards[len(shards)-1]
		shards = shards[:len(shards)-1]
	}
	return nil
}

// evictable are the files of a shard that can be brought or made again.
func (s *source) evictable(i int) []mdslib.FileInfo {
	info := &s.index.Shards[i]
	switch {
	case s.remote != nil:
		return shardFiles(info)
	case info.ZipData == nil:
		return nil
	case info.RawMeta != nil:
		return []mdslib.FileInfo{info.RawData, *info.RawMeta}
	}
	return []mdslib.FileInfo{info.RawData}
}

// storedBytes is what a shard's evictable files take at present, and when one was last used.
func (s *source) storedBytes(i int) (bytes int64, used time.Time) {
	if s.remote == nil && s.from == "" {
		for _, f := range []*mdslib.FileInfo{s.index.Shards[i].ZipData, s.index.Shards[i].ZipMeta} {
			if f == nil {
				continue
			}
			if _, err := os.Stat(pathOf(s.dir, *f)); err != nil {
				return 0, used // the raw file is the only copy
			}
		}
	}
	for _, f := range s.evictable(i) {
		if stat, err := os.Stat(pathOf(s.dir, f)); err == nil {
			bytes += stat.Size()
			if stat.ModTime().After(used) {
				used = stat.ModTime()
			}
		}
	}
	return bytes, used
}

// lockedElsewhere tells whether another process is bringing a shard that is not there yet.
func (s *source) lockedElsewhere(i int, bytes int64) bool {
	if bytes > 0 {
		return false
	}
	locks, err := s.lockFile()
	if err != nil {
		return false
	}
	free, err := locks.try(shardLock + i)
	if free {
		locks.unlock(shardLock + i)
	}
	return err == nil && !free
}

func (s *source) removeShard(i int) error {
	for _, f := range s.evictable(i) {
		err := os.Remove(pathOf(s.dir, f))
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("evict: %w", err)
		}
	}
	return nil
}

// touch notes the use of a shard, for all processes, in the time of its file.
func (sp *space) touch(s *source, i int) {
	if sp.limitBytes == 0 {
		return
	}
	now := time.Now()
	// A failure (the shard was evicted meanwhile, the folder is not ours) only makes the order of eviction less good.
	_ = os.Chtimes(pathOf(s.dir, s.index.Shards[i].RawData), now, now)
}
