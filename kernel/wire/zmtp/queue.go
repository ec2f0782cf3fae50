package zmtp

import "sync"

// queue holds the encoded messages that wait for one peer. Producers never block: beyond limit bytes the oldest
// messages are dropped. One consumer takes batches.
type queue struct {
	mu      sync.Mutex
	wake    chan struct{} // capacity 1: something changed since the consumer last looked
	items   [][]byte
	bytes   int64
	limit   int64
	dropped int64
	ended   bool
}

// batchBytes and batchItems bound what the consumer takes at once: what it has taken can no longer be dropped.
const (
	batchBytes = 1 << 20
	batchItems = 512
)

func newQueue(limit int64) *queue { return &queue{wake: make(chan struct{}, 1), limit: limit} }

// push adds an encoded message, which the queue shares with others and nobody may change. It reports how many messages
// were dropped to make room. A message longer than the limit is still sent when it is alone.
func (q *queue) push(b []byte) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return 0
	}
	q.items = append(q.items, b)
	q.bytes += int64(len(b))
	for q.bytes > q.limit && len(q.items) > 1 {
		q.bytes -= int64(len(q.items[0]))
		q.items[0] = nil
		q.items = q.items[1:]
		dropped++
	}
	q.dropped += int64(dropped)
	q.signal()
	return dropped
}

// end lets the consumer take what is left and then stop.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for messages and returns the oldest of them, or nil when the queue has ended and is empty, or stop is
// closed. The slice is the consumer's until its next call.
func (q *queue) take(stop <-chan struct{}, into [][]byte) [][]byte {
	for {
		q.mu.Lock()
		into = into[:0]
		for n := 0; len(q.items) > 0 && n < batchBytes && len(into) < batchItems; {
			b := q.items[0]
			q.items[0] = nil
			q.items = q.items[1:]
			into = append(into, b)
			n += len(b)
			q.bytes -= int64(len(b))
		}
		if len(q.items) == 0 {
			q.items = nil
		}
		ended := q.ended
		q.mu.Unlock()
		if len(into) > 0 {
			return into
		}
		if ended {
			return nil
		}
		select {
		case <-q.wake:
		case <-stop:
			return nil
		}
	}
}
