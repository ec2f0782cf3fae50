package streamlib

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"gomosaic/mdslib"
)

// cache holds the open shards of a data set. Reading an open shard takes no lock; bringing and opening one is done by one
// goroutine while the others that need it wait. It is safe for concurrent use.
type cache struct {
	space  space
	slots  []slot
	firsts []int        // number of each source's first shard
	owners []*source    // source of each shard
	spans  []int        // id of each shard's first sample, and the number of samples
	opened atomic.Int64 // shards open at present
	closed atomic.Bool

	accounting sync.Mutex // of space
	trimming   sync.Mutex
	hand       int // where trimming goes on
}

// slot is one shard's place.
type slot struct {
	shard atomic.Pointer[mdslib.Shard]
	used  atomic.Bool // since the hand passed: the clock algorithm's mark

	once     sync.Once
	turn     chan struct{} // one token: who has it may bring and open the shard
	reserved atomic.Bool   // room was made for it and it is on its way

	mu     sync.Mutex
	failed error // what a prefetch met, for the reader that it was made for
}

// mostOpen bounds the open shards. Linux gives a process 65,530 mappings; a mapping costs no memory of its own.
const mostOpen = 8192

func newCache(sources []*source, limitBytes int64) *cache {
	c := &cache{spans: []int{0}}
	for _, s := range sources {
		c.firsts = append(c.firsts, len(c.owners))
		for i := range s.index.Shards {
			c.owners = append(c.owners, s)
			c.spans = append(c.spans, c.spans[len(c.spans)-1]+s.index.Shards[i].Samples)
		}
	}
	c.slots = make([]slot, len(c.owners))
	c.space = space{limitBytes, sources, c}
	return c
}

// samples is the number of samples.
func (c *cache) samples() int { return c.spans[len(c.spans)-1] }

// locate returns the shard that holds a sample, and its position there.
func (c *cache) locate(sample int) (shard, row int) {
	low, high := 0, len(c.owners)
	for high-low > 1 {
		if mid := int(uint(low+high) >> 1); c.spans[mid] <= sample {
			low = mid
		} else {
			high = mid
		}
	}
	for c.spans[low+1] <= sample { // shards without samples
		low++
	}
	return low, sample - c.spans[low]
}

// info is a shard's entry in its index.
func (c *cache) info(shard int) *mdslib.ShardInfo {
	s := c.owners[shard]
	return &s.index.Shards[shard-c.firsts[s.number]]
}

// get returns a shard, brought here and opened if need be. It stays open until it is evicted; a reader that meets
// ErrClosed gets it again.
func (c *cache) get(ctx context.Context, shard int) (*mdslib.Shard, error) {
	if open := c.slots[shard].shard.Load(); open != nil {
		if !c.slots[shard].used.Load() {
			c.slots[shard].used.Store(true)
		}
		return open, nil
	}
	return c.bring(ctx, shard, true)
}

// prefetch does what get does, for a reader to come: an error waits for that reader.
func (c *cache) prefetch(ctx context.Context, shard int) (ok bool) {
	if c.present(shard) {
		return true
	}
	_, err := c.bring(ctx, shard, false)
	if err != nil && ctx.Err() == nil {
		s := &c.slots[shard]
		s.mu.Lock()
		s.failed = err
		s.mu.Unlock()
	}
	return err == nil
}

// takeFailure returns what a prefetch met, once.
func (c *cache) takeFailure(shard int) error {
	s := &c.slots[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.failed
	s.failed = nil
	return err
}

// present tells whether a shard is open.
func (c *cache) present(shard int) bool { return c.slots[shard].shard.Load() != nil }

func (c *cache) bring(ctx context.Context, shard int, reader bool) (*mdslib.Shard, error) {
	s := &c.slots[shard]
	s.once.Do(func() { s.turn = make(chan struct{}, 1) })
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	if open := s.shard.Load(); open != nil {
		return open, nil
	}
	if c.closed.Load() {
		return nil, errClosed
	}
	if reader {
		if err := c.takeFailure(shard); err != nil {
			return nil, err
		}
	}
	open, err := c.open(ctx, shard)
	if err != nil {
		return nil, fmt.Errorf("streamlib: stream %d (%s): shard %s: %w", c.owners[shard].number, c.owners[shard].name(), c.info(shard).RawData.Basename, err)
	}
	s.used.Store(true)
	s.shard.Store(open)
	c.opened.Add(1)
	if c.closed.Load() { // close may have passed by
		c.shut(shard)
		return nil, errClosed
	}
	c.trim(shard)
	return open, nil
}

var errClosed = errors.New("streamlib: the data set is closed")

func (c *cache) open(ctx context.Context, number int) (*mdslib.Shard, error) {
	owner := c.owners[number]
	i := number - c.firsts[owner.number]
	info := &owner.index.Shards[i]
	var shard *mdslib.Shard
	err := owner.fetch(ctx, i, &c.space, func(dir string) (err error) {
		if shard, err = mdslib.OpenShard(pathOf(dir, info.RawData), info); err == nil {
			c.space.touch(owner, i)
		}
		return err
	})
	return shard, err
}

// slot is the place of a source's shard.
func (c *cache) slot(s *source, i int) *slot { return &c.slots[c.firsts[s.number]+i] }

// drop closes a shard whose files are about to go. Reads in flight end first.
func (c *cache) drop(s *source, i int) { c.shut(c.firsts[s.number] + i) }

func (c *cache) shut(shard int) {
	if open := c.slots[shard].shard.Swap(nil); open != nil {
		c.opened.Add(-1)
		_ = open.Close() // unmapping cannot fail in a way that matters here
	}
}

// trim closes shards that were not read lately while too many are open (the clock algorithm), never the one just opened.
func (c *cache) trim(keep int) {
	if c.opened.Load() <= mostOpen {
		return
	}
	c.trimming.Lock()
	defer c.trimming.Unlock()
	for range 2 * len(c.slots) {
		if c.opened.Load() <= mostOpen {
			return
		}
		c.hand = (c.hand + 1) % len(c.slots)
		if s := &c.slots[c.hand]; c.hand != keep && s.shard.Load() != nil && !s.used.Swap(false) {
			c.shut(c.hand)
		}
	}
}

func (c *cache) close() error {
	c.closed.Store(true)
	for shard := range c.slots {
		c.shut(shard)
	}
	var errs []error
	for _, s := range c.space.sources {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
