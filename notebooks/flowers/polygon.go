package flowers

import "slices"

// crossing is where an edge meets a sub-scanline, and whether it goes down (+1) or up (−1) there.
type crossing struct{ x, direction int }

// edge is a side of a polygon that crosses the current row of pixels.
type edge struct {
	upper, lower point
	direction    int
}

// paint gives the colour of a pixel inside a shape.
type paint func(x, y int) rgb

func flat(c rgb) paint { return func(int, int) rgb { return c } }

// along goes from one colour at a to another at b, and on to neither side.
func along(a, b point, from, to rgb) paint {
	dx, dy := b.x-a.x, b.y-a.y
	length := dx*dx + dy*dy
	if length == 0 {
		return flat(from)
	}
	return func(x, y int) rgb {
		t := ((x*pixel+pixel/2-a.x)*dx + (y*pixel+pixel/2-a.y)*dy) * 256 / length
		return mix(from, to, min(max(t, 0), 256))
	}
}

// fill draws a closed polygon with smooth edges: four sub-scanlines a pixel, exact coverage along each. Windings other than
// zero are inside. opacity is 0…256.
func (c *canvas) fill(outline []point, colour paint, opacity int) {
	const lines = 4
	left, right, top, bottom := outline[0].x, outline[0].x, outline[0].y, outline[0].y
	for _, p := range outline {
		left, right = min(left, p.x), max(right, p.x)
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	x0, x1 := max(left/pixel-1, 0), min(right/pixel+1, c.w-1)
	y0, y1 := max(top/pixel-1, 0), min(bottom/pixel+1, c.h-1)
	for y := y0; y <= y1; y++ {
		c.near = c.near[:0]
		for i, p := range outline {
			q, direction := outline[(i+1)%len(outline)], 1
			if p.y > q.y {
				p, q, direction = q, p, -1
			}
			if p.y < (y+1)*pixel && q.y > y*pixel {
				c.near = append(c.near, edge{p, q, direction})
			}
		}
		if len(c.near) == 0 {
			continue
		}
		clear(c.coverage)
		touched := false
		for line := range lines {
			at := y*pixel + (2*line+1)*pixel/(2*lines)
			c.crossing = c.crossing[:0]
			for _, e := range c.near {
				if p, q := e.upper, e.lower; at >= p.y && at < q.y {
					c.crossing = append(c.crossing, crossing{p.x + (q.x-p.x)*(at-p.y)/(q.y-p.y), e.direction})
				}
			}
			slices.SortFunc(c.crossing, func(a, b crossing) int { return a.x - b.x })
			winding := 0
			for i := 0; i+1 < len(c.crossing); i++ {
				if winding += c.crossing[i].direction; winding != 0 {
					c.cover(c.crossing[i].x, c.crossing[i+1].x)
					touched = true
				}
			}
		}
		if !touched {
			continue
		}
		for x := x0; x <= x1; x++ {
			if v := c.coverage[x]; v > 0 {
				c.blend(x, y, colour(x, y), min(v/lines, 256)*opacity/256)
			}
		}
	}
}

// cover adds a span to the coverage of the current row.
func (c *canvas) cover(from, to int) {
	from, to = max(from, 0), min(to, c.w*pixel)
	if from >= to {
		return
	}
	first, last := from/pixel, (to-1)/pixel
	if first == last {
		c.coverage[first] += to - from
		return
	}
	c.coverage[first] += (first+1)*pixel - from
	for x := first + 1; x < last; x++ {
		c.coverage[x] += pixel
	}
	c.coverage[last] += to - last*pixel
}

// line draws a stroke of a width.
func (c *canvas) line(a, b point, width int, colour paint, opacity int) {
	dx, dy := b.x-a.x, b.y-a.y
	length := root(dx*dx + dy*dy)
	if length == 0 {
		return
	}
	nx, ny := -dy*width/(2*length), dx*width/(2*length)
	c.fill([]point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}}, colour, opacity)
}

// stroke draws a curve from a to b that is bent aside by bend at its middle, its width going from one value to another.
func (c *canvas) stroke(a, b point, bend, from, to int, colour paint, opacity int) {
	const steps = 10
	dx, dy := b.x-a.x, b.y-a.y
	length := max(root(dx*dx+dy*dy), 1)
	outline := make([]point, 2*steps+2)
	for i := range steps + 1 {
		aside := bend * 4 * i * (steps - i) / (steps * steps)
		x, y := a.x+dx*i/steps-dy*aside/length, a.y+dy*i/steps+dx*aside/length
		half := (from + (to-from)*i/steps) / 2
		outline[i] = point{x - dy*half/length, y + dx*half/length}
		outline[2*steps+1-i] = point{x + dy*half/length, y - dx*half/length}
	}
	c.fill(outline, colour, opacity)
}

// disc draws a circle as a view sees it.
func (c *canvas) disc(v view, centre point, radius int, colour paint, opacity int) {
	const corners = 24
	outline := make([]point, corners)
	for i := range outline {
		outline[i] = v.at(centre.polar(i*turn/corners, radius))
	}
	c.fill(outline, colour, opacity)
}
