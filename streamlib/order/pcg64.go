package order

import "math/bits"

// Constants of numpy's SeedSequence (numpy/random/bit_generator.pyx; the design is M. E. O'Neill's seed_seq_fe).
const (
	seedInitA = uint32(0x43b0d7e5)
	seedMultA = uint32(0x931e8875)
	seedInitB = uint32(0x8b51f9dd)
	seedMultB = uint32(0x58f38ded)
	seedMixL  = uint32(0xca01f9dd)
	seedMixR  = uint32(0x4973f715)
)

// The multiplier of PCG64 (XSL-RR 128/64), high and low word.
const (
	pcgMulHi = uint64(2549297995355413924)
	pcgMulLo = uint64(4865540595714422341)
)

// Generator is numpy's default_rng: PCG64 seeded by a SeedSequence, with the bounded draws of numpy.random.Generator.
// Copying a Generator forks its sequence. It is not safe for concurrent use.
type Generator struct {
	hi, lo, incHi, incLo uint64

	// numpy splits a 64-bit draw into two 32-bit ones and keeps the high half for the next 32-bit draw, across calls;
	// 64-bit and float draws leave it alone.
	half    uint32
	hasHalf bool
}

// NewGenerator is np.random.default_rng(seed).
func NewGenerator(seed uint64) *Generator { return newGenerator(seed, 0) }

// newGenerator is np.random.default_rng(seed+epoch) with Python's unbounded addition.
func newGenerator(seed, epoch uint64) *Generator {
	sum, carry := bits.Add64(seed, epoch, 0)
	entropy := []uint32{uint32(sum), uint32(sum >> 32), uint32(carry)}
	for len(entropy) > 1 && entropy[len(entropy)-1] == 0 {
		entropy = entropy[:len(entropy)-1]
	}
	return seeded(entropy)
}

// seeded makes a Generator of the little-endian 32-bit words of a non-negative integer.
func seeded(entropy []uint32) *Generator {
	words := seedWords(entropy)
	g := &Generator{incHi: words[2]<<1 | words[3]>>63, incLo: words[3]<<1 | 1}
	g.step()
	var carry uint64
	g.lo, carry = bits.Add64(g.lo, words[1], 0)
	g.hi, _ = bits.Add64(g.hi, words[0], carry)
	g.step()
	return g
}

// seedWords is SeedSequence(entropy).generate_state(4, uint64).
func seedWords(entropy []uint32) (words [4]uint64) {
	hash := seedInitA
	scramble := func(v uint32) uint32 {
		v ^= hash
		hash *= seedMultA
		v *= hash
		return v ^ v>>16
	}
	mix := func(x, y uint32) uint32 {
		v := seedMixL*x - seedMixR*y
		return v ^ v>>16
	}
	var pool [4]uint32
	for i := range pool {
		var word uint32
		if i < len(entropy) {
			word = entropy[i]
		}
		pool[i] = scramble(word)
	}
	for src := range pool {
		for dst := range pool {
			if src != dst {
				pool[dst] = mix(pool[dst], scramble(pool[src]))
			}
		}
	}
	for _, word := range entropy[min(len(entropy), len(pool)):] {
		for dst := range pool {
			pool[dst] = mix(pool[dst], scramble(word))
		}
	}
	hash = seedInitB
	for i := range 2 * len(words) {
		v := pool[i%len(pool)] ^ hash
		hash *= seedMultB
		v *= hash
		words[i/2] |= uint64(v^v>>16) << (32 * (i % 2))
	}
	return words
}

func (g *Generator) step() {
	hi, lo := bits.Mul64(g.lo, pcgMulLo)
	hi += g.hi*pcgMulLo + g.lo*pcgMulHi
	var carry uint64
	g.lo, carry = bits.Add64(lo, g.incLo, 0)
	g.hi, _ = bits.Add64(hi, g.incHi, carry)
}

// Uint64 draws 64 bits.
func (g *Generator) Uint64() uint64 {
	g.step()
	return bits.RotateLeft64(g.hi^g.lo, -int(g.hi>>58))
}

// Uint32 draws 32 bits: the low half of a 64-bit draw, then its high half.
func (g *Generator) Uint32() uint32 {
	if g.hasHalf {
		g.hasHalf = false
		return g.half
	}
	v := g.Uint64()
	g.half, g.hasHalf = uint32(v>>32), true
	return uint32(v)
}

// Float64 draws from [0, 1).
func (g *Generator) Float64() float64 { return float64(g.Uint64()>>11) * (1.0 / (1 << 53)) }

// uniform is Generator.uniform(low, high). The conversion keeps the compiler from fusing multiply and add, which would
// round differently on arm64.
func (g *Generator) uniform(low, high float64) float64 {
	return low + float64((high-low)*g.Float64())
}

// integers is Generator.integers(low, high): Lemire's method on [low, high), nothing drawn when only one value is possible.
func (g *Generator) integers(low, high int64) (int64, error) {
	if low >= high {
		return 0, ValueError("low >= high")
	}
	return low + int64(g.lemire(uint64(high-1-low))), nil
}

// lemire draws from [0, last] by multiply and shift with rejection, in 32 bits where they suffice.
func (g *Generator) lemire(last uint64) uint64 {
	switch {
	case last == 0:
		return 0
	case last < 1<<32-1:
		n := uint32(last) + 1
		m := uint64(g.Uint32()) * uint64(n)
		if uint32(m) < n {
			for floor := (1<<32 - 1 - uint32(last)) % n; uint32(m) < floor; {
				m = uint64(g.Uint32()) * uint64(n)
			}
		}
		return m >> 32
	case last == 1<<32-1:
		return uint64(g.Uint32())
	case last == 1<<64-1:
		return g.Uint64()
	}
	n := last + 1
	hi, lo := bits.Mul64(g.Uint64(), n)
	if lo < n {
		for floor := (1<<64 - 1 - last) % n; lo < floor; {
			hi, lo = bits.Mul64(g.Uint64(), n)
		}
	}
	return hi
}

// masked draws from [0, last] by masked rejection, as shuffle and permutation do; integers and choice use lemire.
func (g *Generator) masked(last uint32) uint32 {
	mask := uint32(1)<<bits.Len32(last) - 1
	for {
		if v := g.Uint32() & mask; v <= last {
			return v
		}
	}
}
