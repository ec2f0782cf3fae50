package jpeg

import (
	"encoding/binary"
	"fmt"
)

// scan is the header of a scan (SOS).
type scan struct {
	components []int // indices into frame.components
	ss, se     int   // first and last coefficient, in zigzag order
	ah, al     uint  // bit position of the previous and of this approximation
	eobRun     int   // blocks that the last end-of-band code still covers
	index      [4]int
}

// headers reads segments up to and including a scan's header (false) or the end marker (true).
func (d *Decoder) headers() (end bool, err error) {
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return false, err
		}
		switch {
		case marker == markerEOI:
			return true, nil
		case marker >= markerRST0 && marker <= markerRST7 || marker == markerTEM:
			continue
		case marker == markerSOI:
			return false, FormatError("second start-of-image marker")
		case marker < markerSOF0 || marker == markerDHP || marker == markerEXP || marker == markerJPG:
			return false, FormatError(fmt.Sprintf("unknown marker FF %02X", marker))
		}
		body, err := d.segment()
		if err != nil {
			return false, err
		}
		switch {
		case marker == markerDQT:
			err = d.quantTables(body)
		case marker == markerDHT:
			err = d.huffmanTables(body)
		case marker == markerDAC: // conditioning of an arithmetic coder: the frame itself is refused
		case marker >= markerSOF0 && marker <= markerSOF15:
			err = d.frameHeader(marker, body)
		case marker == markerDRI:
			if len(body) != 2 {
				return false, FormatError("restart interval of wrong length")
			}
			d.frame.restart = int(binary.BigEndian.Uint16(body))
		case marker == markerAPP0:
			d.frame.jfif = d.frame.jfif || len(body) >= 14 && string(body[:5]) == "JFIF\x00"
		case marker == markerAPP1:
			if o := exifOrientation(body); o != 0 {
				d.frame.orientation = o
			}
		case marker == markerAPP14:
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				d.frame.adobeTransform = int(body[11])
			}
		case marker == markerSOS:
			return false, d.scanHeader(body)
		}
		if err != nil {
			return false, err
		}
	}
}

// quantTables reads a DQT segment: per table one byte precision·16 + index, then 64 values in zigzag order.
func (d *Decoder) quantTables(body []byte) error {
	for len(body) > 0 {
		index, wide := body[0]&15, body[0]>>4
		body = body[1:]
		if index > 3 || wide > 1 {
			return FormatError(fmt.Sprintf("quantisation table of index %d, precision %d", index, wide))
		}
		size := 64 << wide
		if len(body) < size {
			return FormatError("quantisation table is cut off")
		}
		for i := range 64 {
			v := uint16(body[i])
			if wide != 0 {
				v = binary.BigEndian.Uint16(body[2*i:])
			}
			d.quant[index][zigzag[i]] = v
		}
		d.quantOK[index] = true
		body = body[size:]
	}
	return nil
}

// huffmanTables reads a DHT segment: per table one byte class·16 + index, 16 counts of codes by length, the symbols.
func (d *Decoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return FormatError("Huffman table is cut off")
		}
		class, index, counts := body[0]>>4, body[0]&15, body[1:17]
		total := 0
		for _, n := range counts {
			total += int(n)
		}
		if class > 1 || index > 3 {
			return FormatError(fmt.Sprintf("Huffman table of class %d, index %d", class, index))
		}
		if total > 256 || len(body) < 17+total {
			return FormatError(fmt.Sprintf("Huffman table with %d symbols is cut off", total))
		}
		tables := &d.dc
		if class == 1 {
			tables = &d.ac
		}
		if err := tables[index].build(counts, body[17:17+total], class == 1); err != nil {
			return err
		}
		body = body[17+total:]
	}
	return nil
}

// frameHeader reads a SOF segment: precision, height, width, components of (id, h·16 + v, table).
func (d *Decoder) frameHeader(marker byte, body []byte) error {
	f := &d.frame
	if marker > markerSOF2 {
		return UnsupportedError(frameName(marker))
	}
	if f.maxH != 0 {
		return FormatError("second frame header")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return FormatError("frame header of wrong length")
	}
	if body[0] != 8 {
		return UnsupportedError(fmt.Sprintf("samples of %d bits", body[0]))
	}
	f.height, f.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if f.width == 0 || f.height == 0 {
		return FormatError(fmt.Sprintf("empty image of %d×%d pixels", f.width, f.height))
	}
	limit := d.MaxPixels
	if limit == 0 {
		limit = MaxPixels
	}
	if f.width*f.height > limit {
		return FormatError(fmt.Sprintf("image of %d×%d pixels exceeds the limit of %d pixels", f.width, f.height, limit))
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return UnsupportedError(fmt.Sprintf("%d colour components", n))
	}
	f.progressive = marker == markerSOF2
	if cap(f.components) < n {
		f.components = append(f.components[:cap(f.components)], make([]component, n-cap(f.components))...)
	}
	f.components = f.components[:n]
	for i := range f.components {
		c, t := &f.components[i], body[6+3*i:]
		*c = component{id: t[0], h: int(t[1] >> 4), v: int(t[1] & 15), table: int(t[2]), pix: c.pix, coef: c.coef}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return FormatError(fmt.Sprintf("sampling factors %d×%d", c.h, c.v))
		}
		f.maxH, f.maxV = max(f.maxH, c.h), max(f.maxV, c.v)
	}
	for i := range f.components {
		if c := &f.components[i]; f.maxH%c.h != 0 || f.maxV%c.v != 0 {
			return UnsupportedError(fmt.Sprintf("sampling factors %d×%d that do not divide %d×%d", c.h, c.v, f.maxH, f.maxV))
		}
	}
	f.layOut()
	return nil
}

// layOut computes the size of every plane from the size of the image and the sampling factors.
func (f *frame) layOut() {
	f.mcusX, f.mcusY = ceilDiv(f.width, 8*f.maxH), ceilDiv(f.height, 8*f.maxV)
	for i := range f.components {
		c := &f.components[i]
		c.width, c.height = ceilDiv(f.width*c.h, f.maxH), ceilDiv(f.height*c.v, f.maxV)
		c.ownX, c.ownY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
		c.blocksX, c.blocksY = f.mcusX*c.h, f.mcusY*c.v
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// scanHeader reads a SOS segment: components of (id, dc·16 + ac), then the spectral band and the approximation.
func (d *Decoder) scanHeader(body []byte) error {
	f := &d.frame
	if f.maxH == 0 {
		return FormatError("scan before the frame header")
	}
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return FormatError("scan header of wrong length")
	}
	n := int(body[0])
	f.scan.components = f.scan.index[:0]
	blocks := 0
	for i := range n {
		id, tables := body[1+2*i], body[2+2*i]
		at := -1
		for j := range f.components {
			if f.components[j].id == id && !contains(f.scan.components, j) {
				at = j
				break
			}
		}
		if at < 0 {
			return FormatError(fmt.Sprintf("scan of component %d, which the frame lacks", id))
		}
		c := &f.components[at]
		c.dcTable, c.acTable = int(tables>>4), int(tables&15)
		if c.dcTable > 3 || c.acTable > 3 {
			return FormatError("scan uses a Huffman table above 3")
		}
		if err := d.latch(c); err != nil {
			return err
		}
		blocks += c.h * c.v
		f.scan.components = append(f.scan.components, at)
	}
	if n > 1 && blocks > 10 {
		return FormatError(fmt.Sprintf("%d blocks in a unit of the scan, more than 10", blocks))
	}
	s, tail := &f.scan, body[1+2*n:]
	s.ss, s.se, s.ah, s.al = int(tail[0]), int(tail[1]), uint(tail[2]>>4), uint(tail[2]&15)
	if f.scans == 0 {
		f.chooseSpace()
	}
	return nil
}

// latch fixes a component's quantisation table at its first scan; a later file segment may redefine the index.
func (d *Decoder) latch(c *component) error {
	if c.latched {
		return nil
	}
	if c.table > 3 || !d.quantOK[c.table] {
		return FormatError(fmt.Sprintf("quantisation table %d is not defined", c.table))
	}
	c.quant, c.latched = d.quant[c.table], true
	return nil
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
