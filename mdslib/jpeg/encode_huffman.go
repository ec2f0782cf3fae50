package jpeg

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// tableSpec is a Huffman table as a DHT segment holds it.
type tableSpec struct {
	counts  [16]byte
	symbols []byte
}

// standardDC and standardAC are the tables of T.81, annex K.3, for luma and chroma.
var (
	standardDC = [2]tableSpec{
		{[16]byte{0, 1, 5, 1, 1, 1, 1, 1, 1}, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{[16]byte{0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
	}
	standardAC = [2]tableSpec{
		{[16]byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D}, []byte{
			0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
			0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
			0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
			0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
			0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
			0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
			0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
			0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
			0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
			0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
			0xF9, 0xFA,
		}},
		{[16]byte{0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77}, []byte{
			0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
			0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0,
			0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26,
			0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
			0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
			0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
			0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5,
			0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
			0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
			0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
			0xF9, 0xFA,
		}},
	}
)

// huffmanTable writes a DHT segment. class is 0 for DC, 1 for AC.
func (e *encoder) huffmanTable(class, index int, t *tableSpec) {
	body := append(make([]byte, 0, 1+16+256), byte(class<<4|index))
	body = append(body, t.counts[:]...)
	e.segment(markerDHT, append(body, t.symbols...)...)
}

// codeTable gives each symbol its code, shifted to make room for the bits of a value behind it, and the number of bits of
// both: code<<5 | bits. The low four bits of a symbol are the number of the value's.
type codeTable [256]uint32

func newCodeTable(t *tableSpec) *codeTable {
	c := new(codeTable)
	code, k := uint32(0), 0
	for i, n := range t.counts {
		for range n {
			s := t.symbols[k]
			size := uint32(s & 15)
			c[s] = code<<size<<5 | uint32(i+1) + size
			code++
			k++
		}
		code <<= 1
	}
	return c
}

// standardCodes are the codes of standardDC and standardAC.
var standardCodes = [2]struct{ dc, ac *codeTable }{
	{newCodeTable(&standardDC[0]), newCodeTable(&standardAC[0])},
	{newCodeTable(&standardDC[1]), newCodeTable(&standardAC[1])},
}

// bitWriter appends bits to out, stuffing a zero byte behind each FF. With counts set it counts symbols and writes nothing.
// Bits go to plain first; the zeros come when it is full.
type bitWriter struct {
	out    []byte
	plain  *[plainBytes]byte
	at     int    // bytes in plain
	acc    uint64 // its last n bits follow them
	n      uint   // below 32
	counts *[257]int
}

const (
	plainBytes = 8 << 10
	blockBytes = 64 * 32 / 8 // more than a block takes
)

// bits appends the low n bits of v, at most 32.
func (w *bitWriter) bits(v uint32, n uint) {
	if w.counts != nil {
		return
	}
	w.acc = w.acc<<n | uint64(v)&(1<<n-1)
	if w.n += n; w.n >= 32 {
		w.n -= 32
		binary.BigEndian.PutUint32(w.plain[w.at:], uint32(w.acc>>w.n))
		if w.at += 4; w.at > plainBytes-blockBytes {
			w.stuff()
		}
	}
}

// stuff empties plain.
func (w *bitWriter) stuff() {
	plain := w.plain[:w.at]
	for len(plain) > 0 {
		n := bytes.IndexByte(plain, 0xFF) + 1
		if n == 0 {
			w.out = append(w.out, plain...)
			break
		}
		w.out = append(append(w.out, plain[:n]...), 0)
		plain = plain[n:]
	}
	w.at = 0
}

// symbol writes a symbol without its value's bits, which the caller writes.
func (w *bitWriter) symbol(t *codeTable, s byte) {
	if w.counts != nil {
		w.counts[s]++
		return
	}
	size := uint(s & 15)
	w.bits(t[s]>>5>>size, uint(t[s]&31)-size)
}

// value writes a run of zeros and a value: the code of both sizes and the value's bits (T.81, F.1.2).
func (w *bitWriter) value(t *codeTable, run int, v int32) {
	size, low := valueBits(v)
	s := byte(run<<4) | byte(size)
	if w.counts != nil {
		w.counts[s]++
		return
	}
	w.bits(t[s]>>5|low, uint(t[s]&31))
}

// valueBits is how a value is written behind the code of its size: those below zero one less, in two's complement.
func valueBits(v int32) (size, low uint32) {
	sign := v >> 31
	size = uint32(bits.Len32(uint32(v ^ sign - sign)))
	return size, uint32(v+sign) & (1<<(size&31) - 1)
}

// block writes a block of a baseline scan: the difference of DC, then runs of zeros and values.
func (w *bitWriter) block(dc, ac *codeTable, block *[64]int16, nonzero uint64, last int32) {
	size, low := valueBits(int32(block[0]) - last)
	code := dc[size&15]
	w.bits(code>>5|low, uint(code&31))
	if w.at > plainBytes-blockBytes {
		w.stuff()
	}
	w.values(ac, block, nonzero&^1)
	if nonzero>>63 == 0 { // the end of the block
		w.bits(ac[0]>>5, uint(ac[0]&31))
	}
}

// appendValues writes the values of a block that nonzero names, with the runs of zeros between them. There must be room in
// plain.
func (w *bitWriter) appendValues(ac *codeTable, block *[64]int16, nonzero uint64) {
	plain, at, acc, n := w.plain, w.at, w.acc, w.n
	for before := 0; nonzero != 0; nonzero &= nonzero - 1 {
		k := bits.TrailingZeros64(nonzero)
		run := k - before - 1
		for before = k; run > 15; run -= 16 {
			acc = acc<<(ac[0xF0]&31) | uint64(ac[0xF0]>>5)
			if n += uint(ac[0xF0] & 31); n >= 32 {
				n -= 32
				binary.BigEndian.PutUint32(plain[at:], uint32(acc>>n))
				at += 4
			}
		}
		size, low := valueBits(int32(block[k&63]))
		code := ac[uint8(run<<4)|uint8(size)]
		acc = acc<<(code&31) | uint64(code>>5|low)
		if n += uint(code & 31); n >= 32 {
			n -= 32
			binary.BigEndian.PutUint32(plain[at:], uint32(acc>>n))
			at += 4
		}
	}
	w.at, w.acc, w.n = at, acc, n
}

// flush fills the last byte with ones and returns the output.
func (w *bitWriter) flush() []byte {
	w.bits(1<<7-1, (8-w.n%8)%8)
	for ; w.n > 0; w.at++ {
		w.n -= 8
		w.plain[w.at] = byte(w.acc >> w.n)
	}
	w.stuff()
	return w.out
}

// bestTable makes the table with the shortest total for the counted symbols, no code longer than 16 bits and none of ones
// only (T.81, annex K.2, as libjpeg does it: ties go to the larger symbol).
func bestTable(counts *[257]int) *tableSpec {
	const none = -1
	freq := *counts
	freq[256] = 1 // reserves the code of all ones
	var length [257]int
	var next [257]int
	for i := range next {
		next[i] = none
	}
	for {
		least, second := none, none
		for i, f := range freq {
			if f > 0 && (least == none || f <= freq[least]) {
				least = i
			}
		}
		for i, f := range freq {
			if f > 0 && i != least && (second == none || f <= freq[second]) {
				second = i
			}
		}
		if second == none {
			break
		}
		freq[least] += freq[second]
		freq[second] = 0
		at := least
		for ; next[at] != none; at = next[at] {
			length[at]++
		}
		length[at]++
		next[at] = second
		for at = second; at != none; at = next[at] {
			length[at]++
		}
	}
	var number [258]int
	longest := 0
	for _, n := range length {
		if n > 0 {
			number[n]++
			longest = max(longest, n)
		}
	}
	for i := longest; i > 16; i-- { // pairs of too long codes move up the tree
		for number[i] > 0 {
			j := i - 2
			for number[j] == 0 {
				j--
			}
			number[i] -= 2
			number[i-1]++
			number[j+1] += 2
			number[j]--
		}
	}
	last := 16
	for number[last] == 0 {
		last--
	}
	number[last]--
	t := new(tableSpec)
	for i := range t.counts {
		t.counts[i] = byte(number[i+1])
	}
	for n := 1; n <= longest; n++ {
		for s := range 256 {
			if length[s] == n {
				t.symbols = append(t.symbols, byte(s))
			}
		}
	}
	return t
}
