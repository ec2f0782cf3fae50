package order

// maxSamples bounds the samples of a data set and of an epoch: ids are held in 32 bits, the largest value is the pad.
const maxSamples = 1<<32 - 1

// pad stands for "no sample" (-1 in the reference).
const pad = ^uint32(0)

// shuffle is Generator.shuffle on a list or one-dimensional array.
func shuffle[T any](g *Generator, x []T) {
	for i := len(x) - 1; i >= 1; i-- {
		j := g.masked(uint32(i))
		x[i], x[j] = x[j], x[i]
	}
}

// shuffleTail is numpy's internal _shuffle_int: Lemire draws, positions first and above.
func (g *Generator) shuffleTail(x []uint32, first int) {
	for i := len(x) - 1; i >= first; i-- {
		j := g.lemire(uint64(i))
		x[i], x[j] = x[j], x[i]
	}
}

// count returns first, first+1, … n values.
func count(first, n int) []uint32 {
	x := make([]uint32, n)
	for i := range x {
		x[i] = uint32(first + i)
	}
	return x
}

// permutation is Generator.permutation(n).
func (g *Generator) permutation(n int) []uint32 {
	x := count(0, n)
	shuffle(g, x)
	return x
}

// choose is Generator.choice(n, k, replace=False): k different numbers below n, in drawn order.
func (g *Generator) choose(n, k int) []uint32 {
	if n > 10_000 && k > n/50 {
		x := count(0, n)
		g.shuffleTail(x, max(n-k, 1))
		return x[n-k:]
	}
	// Floyd's algorithm, then a shuffle of the picks.
	picks := make([]uint32, 0, k)
	seen := make(map[uint32]struct{}, k)
	for j := n - k; j < n; j++ {
		v := uint32(g.lemire(uint64(j)))
		if _, dup := seen[v]; dup {
			v = uint32(j)
		}
		seen[v] = struct{}{}
		picks = append(picks, v)
	}
	g.shuffleTail(picks, 1)
	return picks
}
