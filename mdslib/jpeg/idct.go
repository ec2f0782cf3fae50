package jpeg

// clamp8 limits v to 0…255.
func clamp8(v int32) byte {
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return byte(v)
}

// fillBlock writes the 8×8 samples of a block that has no coefficient but the first.
func fillBlock(out []byte, stride int, dc int32) {
	v := clamp8((dc<<2+16)>>5 + 128)
	for y := range 8 {
		row := out[y*stride : y*stride+8 : y*stride+8]
		row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = v, v, v, v, v, v, v, v
	}
}

// inverseDCT is libjpeg's accurate integer inverse transform (jidctint.c, after Loeffler, Ligtenberg and Moschytz): columns,
// then rows, with 13-bit constants and two extra bits between the passes. block is left undefined.
func inverseDCT(block *[64]int32, out []byte, stride int) {
	for x := range 8 {
		c := block[x : x+57 : x+57]
		if c[8]|c[16]|c[24]|c[32]|c[40]|c[48]|c[56] == 0 {
			v := c[0] << 2
			c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = v, v, v, v, v, v, v, v
			continue
		}
		c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = idct8(c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56], 1<<10, 11)
	}
	for y := range 8 {
		r := block[y*8 : y*8+8 : y*8+8]
		row := out[y*stride : y*stride+8 : y*stride+8]
		if r[1]|r[2]|r[3]|r[4]|r[5]|r[6]|r[7] == 0 {
			v := clamp8((r[0]+16)>>5 + 128)
			row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = v, v, v, v, v, v, v, v
			continue
		}
		a, b, c, d, e, f, g, h := idct8(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], 1<<17+128<<18, 18)
		row[0], row[1], row[2], row[3] = clamp8(a), clamp8(b), clamp8(c), clamp8(d)
		row[4], row[5], row[6], row[7] = clamp8(e), clamp8(f), clamp8(g), clamp8(h)
	}
}

// idct8 transforms eight values, adds round and shifts right.
func idct8(s0, s1, s2, s3, s4, s5, s6, s7, round int32, shift uint) (int32, int32, int32, int32, int32, int32, int32, int32) {
	z1 := (s2 + s6) * c0541
	t2, t3 := z1-s6*c1847, z1+s2*c0765
	t0, t1 := (s0+s4)<<13+round, (s0-s4)<<13+round
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2

	y1, y2, y3, y4 := s7+s1, s5+s3, s7+s3, s5+s1
	y5 := (y3 + y4) * c1175
	y1 *= -c0899
	y2 *= -c2562
	y3 = y3*-c1961 + y5
	y4 = y4*-c0390 + y5
	o0 := s7*c0298 + y1 + y3
	o1 := s5*c2053 + y2 + y4
	o2 := s3*c3072 + y2 + y3
	o3 := s1*c1501 + y1 + y4
	return (e0 + o3) >> shift, (e1 + o2) >> shift, (e2 + o1) >> shift, (e3 + o0) >> shift,
		(e3 - o0) >> shift, (e2 - o1) >> shift, (e1 - o2) >> shift, (e0 - o3) >> shift
}
