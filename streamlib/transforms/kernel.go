package transforms

// The loops over pixels. A row between passes is a uint32 a pixel: red | green<<8 | blue<<16. Sources may be read up to 16
// bytes past the last pixel, so that vector code can stand in for these functions.

// round8 turns a weighted sum into a level.
func round8(v int32) uint32 {
	v >>= weightBits
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return uint32(v)
}

// halfLevel rounds a weighted sum to nearest.
const halfLevel = 1 << (weightBits - 1)

// resizeRow stretches one row of packed RGB.
func resizeRow(dst []uint32, src []byte, t *taps, flip bool) {
	n := len(dst)
	for i := range dst {
		weights := t.weightsOf(i)
		p := src[t.first[i]*3:]
		p = p[:3*len(weights)]
		r, g, b := int32(halfLevel), int32(halfLevel), int32(halfLevel)
		for _, k := range weights {
			r += k * int32(p[0])
			g += k * int32(p[1])
			b += k * int32(p[2])
			p = p[3:]
		}
		j := i
		if flip {
			j = n - 1 - i
		}
		dst[j] = round8(r) | round8(g)<<8 | round8(b)<<16
	}
}

// combineRows adds up rows of width pixels.
func combineRows(dst, rows []uint32, width int, weights []int32) {
	for x := range dst {
		r, g, b := int32(halfLevel), int32(halfLevel), int32(halfLevel)
		at := x
		for _, k := range weights {
			p := rows[at]
			r += k * int32(p&255)
			g += k * int32(p>>8&255)
			b += k * int32(p>>16)
			at += width
		}
		dst[x] = round8(r) | round8(g)<<8 | round8(b)<<16
	}
}

// combineBytes adds up rows of bytes that stand stride apart.
func combineBytes(dst, src []byte, stride int, weights []int32) {
	for x := range dst {
		sum := int32(halfLevel)
		at := x
		for _, k := range weights {
			sum += k * int32(src[at])
			at += stride
		}
		dst[x] = byte(round8(sum))
	}
}

// packRow turns packed RGB into pixels.
func packRow(dst []uint32, src []byte, flip bool) {
	n := len(dst)
	src = src[:3*n]
	for i := range dst {
		j := i
		if flip {
			j = n - 1 - i
		}
		dst[j] = uint32(src[0]) | uint32(src[1])<<8 | uint32(src[2])<<16
		src = src[3:]
	}
}

// unpackRow turns pixels into packed RGB.
func unpackRow(dst []byte, src []uint32) {
	for _, p := range src {
		dst[0], dst[1], dst[2] = byte(p), byte(p>>8), byte(p>>16)
		dst = dst[3:]
	}
}

// normaliseRow spreads pixels over three float planes.
func normaliseRow(r, g, b []float32, src []uint32, n *normalisation) {
	r, g, b = r[:len(src)], g[:len(src)], b[:len(src)]
	for x, p := range src {
		r[x] = n.table[0][byte(p)]
		g[x] = n.table[1][byte(p>>8)]
		b[x] = n.table[2][byte(p>>16)]
	}
}
