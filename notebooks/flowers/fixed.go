package flowers

// Geometry is on integers, so that every machine draws the same bytes: floating point may fuse a multiplication and an
// addition on one processor and not on another.
//
//	lengths    1/256 of a pixel (pixel)
//	angles     1/65536 of a turn (turn), clockwise from the right
//	factors    1/16384 (one)
const (
	pixel = 256
	turn  = 65536
	one   = 16384
)

// sine returns the sine of an angle in factors of one, good to 0.0002: the odd polynomial of fifth order that is exact at
// the quarter turns.
func sine(a int) int {
	a &= turn - 1
	sign := 1
	if a >= turn/2 {
		a, sign = a-turn/2, -1
	}
	if a > turn/4 {
		a = turn/2 - a
	}
	z := a // 0…turn/4, which is 0…one
	square := z * z / one
	return sign * z * (25718 - square*(10476-square*1142/one)/one) / one
}

func cosine(a int) int { return sine(a + turn/4) }

// root returns the integer square root of v ≥ 0.
func root(v int) int {
	r, bit := 0, 1<<40
	for bit > v {
		bit >>= 2
	}
	for ; bit != 0; bit >>= 2 {
		if v >= r+bit {
			v -= r + bit
			r = r>>1 + bit
		} else {
			r >>= 1
		}
	}
	return r
}

// point is a place on the canvas.
type point struct{ x, y int }

// polar returns the point at a distance from p in a direction.
func (p point) polar(angle, distance int) point {
	return point{p.x + distance*cosine(angle)/one, p.y + distance*sine(angle)/one}
}

// view places a flower that is drawn around the origin: turned, tilted away from the viewer, turned again, moved.
type view struct {
	centre        point
	turnedBy      int
	tilt          int // height that is left of the flower, in factors of one
	tiltDirection int
}

func rotate(p point, angle int) point {
	s, c := sine(angle), cosine(angle)
	return point{(p.x*c - p.y*s) / one, (p.x*s + p.y*c) / one}
}

func (v view) at(p point) point {
	p = rotate(p, v.turnedBy-v.tiltDirection)
	p.y = p.y * v.tilt / one
	p = rotate(p, v.tiltDirection)
	return point{p.x + v.centre.x, p.y + v.centre.y}
}
