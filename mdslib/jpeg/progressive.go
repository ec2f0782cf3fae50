package jpeg

import "fmt"

// progressiveScan decodes one scan of a progressive file (T.81, annex G): a band ss…se of coefficients, either their first
// bits down to bit al (ah = 0) or one more bit (ah = al+1).
func (d *Decoder) progressiveScan() error {
	f := &d.frame
	s := &f.scan
	bad := s.ss > s.se || s.se > 63 || s.al > 13 || s.ah != 0 && s.al != s.ah-1
	if s.ss == 0 {
		bad = bad || s.se != 0
	} else {
		bad = bad || len(s.components) != 1
	}
	if bad {
		return FormatError(fmt.Sprintf("progressive scan of %d components with band %d–%d, bits %d→%d", len(s.components), s.ss, s.se, s.ah, s.al))
	}
	for _, i := range s.components {
		c := &f.components[i]
		if s.ss == 0 && s.ah == 0 && !d.dc[c.dcTable].defined || s.ss > 0 && !d.ac[c.acTable].defined {
			return FormatError("scan uses a Huffman table that is not defined")
		}
	}
	s.eobRun = 0
	switch {
	case s.ss == 0 && s.ah == 0:
		return d.eachBlock(d.firstDC)
	case s.ss == 0:
		return d.eachBlock(d.refineDC)
	case s.ah == 0:
		return d.eachBlock(d.firstAC)
	}
	return d.eachBlock(d.refineAC)
}

func (d *Decoder) firstDC(c *component, bx, by int) {
	d.fill()
	if size := uint(d.dc[c.dcTable].symbol(&d.bitReader)); size > 0 {
		c.lastDC += extend(d.bits(size), size)
	}
	c.block(bx, by)[0] = int16(c.lastDC << d.frame.scan.al)
}

func (d *Decoder) refineDC(c *component, bx, by int) {
	if d.bit() {
		c.block(bx, by)[0] |= 1 << d.frame.scan.al
	}
}

// firstAC decodes the first bits of a band. A run of end-of-band codes covers this block and eobRun more.
func (d *Decoder) firstAC(c *component, bx, by int) {
	s := &d.frame.scan
	if s.eobRun > 0 {
		s.eobRun--
		return
	}
	block, table, r := c.block(bx, by), &d.ac[c.acTable], &d.bitReader
	for k := s.ss; k <= s.se; k++ {
		r.fill()
		symbol := table.symbol(r)
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run != 15 {
				s.eobRun = 1<<run - 1
				if run > 0 {
					s.eobRun += int(r.bits(uint(run)))
				}
				return
			}
			k += 15
			continue
		}
		k += run
		block[zigzag[k]&63] = int16(extend(r.bits(size), size) << s.al)
	}
}

// refineAC decodes one more bit of a band: of every coefficient that is set already, and new coefficients of ±1.
func (d *Decoder) refineAC(c *component, bx, by int) {
	s := &d.frame.scan
	block, table, r := c.block(bx, by), &d.ac[c.acTable], &d.bitReader
	one := int16(1) << s.al
	k := s.ss
	if s.eobRun == 0 {
		for ; k <= s.se; k++ {
			r.fill()
			symbol := table.symbol(r)
			run, value := int(symbol>>4), int16(0)
			if symbol&15 != 0 { // the size should be 1, and is taken for 1
				value = -one
				if r.bit() {
					value = one
				}
			} else if run != 15 {
				s.eobRun = 1 << run
				if run > 0 {
					s.eobRun += int(r.bits(uint(run)))
				}
				break
			}
			for ; k <= s.se; k++ { // skip run coefficients that are still zero, refining the others on the way
				p := &block[zigzag[k]&63]
				if *p != 0 {
					d.refine(p, one)
					continue
				}
				if run == 0 {
					break
				}
				run--
			}
			if value != 0 && k < 64 {
				block[zigzag[k]&63] = value
			}
		}
	}
	if s.eobRun > 0 {
		for ; k <= s.se; k++ {
			if p := &block[zigzag[k]&63]; *p != 0 {
				d.refine(p, one)
			}
		}
		s.eobRun--
	}
}

// refine reads the next bit of a coefficient's magnitude.
func (d *Decoder) refine(p *int16, one int16) {
	if !d.bit() || *p&one != 0 {
		return
	}
	if *p >= 0 {
		*p += one
	} else {
		*p -= one
	}
}
