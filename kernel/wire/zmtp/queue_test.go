package zmtp

import (
	"fmt"
	"testing"
)

func TestQueueDropsTheOldest(t *testing.T) {
	q := newQueue(10)
	dropped := 0
	for i := range 7 {
		dropped += q.push(fmt.Appendf(nil, "msg%d", i)) // 4 bytes each: two fit
	}
	q.end()
	batch := q.take(nil, nil)
	if dropped != 5 || len(batch) != 2 || string(batch[0]) != "msg5" || string(batch[1]) != "msg6" {
		t.Errorf("dropped %d, left %q", dropped, batch)
	}
	if q.take(nil, nil) != nil {
		t.Error("an ended, empty queue still gives")
	}
}

func TestQueueSendsOneMessageLongerThanItsLimit(t *testing.T) {
	q := newQueue(10)
	q.push(make([]byte, 3))
	if dropped := q.push(make([]byte, 100)); dropped != 1 {
		t.Errorf("dropped %d", dropped)
	}
	if batch := q.take(nil, nil); len(batch) != 1 || len(batch[0]) != 100 {
		t.Errorf("%d messages", len(batch))
	}
}

func TestQueueStops(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	if newQueue(10).take(stop, nil) != nil {
		t.Error("take after stop")
	}
}
