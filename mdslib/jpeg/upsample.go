package jpeg

// The kernels that stretch one row of chroma samples to the width of the image. "near" is the row of samples that covers
// the output row, "far" the next nearest above or below. Rules: libjpeg-turbo's jdsample.c.

// doubleWidth writes 2n samples: each output is ¾ of its own sample and ¼ of the neighbour's, rounded down on the left and
// up on the right.
func doubleWidth(dst, in []byte, n int) {
	in, dst = in[:n], dst[:2*n]
	dst[0] = in[0]
	for i := 0; i < n-1; i++ {
		a, b := int(in[i]), int(in[i+1])
		dst[2*i+1] = byte((3*a + b + 2) >> 2)
		dst[2*i+2] = byte((3*b + a + 1) >> 2)
	}
	dst[2*n-1] = in[n-1]
}

// doubleBoth is doubleWidth over sums of ¾ near and ¼ far, kept in sixteenths until the end.
func doubleBoth(dst, near, far []byte, n int) {
	near, far, dst = near[:n], far[:n], dst[:2*n]
	last := 3*int(near[0]) + int(far[0])
	dst[0] = byte((4*last + 8) >> 4)
	for i := 1; i < n; i++ {
		this := 3*int(near[i]) + int(far[i])
		dst[2*i-1] = byte((3*last + this + 7) >> 4)
		dst[2*i] = byte((3*this + last + 8) >> 4)
		last = this
	}
	dst[2*n-1] = byte((4*last + 7) >> 4)
}

// doubleHeight writes n samples of ¾ near and ¼ far; bias is 1 on an upper and 2 on a lower output row.
func doubleHeight(dst, near, far []byte, n, bias int) {
	near, far, dst = near[:n], far[:n], dst[:n]
	for i := range dst {
		dst[i] = byte((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// replicate repeats each of n samples factor times.
func replicate(dst, in []byte, n, factor int) {
	for i, v := range in[:n] {
		for j := range factor {
			dst[i*factor+j] = v
		}
	}
}

// upsample returns output row y of the component at the full width of the image: a view of its plane, or buf.
func (f *frame) upsample(c *component, y int, buf []byte) []byte {
	factorX, factorY := f.maxH/c.h, f.maxV/c.v
	at := y / factorY
	near := c.pix[at*c.stride : (at+1)*c.stride]
	if factorX == 1 && factorY == 1 {
		return near
	}
	far := func() []byte { // rows of the component end at its own height, not at the padding of its last block
		row := at - 1 + 2*(y%2)
		row = min(max(row, 0), c.height-1)
		return c.pix[row*c.stride : (row+1)*c.stride]
	}
	switch {
	case factorX == 1 && factorY == 2:
		doubleHeight(buf, near, far(), c.width, 1+y%2)
	case factorX == 2 && factorY == 1 && c.width > 2:
		doubleWidth(buf, near, c.width)
	case factorX == 2 && factorY == 2 && c.width > 2:
		doubleBoth(buf, near, far(), c.width)
	case factorX == 1:
		return near
	default:
		replicate(buf, near, c.width, factorX)
	}
	return buf
}
