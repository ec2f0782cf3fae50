package flowers

// profile is half the width of a petal at nine places from its base to its tip, 256 being the full half width.
type profile [9]int

var (
	rounded = profile{50, 110, 165, 205, 235, 252, 256, 220, 60} // daisy
	pointed = profile{90, 170, 226, 256, 244, 206, 146, 74, 0}   // sunflower, leaf
	strap   = profile{150, 200, 240, 256, 256, 250, 236, 200, 110}
	broad   = profile{70, 150, 206, 240, 256, 254, 236, 186, 70} // rose
	ovate   = profile{110, 190, 240, 256, 248, 218, 166, 96, 0}  // tulip
	blade   = profile{256, 240, 220, 200, 170, 140, 100, 60, 0}  // grass
)

// petal is one petal, leaf or blade.
type petal struct {
	profile profile
	base    point // in the view's plane
	angle   int
	length  int
	width   int // at its widest
	bend    int // how far the tip swings aside
}

// outline returns the petal's border as a view sees it, 4 points for each place of the profile.
func (p petal) outline(v view) []point {
	const steps = 32
	s, c := sine(p.angle), cosine(p.angle)
	border := make([]point, 2*steps+2)
	for i := range steps + 1 {
		k, f := i/4, i%4
		half := p.profile[k]
		if f > 0 {
			half += (p.profile[k+1] - half) * f / 4
		}
		half = half * p.width / 512
		x, aside := p.length*i/steps, p.bend*i*i/(steps*steps)
		for side, y := range [2]int{aside - half, aside + half} {
			at := point{p.base.x + (x*c-y*s)/one, p.base.y + (x*s+y*c)/one}
			border[side*(2*steps+1)+(1-2*side)*i] = v.at(at)
		}
	}
	return border
}

// drawPetal fills a petal from one colour at its base to another at its tip, with a shadow on its border and a fine vein.
func (c *canvas) drawPetal(v view, p petal, base, tip rgb, shadow int) {
	a, b := v.at(p.base), v.at(p.base.polar(p.angle, p.length))
	if shadow > 0 {
		wide := p
		wide.width += p.width/8 + pixel
		wide.length += p.length/40 + pixel/2
		c.fill(wide.outline(v), flat(base.shade(110)), shadow)
	}
	c.fill(p.outline(v), along(a, b, base, tip), 256)
	thin := p
	thin.width, thin.length = max(p.width/9, pixel*2/3), p.length*9/10
	c.fill(thin.outline(v), flat(base.shade(190)), 90)
}
