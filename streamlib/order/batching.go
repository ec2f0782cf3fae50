package order

import (
	"math"
	"sort"
)

// epoch is one epoch's computation, from streams to Work.
type epoch struct {
	*Plan
	world  World
	pos    Position
	number uint64 // of the epoch
	block  int    // shuffle block size
}

// random mixes the samples of all streams.
func (e *epoch) random(only int) (*Work, error) {
	// The partition first: it refuses what cannot be dealt before the costly parts.
	w, err := deal(e.args.PartitionAlgo, e.mix.EpochSize, e.pos.NumCanonicalNodes, e.world, e.args.BatchSize,
		e.pos.SampleInEpoch, e.pos.InitialPhysicalNodes, only)
	if err != nil {
		return nil, err
	}
	return w, e.order(w, -1, e.block)
}

// order replaces the positions in w by samples of one stream (of all if stream < 0).
func (e *epoch) order(w *Work, stream, block int) error {
	d, err := e.resample(e.pos.Seed, e.number, stream)
	if err != nil {
		return err
	}
	var permutation []uint32
	if e.args.Shuffle {
		permutation, err = Shuffle(e.args.ShuffleAlgo, d.units, e.pos.NumCanonicalNodes, e.pos.Seed, e.number, block)
		if err != nil {
			return err
		}
	}
	d.apply(w, permutation)
	return nil
}

// stream deals the samples of one stream to a world of its own.
func (e *epoch) stream(i int, world World, batchSize int) (*Work, error) {
	w, err := deal(e.args.PartitionAlgo, e.mix.Choose[i], e.pos.NumCanonicalNodes, world, batchSize, 0, e.pos.InitialPhysicalNodes, -1)
	if err != nil {
		return nil, err
	}
	// A stream's share of the block size is its share of the epoch.
	return w, e.order(w, i, int(float64(e.block)*e.mix.Proportion[i]))
}

// originGenerator draws the order of the streams among batches: anew each epoch where the samples are.
func (e *epoch) originGenerator() *Generator {
	if e.args.Shuffle && e.args.SamplingMethod != "fixed" {
		return newGenerator(e.pos.Seed, e.number)
	}
	return NewGenerator(e.pos.Seed)
}

// perStream makes global batches of one stream each. What does not fill a global batch is left out.
func (e *epoch) perStream() (*Work, error) {
	global := e.world.Ranks() * e.args.BatchSize
	var origins []int
	batches := make([][]uint32, len(e.streams))
	for i := range e.streams {
		w, err := e.stream(i, e.world, e.args.BatchSize)
		if err != nil {
			return nil, err
		}
		batches[i] = w.traversal()
		full := fullRows(batches[i], global)
		if full == 0 {
			return nil, invalid("Stream with index %d does not have an adequate number of samples to construct a complete "+
				"global batch. Training will occur without any samples from this stream.", i)
		}
		for range full {
			origins = append(origins, i)
		}
	}
	shuffle(e.originGenerator(), origins)
	all := make([]uint32, 0, len(origins)*global)
	for _, i := range origins {
		all = append(all, batches[i][:global]...)
		batches[i] = batches[i][global:]
	}
	return e.resumed(all)
}

// stratified makes global batches that hold every stream in its proportion, as long as the shortest stream lasts.
func (e *epoch) stratified() (*Work, error) {
	global := e.world.Ranks() * e.args.BatchSize
	portions := make([]int, len(e.streams))
	parts := make([][]uint32, len(e.streams))
	missing := global
	for i := range e.streams {
		portions[i] = int(e.mix.Proportion[i] * float64(global))
		missing -= portions[i]
		w, err := e.stream(i, World{1, e.world.RanksPerNode, e.world.WorkersPerRank}, 1)
		if err != nil {
			return nil, err
		}
		parts[i] = w.traversal()
	}
	rest := func(i int) float64 { return float64(global)*e.mix.Proportion[i] - float64(portions[i]) }
	byRest := make([]int, len(portions))
	for i := range byRest {
		byRest[i] = i
	}
	sort.SliceStable(byRest, func(a, b int) bool { return rest(byRest[a]) < rest(byRest[b]) })
	grow := byRest[max(0, len(byRest)-max(0, missing)):]
	for _, i := range grow {
		portions[i]++
	}
	batches := math.MaxInt
	for i, portion := range portions {
		if portion <= 0 {
			return nil, invalid("Number of samples for stream %d is %d because the portion of this stream in the global batch, "+
				"which is of size %d, is too low. Please increase the global batch size or increase the proportion of total "+
				"samples that come from stream %d.", i, portion, global, i)
		}
		batches = min(batches, fullRows(parts[i], portion))
	}
	all := make([]uint32, 0, batches*global)
	for batch := range batches {
		for i, portion := range portions {
			all = append(all, parts[i][batch*portion:(batch+1)*portion]...)
		}
	}
	return e.resumed(all)
}

// devicePerStream makes device batches of one stream each; the devices of a global batch may differ.
func (e *epoch) devicePerStream() (*Work, error) {
	nodes, canonical, size := e.world.Nodes, e.pos.NumCanonicalNodes, e.args.BatchSize
	if canonical <= 0 || canonical%nodes != 0 {
		return nil, invalid("For `device_per_stream` batching, num_canonical_nodes must be divisible by physical nodes. Got %d "+
			"canonical nodes and %d physical nodes.", canonical, nodes)
	}
	perNode := canonical / nodes
	streams := make([]*Work, len(e.streams))
	for i := range streams {
		if e.args.Shuffle && int(float64(e.block)*e.mix.Proportion[i]) == 0 {
			return nil, invalid("Samples from stream %d are not being used. Please either increase the `shuffle_block_size` from "+
				"%d, or increase the stream proportion from %v.", i, e.block, e.mix.Proportion[i])
		}
		// One physical node per canonical one and batches of one sample keep the order whatever the world.
		w, err := e.stream(i, World{canonical, e.world.RanksPerNode, e.world.WorkersPerRank}, 1)
		if err != nil {
			return nil, err
		}
		streams[i] = w
	}
	batches := make([][][]uint32, nodes) // [node][stream]
	origins := make([][]int, nodes)
	most := 0
	for node := range nodes {
		batches[node] = make([][]uint32, len(streams))
		for i, w := range streams {
			own := Work{World: World{perNode, e.world.RanksPerNode, e.world.WorkersPerRank}, BatchSize: 1, Batches: w.Batches,
				ranks: w.ranks[node*perNode*e.world.RanksPerNode : (node+1)*perNode*e.world.RanksPerNode]}
			batches[node][i] = own.traversal()
			full := fullRows(batches[node][i], size)
			if full == 0 {
				return nil, invalid("Stream with index %d does not have an adequate number of samples to construct even a single "+
					"device batch of size %d. Training will occur without any samples from this stream!", i, size)
			}
			for range full {
				origins[node] = append(origins[node], i)
			}
		}
		most = max(most, len(origins[node]))
	}
	// The reference pads by a whole round of devices even where nothing is missing.
	devices := e.world.Ranks()
	most += devices - most%devices
	g := e.originGenerator()
	for node := range nodes {
		shuffle(g, origins[node])
	}
	all := make([]uint32, 0, most*nodes*size)
	for k := range most {
		for node := range nodes {
			if k >= len(origins[node]) {
				all = appendPad(all, size)
				continue
			}
			own := &batches[node][origins[node][k]]
			all = append(all, (*own)[:size]...)
			*own = (*own)[size:]
		}
	}
	return e.resumed(all)
}

// resumed drops the global batches seen already and deals the rest to the world.
func (e *epoch) resumed(all []uint32) (*Work, error) {
	if e.pos.SampleInEpoch < 0 {
		return nil, invalid("`sample_in_epoch` must not be negative, but got: %d", e.pos.SampleInEpoch)
	}
	global := e.world.Ranks() * e.args.BatchSize
	all = all[min(len(all), e.pos.SampleInEpoch/global*global):]
	if round := global * e.world.WorkersPerRank; len(all)%round != 0 {
		all = appendPad(all, (round-len(all)%round)/global*global)
	}
	return fromTraversal(all, e.world, e.args.BatchSize)
}

// fullRows counts the rows of the given width that have no empty slot.
func fullRows(ids []uint32, width int) int {
	n := 0
rows:
	for ; len(ids) >= width; ids = ids[width:] {
		for _, id := range ids[:width] {
			if id == pad {
				continue rows
			}
		}
		n++
	}
	return n
}

func appendPad(ids []uint32, n int) []uint32 {
	for range n {
		ids = append(ids, pad)
	}
	return ids
}
