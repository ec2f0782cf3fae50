package order

// Sampling is the reference's get_sampling: how many samples to draw of each shard so that `choose` are drawn in all.
// Up to granularity samples at a time are drawn of the same shard. epoch is 0 where every epoch draws alike.
func Sampling(sizes []int, choose, granularity int, seed, epoch uint64) ([]int, error) {
	if choose < 0 {
		return nil, invalid("`choose` must be a non-negative integer, but got: %d.", choose)
	}
	if granularity <= 0 {
		return nil, invalid("`granularity` must be a positive integer, but got: %d.", granularity)
	}
	samples, picks := 0, 0
	for _, size := range sizes {
		samples += size
		picks += (size + granularity - 1) / granularity
	}
	if samples == 0 {
		return nil, ValueError("cannot draw from shards without samples")
	}
	drawn := make([]int, len(sizes))
	for i, size := range sizes {
		drawn[i] = size * (choose / samples)
	}
	if choose %= samples; choose == 0 {
		return drawn, nil
	}
	if picks >= maxSamples {
		return nil, invalid("%d samples in a stream are more than the supported %d", picks, maxSamples-1)
	}
	shards := make([]uint32, 0, picks)
	// The size of the last pick of a shard, set as the reference sets it: a shard without samples overwrites the last
	// pick of its predecessor (of the last shard, for the first).
	last := make(map[int]int, len(sizes))
	for i, size := range sizes {
		n := (size + granularity - 1) / granularity
		for range n {
			shards = append(shards, uint32(i))
		}
		last[(len(shards)-1+picks)%picks] = size - (n-1)*granularity
	}
	for _, pick := range newGenerator(seed, epoch).permutation(picks) {
		size, ok := last[int(pick)]
		if !ok {
			size = granularity
		}
		size = min(size, choose)
		drawn[shards[pick]] += size
		if choose -= size; choose == 0 {
			break
		}
	}
	return drawn, nil
}
