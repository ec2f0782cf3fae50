package flowers

// canvas is a picture being drawn: packed RGB.
type canvas struct {
	pix      []byte
	w, h     int
	coverage []int // of one row of pixels, while a polygon is filled
	near     []edge
	crossing []crossing
}

func newCanvas(w, h int) *canvas {
	return &canvas{pix: make([]byte, w*h*3), w: w, h: h, coverage: make([]int, w)}
}

// blend mixes a colour into a pixel; alpha is 0…256.
func (c *canvas) blend(x, y int, colour rgb, alpha int) {
	p := c.pix[(y*c.w+x)*3:]
	p[0] = byte(int(p[0]) + (clamp(colour.r)-int(p[0]))*alpha/256)
	p[1] = byte(int(p[1]) + (clamp(colour.g)-int(p[1]))*alpha/256)
	p[2] = byte(int(p[2]) + (clamp(colour.b)-int(p[2]))*alpha/256)
}

// each sets every pixel to what f makes of it.
func (c *canvas) each(f func(x, y int, old rgb) rgb) {
	p := c.pix
	for y := range c.h {
		for x := range c.w {
			v := f(x, y, rgb{int(p[0]), int(p[1]), int(p[2])})
			p[0], p[1], p[2] = byte(clamp(v.r)), byte(clamp(v.g)), byte(clamp(v.b))
			p = p[3:]
		}
	}
}

// soften mixes every pixel with its four neighbours, passes times; weight is the neighbours' part, 0…85 of 256 each side.
func (c *canvas) soften(weight, passes int) {
	line := make([]byte, max(c.w, c.h)+2)
	run := func(start, step, n int) {
		for i := range n {
			line[i+1] = c.pix[start+i*step]
		}
		line[0], line[n+1] = line[1], line[n]
		for i := range n {
			sum := weight*(int(line[i])+int(line[i+2])) + (256-2*weight)*int(line[i+1])
			c.pix[start+i*step] = byte((sum + 128) / 256)
		}
	}
	for range passes {
		for channel := range 3 {
			for y := range c.h {
				run(y*c.w*3+channel, 3, c.w)
			}
			for x := range c.w {
				run(x*3+channel, c.w*3, c.h)
			}
		}
	}
}

// blur averages over (2·radius+1)² pixels, three times over: close to a Gaussian, for backgrounds.
func (c *canvas) blur(radius int) {
	line := make([]int, max(c.w, c.h))
	run := func(start, step, n int) {
		for i := range n {
			line[i] = int(c.pix[start+i*step])
		}
		at := func(i int) int { return line[min(max(i, 0), n-1)] }
		sum, width := 0, 2*radius+1
		for i := -radius; i <= radius; i++ {
			sum += at(i)
		}
		for i := range n {
			c.pix[start+i*step] = byte((sum + width/2) / width)
			if i >= radius && i+radius+1 < n {
				sum += line[i+radius+1] - line[i-radius]
			} else {
				sum += at(i+radius+1) - at(i-radius)
			}
		}
	}
	for range 3 {
		for channel := range 3 {
			for y := range c.h {
				run(y*c.w*3+channel, 3, c.w)
			}
			for x := range c.w {
				run(x*3+channel, c.w*3, c.h)
			}
		}
	}
}

// grain adds noise that is close to normal: the sum of eight bytes, scaled to a deviation in tenths of a level.
func (c *canvas) grain(r *random, deviation int) {
	const perUnit = 2090 // ten deviations of the sum of eight uniform bytes
	for i, v := range c.pix {
		u := r.source.Uint64()
		u = u&0x00FF00FF00FF00FF + u>>8&0x00FF00FF00FF00FF
		sum := int(u&0xFFFF+u>>16&0xFFFF+u>>32&0xFFFF+u>>48) - 4*255
		c.pix[i] = byte(clamp(int(v) + sum*deviation/perUnit))
	}
}
