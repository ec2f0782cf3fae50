package transforms

import "math"

// weightBits is the precision of resize weights: Pillow's for 8-bit channels (32 − 8 − 2 bits).
const weightBits = 22

// taps are the weights of one pass of a resize: output i is the sum of weights·input over count[i] inputs from first[i].
// The rule is Pillow's Resample.c, bilinear filter: a triangle as wide as the scale, cut off at the image's edge,
// normalised in float64 and then rounded to fixed point.
type taps struct {
	in, out, from, to int // what was computed last
	first, count      []int
	weights           []int32 // [outputs, stride]
	stride            int
	work              []float64
}

// compute prepares the outputs from…to−1 of a pass that stretches in samples to out.
func (t *taps) compute(in, out, from, to int) {
	if t.in == in && t.out == out && t.from == from && t.to == to {
		return
	}
	t.in, t.out, t.from, t.to = in, out, from, to
	scale := float64(in) / float64(out)
	support := math.Max(scale, 1)
	inverse := 1 / support
	t.stride = int(math.Ceil(support))*2 + 1
	n := to - from
	if cap(t.first) < n {
		t.first, t.count = make([]int, n), make([]int, n)
	}
	if cap(t.weights) < n*t.stride {
		t.weights = make([]int32, n*t.stride)
	}
	if cap(t.work) < t.stride {
		t.work = make([]float64, t.stride)
	}
	t.first, t.count, t.weights, t.work = t.first[:n], t.count[:n], t.weights[:n*t.stride], t.work[:t.stride]
	for i := range n {
		center := float64((float64(from+i) + 0.5) * scale) // the conversion forbids a fused multiply-add
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), in)
		sum := 0.0
		for x := lo; x < hi; x++ {
			v := 1 - math.Abs((float64(x)-center+0.5)*inverse)
			if v < 0 {
				v = 0
			}
			t.work[x-lo] = v
			sum += v
		}
		t.first[i], t.count[i] = lo, 0
		weights := t.weights[i*t.stride : (i+1)*t.stride]
		for x := range hi - lo {
			v := t.work[x]
			if sum != 0 {
				v /= sum
			}
			weights[x] = int32(0.5 + float64(v*(1<<weightBits)))
			if weights[x] != 0 {
				t.count[i] = x + 1
			}
		}
	}
}

// weightsOf returns the weights of output i.
func (t *taps) weightsOf(i int) []int32 {
	return t.weights[i*t.stride : i*t.stride+t.count[i]]
}
