package order

// defaultBlockSize is the shuffle block size of the reference for the given number of canonical nodes.
func defaultBlockSize(canonicalNodes int) int { return max(4_000_000/canonicalNodes, 1<<18) }

// Shuffle is the reference's get_shuffle: the permutation of an epoch's samples, given the sizes of the shuffle units
// (shards, or what is drawn of them) in order. algo is "naive", "py1s", "py2s", "py1br" or "py1e"; blockSize matters to
// the last two only.
func Shuffle(algo string, sizes []int, canonicalNodes int, seed, epoch uint64, blockSize int) (IDs, error) {
	if canonicalNodes <= 0 || canonicalNodes > maxParts {
		return nil, invalid("`num_canonical_nodes` must be a positive integer up to %d, but got: %d", maxParts, canonicalNodes)
	}
	spans, samples := shardSpans(sizes)
	if samples >= maxSamples {
		return nil, invalid("%d samples per epoch are more than the supported %d", samples, maxSamples-1)
	}
	switch algo {
	case "naive":
		return newGenerator(seed, epoch).permutation(samples), nil
	case "py1s":
		return shufflePy1s(spans, samples, canonicalNodes, seed, epoch), nil
	case "py2s":
		return shufflePy2s(spans, samples, canonicalNodes, seed, epoch), nil
	case "py1br":
		return shufflePy1br(spans, samples, canonicalNodes, seed, epoch, blockSize)
	case "py1e":
		return shufflePy1e(spans, samples, canonicalNodes, seed, epoch, blockSize)
	}
	return nil, KeyError(algo)
}

// arrange gives every canonical node its spans, the same ones in every epoch of a run, in this epoch's order. The
// generator returned goes on with the epoch's draws.
func arrange(spans []span, samples, nodes int, seed, epoch uint64) ([][]span, *Generator) {
	shuffle(NewGenerator(seed), spans)
	parts := divide(spans, samples, nodes)
	g := newGenerator(seed, epoch)
	for _, part := range parts {
		shuffle(g, part)
	}
	return parts, g
}

// shufflePy1s shuffles within each span.
func shufflePy1s(spans []span, samples, nodes int, seed, epoch uint64) []uint32 {
	parts, g := arrange(spans, samples, nodes, seed, epoch)
	ids := make([]uint32, 0, samples)
	for _, part := range parts {
		for _, s := range part {
			var own []uint32
			ids, own = fill(ids, s)
			shuffle(g, own)
		}
	}
	return ids
}

// shufflePy2s shuffles within each shard once a run, before shards are cut at node bounds, and within each piece once an
// epoch.
func shufflePy2s(spans []span, samples, nodes int, seed, epoch uint64) []uint32 {
	run := NewGenerator(seed)
	shuffle(run, spans)
	// From here on spans name positions in this run's order of samples, not ids.
	order := make([]uint32, 0, samples)
	for i, s := range spans {
		var own []uint32
		order, own = fill(order, s)
		shuffle(run, own)
		spans[i] = span{len(order) - s.size(), len(order)}
	}
	g := newGenerator(seed, epoch)
	ids := make([]uint32, 0, samples)
	for _, part := range divide(spans, samples, nodes) {
		shuffle(g, part)
		for _, s := range part {
			from := len(ids)
			ids = append(ids, order[s.lo:s.hi]...)
			shuffle(g, ids[from:])
		}
	}
	return ids
}

// blockRange is the range [low, high) of which py1br and py1e draw the size of a block.
func blockRange(blockSize int) (low, high int64) {
	return int64(0.75 * float64(blockSize)), int64(1.25 * float64(blockSize))
}

// shufflePy1br shuffles within blocks of random size around blockSize, staggered between the nodes.
func shufflePy1br(spans []span, samples, nodes int, seed, epoch uint64, blockSize int) ([]uint32, error) {
	parts, g := arrange(spans, samples, nodes, seed, epoch)
	low, high := blockRange(blockSize)
	stagger := make([]int, nodes)
	for i := range stagger {
		v, err := g.integers(0, low)
		if err != nil {
			return nil, err
		}
		stagger[i] = int(v)
	}
	ids := make([]uint32, 0, samples)
	var blocks []span
	for node, part := range parts {
		first := len(ids)
		for _, s := range part {
			ids, _ = fill(ids, s)
		}
		// All sizes are drawn before the first block is shuffled.
		blocks = blocks[:0]
		for end := first; end < len(ids); {
			size, err := g.integers(low, high)
			if err != nil {
				return nil, err
			}
			b := span{max(end-stagger[node], first), min(end+int(size)-stagger[node], len(ids))}
			blocks = append(blocks, b)
			end += b.size()
		}
		for _, b := range blocks {
			shuffle(g, ids[b.lo:max(b.lo, b.hi)])
		}
	}
	return ids, nil
}
