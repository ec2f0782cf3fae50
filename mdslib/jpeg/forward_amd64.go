package jpeg

// The transform, the conversion of colours and the coding of values with AVX2 (forward_amd64.s), which give the same as the
// Go code that stands in where a processor lacks it. It is libjpeg-turbo's way (simd/x86_64/jfdctint-avx2.asm,
// jquanti-avx2.asm): two blocks at a time, one in each half of a register.

import "golang.org/x/sys/cpu"

// hasAVX2 stands for the rest of the level x86-64-v3, too.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

// vector holds 16-bit numbers for both halves of a register.
type vector [16]int16

// transformConstants are what the assembly of the transform reads; it knows their places.
type transformConstants struct {
	dct    [8]vector     // pairs of factors, as DCT in the assembly uses them
	round1 [8]int32      // halves for the shifts behind products, first and second pass
	round2 [8]int32      //
	two    vector        // half for the shift of sums in the second pass
	middle vector        // the value of grey, which samples are taken less
	zigzag [36][32]uint8 // shuffles that gather zigzag rows from the rows of a block: for each zigzag row, the rows that it draws from
}

var transforming = transformConstants{
	dct: [8]vector{
		pairs(c0541+c0765, c0541), pairs(c0541, c0541-c1847),
		pairs(c1175-c1961, c1175), pairs(c1175, c1175-c0390),
		pairs(c0298-c0899, -c0899), pairs(-c0899, c1501-c0899),
		pairs(c2053-c2562, -c2562), pairs(-c2562, c3072-c2562),
	},
	round1: eight(1 << 10),
	round2: eight(1 << 14),
	two:    pairs(2, 2),
	middle: pairs(128, 128),
	zigzag: zigzagShuffles(),
}

// colours are the constants of one layout of pixels.
type colours struct {
	redGreen, blueGreen   [32]uint8 // shuffles: a pixel's two values, 16 bits each
	lumaRG, lumaBG        vector
	cbRG, crBG            vector
	halves, middle, order [8]int32
}

var rgb24, rgb32 = coloursOf(3), coloursOf(4)

func coloursOf(step uint8) *colours {
	c := &colours{
		lumaRG: pairs(19595, 38470-16384), lumaBG: pairs(7471, 16384), // 38470 is more than 16 bits hold
		cbRG: pairs(-11059, -21709), crBG: pairs(-5329, -27439),
		halves: eight(half), middle: eight(128<<16 + half - 1), order: [8]int32{0, 4, 1, 5, 2, 6, 3, 7},
	}
	const none = 0x80
	for i := range uint8(8) {
		at := i % 4 * step
		copy(c.redGreen[4*i:], []uint8{at, none, at + 1, none})
		copy(c.blueGreen[4*i:], []uint8{at + 2, none, at + 1, none})
	}
	return c
}

func pairs(a, b int16) (v vector) {
	for i := 0; i < len(v); i += 2 {
		v[i], v[i+1] = a, b
	}
	return v
}

func eight(n int32) [8]int32 { return [8]int32{n, n, n, n, n, n, n, n} }

func zigzagShuffles() (list [36][32]uint8) {
	at := 0
	for to := range 8 { // zigzag row
		for from := range 8 {
			shuffle, found := [16]uint8{}, false
			for i := range 8 {
				shuffle[2*i], shuffle[2*i+1] = 0x80, 0x80
				if z := zigzag[8*to+i]; z/8 == uint8(from) {
					shuffle[2*i], shuffle[2*i+1], found = z%8*2, z%8*2+1, true
				}
			}
			if found {
				copy(list[at][:16], shuffle[:])
				copy(list[at][16:], shuffle[:])
				at++
			}
		}
	}
	return list
}

// transformPairs transforms n pairs of blocks.
//
//go:noescape
func transformPairs(coef *int16, nonzero *uint64, samples *byte, stride, n int, q *quantiser, c *transformConstants)

// convertGroups computes the components of n times eight pixels; half is the bytes of four. It reads four bytes beyond where
// a pixel has three.
//
//go:noescape
func convertGroups(y, cb, cr, row *byte, half, n int, c *colours)

// transformRow transforms n blocks that lie side by side in samples. With an odd n it also transforms the block that
// follows, for which there must be room.
func transformRow(coef []int16, nonzero []uint64, samples []byte, stride, n int, q *quantiser) {
	if !hasAVX2 {
		transformBlocks(coef, nonzero, samples, stride, n, q)
		return
	}
	pairs := ceilDiv(n, 2)
	_, _, _ = coef[128*pairs-1], nonzero[2*pairs-1], samples[7*stride+16*pairs-1]
	transformPairs(&coef[0], &nonzero[0], &samples[0], stride, pairs, q, &transforming)
}

// convertRow computes the components of a row of n pixels.
func convertRow(y, cb, cr, row []byte, step, n int) {
	done := 0
	if hasAVX2 {
		c, groups := rgb32, n/8
		if step == 3 {
			c, groups = rgb24, min(n/8, max(0, len(row)-4)/24)
		}
		if groups > 0 {
			done = 8 * groups
			_, _, _, _ = y[done-1], cb[done-1], cr[done-1], row[done*step-1]
			convertGroups(&y[0], &cb[0], &cr[0], &row[0], 4*step, groups, c)
		}
	}
	convertPixels(y[done:], cb[done:], cr[done:], row[done*step:], step, n-done)
}

// encodeValues is the loop of appendValues. It returns the number of bytes written to plain, and the new acc and n.
//
//go:noescape
func encodeValues(plain *byte, ac *codeTable, block *[64]int16, nonzero, acc uint64, n uint) (written int, newAcc uint64, newN uint)

// values is appendValues.
func (w *bitWriter) values(ac *codeTable, block *[64]int16, nonzero uint64) {
	if !hasAVX2 {
		w.appendValues(ac, block, nonzero)
		return
	}
	written, acc, n := encodeValues(&w.plain[w.at], ac, block, nonzero, w.acc, w.n)
	w.at, w.acc, w.n = w.at+written, acc, n
}
