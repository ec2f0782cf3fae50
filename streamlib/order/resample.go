package order

import (
	"slices"
	"sort"
)

// draw is what an epoch takes of one or more streams.
type draw struct {
	units   []int // sizes of the shuffle units: each whole pass over a shard, and what is drawn beside
	samples int

	// ids maps a position of the epoch to the sample drawn for it; nil where position and id are the same.
	ids []uint32
}

// resample draws this epoch's samples of one stream, or of all if only < 0 (one generator then goes through them all).
func (p *Plan) resample(seed, epoch uint64, only int) (draw, error) {
	a := p.args
	var g *Generator
	if a.SamplingMethod == "fixed" {
		g = NewGenerator(seed)
	} else {
		g = newGenerator(seed, epoch)
	}
	perEpoch := uint64(0)
	if a.Shuffle && a.SamplingMethod != "fixed" {
		perEpoch = epoch
	}
	var d draw
	if only < 0 {
		d.samples = p.mix.EpochSize
	} else {
		d.samples = p.mix.Choose[only]
	}
	plain := true
	first := 0 // id of the stream's first sample
	for i, s := range p.streams {
		if only < 0 || only == i {
			drawn, err := Sampling(s.Sizes, p.mix.Choose[i], a.SamplingGranularity, seed, perEpoch)
			if err != nil {
				return draw{}, err
			}
			plain = plain && only < 0 && slices.Equal(drawn, s.Sizes)
			if !plain && d.ids == nil {
				// What was whole so far is the identity.
				d.ids = append(make([]uint32, 0, d.samples), count(0, min(first, sumOf(d.units)))...)
			}
			d.take(g, s.Sizes, drawn, first, plain)
		}
		first += s.Samples()
	}
	if d.samples == 0 {
		return draw{}, ValueError("need at least one array to concatenate")
	}
	return d, nil
}

// take adds what is drawn of a stream's shards; with plain every sample once, in order.
func (d *draw) take(g *Generator, sizes, drawn []int, first int, plain bool) {
	for i, size := range sizes {
		if size == 0 {
			continue // nothing can be drawn of it
		}
		n := drawn[i]
		for range n / size {
			d.units = append(d.units, size)
			if !plain {
				d.ids, _ = fill(d.ids, span{first, first + size})
			}
		}
		if rest := n % size; rest != 0 {
			d.units = append(d.units, rest)
			picks := g.choose(size, rest)
			sort.Slice(picks, func(a, b int) bool { return picks[a] < picks[b] })
			for _, pick := range picks {
				d.ids = append(d.ids, uint32(first)+pick)
			}
		}
		first += size
	}
}

func sumOf(x []int) int {
	sum := 0
	for _, v := range x {
		sum += v
	}
	return sum
}

// apply replaces the positions of w by samples: through the permutation (nil: none), then through the drawn ids.
func (d *draw) apply(w *Work, permutation []uint32) {
	for _, ids := range w.ranks {
		for i, id := range ids {
			if id == pad {
				continue
			}
			if permutation != nil {
				id = permutation[id]
			}
			if d.ids != nil {
				id = d.ids[id]
			}
			ids[i] = id
		}
	}
}
