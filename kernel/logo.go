package kernel

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// The logo is a mosaic: four by four rounded tiles, laid so that the darker ones form the letter G.
const (
	logoTiles = 4
	logoUnit  = 16 // a tile with its joint, of 64 units in all
	logoJoint = 1.5
	logoRound = 3
)

// logoPalette holds the tiles' colours: the letter in teal shades, the ground in sand.
var logoPalette = [...]color.NRGBA{
	{0xE8, 0xDF, 0xC9, 0xFF}, {0xF2, 0xEC, 0xDC, 0xFF},
	{0x00, 0x7D, 0x9C, 0xFF}, {0x00, 0x9F, 0xB8, 0xFF}, {0x0B, 0x5C, 0x78, 0xFF}, {0xD5, 0x5E, 0x00, 0xFF},
}

var logoLayout = [logoTiles][logoTiles]int{
	{2, 3, 4, 2},
	{4, 0, 1, 0},
	{3, 1, 5, 3},
	{2, 4, 3, 2},
}

func logoSVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64" role="img" aria-label="gomosaic">`)
	for y, row := range logoLayout {
		for x, tile := range row {
			c := logoPalette[tile]
			fmt.Fprintf(&b, "\n"+`<rect x="%g" y="%g" width="%g" height="%g" rx="%d" fill="#%02X%02X%02X"/>`,
				float64(x*logoUnit)+logoJoint, float64(y*logoUnit)+logoJoint, logoUnit-2*logoJoint, logoUnit-2*logoJoint, logoRound, c.R, c.G, c.B)
		}
	}
	b.WriteString("\n</svg>\n")
	return b.Bytes()
}

// logoPNG draws the logo with size × size pixels, each the mean of 4 × 4 points.
func logoPNG(size int) ([]byte, error) {
	const points = 4
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	scale := float64(logoTiles*logoUnit) / float64(size*points)
	for y := range size {
		for x := range size {
			var r, g, b, hit int
			for p := range points * points {
				c, ok := logoAt((float64(x*points+p%points)+0.5)*scale, (float64(y*points+p/points)+0.5)*scale)
				if ok {
					r, g, b, hit = r+int(c.R), g+int(c.G), b+int(c.B), hit+1
				}
			}
			if hit > 0 {
				m.SetNRGBA(x, y, color.NRGBA{uint8(r / hit), uint8(g / hit), uint8(b / hit), uint8(hit * 255 / (points * points))})
			}
		}
	}
	var out bytes.Buffer
	err := png.Encode(&out, m)
	return out.Bytes(), err
}

// logoAt is the colour at a point in units, and whether a tile covers it.
func logoAt(x, y float64) (color.NRGBA, bool) {
	tx, ty := int(x)/logoUnit, int(y)/logoUnit
	const low, high = logoJoint, logoUnit - logoJoint
	dx, dy := x-float64(tx*logoUnit), y-float64(ty*logoUnit)
	if dx < low || dx > high || dy < low || dy > high {
		return color.NRGBA{}, false
	}
	cx, cy := clamp(dx, low+logoRound, high-logoRound), clamp(dy, low+logoRound, high-logoRound)
	if (dx-cx)*(dx-cx)+(dy-cy)*(dy-cy) > logoRound*logoRound {
		return color.NRGBA{}, false
	}
	return logoPalette[logoLayout[ty][tx]], true
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }
