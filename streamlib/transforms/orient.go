package transforms

// orient applies an Exif orientation (1 to 8) to the source. Bit by bit of orientation−1 the file's rows and columns are
// mirrored and exchanged (Exif 2.3, tag 0x0112):
//
//	1 as stored   2 mirrored left-right   3 turned by 180°   4 mirrored top-bottom
//	5 transposed  6 to be turned 90° clockwise   7 transposed over the other diagonal   8 to be turned 90° anticlockwise
func (w *work) orient(orientation int) {
	if orientation < 2 || orientation > 8 {
		return
	}
	from, to := w.source, &w.spare
	if orientation < 5 {
		to.allocate(from.w, from.h)
	} else {
		to.allocate(from.h, from.w)
	}
	out := to.pix
	for y := range to.h {
		for x := range to.w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = from.w - 1 - x
			case 3:
				sx, sy = from.w-1-x, from.h-1-y
			case 4:
				sy = from.h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, from.h-1-x
			case 7:
				sx, sy = from.w-1-y, from.h-1-x
			case 8:
				sx, sy = from.w-1-y, x
			}
			at := (sy*from.w + sx) * 3
			out[0], out[1], out[2] = from.pix[at], from.pix[at+1], from.pix[at+2]
			out = out[3:]
		}
	}
	w.source, w.spare = w.spare, w.source
}
