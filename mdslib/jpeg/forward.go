package jpeg

import "math/bits"

// lumaTable and chromaTable are the quantisation tables of T.81, annex K.1, in row order.
var (
	lumaTable = [64]uint16{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	chromaTable = [64]uint16{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
)

// scaledTable scales a table to a quality as libjpeg does (jcparam.c) and returns it in zigzag order.
func scaledTable(base *[64]uint16, quality int) (t [64]uint16) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for i := range t {
		v := (int(base[zigzag[i]])*scale + 50) / 100
		t[i] = uint16(min(max(v, 1), 255))
	}
	return t
}

// quantiser divides coefficients, which the transform makes eight times too large, by the values of a table and rounds
// halves away from zero. A division is three steps on 16 bits without sign, all exact (libjpeg-turbo's
// jcdctmgr.c, compute_reciprocal): add, then take the high half of two products. The tables are in row order, each row
// twice, as two blocks lie side by side in a register.
type quantiser struct {
	add, reciprocal, scale [8][16]uint16
}

// set takes a table in zigzag order.
func (q *quantiser) set(table *[64]uint16) {
	for k, step := range table {
		row, column := zigzag[k]/8, zigzag[k]%8
		add, reciprocal, scale := divide(uint32(step) * 8)
		for _, i := range [2]int{int(column), int(column) + 8} {
			q.add[row][i], q.reciprocal[row][i], q.scale[row][i] = add, reciprocal, scale
		}
	}
}

// divide gives the steps that divide by d, 8 to 2040, with rounding.
func divide(d uint32) (add, reciprocal, scale uint16) {
	shift := 16 + bits.Len32(d) - 1
	quotient, rest := uint32(1<<shift)/d, uint32(1<<shift)%d
	half := d / 2
	switch {
	case rest == 0: // a power of two, whose quotient has one bit too many
		quotient >>= 1
		shift--
	case rest <= d/2:
		half++
	default:
		quotient++
	}
	return uint16(half), uint16(quotient), uint16(1 << (32 - shift))
}

// quantise divides coefficient i in row order.
func (q *quantiser) quantise(v int32, i uint8) int16 {
	sign := v >> 31
	n := uint32(v^sign-sign) + uint32(q.add[i/8][i%8])
	n = n * uint32(q.reciprocal[i/8][i%8]) >> 16
	n = n * uint32(q.scale[i/8][i%8]) >> 16
	return int16(int32(n) ^ sign - sign)
}

// transformBlock transforms and quantises 8×8 samples into out, in zigzag order, and returns which of its coefficients
// are not zero, a bit each.
func transformBlock(out *[64]int16, samples []byte, stride int, q *quantiser) (nonzero uint64) {
	var block [64]int32
	for y := range 8 {
		for x, v := range samples[y*stride : y*stride+8] {
			block[y*8+x] = int32(v) - 128
		}
	}
	forwardDCT(&block)
	for k := range out {
		i := zigzag[k] & 63
		if out[k] = q.quantise(block[i], i); out[k] != 0 {
			nonzero |= 1 << k
		}
	}
	return nonzero
}

// Factors of the transforms, forward and inverse, with 13 bits behind the point: round(c·2^13).
const (
	c0298 = 2446
	c0390 = 3196
	c0541 = 4433
	c0765 = 6270
	c0899 = 7373
	c1175 = 9633
	c1501 = 12299
	c1847 = 15137
	c1961 = 16069
	c2053 = 16819
	c2562 = 20995
	c3072 = 25172
)

// forwardDCT is libjpeg's accurate integer transform (jfdctint.c); the result is eight times the coefficients.
func forwardDCT(b *[64]int32) {
	for y := range 8 {
		forward8(b[y*8:y*8+8], 1, true)
	}
	for x := range 8 {
		forward8(b[x:x+57], 8, false)
	}
}

// forward8 transforms eight values that stand step apart, gaining two bits in the first pass and losing them in the second.
func forward8(d []int32, step int, first bool) {
	at := func(i int) *int32 { return &d[i*step] }
	s0, s7 := *at(0)+*at(7), *at(0)-*at(7)
	s1, s6 := *at(1)+*at(6), *at(1)-*at(6)
	s2, s5 := *at(2)+*at(5), *at(2)-*at(5)
	s3, s4 := *at(3)+*at(4), *at(3)-*at(4)
	t10, t13, t11, t12 := s0+s3, s0-s3, s1+s2, s1-s2
	shift := uint(13 + 2)
	if first {
		*at(0), *at(4) = (t10+t11)<<2, (t10-t11)<<2
		shift = 13 - 2
	} else {
		*at(0), *at(4) = (t10+t11+2)>>2, (t10-t11+2)>>2
	}
	round := int32(1) << (shift - 1)
	z1 := (t12+t13)*c0541 + round
	*at(2), *at(6) = (z1+t13*c0765)>>shift, (z1-t12*c1847)>>shift

	z1, z2, z3, z4 := s4+s7, s5+s6, s4+s6, s5+s7
	z5 := (z3 + z4) * c1175
	z1 *= -c0899
	z2 *= -c2562
	z3 = z3*-c1961 + z5 + round
	z4 = z4*-c0390 + z5 + round
	*at(7) = (s4*c0298 + z1 + z3) >> shift
	*at(5) = (s5*c2053 + z2 + z4) >> shift
	*at(3) = (s6*c3072 + z2 + z3) >> shift
	*at(1) = (s7*c1501 + z1 + z4) >> shift
}

// transformBlocks transforms n blocks that lie side by side in samples.
func transformBlocks(coef []int16, nonzero []uint64, samples []byte, stride, n int, q *quantiser) {
	for i := range n {
		nonzero[i] = transformBlock((*[64]int16)(coef[64*i:]), samples[8*i:], stride, q)
	}
}
