package jpeg

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

// quantise turns pixels into the coefficients of all components.
func (e *encoder) quantise(pix []byte) {
	grey := len(e.components) == 1
	for i := range e.components {
		p := &e.components[i]
		factorX, factorY := e.maxH/p.h, e.maxV/p.v
		stride := p.ownX * 8
		rows := make([]byte, stride*8)  // the samples of one row of blocks
		full := make([][]byte, factorY) // the rows of pixels that make one of them
		buffers := make([]byte, stride*factorX*factorY)
		for j := range full {
			full[j] = buffers[j*stride*factorX:][:stride*factorX]
		}
		height := ceilDiv(e.height, factorY)
		for by := range p.ownY {
			for y := range 8 {
				row := rows[y*stride : (y+1)*stride]
				if at := by*8 + y; at >= height { // below the image: its last row
					copy(row, rows[(y-1)*stride:y*stride])
					continue
				}
				for j := range full {
					at := min((by*8+y)*factorY+j, e.height-1)
					if grey {
						copy(full[j], pix[at*e.width:(at+1)*e.width])
					} else {
						componentRow(full[j], pix[at*e.width*3:(at+1)*e.width*3], i)
					}
					for x := e.width; x < len(full[j]); x++ {
						full[j][x] = full[j][e.width-1]
					}
				}
				shrinkRow(row, full, factorX)
			}
			for bx := range p.ownX {
				quantiseBlock(p.block(bx, by), rows[bx*8:], stride, &e.quant[p.table])
			}
		}
		p.fillPadding()
	}
}

// fillPadding gives the blocks that only fill the last MCUs the DC value of the block before them, which costs least.
func (p *plane) fillPadding() {
	for y := range p.blocksY {
		for x := range p.blocksX {
			switch {
			case y >= p.ownY: // the block coded just before this row of the MCU
				mx := x / p.h * p.h
				p.block(x, y)[0] = p.block(mx+p.h-1, y-1)[0]
			case x >= p.ownX:
				p.block(x, y)[0] = p.block(x-1, y)[0]
			}
		}
	}
}

// componentRow computes Y, Cb or Cr of a row of packed RGB with 16-bit fixed point (jccolor.c).
func componentRow(dst, rgb []byte, component int) {
	const offset = 128<<16 + half - 1
	for x := 0; len(rgb) >= 3; x, rgb = x+1, rgb[3:] {
		r, g, b := int32(rgb[0]), int32(rgb[1]), int32(rgb[2])
		switch component {
		case 0:
			dst[x] = byte((19595*r + 38470*g + 7471*b + half) >> 16)
		case 1:
			dst[x] = byte((-11059*r - 21709*g + 32768*b + offset) >> 16)
		default:
			dst[x] = byte((32768*r - 27439*g - 5329*b + offset) >> 16)
		}
	}
}

// shrinkRow averages factor×len(rows) pixels into each sample. The rounding alternates so that it favours neither
// direction (jcsample.c).
func shrinkRow(dst []byte, rows [][]byte, factor int) {
	switch {
	case factor == 1:
		copy(dst, rows[0])
	case len(rows) == 1:
		for x := range dst {
			dst[x] = byte((int(rows[0][2*x]) + int(rows[0][2*x+1]) + x&1) >> 1)
		}
	default:
		for x := range dst {
			sum := int(rows[0][2*x]) + int(rows[0][2*x+1]) + int(rows[1][2*x]) + int(rows[1][2*x+1])
			dst[x] = byte((sum + 1 + x&1) >> 2)
		}
	}
}

// quantiseBlock transforms and quantises 8×8 samples.
func quantiseBlock(out *[64]int16, samples []byte, stride int, quant *[64]uint16) {
	var block [64]int32
	for y := range 8 {
		for x, v := range samples[y*stride : y*stride+8] {
			block[y*8+x] = int32(v) - 128
		}
	}
	forwardDCT(&block)
	for i := range out {
		v, q := block[zigzag[i]], int32(quant[i])*8
		if v < 0 {
			out[i] = int16(-((-v + q/2) / q))
		} else {
			out[i] = int16((v + q/2) / q)
		}
	}
}

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
