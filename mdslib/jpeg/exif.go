package jpeg

import "encoding/binary"

// exifOrientation returns the orientation (1 to 8) that an APP1 segment states, or 0: "Exif", two zero bytes, then a TIFF
// header whose first directory has tag 0x0112 (Exif 2.3, section 4.6).
func exifOrientation(body []byte) int {
	const (
		tag     = 0x0112
		short   = 3 // the TIFF type of a 16-bit number
		entries = 12
	)
	if len(body) < 14 || string(body[:6]) != "Exif\x00\x00" {
		return 0
	}
	tiff := body[6:]
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	count := int(order.Uint16(tiff[at:]))
	directory := tiff[at+2:]
	for range count {
		if len(directory) < entries {
			return 0
		}
		if order.Uint16(directory) == tag && order.Uint16(directory[2:]) == short {
			if v := int(order.Uint16(directory[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 0
		}
		directory = directory[entries:]
	}
	return 0
}
