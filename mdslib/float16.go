package mdslib

// Float16 is the IEEE 754 half-precision number of the float16 encoding and of float16 arrays.

import "math"

// Float16 holds a half-precision number as its bits: 1 sign, 5 exponent, 10 fraction.
type Float16 uint16

// Float16Of rounds f to the nearest half-precision number, ties to even, in one step (rounding to float32 first would
// round twice). Beyond 65504 lies infinity.
func Float16Of(f float64) Float16 {
	bits := math.Float64bits(f)
	sign := Float16(bits>>48) & 0x8000
	exponent := int(bits>>52)&0x7ff - 1023
	fraction := bits & (1<<52 - 1)
	switch {
	case exponent == 1024 && fraction != 0:
		return sign | 0x7e00 | Float16(fraction>>42) // a quiet NaN with the leading payload bits
	case exponent > 15:
		return sign | 0x7c00
	case exponent < -25:
		return sign
	}
	fraction |= 1 << 52
	shift := uint(42)
	if exponent < -14 { // subnormal: fewer bits remain
		shift += uint(-14 - exponent)
	}
	kept, rest, half := fraction>>shift, fraction&(1<<shift-1), uint64(1)<<(shift-1)
	if rest > half || rest == half && kept&1 == 1 {
		kept++
	}
	if exponent < -14 {
		return sign | Float16(kept) // a carry into bit 10 is the smallest normal number: right as it stands
	}
	// kept holds the implied bit 10; a carry to bit 11 raises the exponent, up to infinity: right as it stands
	return sign | Float16(uint64(exponent+14)<<10+kept)
}

// Float32 returns h's value, which float32 holds exactly.
func (h Float16) Float32() float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch exponent {
	case 0:
		value := math.Ldexp(float64(fraction), -24)
		return math.Float32frombits(math.Float32bits(float32(value)) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
