package flowers

// Kinds are the kinds of flower, the folder names of the real data set, in sorted order.
func Kinds() []string { return []string{"daisy", "dandelion", "roses", "sunflowers", "tulips"} }

// bloom is one flower to draw.
type bloom struct {
	kind   string
	view   view
	radius int // of the head
	petals rgb
	centre rgb
	leaves rgb
}

// draw paints the flower, its stem first.
func (b bloom) draw(c *canvas, r *random) {
	switch b.kind {
	case "daisy":
		b.daisy(c, r)
	case "dandelion":
		b.dandelion(c, r)
	case "roses":
		b.rose(c, r)
	case "sunflowers":
		b.sunflower(c, r)
	case "tulips":
		b.tulip(c, r)
	}
}

// stem draws a stalk from the flower's centre to below the picture, perhaps with leaves.
func (b bloom) stem(c *canvas, r *random, leaves int) {
	from := b.view.centre
	to := point{from.x + r.between(-b.radius/2, b.radius/2), max(c.h*pixel, from.y) + 4*pixel}
	width := max(b.radius/12, 2*pixel)
	colour := r.vary(b.leaves, 10)
	c.stroke(from, to, r.between(-b.radius/6, b.radius/6), width, width*5/4, along(from, to, colour.shade(280), colour.shade(200)), 256)
	for range leaves {
		at := point{from.x + (to.x-from.x)*3/4, from.y + (to.y-from.y)*r.between(55, 85)/100}
		side := r.between(0, 1)*turn/2 - turn/4
		leaf := petal{profile: pointed, base: at, angle: -turn/4 + side*r.between(35, 75)/100, length: b.radius * r.between(60, 110) / 100, bend: r.between(-b.radius/4, b.radius/4)}
		leaf.width = leaf.length * r.between(20, 32) / 100
		c.drawPetal(view{tilt: one}, leaf, colour.shade(190), colour.shade(270), 120)
	}
}

// daisy: 11 to 17 slender petals with rounded tips that stand apart, around a small dome.
func (b bloom) daisy(c *canvas, r *random) {
	if r.chance(60) {
		b.stem(c, r, r.between(0, 1))
	}
	n := r.between(11, 17)
	for i := range n {
		p := petal{profile: rounded, angle: i*turn/n + r.between(-turn/200, turn/200), bend: r.between(-b.radius/14, b.radius/14)}
		p.base = point{}.polar(p.angle, b.radius/8)
		p.length = b.radius*r.between(92, 104)/100 - b.radius/8
		p.width = b.radius * 2 * 300 / (n * 100) * r.between(60, 76) / 70
		colour := r.vary(b.petals, 12)
		c.drawPetal(b.view, p, colour.shade(205), colour, 90)
	}
	size := b.radius * r.between(22, 28) / 100
	b.dome(c, r, size, 40)
}

// dome draws a flower's centre with light from above and dots.
func (b bloom) dome(c *canvas, r *random, size, dots int) {
	c.disc(b.view, point{}, size+size/12, flat(b.centre.shade(120)), 180)
	top, bottom := b.view.at(point{}), b.view.at(point{})
	top.y -= size
	bottom.y += size
	c.disc(b.view, point{}, size, along(top, bottom, b.centre.shade(280), b.centre.shade(190)), 256)
	for range dots {
		at := point{}.polar(r.angle(), size*9/10*root(r.between(0, 10000))/100)
		c.disc(b.view, at, max(size/14, pixel/2), flat(b.centre.shade(r.between(110, 330))), 170)
	}
}

// dandelion: either the ball of seeds, rays that end in tufts, or the open head, a dense cushion of narrow straps.
func (b bloom) dandelion(c *canvas, r *random) {
	b.stem(c, r, 0)
	v := b.view
	v.tilt = one - (one-v.tilt)/3 // a ball looks alike from everywhere
	if r.chance(35) {
		for _, ring := range [3]int{100, 78, 50} {
			n := r.between(26, 34)
			colour := mix(b.petals.shade(200), b.petals, 256-ring)
			for i := range n {
				p := petal{profile: strap, angle: i*turn/n + r.between(-turn/80, turn/80), length: b.radius * ring * r.between(85, 105) / 10000, bend: r.between(-b.radius/12, b.radius/12)}
				p.width = max(b.radius/13, 3*pixel/2)
				col := r.vary(colour, 18)
				c.drawPetal(v, p, col.shade(170), col, 70)
			}
		}
		c.disc(v, point{}, b.radius/5, flat(b.petals.shade(210)), 90)
		return
	}
	colour := mix(b.petals, rgb{250, 250, 250}, 110)
	c.disc(v, point{}, b.radius, flat(colour), 46)
	c.disc(v, point{}, b.radius*7/10, flat(colour), 36)
	n := r.between(70, 100)
	thin := max(b.radius/90, pixel*3/5)
	for range n {
		angle, reach := r.angle(), b.radius*(45+root(r.between(0, 2500)))/95
		end := point{}.polar(angle, reach*8/10)
		ray := r.vary(colour, 14)
		c.line(v.at(point{}), v.at(end), thin, flat(ray), 190)
		for k := range 7 {
			tip := end.polar(angle+(k-3)*turn/22, reach/4)
			c.line(v.at(end), v.at(tip), thin, flat(ray.shade(270)), 200)
		}
		c.disc(v, point{}.polar(angle, b.radius/7), thin*3/2, flat(b.centre.shade(150)), 220)
	}
	c.disc(v, point{}, b.radius/8, flat(b.centre.shade(170)), 230)
}

// rose: rings of broad overlapping petals, smaller and darker towards the middle, around a tight spiral.
func (b bloom) rose(c *canvas, r *random) {
	if r.chance(60) {
		b.stem(c, r, r.between(1, 2))
	}
	v := b.view
	shadow := b.petals.shade(130)
	for ring, reach := range [4]int{100, 80, 60, 42} {
		n := [4]int{6, 6, 5, 4}[ring]
		start := r.angle()
		for i := range n {
			p := petal{profile: broad, angle: start + i*turn/n + r.between(-turn/50, turn/50), bend: r.between(-b.radius/8, b.radius/8)}
			p.length = b.radius * reach * r.between(92, 104) / 10000
			p.width = p.length * 132 / 100
			colour := r.vary(b.petals, 10).shade(256 - ring*16)
			wide := p
			wide.length += b.radius / 26
			wide.width += b.radius / 11
			c.fill(wide.outline(v), flat(shadow), 200)
			c.fill(p.outline(v), along(v.at(point{}), v.at(point{}.polar(p.angle, p.length)), colour.shade(150), colour.shade(275)), 256)
		}
	}
	core := b.radius * 26 / 100
	c.disc(v, point{}, core, flat(b.petals.shade(215)), 256)
	angle, last := r.angle(), point{}
	for i := range 40 { // two and a half turns
		next := point{}.polar(angle+i*turn/16, core*(i+2)/42)
		c.line(v.at(last), v.at(next), max(b.radius/26, pixel), flat(shadow.shade(200)), 210)
		last = next
	}
}

// sunflower: two rings of many pointed petals around a disc of more than half the width, with seeds in spirals.
func (b bloom) sunflower(c *canvas, r *random) {
	if r.chance(70) {
		b.stem(c, r, r.between(0, 2))
	}
	n := r.between(17, 23)
	for ring := range 2 {
		for i := range n {
			p := petal{profile: pointed, angle: (2*i+ring)*turn/(2*n) + r.between(-turn/200, turn/200), bend: r.between(-b.radius/16, b.radius/16)}
			p.base = point{}.polar(p.angle, b.radius*4/10)
			p.length = b.radius*(103-6*ring)*r.between(94, 104)/10000 - b.radius*4/10
			p.width = b.radius * 24 * 18 / (100 * n)
			colour := r.vary(b.petals, 14).shade(220 + 36*ring)
			c.drawPetal(b.view, p, colour.shade(185), colour, 100)
		}
	}
	size := b.radius * r.between(50, 58) / 100
	b.dome(c, r, size, 0)
	const golden = 25033 // the golden angle, turn·(2 − φ)
	seeds := 150
	for i := range seeds {
		at := point{}.polar(i*golden, size*94/100*root(i*10000/seeds)/100)
		c.disc(b.view, at, max(size/17, pixel*2/3), flat(b.centre.shade(150+(i%3)*60+i*60/seeds)), 200)
	}
}

// tulip: a cup seen from the side, three petals in front of two, on a stalk with long leaves.
func (b bloom) tulip(c *canvas, r *random) {
	b.radius = b.radius * 84 / 100 // the cup is taller than this
	v := view{centre: b.view.centre, turnedBy: r.between(-turn/24, turn/24), tilt: one}
	b.stem(c, r, 0)
	foot := point{0, b.radius * 85 / 100}
	for range r.between(1, 2) {
		side := r.between(0, 1)*2 - 1
		at := point{v.centre.x + r.between(-8, 8)*pixel, c.h*pixel + 4*pixel}
		leaf := petal{profile: pointed, base: at, angle: -turn/4 + side*r.between(turn/40, turn/14), length: (at.y - v.centre.y) * r.between(65, 100) / 100, bend: side * r.between(0, b.radius/2)}
		leaf.width = max(b.radius/3, 5*pixel)
		c.drawPetal(view{tilt: one}, leaf, b.leaves.shade(190), b.leaves.shade(280), 100)
	}
	open := r.between(30, 80)
	for i, lean := range [5]int{-46, 46, -70, 70, 0} {
		p := petal{profile: ovate, base: foot, angle: -turn/4 + lean*open*turn/(360*100), bend: -lean * b.radius * open / (100 * 130)}
		p.length = b.radius * (172 - 10*(i/2%2)) * r.between(96, 104) / 10000
		p.width = b.radius * 94 / 100
		colour := r.vary(b.petals, 10)
		base, tip := colour.shade(190), colour.shade(262)
		if i < 2 {
			base, tip = colour.shade(150), colour.shade(200)
		}
		c.drawPetal(v, p, base, tip, 150)
	}
}
