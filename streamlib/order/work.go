package order

// Work is one epoch's samples, dealt to the batches of every rank.
//
// A rank's samples lie in the order in which its loader yields them: step s is batch s/W of worker s%W, where W is the
// number of workers per rank; each step holds BatchSize slots, an empty slot is -1 (at an epoch's end only).
// A Work is read-only and safe for concurrent use.
type Work struct {
	World     World
	BatchSize int
	Batches   int // per worker

	ranks [][]uint32 // [node*RanksPerNode+rank][step*BatchSize+slot]; nil for ranks that were not asked for
}

// Shape is [nodes, ranks per node, workers per rank, batches per worker, batch size].
func (w *Work) Shape() [5]int {
	return [5]int{w.World.Nodes, w.World.RanksPerNode, w.World.WorkersPerRank, w.Batches, w.BatchSize}
}

// Steps is the number of batches of each rank, over all its workers.
func (w *Work) Steps() int { return w.Batches * w.World.WorkersPerRank }

// Samples returns the sample ids of one rank (counted over all nodes) in the order of its loader, at most
// Steps*BatchSize of them and -1 for empty slots.
func (w *Work) Samples(rank int) IDs { return w.ranks[rank] }

// Worker returns the sample ids of one worker of one rank, batch after batch, without empty slots: what the reference's
// dataset yields in that worker.
func (w *Work) Worker(rank, worker int) []int64 {
	ids := make([]int64, 0, w.Batches*w.BatchSize)
	for batch := range w.Batches {
		for _, id := range w.step(rank, batch*w.World.WorkersPerRank+worker) {
			if id != pad {
				ids = append(ids, int64(id))
			}
		}
	}
	return ids
}

// Tensor returns the ids of the whole epoch in row-major order of [Work.Shape], -1 for empty slots.
func (w *Work) Tensor() []int64 {
	ids := make([]int64, 0, len(w.ranks)*w.Steps()*w.BatchSize)
	for rank := range w.ranks {
		for worker := range w.World.WorkersPerRank {
			for batch := range w.Batches {
				for _, id := range w.step(rank, batch*w.World.WorkersPerRank+worker) {
					ids = append(ids, signed(id))
				}
			}
		}
	}
	return ids
}

func (w *Work) step(rank, step int) []uint32 {
	return w.ranks[rank][step*w.BatchSize : (step+1)*w.BatchSize]
}

// traversal flattens the epoch in the order of global steps: batch, worker, node, rank, slot.
func (w *Work) traversal() []uint32 {
	ids := make([]uint32, 0, len(w.ranks)*w.Steps()*w.BatchSize)
	for step := range w.Steps() {
		for rank := range w.ranks {
			ids = append(ids, w.step(rank, step)...)
		}
	}
	return ids
}

// fromTraversal is the inverse of traversal.
func fromTraversal(ids []uint32, world World, batchSize int) (*Work, error) {
	global := world.Ranks() * batchSize
	if len(ids)%(global*world.WorkersPerRank) != 0 {
		return nil, invalid("cannot reshape array of size %d into shape (%d,%d,%d,%d)", len(ids),
			world.WorkersPerRank, world.Nodes, world.RanksPerNode, batchSize)
	}
	steps := len(ids) / global
	w := &Work{World: world, BatchSize: batchSize, Batches: steps / world.WorkersPerRank, ranks: make([][]uint32, world.Ranks())}
	for rank := range w.ranks {
		w.ranks[rank] = make([]uint32, 0, steps*batchSize)
		for step := range steps {
			at := step*global + rank*batchSize
			w.ranks[rank] = append(w.ranks[rank], ids[at:at+batchSize]...)
		}
	}
	return w, nil
}

// IDs are sample ids in 32 bits each.
type IDs []uint32

// At is the id at position i, or -1 for an empty slot.
func (ids IDs) At(i int) int64 { return signed(ids[i]) }

func signed(id uint32) int64 {
	if id == pad {
		return -1
	}
	return int64(id)
}
