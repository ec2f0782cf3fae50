package jpeg

// colourSpace says what the components of a file hold.
type colourSpace byte

const (
	grey colourSpace = iota
	ycbcr
	rgb
	cmyk
	ycck
)

// chooseSpace applies libjpeg's rule (jdapimin.c): the JFIF marker, then Adobe's, then the component ids.
func (f *frame) chooseSpace() {
	switch len(f.components) {
	case 1:
		f.space = grey
	case 3:
		ids := [3]byte{f.components[0].id, f.components[1].id, f.components[2].id}
		f.space = ycbcr
		if !f.jfif && (f.adobeTransform == 0 || f.adobeTransform < 0 && ids == [3]byte{'R', 'G', 'B'}) {
			f.space = rgb
		}
	case 4:
		f.space = cmyk
		if f.adobeTransform > 0 {
			f.space = ycck
		}
	}
}

// The conversion to RGB is fixed point with 16 bits: R = Y + 1.402 Cr, G = Y − 0.344136286 Cb − 0.714136286 Cr,
// B = Y + 1.772 Cb, for Cb and Cr less 128; R and B are rounded one by one, G once for both terms (jdcolor.c).
const (
	crToR  = 91881
	cbToB  = 116130
	crToG  = -46802
	cbToG  = -22554
	colour = 16
	half   = 1 << (colour - 1)
)

// ycbcrToRGB converts one row of len(y) pixels.
func ycbcrToRGB(dst, y, cb, cr []byte) {
	cb, cr, dst = cb[:len(y)], cr[:len(y)], dst[:3*len(y)]
	for i, v := range y {
		luma, b, r := int32(v), int32(cb[i])-128, int32(cr[i])-128
		p := dst[i*3 : i*3+3 : i*3+3]
		p[0] = clamp8(luma + (crToR*r+half)>>colour)
		p[1] = clamp8(luma + (cbToG*b+crToG*r+half)>>colour)
		p[2] = clamp8(luma + (cbToB*b+half)>>colour)
	}
}

// cmykToRGB converts one row of len(k) inverted CMYK pixels, as Adobe writes and Pillow takes all of them:
// R = K − (255 − C)·K/255, in integers.
func cmykToRGB(dst, c, m, y, k []byte) {
	for i, kv := range k {
		p := dst[i*3 : i*3+3 : i*3+3]
		p[0], p[1], p[2] = ink(c[i], kv), ink(m[i], kv), ink(y[i], kv)
	}
}

func ink(c, k byte) byte {
	t := int32(255-c)*int32(k) + 128
	return clamp8(int32(k) - (t>>8+t)>>8)
}

// convert writes the image as packed RGB.
func (d *Decoder) convert(dst []byte) {
	f := &d.frame
	for i := range f.components {
		if need := f.mcusX*8*f.maxH + 8*f.maxH + spare; len(d.rows[i]) < need {
			d.rows[i] = make([]byte, need)
		}
	}
	w := f.width
	var row [4][]byte
	for y := range f.height {
		for i := range f.components {
			row[i] = f.upsample(&f.components[i], y, d.rows[i])[:w]
		}
		out := dst[y*w*3 : (y+1)*w*3]
		switch f.space {
		case grey:
			for x, v := range row[0] {
				p := out[x*3 : x*3+3 : x*3+3]
				p[0], p[1], p[2] = v, v, v
			}
		case rgb:
			for x := range w {
				p := out[x*3 : x*3+3 : x*3+3]
				p[0], p[1], p[2] = row[0][x], row[1][x], row[2][x]
			}
		case ycbcr:
			ycbcrToRGB(out, row[0], row[1], row[2])
		case cmyk:
			cmykToRGB(out, row[0], row[1], row[2], row[3])
		case ycck:
			ycbcrToRGB(out, row[0], row[1], row[2])
			for x, k := range row[3] {
				p := out[x*3 : x*3+3 : x*3+3]
				// libjpeg makes C, M, Y the complement of R, G, B; Pillow inverts again: see ink
				p[0], p[1], p[2] = ink(255-p[0], k), ink(255-p[1], k), ink(255-p[2], k)
			}
		}
	}
}
