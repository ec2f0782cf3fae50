package order

// maxParts bounds the workers of all ranks, and the canonical nodes: more can only be a mistake.
const maxParts = 1 << 20

// World is the shape of a run: how many physical nodes, ranks (devices) on each and loader workers of each rank.
// A loader without workers counts as one worker.
type World struct {
	Nodes          int `json:"num_nodes"`
	RanksPerNode   int `json:"ranks_per_node"`
	WorkersPerRank int `json:"workers_per_rank"`
}

// Ranks is the number of ranks on all nodes.
func (w World) Ranks() int { return w.Nodes * w.RanksPerNode }

func (w World) check() error {
	if w.Nodes <= 0 || w.RanksPerNode <= 0 || w.WorkersPerRank <= 0 {
		return invalid("the world needs at least one node, rank and worker, but got: %d nodes, %d ranks per node, %d workers per rank",
			w.Nodes, w.RanksPerNode, w.WorkersPerRank)
	}
	if w.Nodes > maxParts || w.RanksPerNode > maxParts || w.WorkersPerRank > maxParts || w.Ranks()*w.WorkersPerRank > maxParts {
		return invalid("%d nodes × %d ranks × %d workers are more than the supported %d", w.Nodes, w.RanksPerNode, w.WorkersPerRank, maxParts)
	}
	return nil
}

// Replicate is the world in which groups of k consecutive ranks count as one, because they see the same samples
// (tensor or sequence parallelism). Rank r of w is rank r/k of the result.
func (w World) Replicate(k int) (World, error) {
	if k <= 0 {
		return World{}, ValueError("Replication factor must be positive.")
	}
	ranks := w.Ranks()
	if ranks%k != 0 {
		return World{}, ValueError("World size must be divisible by your replication factor.")
	}
	ranks /= k
	nodes := 1
	if ranks%w.RanksPerNode == 0 {
		nodes = ranks / w.RanksPerNode
	}
	return World{nodes, ranks / nodes, w.WorkersPerRank}, nil
}
