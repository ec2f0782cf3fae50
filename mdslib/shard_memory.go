package mdslib

// The memory of a writer's shards: chunks that the shard being filled takes, and that those being stored give back one by
// one, as soon as all who read them have.

import (
	"context"
	"sync"
	"sync/atomic"
)

const largestChunk = 1 << 20

// shardMemory lends chunks. It is safe for concurrent use, but only one goroutine takes.
type shardMemory struct {
	chunkBytes int
	limit      int64         // on the bytes of all chunks; 0 for none
	returned   chan struct{} // holds a token when chunks came back

	mu     sync.Mutex
	free   []*chunk
	bytes  int64 // of all chunks, free or lent
	coming int   // chunks of shards being stored: they will come back
}

// chunk is a piece of a shard's bytes.
type chunk struct{ data []byte }

func newShardMemory(limit int64) *shardMemory {
	size := largestChunk
	for limit > 0 && size > 1<<12 && int64(size) > limit/64 {
		size /= 2
	}
	return &shardMemory{chunkBytes: size, limit: limit, returned: make(chan struct{}, 1)}
}

// take returns an empty chunk. It waits for one if all that may be are lent; a shard that alone is larger than the limit gets
// them all the same. It fails when ctx is done.
func (m *shardMemory) take(ctx context.Context) (*chunk, error) {
	for {
		if c := m.tryTake(); c != nil {
			return c, nil
		}
		select {
		case <-m.returned:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (m *shardMemory) tryTake() *chunk {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.free); n > 0 {
		c := m.free[n-1]
		m.free = m.free[:n-1]
		return c
	}
	if m.limit > 0 && m.bytes+int64(m.chunkBytes) > m.limit && m.coming > 0 {
		return nil
	}
	m.bytes += int64(m.chunkBytes)
	return &chunk{data: make([]byte, 0, m.chunkBytes)}
}

// expect says that n chunks will be given back.
func (m *shardMemory) expect(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.coming += n
}

// give takes an expected chunk back; what is beyond the limit is let go.
func (m *shardMemory) give(c *chunk) {
	m.mu.Lock()
	if m.coming--; m.limit > 0 && m.bytes > m.limit {
		m.bytes -= int64(cap(c.data))
	} else {
		c.data = c.data[:0]
		m.free = append(m.free, c)
	}
	m.mu.Unlock()
	select {
	case m.returned <- struct{}{}:
	default:
	}
}

// chunkList is bytes in chunks.
type chunkList struct {
	memory  *shardMemory
	chunks  []*chunk
	bytes   int64
	readers []atomic.Int32 // of each chunk, once the list is lent: those who have not read it yet
}

// append copies p to the end.
func (l *chunkList) append(ctx context.Context, p []byte) error {
	l.bytes += int64(len(p))
	for len(p) > 0 {
		n := len(l.chunks)
		if n == 0 || len(l.chunks[n-1].data) == cap(l.chunks[n-1].data) {
			c, err := l.memory.take(ctx)
			if err != nil {
				return err
			}
			l.chunks = append(l.chunks, c)
			continue
		}
		last := l.chunks[n-1]
		k := min(len(p), cap(last.data)-len(last.data))
		last.data = append(last.data, p[:k]...)
		p = p[k:]
	}
	return nil
}

// each calls use with one chunk's bytes after the other.
func (l *chunkList) each(use func([]byte) error) error {
	for _, c := range l.chunks {
		if err := use(c.data); err != nil {
			return err
		}
	}
	return nil
}

// lend makes the list one that so many readers drain; release ends that.
func (l *chunkList) lend(readers int) {
	l.readers = make([]atomic.Int32, len(l.chunks))
	for i := range l.readers {
		l.readers[i].Store(int32(readers))
	}
	l.memory.expect(len(l.chunks))
}

// drain is each for one of the readers. Chunks that all of them have read are given back.
func (l *chunkList) drain(use func([]byte) error) error {
	for i, c := range l.chunks {
		if err := use(c.data); err != nil {
			return err
		}
		if l.readers[i].Add(-1) == 0 {
			l.memory.give(c)
		}
	}
	return nil
}

// release gives back what readers that failed have left. None may read any more.
func (l *chunkList) release() {
	for i, c := range l.chunks {
		if l.readers[i].Swap(0) > 0 {
			l.memory.give(c)
		}
	}
	l.chunks, l.readers = nil, nil
}
