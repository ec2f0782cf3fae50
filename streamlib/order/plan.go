package order

import "slices"

// Args are the arguments of a StreamingDataset that decide the order of its samples. Zero values mean the reference's
// defaults, except for Seed, whose default in the reference is [DefaultSeed].
type Args struct {
	BatchSize           int    // samples per batch of each rank
	EpochSize           int    // samples per epoch; 0: as the weights say
	Shuffle             bool   //
	ShuffleAlgo         string // naive, py1s, py2s, py1br or py1e (default)
	ShuffleBlockSize    int    // default max(4,000,000 / NumCanonicalNodes, 262,144)
	Seed                uint64 //
	NumCanonicalNodes   int    // default 64 per node for py1s and py2s, else one per node
	SamplingMethod      string // balanced (default) or fixed
	SamplingGranularity int    // default 1
	PartitionAlgo       string // relaxed (default) or orig
	BatchingMethod      string // random (default), stratified, per_stream or device_per_stream
}

// DefaultSeed is the reference's default of shuffle_seed.
const DefaultSeed = 9176

// Plan is a data set's streams and arguments, checked and weighed. It is read-only and safe for concurrent use.
type Plan struct {
	streams []Stream
	args    Args
	mix     Mix
	samples int
}

// NewPlan checks arguments and derives the mix of streams. It keeps streams; the caller must not change them.
func NewPlan(streams []Stream, args Args) (*Plan, error) {
	fallback := func(field *string, name string) {
		if *field == "" {
			*field = name
		}
	}
	fallback(&args.ShuffleAlgo, "py1e")
	fallback(&args.SamplingMethod, "balanced")
	fallback(&args.PartitionAlgo, "relaxed")
	fallback(&args.BatchingMethod, "random")
	if args.SamplingGranularity == 0 {
		args.SamplingGranularity = 1
	}
	switch {
	case !slices.Contains([]string{"balanced", "fixed"}, args.SamplingMethod):
		return nil, invalid("Invalid sampling method: %s. Must be one of `balanced` or `fixed`.", args.SamplingMethod)
	case args.SamplingGranularity < 0:
		return nil, invalid("`sampling_granularity` must be a positive integer, but got: %d.", args.SamplingGranularity)
	case !slices.Contains([]string{"random", "stratified", "per_stream", "device_per_stream"}, args.BatchingMethod):
		return nil, invalid("Invalid batching method: %s. Must be one of `random`, `stratified`, `per_stream`, or `device_per_stream`.",
			args.BatchingMethod)
	case !slices.Contains([]string{"orig", "relaxed"}, args.PartitionAlgo):
		return nil, KeyError(args.PartitionAlgo)
	case args.Shuffle && !slices.Contains([]string{"naive", "py1s", "py2s", "py1br", "py1e"}, args.ShuffleAlgo):
		return nil, KeyError(args.ShuffleAlgo)
	case args.NumCanonicalNodes < 0 || args.NumCanonicalNodes > maxParts:
		return nil, invalid("`num_canonical_nodes` must be a positive integer up to %d, but got: %d", maxParts, args.NumCanonicalNodes)
	case args.ShuffleBlockSize < 0:
		return nil, invalid("`shuffle_block_size` must be a positive integer, but got: %d", args.ShuffleBlockSize)
	}
	mix, err := Weigh(streams, args.EpochSize, args.Seed)
	if err != nil {
		return nil, err
	}
	p := &Plan{streams: streams, args: args, mix: mix}
	for _, s := range streams {
		p.samples += s.Samples()
	}
	if p.samples >= maxSamples {
		return nil, invalid("%d samples are more than the supported %d", p.samples, maxSamples-1)
	}
	if mix.EpochSize >= maxSamples {
		return nil, invalid("%d samples per epoch are more than the supported %d", mix.EpochSize, maxSamples-1)
	}
	return p, nil
}

// WithBatchSize is the same plan for batches of another size.
func (p *Plan) WithBatchSize(samples int) *Plan {
	other := *p
	other.args.BatchSize = samples
	return &other
}

// Mix is what the streams' weights come to.
func (p *Plan) Mix() Mix { return p.mix }

// Samples is the number of different samples of all streams.
func (p *Plan) Samples() int { return p.samples }

// Work computes the order of the epoch at pos for every rank of a world.
func (p *Plan) Work(world World, pos Position) (*Work, error) { return p.work(world, pos, -1) }

// RankWork computes the order for one rank (counted over all nodes) only: the same as its part of Work, in less memory.
// Unlike Work and the reference it takes a position among the samples that are repeated, at the end of an epoch, to give
// all nodes and ranks equally many: a loader's state may well be there.
func (p *Plan) RankWork(world World, pos Position, rank int) (*Work, error) {
	if rank < 0 || rank >= world.Ranks() {
		return nil, invalid("rank %d is not one of %d", rank, world.Ranks())
	}
	return p.work(world, pos, rank)
}

func (p *Plan) work(world World, pos Position, only int) (*Work, error) {
	if p.args.BatchSize <= 0 {
		return nil, ValueError("Please pass `batch_size` to StreamingDataset. It should be set the same as the DataLoader, and is " +
			"the number of samples per batch, for each device. It is necessary for deterministic resumption and optimal performance.")
	}
	if pos.Epoch < 0 {
		return nil, invalid("expected a non-negative epoch, but got: %d", pos.Epoch)
	}
	if err := world.check(); err != nil {
		return nil, err
	}
	e := &epoch{Plan: p, world: world, pos: pos, number: uint64(pos.Epoch), block: p.args.ShuffleBlockSize}
	if e.block == 0 && pos.NumCanonicalNodes > 0 {
		e.block = defaultBlockSize(pos.NumCanonicalNodes)
	}
	switch p.args.BatchingMethod {
	case "stratified":
		return e.stratified()
	case "per_stream":
		return e.perStream()
	case "device_per_stream":
		return e.devicePerStream()
	}
	return e.random(only)
}
