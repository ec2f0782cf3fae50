package display

// The look of charts: colours, patterns and the room that text takes. Used by svg.go and by
// chart renderers.

import (
	"strings"
	"unicode"
)

// The look. A picture inside <img> cannot see whether the notebook is light or dark, so
// the ground is transparent and the ink has 4.5 : 1 on white and 4.2 : 1 on #111.
const (
	Ink      = "#767676"
	GridLine = "rgba(128,128,128,.25)"
	BadInk   = "#D7263D" // non-finite marks and failures; always with a glyph
	GoodInk  = "#009E73"
	FontCSS  = "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
)

// Palette is Okabe and Ito's (Color Universal Design, 2008) without yellow and black, which
// vanish on a light or a dark ground.
func Palette() []string {
	return []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#767676"}
}

// Style is how the chart's series i is drawn where it does not say so itself: a colour and a
// pattern of its own.
func (s Series) Style(i int) (color string, dash Dash) {
	p := Palette()
	color, dash = s.Color, s.Dash
	if !safeColor(color) {
		color = p[i%len(p)]
	}
	if dash == AutoDash {
		dash = []Dash{Solid, Dashed, DashDot, Dotted}[i%4]
	}
	return color, dash
}

// safeColor lets only what a colour is made of into an attribute.
func safeColor(s string) bool {
	for _, r := range s {
		if !(r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("#(),.% ", r))) {
			return false
		}
	}
	return s != ""
}

func (d Dash) svg() string {
	switch d {
	case Dashed:
		return "6 4"
	case Dotted:
		return "2 3"
	case DashDot:
		return "8 3 2 3"
	}
	return ""
}

// textWidth estimates the width of s in pixels; there is no font to ask. Helvetica's digits
// are 0.556 em wide, which is about the mean of text.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case wide(r):
			w += 1
		case strings.ContainsRune("iljtf.,:;|'!·", r):
			w += 0.3
		case unicode.IsUpper(r), strings.ContainsRune("mwMW%−", r):
			w += 0.72
		default:
			w += 0.56
		}
	}
	return w * size
}

// wide tells East Asian wide characters and emoji (Unicode's annex 11, its large blocks).
func wide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1f9ff || r >= 0x20000 && r <= 0x3fffd)
}

// shorten cuts s to n runes, the last of them an ellipsis.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(n-1, 0)]) + "…"
	}
	return s
}
