package mdslib

import (
	"encoding/binary"
	"math/bits"
)

// xxh32 is the 32-bit xxHash with seed 0, as https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md defines it.
// The xxhash packages for Go have only the 64-bit ones.
type xxh32 struct {
	lanes  [4]uint32
	stripe [16]byte // bytes not yet in the lanes
	fill   int
	total  uint64
}

const (
	xxhPrime1 = 0x9E3779B1
	xxhPrime2 = 0x85EBCA77
	xxhPrime3 = 0xC2B2AE3D
	xxhPrime4 = 0x27D4EB2F
	xxhPrime5 = 0x165667B1
)

func newXXH32() *xxh32 {
	x := new(xxh32)
	x.Reset()
	return x
}

func (x *xxh32) Reset() {
	p1, p2 := uint32(xxhPrime1), uint32(xxhPrime2)
	*x = xxh32{lanes: [4]uint32{p1 + p2, p2, 0, -p1}}
}

func (x *xxh32) Size() int      { return 4 }
func (x *xxh32) BlockSize() int { return 16 }

func (x *xxh32) Write(p []byte) (int, error) {
	n := len(p)
	x.total += uint64(n)
	if x.fill > 0 {
		k := copy(x.stripe[x.fill:], p)
		x.fill += k
		p = p[k:]
		if x.fill < 16 {
			return n, nil
		}
		x.rounds(x.stripe[:])
		x.fill = 0
	}
	whole := len(p) &^ 15
	x.rounds(p[:whole])
	x.fill = copy(x.stripe[:], p[whole:])
	return n, nil
}

func (x *xxh32) rounds(p []byte) {
	a, b, c, d := x.lanes[0], x.lanes[1], x.lanes[2], x.lanes[3]
	for ; len(p) >= 16; p = p[16:] {
		a = xxh32Round(a, binary.LittleEndian.Uint32(p))
		b = xxh32Round(b, binary.LittleEndian.Uint32(p[4:]))
		c = xxh32Round(c, binary.LittleEndian.Uint32(p[8:]))
		d = xxh32Round(d, binary.LittleEndian.Uint32(p[12:]))
	}
	x.lanes = [4]uint32{a, b, c, d}
}

func xxh32Round(lane, input uint32) uint32 {
	return bits.RotateLeft32(lane+input*xxhPrime2, 13) * xxhPrime1
}

// Sum appends the canonical (big-endian) digest.
func (x *xxh32) Sum(dst []byte) []byte {
	var h uint32
	if x.total >= 16 {
		h = bits.RotateLeft32(x.lanes[0], 1) + bits.RotateLeft32(x.lanes[1], 7) +
			bits.RotateLeft32(x.lanes[2], 12) + bits.RotateLeft32(x.lanes[3], 18)
	} else {
		h = xxhPrime5
	}
	h += uint32(x.total)
	p := x.stripe[:x.fill]
	for ; len(p) >= 4; p = p[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(p)*xxhPrime3, 17) * xxhPrime4
	}
	for _, c := range p {
		h = bits.RotateLeft32(h+uint32(c)*xxhPrime5, 11) * xxhPrime1
	}
	h = (h ^ h>>15) * xxhPrime2
	h = (h ^ h>>13) * xxhPrime3
	return binary.BigEndian.AppendUint32(dst, h^h>>16)
}
