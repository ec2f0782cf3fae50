// Package dist joins the processes of a training job: their place in it ([World]), the group that moves tensors between
// them ([Group], c10d with Gloo or NCCL) and data-parallel training ([DDP]).
package dist

import (
	"fmt"
	"os"
	"strconv"
)

// EnvUseGPU names the environment variable by which a launcher says that each rank has a GPU of its own: with it, [Init] fails
// where libtorch sees too few, and doesn't go over to the CPU.
const EnvUseGPU = "GOMOSAIC_USE_GPU"

// World says where this process stands among the processes of a training job. Its fields are torchrun's environment
// contract: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, GROUP_RANK, MASTER_ADDR, MASTER_PORT.
type World struct {
	Rank       int    // 0 … Size-1
	Size       int    // processes in the job
	LocalRank  int    // 0 … LocalSize-1 on this node
	LocalSize  int    // processes on this node
	NodeRank   int    // index of this node
	MasterAddr string // host of rank 0's store
	MasterPort int    // TCP port of rank 0's store
}

// WorldFromEnv reads the world that a launcher (TorchDistributor, torchrun, Slurm's or MPI's wrappers) left in the
// environment. A process that was not launched is a world of one. A value that is not a number, or a rank outside its
// world, is an error that names the variable.
func WorldFromEnv() (World, error) {
	w := World{MasterAddr: "127.0.0.1"}
	for _, v := range []struct {
		name  string
		to    *int
		unset int
	}{
		{"RANK", &w.Rank, 0}, {"WORLD_SIZE", &w.Size, 1},
		{"LOCAL_RANK", &w.LocalRank, 0}, {"LOCAL_WORLD_SIZE", &w.LocalSize, 1},
		{"GROUP_RANK", &w.NodeRank, 0}, {"MASTER_PORT", &w.MasterPort, 29500},
	} {
		text := os.Getenv(v.name)
		if text == "" {
			*v.to = v.unset
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return World{}, fmt.Errorf("dist: %s=%q: want a number ≥ 0", v.name, text)
		}
		*v.to = n
	}
	if addr := os.Getenv("MASTER_ADDR"); addr != "" {
		w.MasterAddr = addr
	}
	return w, w.check()
}

// check says what is wrong with a world, if anything.
func (w World) check() error {
	switch {
	case w.Size < 1:
		return fmt.Errorf("dist: WORLD_SIZE=%d: want at least 1", w.Size)
	case w.Rank >= w.Size || w.Rank < 0:
		return fmt.Errorf("dist: RANK=%d: want 0 … %d (WORLD_SIZE=%d)", w.Rank, w.Size-1, w.Size)
	case w.LocalSize < 1 || w.LocalRank >= w.LocalSize || w.LocalRank < 0:
		return fmt.Errorf("dist: LOCAL_RANK=%d: want 0 … %d (LOCAL_WORLD_SIZE=%d)", w.LocalRank, w.LocalSize-1, w.LocalSize)
	}
	return nil
}

// Env returns the environment that tells a launched process its world, KEY=value.
func (w World) Env() []string {
	return []string{
		"RANK=" + strconv.Itoa(w.Rank), "WORLD_SIZE=" + strconv.Itoa(w.Size),
		"LOCAL_RANK=" + strconv.Itoa(w.LocalRank), "LOCAL_WORLD_SIZE=" + strconv.Itoa(w.LocalSize),
		"GROUP_RANK=" + strconv.Itoa(w.NodeRank),
		"MASTER_ADDR=" + w.MasterAddr, "MASTER_PORT=" + strconv.Itoa(w.MasterPort),
	}
}
