package order

import (
	"math"
	"runtime"
	"sync"
)

// shufflePy1e shuffles within each span, then moves every sample by a random distance so that a span's samples lie
// within about blockSize of each other, and sorts by the positions so reached.
func shufflePy1e(spans []span, samples, nodes int, seed, epoch uint64, blockSize int) ([]uint32, error) {
	parts, g := arrange(spans, samples, nodes, seed, epoch)
	low, high := blockRange(blockSize)
	ids := make([]uint32, 0, samples)
	for _, part := range parts {
		first := len(ids)
		for _, s := range part {
			var own []uint32
			ids, own = fill(ids, s)
			shuffle(g, own)
		}
		own := ids[first:]
		if len(own) == 0 {
			return nil, invalid("The number of samples assigned to a canonical node is 0. This very likely indicates that the "+
				"number of samples in this stream is less than the number of canonical nodes, which is %d. Please check your "+
				"index.json file and ensure that your dataset has been written out correctly. If this was intended, reduce "+
				"num_canonical_nodes.", nodes)
		}
		moves, err := drawMoves(g, part, len(own), low, high)
		if err != nil {
			return nil, err
		}
		sortByMove(own, moves)
	}
	return ids, nil
}

// move is the range of distances that the samples of one span draw from, and the generator before those draws, so that
// they can be drawn twice instead of kept (8 bytes a sample).
type move struct {
	first, size int
	low, high   float64
	draws       Generator
}

// position of the next sample, i from the start of its node. The conversions forbid fused rounding.
func (m *move) position(i int) float64 { return float64(i) + m.draws.uniform(m.low, m.high) }

func drawMoves(g *Generator, part []span, samples int, low, high int64) ([]move, error) {
	moves := make([]move, 0, len(part))
	first := 0
	for _, s := range part {
		block, err := g.integers(low, high)
		if err != nil {
			return nil, err
		}
		size := s.size()
		reach := max(0, float64(block-int64(size))/2)
		moves = append(moves, move{first, size, math.Max(-reach, -float64(first)), math.Min(reach, float64(samples-first-size)), *g})
		for range size {
			g.step()
		}
		first += size
	}
	return moves, nil
}

// Positions are sorted in two steps that each stay in cache: into bins of binWidth positions, then within each bin.
const (
	binShift = 11
	binWidth = 1 << binShift
)

// placed are samples at their new positions, 12 bytes each.
type placed struct {
	positions []float64
	ids       []uint32
}

func makePlaced(n int) placed { return placed{make([]float64, n), make([]uint32, n)} }

func (p placed) slice(from, to int) placed { return placed{p.positions[from:to], p.ids[from:to]} }

// sortByMove replaces ids by their order after the moves. Equal positions keep their order.
func sortByMove(ids []uint32, moves []move) {
	last := (len(ids) - 1) >> binShift
	bin := func(position float64) int { return min(int(position)>>binShift, last) }
	ends := make([]int, last+2)
	for _, m := range moves { // copies: the draws are repeated below
		for i := m.first; i < m.first+m.size; i++ {
			ends[bin(m.position(i))+1]++
		}
	}
	for b := range last + 1 {
		ends[b+1] += ends[b]
	}
	next := ends[:last+1] // becomes the end of bin b when all samples are placed
	all := makePlaced(len(ids))
	for _, m := range moves {
		for i := m.first; i < m.first+m.size; i++ {
			p := m.position(i)
			b := bin(p)
			all.positions[next[b]], all.ids[next[b]] = p, ids[i]
			next[b]++
		}
	}
	workers := max(1, min(runtime.GOMAXPROCS(0), (last+1)/16))
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			var scratch placed
			for b := w; b <= last; b += workers {
				from, to := 0, next[b]
				if b > 0 {
					from = next[b-1]
				}
				if to-from > len(scratch.ids) {
					scratch = makePlaced((to - from) * 5 / 4)
				}
				sortBin(all.slice(from, to), scratch.slice(0, to-from), float64(b<<binShift))
				copy(ids[from:to], scratch.ids)
			}
		})
	}
	group.Wait()
}

// sortBin sorts a bin, which starts at position base, into sorted: counted by whole position, then by insertion among the
// few of one position.
func sortBin(bin, sorted placed, base float64) {
	var starts [binWidth + 1]uint32
	slot := func(position float64) int { return min(max(int(position-base), 0), binWidth-1) }
	for _, p := range bin.positions {
		starts[slot(p)+1]++
	}
	for s := range binWidth {
		starts[s+1] += starts[s]
	}
	var ends [binWidth]uint32
	copy(ends[:], starts[:])
	for i, p := range bin.positions {
		s := slot(p)
		at := ends[s]
		ends[s]++
		for ; at > starts[s] && sorted.positions[at-1] > p; at-- {
			sorted.positions[at], sorted.ids[at] = sorted.positions[at-1], sorted.ids[at-1]
		}
		sorted.positions[at], sorted.ids[at] = p, bin.ids[i]
	}
}
