package jpeg

import "encoding/binary"

// pixels is an image to encode: rows of grey (step 1), packed RGB (3), or RGB with a byte that does not count (4).
type pixels struct {
	data          []byte
	width, height int
	step          int
	stride        int // bytes from row to row
}

// row returns row y and what follows it.
func (p *pixels) row(y int) []byte { return p.data[y*p.stride:] }

// samples are the components' samples of one row of MCUs: full has all pixels', small those of components with fewer.
type samples struct {
	width int // of a row of full: that of whole MCUs, and of pairs of blocks
	full  [3][]byte
	small [3][]byte
	bytes []byte // all of them
}

// layOut makes room for rows of MCUs.
func (s *samples) layOut(e *encoder) {
	s.width = roundUp(e.mcusX*8*e.maxH, 16*e.maxH) // the transform reads blocks in pairs
	rows := 8 * e.maxV
	size := len(e.components) * s.width * rows
	s.bytes = resize(s.bytes, 2*size)
	for i := range e.components {
		s.full[i] = s.bytes[i*s.width*rows:][:s.width*rows]
		s.small[i] = s.bytes[size+i*s.width*rows:][:s.width*rows]
	}
}

// fill computes the samples of a row of MCUs. Beyond the right edge the last pixel is repeated, below the last row the last
// samples.
func (s *samples) fill(e *encoder, mcuY int) {
	rows := 8 * e.maxV
	for y := range rows {
		var to [3][]byte
		for i := range e.components {
			to[i] = s.full[i][y*s.width:][:s.width]
		}
		at := mcuY*rows + y
		if at >= e.pixels.height {
			for i := range e.components {
				copy(to[i], s.full[i][(y-1)*s.width:][:s.width])
			}
			continue
		}
		if row := e.pixels.row(at); e.pixels.step == 1 {
			copy(to[0], row[:e.pixels.width])
		} else {
			convertRow(to[0], to[1], to[2], row, e.pixels.step, e.pixels.width)
		}
		for i := range e.components {
			last := to[i][e.pixels.width-1]
			for x := e.pixels.width; x < s.width; x++ {
				to[i][x] = last
			}
		}
	}
	for i := range e.components {
		p := &e.components[i]
		factorX, factorY := e.maxH/p.h, e.maxV/p.v
		if factorX == 1 {
			continue
		}
		width, height := s.width/factorX, ceilDiv(e.pixels.height, factorY)
		for y := range 8 {
			to := s.small[i][y*width:][:width]
			if mcuY*8+y >= height {
				copy(to, s.small[i][(y-1)*width:])
				continue
			}
			upper := s.full[i][y*factorY*s.width:][:s.width]
			if factorY == 1 {
				shrinkAcross(to, upper)
			} else {
				shrink(to, upper, s.full[i][(y*factorY+1)*s.width:][:s.width])
			}
		}
	}
}

// of returns the samples of a component and their width.
func (s *samples) of(e *encoder, i int) (rows []byte, width int) {
	if factor := e.maxH / e.components[i].h; factor > 1 {
		return s.small[i], s.width / factor
	}
	return s.full[i], s.width
}

// convertPixel computes Y, Cb and Cr with 16-bit fixed point (jccolor.c).
func convertPixel(red, green, blue byte) (y, cb, cr byte) {
	const offset = 128<<16 + half - 1
	r, g, b := int32(red), int32(green), int32(blue)
	y = byte((19595*r + 38470*g + 7471*b + half) >> 16)
	cb = byte((-11059*r - 21709*g + 32768*b + offset) >> 16)
	cr = byte((32768*r - 27439*g - 5329*b + offset) >> 16)
	return y, cb, cr
}

// convertPixels computes the components of n pixels of step bytes.
func convertPixels(y, cb, cr, row []byte, step, n int) {
	y, cb, cr = y[:n], cb[:n], cr[:n]
	for x := range y {
		y[x], cb[x], cr[x] = convertPixel(row[0], row[1], row[2])
		row = row[min(step, len(row)):]
	}
}

// Samples that stand for two or four pixels are their mean. The rounding alternates so that it favours neither direction
// (jcsample.c). Four are computed at a time, each in 16 bits of a word.
const evenBytes = 0x00FF00FF_00FF00FF

// shrink averages 2×2 pixels into each sample; rows have whole blocks.
func shrink(dst, upper, lower []byte) {
	const bias = 0x00020001_00020001
	for ; len(dst) >= 4; dst, upper, lower = dst[4:], upper[8:], lower[8:] {
		u, l := binary.LittleEndian.Uint64(upper), binary.LittleEndian.Uint64(lower)
		sum := u&evenBytes + u>>8&evenBytes + l&evenBytes + l>>8&evenBytes + bias
		binary.LittleEndian.PutUint32(dst, pack(sum>>2&evenBytes))
	}
}

// shrinkAcross averages two pixels of a row into each sample.
func shrinkAcross(dst, row []byte) {
	const bias = 0x00010000_00010000
	for ; len(dst) >= 4; dst, row = dst[4:], row[8:] {
		v := binary.LittleEndian.Uint64(row)
		sum := v&evenBytes + v>>8&evenBytes + bias
		binary.LittleEndian.PutUint32(dst, pack(sum>>1&evenBytes))
	}
}

// pack joins the low bytes of a word's four parts.
func pack(v uint64) uint32 {
	v = (v | v>>8) & 0x0000FFFF_0000FFFF
	return uint32(v | v>>16)
}

func roundUp(n, unit int) int { return ceilDiv(n, unit) * unit }

// resize returns a slice of n elements, in the memory of s if they fit. Their values are of no meaning.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
