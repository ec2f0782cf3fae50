package streamlib

import (
	"fmt"
	"os"
	"strconv"

	"gomosaic/streamlib/order"
)

// World says which of a job's processes this one is: the part of torchrun's environment that decides who reads what.
type World struct {
	Rank      int // 0 … Size-1
	Size      int // processes in the job
	LocalRank int // 0 … LocalSize-1 on this node
	LocalSize int // processes on each node
}

// WorldFromEnv reads RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE, as the reference and torchrun name them. A process
// that was not launched by anything is alone. It is the only place where this package reads those variables.
func WorldFromEnv() (World, error) {
	w := World{Size: 1, LocalSize: 1}
	for _, v := range []struct {
		name string
		to   *int
	}{{"RANK", &w.Rank}, {"WORLD_SIZE", &w.Size}, {"LOCAL_RANK", &w.LocalRank}, {"LOCAL_WORLD_SIZE", &w.LocalSize}} {
		text := os.Getenv(v.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return World{}, fmt.Errorf("streamlib: %s=%q: want a whole number", v.name, text)
		}
		*v.to = n
	}
	return w, w.check()
}

func (w World) check() error {
	switch {
	case w.Size < 1 || w.Rank < 0 || w.Rank >= w.Size:
		return fmt.Errorf("streamlib: rank %d of a world of %d", w.Rank, w.Size)
	case w.LocalSize < 1 || w.LocalRank < 0 || w.LocalRank >= w.LocalSize:
		return fmt.Errorf("streamlib: local rank %d of a node of %d", w.LocalRank, w.LocalSize)
	case w.Size%w.LocalSize != 0:
		return fmt.Errorf("streamlib: a world of %d does not divide into nodes of %d", w.Size, w.LocalSize)
	}
	return nil
}

// order is the world as the sample order sees it: groups of ranks that see the same samples (replication, 0 for none)
// count as one. rank is this process's in it.
func (w World) order(workers, replication int) (world order.World, rank int, err error) {
	world = order.World{Nodes: w.Size / w.LocalSize, RanksPerNode: w.LocalSize, WorkersPerRank: max(1, workers)}
	if replication == 0 {
		return world, w.Rank, nil
	}
	if world, err = world.Replicate(replication); err != nil {
		return world, 0, err
	}
	return world, w.Rank / replication, nil
}
