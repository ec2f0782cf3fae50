package flowers

import (
	"math/bits"
	"math/rand/v2"
)

// random draws the choices of one picture.
type random struct{ source rand.PCG }

// newRandom returns the source of picture number of a set.
func newRandom(seed uint64, number int) *random {
	r := new(random)
	r.source.Seed(seed, uint64(number)*0x9E3779B97F4A7C15+1)
	return r
}

// between draws from low…high, both included.
func (r *random) between(low, high int) int {
	span, _ := bits.Mul64(r.source.Uint64(), uint64(high-low+1))
	return low + int(span)
}

// chance is true in percent of 100 cases.
func (r *random) chance(percent int) bool { return r.between(0, 99) < percent }

// angle draws a direction.
func (r *random) angle() int { return r.between(0, turn-1) }
