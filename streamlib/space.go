package streamlib

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// reserve makes room for shard i of s, whose lock the caller holds; release ends the reservation.
func (sp *space) reserve(ctx context.Context, s *source, i int) (release func(), err error) {
	if sp.limitBytes == 0 {
		return func() {}, nil
	}
	pause := time.Millisecond
	for {
		room, err := sp.makeRoom(ctx, s, i)
		if err != nil {
			return nil, err
		}
		if room {
			return func() { sp.unreserve(s, i) }, nil
		}
		// What is on its way, perhaps in other processes, takes all the room there is. It can go once it is here.
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for room for %s: %w", s.index.Shards[i].RawData.Basename, context.Cause(ctx))
		case <-time.After(pause):
			pause = min(2*pause, 50*time.Millisecond)
		}
	}
}

// makeRoom removes shards until shard i fits, and reserves its room. It returns false if that must wait for shards that
// are on their way.
func (sp *space) makeRoom(ctx context.Context, s *source, i int) (bool, error) {
	// Goroutines of this process share its locks, so they take turns first; then all processes do, each over all folders
	// in the same order.
	sp.cache.accounting.Lock()
	defer sp.cache.accounting.Unlock()
	for _, other := range sp.sources {
		locks, err := other.lockFile()
		if err != nil {
			return false, err
		}
		if err := locks.lock(ctx, folderLock); err != nil {
			return false, err
		}
		defer locks.unlock(folderLock)
	}

	need := shardBytes(&s.index.Shards[i])
	var used int64
	coming := 0
	var shards []stored
	for _, other := range sp.sources {
		for k := range other.index.Shards {
			if other == s && k == i {
				continue
			}
			bytes, last := other.storedBytes(k)
			slot := sp.cache.slot(other, k)
			if slot.reserved.Load() || other.reservedElsewhere(k) {
				used += shardBytes(&other.index.Shards[k])
				coming++
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
	slices.SortFunc(shards, func(a, b stored) int { return a.used.Compare(b.used) })
	for ; used+need > sp.limitBytes; shards = shards[1:] {
		if len(shards) == 0 {
			if coming > 0 {
				return false, nil
			}
			return false, fmt.Errorf("no room for %s (%d bytes raw and compressed): %d bytes are taken by files that must stay, CacheLimit is %d",
				s.index.Shards[i].RawData.Basename, need, used, sp.limitBytes)
		}
		e := shards[0]
		sp.cache.drop(e.source, e.shard)
		if err := e.source.removeShard(e.shard); err != nil {
			return false, err
		}
		used -= e.bytes
	}
	locks, err := s.lockFile()
	if err != nil {
		return false, err
	}
	if err := locks.lock(ctx, reserveLock+i); err != nil {
		return false, err
	}
	sp.cache.slot(s, i).reserved.Store(true)
	return true, nil
}

func (sp *space) unreserve(s *source, i int) {
	sp.cache.slot(s, i).reserved.Store(false)
	if locks, err := s.lockFile(); err == nil {
		locks.unlock(reserveLock + i)
	}
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

// reservedElsewhere tells whether another process has room for a shard that it is bringing.
func (s *source) reservedElsewhere(i int) bool {
	locks, err := s.lockFile()
	if err != nil {
		return false
	}
	free, err := locks.try(reserveLock + i)
	if free {
		locks.unlock(reserveLock + i)
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
