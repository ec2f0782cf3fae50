package display

// Grid: labelled pictures side by side. Made by whoever shows samples or predictions.

import (
	"fmt"
	"html"
	"image"
	_ "image/gif" // decoded for thumbnails
	"strings"
)

// What a grid shows at most; the rest is counted.
const (
	gridTiles   = 64
	gridBytes   = 1 << 20
	tilePixels  = 96
	gridDefault = 32
)

// Tile is one picture of a grid: Encoded bytes (JPEG, PNG, GIF, …) or an Image.
type Tile struct {
	Encoded []byte
	Image   image.Image
	Label   string // the true class, or a caption
	// Predicted, if not empty, is compared with Label: right and wrong are told by colour,
	// glyph and border.
	Predicted string
	Score     float64 // of the prediction; drawn if not 0
	Hover     string  // what more there is to know: sample key, shard, size
}

// Grid is pictures with their labels. It shows the first 32 of them, or Max, which is at
// most 64 and at most one megabyte.
type Grid struct {
	Tiles      []Tile
	Caption    string
	TilePixels int // the longer side of a picture, 96 by default
	Columns    int // 0: as many as the page is wide
	Max        int
	Total      int // how many there are in all; 0 means len(Tiles)
}

// EncodedGrid makes a grid of encoded images, labels[i] under the i-th; labels may be fewer.
func EncodedGrid(images [][]byte, labels []string) Grid {
	g := Grid{Tiles: make([]Tile, len(images))}
	for i, raw := range images {
		g.Tiles[i].Encoded = raw
		if i < len(labels) {
			g.Tiles[i].Label = labels[i]
		}
	}
	return g
}

// ImageGrid makes a grid of decoded images, labels[i] under the i-th; labels may be fewer.
func ImageGrid(images []image.Image, labels []string) Grid {
	g := Grid{Tiles: make([]Tile, len(images))}
	for i, img := range images {
		g.Tiles[i].Image = img
		if i < len(labels) {
			g.Tiles[i].Label = labels[i]
		}
	}
	return g
}

func (g Grid) total() int { return max(g.Total, len(g.Tiles)) }

func (g Grid) limit() int {
	most := g.Max
	if most <= 0 {
		most = gridDefault
	}
	return min(most, gridTiles, len(g.Tiles))
}

// HTML is the grid as HTML; a picture that cannot be read says why in its place.
func (g Grid) HTML() string {
	pixels := g.TilePixels
	if pixels <= 0 {
		pixels = tilePixels
	}
	pixels = min(pixels, 512)
	columns := fmt.Sprintf("repeat(auto-fill,minmax(%dpx,max-content))", pixels+8)
	if g.Columns > 0 {
		columns = fmt.Sprintf("repeat(%d,minmax(0,max-content))", g.Columns)
	}
	var b strings.Builder
	if g.Caption != "" {
		fmt.Fprintf(&b, `<div style="margin:0 0 6px">%s</div>`, html.EscapeString(g.Caption))
	}
	fmt.Fprintf(&b, `<div style="display:grid;grid-template-columns:%s;gap:8px;max-width:900px">`, columns)
	shown := 0
	for i, t := range g.Tiles[:g.limit()] {
		if shown > 0 && b.Len() > gridBytes {
			break
		}
		b.WriteString(t.html(i, pixels))
		shown++
	}
	b.WriteString(`</div>`)
	if more := g.total() - shown; more > 0 {
		fmt.Fprintf(&b, `<div style="opacity:.7;margin-top:6px">+%s more</div>`, groupDigits(more))
	}
	return b.String()
}

func (t Tile) html(i, pixels int) string {
	border, verdict := "1px solid rgba(128,128,128,.35)", ""
	caption := html.EscapeString(shorten(t.Label, 40))
	if t.Predicted != "" {
		color, glyph := GoodInk, "✓"
		if t.Predicted != t.Label {
			color, glyph = BadInk, "✗"
			caption += " → " + html.EscapeString(shorten(t.Predicted, 40))
		}
		border = "3px solid " + color
		verdict = fmt.Sprintf(` <b style="color:%s">%s</b>`, color, glyph)
	}
	if t.Score != 0 {
		verdict += fmt.Sprintf(` <span style="opacity:.7">%.2f</span>`, t.Score)
	}
	picture, err := thumbnailHTML(t, pixels, t.alt(i))
	if err != nil {
		picture = fmt.Sprintf(`<div role="img" aria-label="%s" style="width:%dpx;height:%dpx;line-height:1.3;overflow:hidden;opacity:.8">cannot show: %s</div>`,
			html.EscapeString(t.alt(i)), pixels, pixels, html.EscapeString(shorten(err.Error(), 120)))
	}
	// A tile has two rows of the grid, so that pictures of all heights stand on one line, whatever the captions need.
	return fmt.Sprintf(`<figure style="margin:0;display:grid;grid-row:span 2;grid-template-rows:subgrid;row-gap:2px;justify-items:center;`+
		`font:11px/1.35 %s;text-align:center;overflow-wrap:anywhere"><div style="align-self:end;line-height:0;border:%s">%s</div><figcaption>%s%s</figcaption></figure>`,
		FontCSS, border, picture, caption, verdict)
}

// alt is the tile in words: "sample 7: true bag, predicted shirt 0.61".
func (t Tile) alt(i int) string {
	s := fmt.Sprintf("sample %d", i)
	switch {
	case t.Predicted != "":
		s += fmt.Sprintf(": true %s, predicted %s", t.Label, t.Predicted)
	case t.Label != "":
		s += ": " + t.Label
	}
	if t.Score != 0 {
		s += fmt.Sprintf(" %.2f", t.Score)
	}
	return s
}

// String counts the grid's pictures, and the right ones where there are predictions.
func (g Grid) String() string {
	s := fmt.Sprintf("%s %s", groupDigits(g.total()), plural(g.total(), "image"))
	judged, right := 0, 0
	for _, t := range g.Tiles {
		if t.Predicted != "" {
			judged++
			if t.Predicted == t.Label {
				right++
			}
		}
	}
	if judged > 0 {
		s += fmt.Sprintf(", %d right, %d wrong", right, judged-right)
	}
	if g.Caption != "" {
		s = g.Caption + ": " + s
	}
	return s
}
