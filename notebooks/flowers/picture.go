package flowers

import "gomosaic/mdslib/jpeg"

// picture draws one flower picture and returns it as a JPEG file.
func (s set) picture(number int) ([]byte, error) {
	kind := Kinds()[number%len(Kinds())]
	r := newRandom(s.Seed, number)
	c := newCanvas(r.between(120, 260), r.between(120, 260))
	ground(c, r)
	side := min(c.w, c.h) * pixel
	main := bloom{
		kind:   kind,
		radius: side * r.between(27, 42) / 100,
		petals: r.petalColour(kind),
		centre: r.vary(r.pick(centreColours), 18),
		leaves: r.vary(r.pick(leafColours), 16),
	}
	main.view = view{
		centre:        point{c.w*pixel/2 + side*r.between(-12, 12)/100, c.h*pixel/2 + side*r.between(-14, 8)/100},
		turnedBy:      r.angle(),
		tilt:          one * r.between(74, 100) / 100,
		tiltDirection: r.angle(),
	}
	if r.chance(30) { // another of its kind behind it, out of focus
		far := main
		far.radius = main.radius * r.between(40, 60) / 100
		far.view.centre = point{r.between(0, c.w) * pixel, r.between(0, c.h*2/3) * pixel}
		far.view.turnedBy = r.angle()
		far.draw(c, r)
		c.blur(1)
	}
	main.draw(c, r)
	light(c, r)
	return s.encode(c, r, number)
}

// ground paints the background: two colours, blots and grass, out of focus.
func ground(c *canvas, r *random) {
	colours := backgrounds[r.between(0, len(backgrounds)-1)]
	above, below := r.vary(colours[0], 24), r.vary(colours[1], 24)
	top, bottom := point{c.w * pixel / 2, c.h * pixel * r.between(0, 30) / 100}, point{c.w * pixel / 2, c.h * pixel}
	top.x += c.w * pixel * r.between(-40, 40) / 100
	shade := along(top, bottom, above, below)
	c.each(func(x, y int, _ rgb) rgb { return shade(x, y) })
	flatView := view{tilt: one}
	for range r.between(4, 14) {
		at := point{r.between(0, c.w) * pixel, r.between(0, c.h) * pixel}
		c.disc(flatView, at, r.between(5, 26)*pixel, flat(r.vary(mix(above, below, r.between(0, 256)), 50)), r.between(60, 150))
	}
	grass := r.vary(r.pick(leafColours), 20)
	for range r.between(0, 22) {
		p := petal{profile: blade, base: point{r.between(0, c.w) * pixel, (c.h + 2) * pixel}, angle: -turn/4 + r.between(-turn/12, turn/12)}
		p.length = c.h * pixel * r.between(20, 75) / 100
		p.width = r.between(3, 9) * pixel
		p.bend = r.between(-p.length/4, p.length/4)
		c.fill(p.outline(flatView), flat(r.vary(grass, 24)), 220)
	}
	c.blur(r.between(2, 4))
}

// light gives the picture its exposure, tint, vignette from one side, softness and noise.
func light(c *canvas, r *random) {
	gain := r.between(190, 300)
	tint := rgb{r.between(236, 276), r.between(240, 272), r.between(232, 276)}
	from := point{}.polar(r.angle(), 256)
	slope := r.between(0, 70)
	c.each(func(x, y int, p rgb) rgb {
		side := ((2*x-c.w)*from.x/c.w + (2*y-c.h)*from.y/c.h) * slope / 256 // −slope…slope and a little more
		g := gain * (256 + side) / 256
		return rgb{p.r * g / 256 * tint.r / 256, p.g * g / 256 * tint.g / 256, p.b * g / 256 * tint.b / 256}
	})
	c.soften(r.between(0, 80), 2)
	c.grain(r, r.between(10, 70))
}

// encode chooses what kind of file a picture becomes, so that a reader meets all that cameras and the web produce:
// differing qualities and subsamplings, some progressive, some stored turned with an orientation tag, one grey.
func (s set) encode(c *canvas, r *random, number int) ([]byte, error) {
	o := jpeg.EncodeOptions{
		Quality:     r.between(82, 94),
		Subsampling: jpeg.Subsampling(max(0, r.between(-4, 2))),
		Progressive: number%6 == 2,
	}
	pix, w, h := c.pix, c.w, c.h
	if number%24 == 7 {
		o.Orientation = []int{3, 6, 8, 2}[number/24%4]
		pix, w, h = stored(pix, w, h, o.Orientation)
	}
	if number == greyNumber {
		grey := make([]byte, w*h)
		for i := range grey {
			p := pix[3*i:]
			grey[i] = byte((19595*int(p[0]) + 38470*int(p[1]) + 7471*int(p[2]) + 32768) >> 16)
		}
		pix = grey
	}
	return jpeg.Encode(nil, pix, w, h, o)
}

// greyNumber is the one picture without colour.
const greyNumber = 11

// stored returns the pixels as a camera stores them that was held so that an orientation tag sets them right.
func stored(pix []byte, w, h, orientation int) ([]byte, int, int) {
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := make([]byte, len(pix))
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 6: // to be turned clockwise
				sx, sy = y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			copy(out[(sy*sw+sx)*3:][:3], pix[(y*w+x)*3:])
		}
	}
	return out, sw, sh
}
