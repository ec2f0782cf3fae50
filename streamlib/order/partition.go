package order

// partition deals n samples to nodes, ranks and workers: the "orig" algorithm of the reference, by index arithmetic
// instead of arrays, so that a rank's part costs no more than itself.
//
// The samples are cut into `canonical` equal rows, one per canonical node. Reading the rows column by column and dealing
// to the physical nodes in turn keeps the global order of samples whatever the number of physical nodes.
type partition struct {
	n, canonical int
	world        World
	batchSize    int
	drop         int // samples already seen, a multiple of the nodes

	columns int  // of a row, with padding
	short   int  // the column in which a row one sample short repeats its last one
	padded  int  // columns at the end that repeat earlier ones
	source  int  // the first of those earlier columns
	single  bool // every padded column repeats column source
	tiled   bool // fewer samples than rows: samples in turn, over and over

	perNode  int // samples per node before they are dealt to ranks
	perRank  int
	underrun int // samples that each node repeats to give all ranks equally many
}

func newPartition(n, canonical int, world World, batchSize, drop int) (*partition, error) {
	nodes := world.Nodes
	if n <= 0 {
		return nil, invalid("an epoch needs at least one sample, but got: %d", n)
	}
	if (canonical < nodes && nodes%canonical != 0) || (nodes < canonical && canonical%nodes != 0) {
		return nil, ValueError("Either canonical or physical nodes must be evenly divisible by the other, otherwise striping " +
			"slices of shards over nodes may lead to each node downloading all shards")
	}
	columns := (n + canonical - 1) / canonical
	p := &partition{n: n, canonical: canonical, world: world, batchSize: batchSize, short: columns - 1,
		tiled: n < canonical || (n == canonical && canonical < nodes)}
	ratio := 0
	if canonical < nodes {
		ratio = nodes / canonical
		if over := columns % ratio; over != 0 {
			p.padded = ratio - over
		}
	}
	p.columns = columns + p.padded
	if p.padded > 0 && !p.tiled {
		from, to := max(0, p.columns-2*p.padded-ratio+1), max(0, p.columns-p.padded-ratio+1)
		if to-from != p.padded && to-from != 1 {
			return nil, invalid("could not broadcast input array from shape (%d,%d) into shape (%d,%d)",
				canonical, to-from, canonical, p.padded)
		}
		p.source, p.single = from, to-from != p.padded
	}
	total := canonical * p.columns
	p.drop = min(drop-drop%nodes, total)
	p.perNode = (total - p.drop) / nodes
	if over := p.perNode % world.RanksPerNode; over != 0 {
		p.underrun = world.RanksPerNode - over
	}
	p.perRank = (p.perNode + p.underrun) / world.RanksPerNode
	if slots := p.batches() * world.WorkersPerRank * batchSize; slots*world.Ranks() >= maxSamples {
		return nil, invalid("%d samples in batches of %d on %d ranks with %d workers take %d slots each, more than the supported %d in all",
			n, batchSize, world.Ranks(), world.WorkersPerRank, slots, maxSamples-1)
	}
	return p, nil
}

// batches is the number of batches of each worker.
func (p *partition) batches() int {
	step := p.world.WorkersPerRank * p.batchSize
	return (p.perRank + step - 1) / step
}

// at is the sample at a row and column.
func (p *partition) at(row, column int) int {
	if p.tiled {
		return (row*p.columns + column) % p.n
	}
	if column >= p.columns-p.padded && p.padded > 0 {
		if p.single {
			column = p.source
		} else {
			column = p.source + column - (p.columns - p.padded)
		}
	}
	start, stop := row*p.n/p.canonical, (row+1)*p.n/p.canonical
	id := start + column
	if column == p.short && stop-start <= p.short {
		id--
	}
	return id
}

// samples appends the samples of one rank of one node in order, padded to whole batches of all workers.
func (p *partition) samples(node, rank int) []uint32 {
	ids := make([]uint32, 0, p.batches()*p.world.WorkersPerRank*p.batchSize)
	stride := p.world.RanksPerNode
	for j := range p.perRank {
		i := j*stride + rank
		if i >= p.perNode {
			// Repeat samples near the end, or from the start where there are too few.
			k := i - p.perNode
			if stride+p.underrun-1 <= p.perNode {
				i = p.perNode - stride - p.underrun + 1 + k
			} else {
				i = k % p.perNode
			}
		}
		flat := p.drop + i*p.world.Nodes + node
		ids = append(ids, uint32(p.at(flat%p.canonical, flat/p.canonical)))
	}
	for len(ids) < cap(ids) {
		ids = append(ids, pad)
	}
	return ids
}

// work deals the samples of all ranks, or of one if only >= 0.
func (p *partition) work(only int) *Work {
	w := &Work{World: p.world, BatchSize: p.batchSize, Batches: p.batches(), ranks: make([][]uint32, p.world.Ranks())}
	for rank := range w.ranks {
		if only < 0 || only == rank {
			w.ranks[rank] = p.samples(rank/p.world.RanksPerNode, rank%p.world.RanksPerNode)
		}
	}
	return w
}

// Partition is the reference's get_partitions: it deals n samples, of which the first drop were seen already, to a world.
// algo is "orig" or "relaxed"; initialNodes (0: unknown) is the number of physical nodes at the start of training, from
// which "relaxed" derives the order when the present number of nodes does not go with canonicalNodes.
func Partition(algo string, n, canonicalNodes int, world World, batchSize, drop, initialNodes int) (*Work, error) {
	return deal(algo, n, canonicalNodes, world, batchSize, drop, initialNodes, -1)
}

// deal is Partition for all ranks, or for one if only >= 0. For one rank it is not as strict: see [Plan.RankWork].

func deal(algo string, n, canonical int, world World, batchSize, drop, initialNodes, only int) (*Work, error) {
	if err := world.check(); err != nil {
		return nil, err
	}
	switch {
	case canonical <= 0 || canonical > maxParts:
		return nil, invalid("`num_canonical_nodes` must be a positive integer up to %d, but got: %d", maxParts, canonical)
	case batchSize <= 0 || batchSize >= maxSamples:
		return nil, invalid("`batch_size` must be a positive integer, but got: %d", batchSize)
	case drop < 0 || initialNodes < 0:
		return nil, invalid("`sample_in_epoch` (%d) and `initial_physical_nodes` (%d) must not be negative", drop, initialNodes)
	case algo != "orig" && algo != "relaxed":
		return nil, KeyError(algo)
	case n >= maxSamples:
		return nil, invalid("%d samples per epoch are more than the supported %d", n, maxSamples-1)
	}
	end := n + world.Ranks() - n%world.Ranks()
	if only >= 0 {
		end = max(end, n+2*canonical*max(1, world.Nodes)+world.Ranks())
	}
	if end < drop {
		return nil, invalid("Resuming further into the dataset (%d) than it has samples (%d)", drop, n)
	}
	fits := canonical%world.Nodes == 0 || world.Nodes%canonical == 0
	if algo == "orig" || initialNodes == 0 || fits {
		p, err := newPartition(n, canonical, world, batchSize, drop)
		if err != nil {
			return nil, err
		}
		return p.work(only), nil
	}
	global, devices := world.Ranks()*batchSize, initialNodes*world.RanksPerNode
	if global%devices != 0 {
		return nil, invalid("A global batch size of %d is not evenly divisible by the initial total number of devices of %d. "+
			"Make sure that when using the `relaxed` partitioning algorithm, the global batch size does not change during "+
			"resumption of training.", global, devices)
	}
	initial := World{initialNodes, world.RanksPerNode, world.WorkersPerRank}
	p, err := newPartition(n, canonical, initial, global/devices, drop)
	if err != nil {
		return nil, err
	}
	return fromTraversal(p.work(-1).traversal(), world, batchSize)
}
