package streamlib

import "gomosaic/streamlib/order"

// dealer yields the batches of one rank in the order of the reference's loader: its workers take turns, each makes
// batches of the samples of its own part of the epoch, and a worker that has none left is passed over.
type dealer struct {
	ids       order.IDs
	slots     int // samples of a step of the order; step s belongs to worker s%len(workers)
	batchSize int
	dropLast  bool
	workers   []int // each worker's next position within its own part
	turn      int
	left      int // workers that have not run out
}

func newDealer(ids order.IDs, slots, workers, batchSize int, dropLast bool) *dealer {
	return &dealer{ids: ids, slots: slots, batchSize: batchSize, dropLast: dropLast, workers: make([]int, workers), left: workers}
}

const ranOut = -1

// next returns the samples of the next batch; none at the end.
func (d *dealer) next() []int64 {
	for d.left > 0 {
		worker := d.turn
		d.turn = (d.turn + 1) % len(d.workers)
		if d.workers[worker] == ranOut {
			continue
		}
		if batch := d.take(worker); batch != nil {
			return batch
		}
		d.workers[worker] = ranOut
		d.left--
	}
	return nil
}

// take makes a worker's next batch, nil if it has no more (or, dropping the last, not enough).
func (d *dealer) take(worker int) []int64 {
	batch := make([]int64, 0, d.batchSize)
	at := d.workers[worker]
	for len(batch) < d.batchSize {
		i := (at/d.slots*len(d.workers)+worker)*d.slots + at%d.slots
		if i >= len(d.ids) {
			break
		}
		at++
		if id := d.ids.At(i); id >= 0 {
			batch = append(batch, id)
		}
	}
	d.workers[worker] = at
	if len(batch) == 0 || d.dropLast && len(batch) < d.batchSize {
		return nil
	}
	return batch
}
