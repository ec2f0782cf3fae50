package jpeg

import "encoding/binary"

// bitReader reads the entropy-coded data of one scan. It resolves byte stuffing (FF 00) and stops at a marker or at the end
// of the data, after which it yields zero bits; exhausted tells whether any of those were used.
type bitReader struct {
	data   []byte
	pos    int    // next byte to read
	acc    uint64 // bits, left-aligned
	n      int    // bits in acc, invented ones included
	pad    int    // zero bits invented since the last reset
	marker byte   // marker that stopped the reading; pos is behind it
	ended  bool   // the data ended with no marker
}

// reset forgets buffered bits, at the start of a scan or of a restart interval.
func (r *bitReader) reset() { r.acc, r.n, r.pad = 0, 0, 0 }

// exhausted reports whether bits past the end of the segment have been used.
func (r *bitReader) exhausted() bool { return r.n < r.pad }

// fill tops acc up to more than 32 bits: enough for a 16-bit code and the 16 bits that follow it.
func (r *bitReader) fill() {
	if r.n > 32 {
		return
	}
	if r.pos+4 <= len(r.data) && r.marker == 0 { // four bytes with no 0xFF among them
		v := binary.BigEndian.Uint32(r.data[r.pos:])
		if (^v-0x01010101)&v&0x80808080 == 0 {
			r.acc |= uint64(v) << (32 - r.n)
			r.n += 32
			r.pos += 4
			return
		}
	}
	for r.n <= 56 {
		c, ok := r.nextByte()
		if !ok {
			r.pad += 64 - r.n
			r.n = 64
			return
		}
		r.acc |= uint64(c) << (56 - r.n)
		r.n += 8
	}
}

// nextByte returns the next byte of entropy-coded data, or false at a marker or at the end.
func (r *bitReader) nextByte() (byte, bool) {
	if r.marker != 0 || r.ended {
		return 0, false
	}
	if r.pos >= len(r.data) {
		r.ended = true
		return 0, false
	}
	c := r.data[r.pos]
	r.pos++
	if c != 0xFF {
		return c, true
	}
	for r.pos < len(r.data) {
		c = r.data[r.pos]
		r.pos++
		switch c {
		case 0xFF: // fill byte
		case 0:
			return 0xFF, true
		default:
			r.marker = c
			return 0, false
		}
	}
	r.ended = true
	return 0, false
}

// bits returns the next size ≤ 16 bits as a number.
func (r *bitReader) bits(size uint) int32 {
	r.fill()
	v := int32(r.acc >> (64 - size))
	r.acc <<= size
	r.n -= int(size)
	return v
}

// bit returns the next bit.
func (r *bitReader) bit() bool {
	if r.n < 1 {
		r.fill()
	}
	v := int64(r.acc) < 0
	r.acc <<= 1
	r.n--
	return v
}

// extend turns size bits into the signed value that they code (T.81, figure F.12).
func extend(v int32, size uint) int32 {
	if size > 0 && v < 1<<(size-1) {
		v += 1 - 1<<size
	}
	return v
}

// nextMarker moves to the next marker, skipping whatever stands before it as libjpeg does, and returns it.
func (r *bitReader) nextMarker() (byte, error) {
	if m := r.marker; m != 0 {
		r.marker = 0
		return m, nil
	}
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		r.pos++
		if c != 0xFF {
			continue
		}
		for r.pos < len(r.data) && c == 0xFF {
			c = r.data[r.pos]
			r.pos++
		}
		if c != 0 && c != 0xFF {
			return c, nil
		}
	}
	return 0, ErrTruncated
}

// segment returns the body of the segment that starts here and moves behind it.
func (r *bitReader) segment() ([]byte, error) {
	if r.pos+2 > len(r.data) {
		return nil, ErrTruncated
	}
	size := int(binary.BigEndian.Uint16(r.data[r.pos:]))
	if size < 2 {
		return nil, FormatError("segment shorter than its own length field")
	}
	if r.pos+size > len(r.data) {
		return nil, ErrTruncated
	}
	body := r.data[r.pos+2 : r.pos+size]
	r.pos += size
	return body, nil
}
