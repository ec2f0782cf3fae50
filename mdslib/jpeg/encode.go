package jpeg

import (
	"encoding/binary"
	"fmt"
)

// EncodeOptions are the options of [Encode]; the zero value is Pillow's default: quality 75, baseline, 4:2:0.
type EncodeOptions struct {
	Quality     int         // 1 to 100; 0 means 75
	Subsampling Subsampling // of the chroma of colour images
	Progressive bool        // libjpeg's standard ten scans (six for grey), with tables made for the image
	Orientation int         // written as Exif tag where 1 to 8
}

// Subsampling is how many pixels share one chroma sample.
type Subsampling byte

const (
	Subsample420 Subsampling = iota // 2×2 pixels
	Subsample422                    // 2×1
	Subsample444                    // 1×1
)

// Encode appends the file of an image to dst: width·height·3 bytes of packed RGB, or width·height bytes of grey. Equal
// pixels and options give equal bytes on every machine; they are libjpeg-turbo's own for what Pillow's save offers of this.
func Encode(dst, pix []byte, width, height int, options EncodeOptions) ([]byte, error) {
	const maxSide = 65500 // libjpeg's limit
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return dst, fmt.Errorf("jpeg: cannot write an image of %d×%d pixels: sides go from 1 to %d", width, height, maxSide)
	}
	if options.Quality == 0 {
		options.Quality = 75
	}
	if options.Quality < 1 || options.Quality > 100 {
		return dst, fmt.Errorf("jpeg: quality %d lies outside 1…100", options.Quality)
	}
	if options.Subsampling > Subsample444 {
		return dst, fmt.Errorf("jpeg: subsampling %d is not defined", options.Subsampling)
	}
	if options.Orientation < 0 || options.Orientation > 8 {
		return dst, fmt.Errorf("jpeg: orientation %d lies outside 1…8", options.Orientation)
	}
	e := encoder{out: dst, width: width, height: height, options: options}
	switch len(pix) {
	case width * height:
		e.addComponent(1, 1, 1, 0)
	case width * height * 3:
		h, v := 2, 2
		switch options.Subsampling {
		case Subsample422:
			v = 1
		case Subsample444:
			h, v = 1, 1
		}
		e.addComponent(1, h, v, 0)
		e.addComponent(2, 1, 1, 1)
		e.addComponent(3, 1, 1, 1)
	default:
		return dst, fmt.Errorf("jpeg: %d bytes are neither grey nor RGB of %d×%d pixels", len(pix), width, height)
	}
	e.layOut()
	e.quantise(pix)
	e.headers()
	if options.Progressive {
		e.progressiveScans()
	} else {
		e.baselineScan()
	}
	return append(e.out, 0xFF, markerEOI), nil
}

// encoder writes one file.
type encoder struct {
	out           []byte
	width, height int
	options       EncodeOptions
	components    []plane
	maxH, maxV    int
	mcusX, mcusY  int
	quant         [2][64]uint16 // luma and chroma, in zigzag order
}

// plane is a component with its quantised coefficients.
type plane struct {
	id, h, v         int
	table            int // of quantisation and Huffman codes: 0 luma, 1 chroma
	ownX, ownY       int // blocks that hold samples
	blocksX, blocksY int // padded to whole MCUs
	coef             []int16
}

func (e *encoder) addComponent(id, h, v, table int) {
	e.components = append(e.components, plane{id: id, h: h, v: v, table: table})
	e.maxH, e.maxV = max(e.maxH, h), max(e.maxV, v)
}

func (e *encoder) layOut() {
	e.mcusX, e.mcusY = ceilDiv(e.width, 8*e.maxH), ceilDiv(e.height, 8*e.maxV)
	for i := range e.components {
		p := &e.components[i]
		p.ownX, p.ownY = ceilDiv(ceilDiv(e.width*p.h, e.maxH), 8), ceilDiv(ceilDiv(e.height*p.v, e.maxV), 8)
		p.blocksX, p.blocksY = e.mcusX*p.h, e.mcusY*p.v
		p.coef = make([]int16, p.blocksX*p.blocksY*64)
	}
	e.quant = [2][64]uint16{scaledTable(&lumaTable, e.options.Quality), scaledTable(&chromaTable, e.options.Quality)}
}

// segment appends a marker and its segment.
func (e *encoder) segment(marker byte, body ...byte) {
	e.out = append(e.out, 0xFF, marker)
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(len(body)+2))
	e.out = append(e.out, body...)
}

// headers writes everything up to the first Huffman table.
func (e *encoder) headers() {
	e.out = append(e.out, 0xFF, markerSOI)
	e.segment(markerAPP0, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0) // version 1.1, square pixels, no thumbnail
	if o := e.options.Orientation; o != 0 {
		e.segment(markerAPP1, append([]byte("Exif\x00\x00"),
			'M', 'M', 0, 42, 0, 0, 0, 8, // big-endian TIFF, first directory at 8
			0, 1, // one entry
			0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, // orientation, one 16-bit number
			0, 0, 0, 0)...) // no further directory
	}
	for i := range e.quant {
		if i == 1 && len(e.components) == 1 {
			break
		}
		body := []byte{byte(i)}
		for _, q := range e.quant[i] {
			body = append(body, byte(q))
		}
		e.segment(markerDQT, body...)
	}
	frame := []byte{8, byte(e.height >> 8), byte(e.height), byte(e.width >> 8), byte(e.width), byte(len(e.components))}
	for _, p := range e.components {
		frame = append(frame, byte(p.id), byte(p.h<<4|p.v), byte(p.table))
	}
	if e.options.Progressive {
		e.segment(markerSOF2, frame...)
	} else {
		e.segment(markerSOF0, frame...)
	}
}

// scanHeader writes a SOS segment for the given components.
func (e *encoder) scanHeader(list []int, ss, se, ah, al int) {
	body := []byte{byte(len(list))}
	for _, i := range list {
		p := &e.components[i]
		dc, ac := p.table, p.table
		if e.options.Progressive { // name only tables that the scan uses
			if ss > 0 || ah > 0 {
				dc = 0
			}
			if ss == 0 {
				ac = 0
			}
		}
		body = append(body, byte(p.id), byte(dc<<4|ac))
	}
	e.segment(markerSOS, append(body, byte(ss), byte(se), byte(ah<<4|al))...)
}

// eachBlock visits the blocks of a scan in coded order.
func (e *encoder) eachBlock(list []int, visit func(i int, block *[64]int16)) {
	if len(list) == 1 {
		p := &e.components[list[0]]
		for y := range p.ownY {
			for x := range p.ownX {
				visit(list[0], p.block(x, y))
			}
		}
		return
	}
	for my := range e.mcusY {
		for mx := range e.mcusX {
			for _, i := range list {
				p := &e.components[i]
				for v := range p.v {
					for h := range p.h {
						visit(i, p.block(mx*p.h+h, my*p.v+v))
					}
				}
			}
		}
	}
}

// block returns the coefficients of one block, in zigzag order.
func (p *plane) block(x, y int) *[64]int16 {
	return (*[64]int16)(p.coef[(y*p.blocksX+x)*64:])
}

// baselineScan writes the one scan of a baseline file with the tables of T.81, annex K.
func (e *encoder) baselineScan() {
	var dc, ac [2]*codeTable
	var list []int
	for i, p := range e.components {
		list = append(list, i)
		if dc[p.table] == nil {
			dc[p.table], ac[p.table] = newCodeTable(&standardDC[p.table]), newCodeTable(&standardAC[p.table])
			e.huffmanTable(0, p.table, &standardDC[p.table])
			e.huffmanTable(1, p.table, &standardAC[p.table])
		}
	}
	e.scanHeader(list, 0, 63, 0, 0)
	var w bitWriter
	w.out = e.out
	var last [4]int32
	e.eachBlock(list, func(i int, block *[64]int16) {
		table := e.components[i].table
		w.value(dc[table], 0, int32(block[0])-last[i])
		last[i] = int32(block[0])
		run := 0
		for _, v := range block[1:] {
			if v == 0 {
				run++
				continue
			}
			for ; run > 15; run -= 16 {
				w.symbol(ac[table], 0xF0)
			}
			w.value(ac[table], run, int32(v))
			run = 0
		}
		if run > 0 {
			w.symbol(ac[table], 0)
		}
	})
	e.out = w.flush()
}
