package jpeg

// lookupBits is the length of the codes that one table look-up resolves.
const lookupBits = 10

// An entry of the look-up table:
//
//	bits 0–6    bits to consume
//	bit  7      the value is here too: code and value bits together fit the index
//	bits 8–11   run of zero coefficients
//	bits 12–15  size of the value in bits
//	bits 16–31  the value, signed (if bit 7)
//
// Zero means a longer code.
type lookup = uint32

// huffmanTable decodes one table of a DHT segment.
type huffmanTable struct {
	lut     [1 << lookupBits]lookup
	maxCode [18]int32 // largest code of each length, -1 for none; [17] ends every search
	offset  [17]int32 // index of a code's symbol, less the code
	symbols [256]byte
	defined bool
}

// build makes the table from the number of codes of each length 1 to 16 and the symbols in order of their codes. In an AC
// table short values are resolved together with their code.
func (h *huffmanTable) build(counts, symbols []byte, ac bool) error {
	clear(h.symbols[:])
	copy(h.symbols[:], symbols)
	clear(h.lut[:])
	h.defined = false
	code, k := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		h.offset[length] = k - code
		h.maxCode[length] = -1
		for range counts[length-1] {
			if code >= 1<<length {
				return FormatError("Huffman table has more codes than their lengths allow")
			}
			if !ac && h.symbols[k] > 15 {
				return FormatError("Huffman table of DC values has a size above 15")
			}
			if length <= lookupBits {
				h.enter(code, length, h.symbols[k], ac)
			}
			h.maxCode[length] = code
			code++
			k++
		}
		code <<= 1
	}
	h.maxCode[17] = 1<<31 - 1
	h.defined = true
	return nil
}

// enter fills the look-up entries of all indices that start with one code.
func (h *huffmanTable) enter(code int32, length int, symbol byte, ac bool) {
	run, size := uint32(symbol>>4), int(symbol&15)
	rest := lookupBits - length
	first := int(code) << rest
	for j := range 1 << rest {
		entry := uint32(length) | run<<8 | uint32(size)<<12
		if ac && size > 0 && size <= rest {
			v := extend(int32(j>>(rest-size))&(1<<size-1), uint(size))
			entry = uint32(length+size) | 1<<7 | run<<8 | uint32(size)<<12 | uint32(uint16(v))<<16
		}
		h.lut[first+j] = entry
	}
}

// symbol reads one code. r.fill must have been called. A code that the table lacks yields 0 after 17 bits, as in libjpeg.
func (h *huffmanTable) symbol(r *bitReader) byte {
	if e := h.lut[r.acc>>(64-lookupBits)]; e != 0 {
		length, size := e&127, e>>12&15
		if e&(1<<7) != 0 {
			length -= size
		}
		r.acc <<= length
		r.n -= int(length)
		return byte(e>>8)<<4 | byte(size)
	}
	for length := lookupBits + 1; length <= 17; length++ {
		code := int32(r.acc >> (64 - length))
		if code > h.maxCode[length] {
			continue
		}
		r.acc <<= uint(length)
		r.n -= length
		if length == 17 {
			break
		}
		return h.symbols[byte(code+h.offset[length])]
	}
	return 0
}
