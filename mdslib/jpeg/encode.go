package jpeg

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
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
	if err := options.complete(width, height); err != nil {
		return dst, err
	}
	p := pixels{data: pix, width: width, height: height}
	switch len(pix) {
	case width * height:
		p.step = 1
	case width * height * 3:
		p.step = 3
	default:
		return dst, fmt.Errorf("jpeg: %d bytes are neither grey nor RGB of %d×%d pixels", len(pix), width, height)
	}
	p.stride = p.step * width
	return encode(dst, p, options), nil
}

// complete fills in the quality and checks the options for an image of that size.
func (o *EncodeOptions) complete(width, height int) error {
	const maxSide = 65500 // libjpeg's limit
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return fmt.Errorf("jpeg: cannot write an image of %d×%d pixels: sides go from 1 to %d", width, height, maxSide)
	}
	if o.Quality == 0 {
		o.Quality = 75
	}
	if o.Quality < 1 || o.Quality > 100 {
		return fmt.Errorf("jpeg: quality %d lies outside 1…100", o.Quality)
	}
	if o.Subsampling > Subsample444 {
		return fmt.Errorf("jpeg: subsampling %d is not defined", o.Subsampling)
	}
	if o.Orientation < 0 || o.Orientation > 8 {
		return fmt.Errorf("jpeg: orientation %d lies outside 1…8", o.Orientation)
	}
	return nil
}

// encoders are kept for their buffers.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// encode is Encode of checked arguments.
func encode(dst []byte, p pixels, options EncodeOptions) []byte {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	return e.encode(dst, p, options)
}

// encoder writes one file at a time.
type encoder struct {
	out          []byte
	pixels       pixels
	options      EncodeOptions
	components   []plane
	maxH, maxV   int
	mcusX, mcusY int
	quant        [2][64]uint16 // luma and chroma, in zigzag order
	quantisers   [2]quantiser
	quality      int // that quant and quantisers are for
	samples      samples
	plain        [plainBytes]byte // for the bit writer
}

// plane is a component with its quantised coefficients.
type plane struct {
	id, h, v         int
	table            int // of quantisation and Huffman codes: 0 luma, 1 chroma
	ownX, ownY       int // blocks that hold samples
	blocksX, blocksY int // padded to whole MCUs
	coef             []int16
	nonzero          []uint64 // a bit for each coefficient of a block that is not zero
}

// encode appends a file to dst.
func (e *encoder) encode(dst []byte, p pixels, options EncodeOptions) []byte {
	e.out, e.pixels, e.options = dst, p, options
	e.layOut()
	e.transform()
	e.headers()
	if options.Progressive {
		e.progressiveScans()
	} else {
		e.baselineScan()
	}
	out := append(e.out, 0xFF, markerEOI)
	e.out, e.pixels = nil, pixels{} // they are the caller's
	return out
}

// layOut chooses the components and makes room for them.
func (e *encoder) layOut() {
	if e.quality != e.options.Quality {
		e.quality = e.options.Quality
		for i, base := range [2]*[64]uint16{&lumaTable, &chromaTable} {
			e.quant[i] = scaledTable(base, e.quality)
			e.quantisers[i].set(&e.quant[i])
		}
	}
	h, v := 1, 1
	if e.pixels.step > 1 && e.options.Subsampling != Subsample444 {
		h = 2
		if e.options.Subsampling == Subsample420 {
			v = 2
		}
	}
	e.maxH, e.maxV = h, v
	e.mcusX, e.mcusY = ceilDiv(e.pixels.width, 8*h), ceilDiv(e.pixels.height, 8*v)
	e.components = slices.Grow(e.components[:0], 3)[:1] // what the planes held stays theirs
	if e.pixels.step > 1 {
		e.components = e.components[:3]
	}
	for i := range e.components {
		p := &e.components[i]
		p.id, p.h, p.v, p.table = i+1, 1, 1, 1
		if i == 0 {
			p.h, p.v, p.table = h, v, 0
		}
		p.ownX, p.ownY = ceilDiv(ceilDiv(e.pixels.width*p.h, h), 8), ceilDiv(ceilDiv(e.pixels.height*p.v, v), 8)
		p.blocksX, p.blocksY = e.mcusX*p.h, e.mcusY*p.v
		blocks := p.blocksX*p.blocksY + 1 // one behind the last, which may be the second of a pair
		p.coef, p.nonzero = resize(p.coef, 64*blocks), resize(p.nonzero, blocks)
	}
	e.samples.layOut(e)
}

// transform turns pixels into the coefficients of all components.
func (e *encoder) transform() {
	for y := range e.mcusY {
		e.samples.fill(e, y)
		for i := range e.components {
			p := &e.components[i]
			rows, width := e.samples.of(e, i)
			for v := range min(p.v, p.ownY-y*p.v) {
				at := (y*p.v + v) * p.blocksX
				transformRow(p.coef[at*64:], p.nonzero[at:], rows[v*8*width:], width, p.ownX, &e.quantisers[p.table])
			}
		}
	}
	for i := range e.components {
		e.components[i].fillPadding()
	}
}

// fillPadding gives the blocks that only fill the last MCUs the DC value of the block before them, which costs least.
func (p *plane) fillPadding() {
	for y := range p.blocksY {
		first := p.ownX
		if y >= p.ownY {
			first = 0
		}
		for x := first; x < p.blocksX; x++ {
			before := p.block(max(x-1, 0), y)
			if y >= p.ownY { // the block coded just before this row of the MCU
				before = p.block(x/p.h*p.h+p.h-1, y-1)
			}
			*p.block(x, y) = [64]int16{before[0]}
			p.nonzero[y*p.blocksX+x] = 0 // the bit of DC is not looked at
		}
	}
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
		body := append(make([]byte, 0, 65), byte(i))
		for _, q := range e.quant[i] {
			body = append(body, byte(q))
		}
		e.segment(markerDQT, body...)
	}
	frame := append(make([]byte, 0, 6+3*3), 8, byte(e.pixels.height>>8), byte(e.pixels.height), byte(e.pixels.width>>8), byte(e.pixels.width), byte(len(e.components)))
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
	body := append(make([]byte, 0, 1+2*3+3), byte(len(list)))
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
func (e *encoder) eachBlock(list []int, visit func(i int, block *[64]int16, nonzero uint64)) {
	if len(list) == 1 {
		p := &e.components[list[0]]
		for y := range p.ownY {
			for x := range p.ownX {
				visit(list[0], p.block(x, y), p.nonzero[y*p.blocksX+x])
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
						x, y := mx*p.h+h, my*p.v+v
						visit(i, p.block(x, y), p.nonzero[y*p.blocksX+x])
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
	list := []int{0, 1, 2}[:len(e.components)]
	for table := range min(2, len(list)) {
		e.huffmanTable(0, table, &standardDC[table])
		e.huffmanTable(1, table, &standardAC[table])
	}
	e.scanHeader(list, 0, 63, 0, 0)
	w := bitWriter{out: e.out, plain: &e.plain}
	var last [3]int32
	e.eachBlock(list, func(i int, block *[64]int16, nonzero uint64) {
		codes := &standardCodes[e.components[i].table]
		w.block(codes.dc, codes.ac, block, nonzero, last[i])
		last[i] = int32(block[0])
	})
	e.out = w.flush()
}
