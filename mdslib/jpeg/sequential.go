package jpeg

// sequentialScan decodes a scan of a baseline or extended file: into planes where it is the only one, else into
// coefficients.
func (d *Decoder) sequentialScan() error {
	f := &d.frame
	for _, i := range f.scan.components {
		c := &f.components[i]
		if !d.dc[c.dcTable].defined || !d.ac[c.acTable].defined {
			return FormatError("scan uses a Huffman table that is not defined")
		}
	}
	if !f.buffered {
		return d.eachBlock(d.directBlock)
	}
	return d.eachBlock(d.bufferedBlock)
}

// eachBlock calls decode for every block of the scan in coded order: MCU by MCU, or block by block where the scan has one
// component. It keeps the restart intervals and leaves blocks zero that the data no longer reaches, as libjpeg does.
func (d *Decoder) eachBlock(decode func(c *component, bx, by int)) error {
	f := &d.frame
	d.reset()
	for _, i := range f.scan.components {
		f.components[i].lastDC = 0
	}
	single := len(f.scan.components) == 1
	unitsX, unitsY := f.mcusX, f.mcusY
	if single {
		c := &f.components[f.scan.components[0]]
		unitsX, unitsY = c.ownX, c.ownY
	}
	left, next, empty := f.restart, byte(0), false
	for uy := range unitsY {
		for ux := range unitsX {
			if f.restart > 0 {
				if left == 0 {
					if err := d.restartInterval(next); err != nil {
						return err
					}
					empty = empty && d.marker != 0
					next = (next + 1) & 7
					left = f.restart
				}
				left--
			}
			if empty {
				d.emptyUnit(ux, uy, single)
				continue
			}
			if single {
				decode(&f.components[f.scan.components[0]], ux, uy)
			} else {
				for _, i := range f.scan.components {
					c := &f.components[i]
					for v := range c.v {
						for h := range c.h {
							decode(c, ux*c.h+h, uy*c.v+v)
						}
					}
				}
			}
			if d.pad > 0 && d.exhausted() {
				if d.marker == 0 {
					return ErrTruncated
				}
				empty = true
			}
		}
	}
	return nil
}

// emptyUnit paints what libjpeg shows where data is missing: blocks of zero coefficients. Buffered coefficients are zero
// already, or keep the value of earlier scans.
func (d *Decoder) emptyUnit(ux, uy int, single bool) {
	f := &d.frame
	if f.buffered {
		return
	}
	for _, i := range f.scan.components {
		c := &f.components[i]
		h, v := c.h, c.v
		if single {
			h, v = 1, 1
		}
		for y := range v {
			for x := range h {
				fillBlock(c.pix[((uy*v+y)*c.stride+ux*h+x)*8:], c.stride, 0)
			}
		}
	}
}

// restartInterval passes the restart marker that ends an interval, resynchronising as libjpeg's jpeg_resync_to_restart
// does when another one is found: d.marker stays set when the data of the coming interval is missing.
func (d *Decoder) restartInterval(want byte) error {
	d.reset()
	f := &d.frame
	for _, i := range f.scan.components {
		f.components[i].lastDC = 0
	}
	f.scan.eobRun = 0
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return err
		}
		switch {
		case marker < markerSOF0:
			continue // not a marker that can stand here: look for the next
		case marker < markerRST0 || marker > markerRST7:
			d.marker = marker // the image goes on without this interval
			return nil
		}
		switch (marker - markerRST0 - want) & 7 {
		case 1, 2: // one of the next two: this interval is lost
			d.marker = marker
			return nil
		case 6, 7: // one of the previous two: look further
			continue
		}
		return nil
	}
}

// directBlock decodes one block and reconstructs its samples.
func (d *Decoder) directBlock(c *component, bx, by int) {
	last := d.sequentialBlock(c)
	out := c.pix[(by*c.stride+bx)*8:]
	if last == 0 {
		fillBlock(out, c.stride, d.block[0])
		d.block[0] = 0
		return
	}
	inverseDCT(&d.block, out, c.stride)
	d.block = [64]int32{}
}

// sequentialBlock decodes the coefficients of one block, dequantised, into d.block, which must be zero, and returns the
// zigzag index of the last one that was set.
func (d *Decoder) sequentialBlock(c *component) (last int) {
	r, quant, block := &d.bitReader, &c.quant, &d.block
	r.fill()
	size := uint(d.dc[c.dcTable].symbol(r))
	if size > 0 {
		c.lastDC += extend(r.bits(size), size)
	}
	block[0] = dequantise(c.lastDC, quant[0])
	table := &d.ac[c.acTable]
	acc, n := r.acc, r.n
	for k := 1; k < 64; {
		if n <= 32 {
			r.acc, r.n = acc, n
			r.fill()
			acc, n = r.acc, r.n
		}
		if e := table.lut[acc>>(64-lookupBits)]; e&(1<<7) != 0 {
			acc <<= e & 31
			n -= int(e & 31)
			k += int(e >> 8 & 15)
			z := zigzag[k] & 63
			block[z] = dequantise(int32(e)>>16, quant[z])
			last = k
			k++
			continue
		}
		r.acc, r.n = acc, n
		symbol := table.symbol(r)
		acc, n = r.acc, r.n
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run != 15 {
				break
			}
			k += 16
			continue
		}
		k += run
		v := extend(int32(acc>>(64-size)), size)
		acc <<= size
		n -= int(size)
		z := zigzag[k] & 63
		block[z] = dequantise(v, quant[z])
		last = k
		k++
	}
	r.acc, r.n = acc, n
	return last
}

// dequantise multiplies as libjpeg's vector code does, in 16 bits; sound files never leave them.
func dequantise(v int32, q uint16) int32 { return int32(int16(v * int32(q))) }

// bufferedBlock decodes one block of a sequential scan into the component's coefficients.
func (d *Decoder) bufferedBlock(c *component, bx, by int) {
	block := c.block(bx, by)
	clear(block[:])
	r := &d.bitReader
	r.fill()
	if size := uint(d.dc[c.dcTable].symbol(r)); size > 0 {
		c.lastDC += extend(r.bits(size), size)
	}
	block[0] = int16(c.lastDC)
	table := &d.ac[c.acTable]
	for k := 1; k < 64; k++ {
		r.fill()
		symbol := table.symbol(r)
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run != 15 {
				return
			}
			k += 15
			continue
		}
		k += run
		block[zigzag[k]&63] = int16(extend(r.bits(size), size))
	}
}

// block returns the coefficients of one block, in block order.
func (c *component) block(bx, by int) *[64]int16 {
	at := (by*c.blocksX + bx) * 64
	return (*[64]int16)(c.coef[at : at+64])
}

// reconstruct turns a component's coefficients into samples; scratch must be zero and is left zero.
func (c *component) reconstruct(scratch *[64]int32) {
	for by := range c.ownY {
		for bx := range c.ownX {
			block, any := c.block(bx, by), int32(0)
			for i, v := range block {
				scratch[i] = dequantise(int32(v), c.quant[i])
				if i > 0 {
					any |= scratch[i]
				}
			}
			out := c.pix[(by*c.stride+bx)*8:]
			if any == 0 {
				fillBlock(out, c.stride, scratch[0])
			} else {
				inverseDCT(scratch, out, c.stride)
			}
		}
	}
	*scratch = [64]int32{}
}
