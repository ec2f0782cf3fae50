package order

import "math"

// Stream is one stream of samples: its shards and at most one weight. Without a weight each sample is drawn once.
type Stream struct {
	Sizes      []int    `json:"sizes"`                // samples of each shard
	Proportion *float64 `json:"proportion,omitempty"` // share of the epoch, relative to the other streams' proportions
	Repeat     *float64 `json:"repeat,omitempty"`     // times each sample is drawn per epoch
	Choose     *int     `json:"choose,omitempty"`     // samples drawn per epoch
}

// Samples is the number of different samples.
func (s Stream) Samples() int {
	n := 0
	for _, size := range s.Sizes {
		n += size
	}
	return n
}

func (s Stream) check() error {
	given := 0
	for _, ok := range []bool{s.Proportion != nil, s.Repeat != nil, s.Choose != nil} {
		if ok {
			given++
		}
	}
	switch {
	case given > 1:
		return ValueError("At most one of `proportion`, `repeat`, and `choose` may be specified; the others are derived")
	case s.Proportion != nil && !(*s.Proportion >= 0):
		return ValueError("`proportion` must be non-negative")
	case s.Repeat != nil && !(*s.Repeat >= 0):
		return ValueError("`repeat` must be non-negative")
	case s.Choose != nil && *s.Choose < 0:
		return ValueError("`choose` must be non-negative")
	}
	samples := 0
	for i, size := range s.Sizes {
		if size < 0 || size >= maxSamples || samples >= maxSamples {
			return invalid("shard %d has %d samples after %d", i, size, samples)
		}
		samples += size
	}
	if s.Choose != nil && *s.Choose >= maxSamples {
		return invalid("%d samples per epoch of a stream are more than the supported %d", *s.Choose, maxSamples-1)
	}
	return nil
}

// Mix is what the weights of all streams come to.
type Mix struct {
	EpochSize  int       // samples drawn per epoch, all streams together
	Choose     []int     // samples drawn per epoch of each stream
	Proportion []float64 // share of each stream
}

// Weigh derives the mix of the streams. epochSize (0: not given) goes with relative weights, or with none.
func Weigh(streams []Stream, epochSize int, seed uint64) (Mix, error) {
	if len(streams) == 0 {
		return Mix{}, ValueError("an epoch needs at least one stream")
	}
	if epochSize < 0 {
		return Mix{}, invalid("Epoch size cannot be negative. Received %d.", epochSize)
	}
	if epochSize >= maxSamples {
		return Mix{}, invalid("%d samples per epoch are more than the supported %d", epochSize, maxSamples-1)
	}
	relative, unspecified := streams[0].Proportion != nil, true
	samples := make([]int, len(streams))
	all := 0
	for i, s := range streams {
		if err := s.check(); err != nil {
			return Mix{}, err
		}
		if (s.Proportion != nil) != relative {
			return Mix{}, invalid("Relative (`proportion`) and absolute (`repeat`, `choose`, none) stream weights are "+
				"incompatible with each other (error in stream %d)", i)
		}
		if s.Proportion != nil || s.Repeat != nil || s.Choose != nil {
			unspecified = false
		}
		if samples[i] = s.Samples(); samples[i] == 0 {
			return Mix{}, invalid("Stream contains no samples: stream %d.", i)
		}
		all += samples[i]
	}
	mix := Mix{Choose: make([]int, len(streams)), Proportion: make([]float64, len(streams))}
	if relative || (unspecified && epochSize > 0) {
		if epochSize == 0 {
			epochSize = all
		}
		for i, s := range streams {
			mix.Proportion[i] = float64(samples[i])
			if relative {
				mix.Proportion[i] = *s.Proportion
			}
		}
		if err := mix.relative(epochSize, seed); err != nil {
			return Mix{}, err
		}
		return mix, nil
	}
	if epochSize > 0 {
		return Mix{}, ValueError("Only provide `choose` when weighting streams relatively")
	}
	for i, s := range streams {
		switch {
		case s.Repeat != nil:
			drawn := *s.Repeat * float64(samples[i])
			if drawn >= maxSamples {
				return Mix{}, invalid("%g samples per epoch of stream %d are more than the supported %d", drawn, i, maxSamples-1)
			}
			mix.Choose[i] = int(drawn)
		case s.Choose != nil:
			mix.Choose[i] = *s.Choose
		default:
			mix.Choose[i] = samples[i]
		}
		mix.EpochSize += mix.Choose[i]
	}
	if mix.EpochSize == 0 {
		return Mix{}, ValueError("the stream weights come to an epoch without samples")
	}
	for i, n := range mix.Choose {
		mix.Proportion[i] = float64(n) / float64(mix.EpochSize)
	}
	return mix, nil
}

// relative shares out an epoch by the proportions; the samples lost to rounding go to streams drawn by lot.
func (m *Mix) relative(epochSize int, seed uint64) error {
	sum := pairwiseSum(m.Proportion)
	if !(sum > 0) || math.IsInf(sum, 0) {
		return invalid("the `proportion` of all streams come to %g; their sum must be positive and finite", sum)
	}
	m.EpochSize = epochSize
	missing := epochSize
	for i := range m.Proportion {
		m.Proportion[i] /= sum
		m.Choose[i] = int(float64(epochSize) * m.Proportion[i])
		missing -= m.Choose[i]
	}
	if missing < 0 || missing > len(m.Choose) {
		return invalid("cannot share out %d samples over %d streams", epochSize, len(m.Choose))
	}
	for _, i := range NewGenerator(seed).choose(len(m.Choose), missing) {
		m.Choose[i]++
	}
	return nil
}

// pairwiseSum adds in the order of numpy's float64 add.reduce, which matters to the last bit from eight values on.
func pairwiseSum(x []float64) float64 {
	n := len(x)
	switch {
	case n < 8:
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		return sum
	case n <= 128:
		acc := [8]float64(x[:8])
		i := 8
		for ; i+8 <= n; i += 8 {
			for k := range acc {
				acc[k] += x[i+k]
			}
		}
		sum := ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]))
		for _, v := range x[i:] {
			sum += v
		}
		return sum
	}
	half := n / 2
	half -= half % 8
	return pairwiseSum(x[:half]) + pairwiseSum(x[half:])
}
