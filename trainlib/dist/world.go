package dist

// World says where this process stands among the processes of a training job. Its fields are torchrun's environment
// contract: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, GROUP_RANK, MASTER_ADDR, MASTER_PORT.
type World struct {
	Rank       int    // 0 … Size-1
	Size       int    // processes in the job
	LocalRank  int    // 0 … LocalSize-1 on this node
	LocalSize  int    // processes on this node
	NodeRank   int    // index of this node
	MasterAddr string // host of rank 0's store
	MasterPort int
}
