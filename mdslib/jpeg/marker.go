package jpeg

// Markers of ITU-T T.81, table B.1: each is 0xFF and this byte. Those with a segment are followed by a two-byte big-endian
// length that counts itself.
const (
	markerSOF0  = 0xC0 // baseline
	markerSOF1  = 0xC1 // extended sequential, Huffman
	markerSOF2  = 0xC2 // progressive, Huffman
	markerDHT   = 0xC4
	markerJPG   = 0xC8
	markerDAC   = 0xCC
	markerSOF15 = 0xCF
	markerRST0  = 0xD0 // no segment
	markerRST7  = 0xD7
	markerSOI   = 0xD8 // no segment
	markerEOI   = 0xD9 // no segment
	markerSOS   = 0xDA // entropy-coded data follows the segment
	markerDQT   = 0xDB
	markerDNL   = 0xDC
	markerDRI   = 0xDD
	markerDHP   = 0xDE
	markerEXP   = 0xDF
	markerAPP0  = 0xE0 // JFIF
	markerAPP1  = 0xE1 // Exif
	markerAPP14 = 0xEE // Adobe
	markerTEM   = 0x01 // no segment
)

// frameName names the coding of an unsupported start-of-frame marker.
func frameName(marker byte) string {
	switch marker {
	case 0xC3:
		return "lossless coding (SOF3)"
	case 0xC5, 0xC6, 0xC7:
		return "hierarchical coding (SOF5 to SOF7)"
	case 0xC9, 0xCA:
		return "arithmetic coding (SOF9, SOF10)"
	case 0xCB:
		return "lossless arithmetic coding (SOF11)"
	case 0xCD, 0xCE, 0xCF:
		return "hierarchical arithmetic coding (SOF13 to SOF15)"
	}
	return "reserved frame type"
}

// zigzag maps the position of a coefficient in the file to its place in the 8×8 block (row·8 + column). The 16 entries past
// the end catch runs that leave the block in damaged data, as libjpeg's jpeg_natural_order does.
var zigzag = [64 + 16]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
}
