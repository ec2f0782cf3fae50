package display

// A chart in words: the line under its title, the sentence for who cannot see it, and the
// plain text of terminals and logs.

import (
	"encoding/base64"
	"fmt"
	"html"
	"math"
	"strings"
)

// newest is the last value of a series, as its thick line has it: the average where it is smoothed.
func (c Chart) newest(s Series) float64 {
	points := s.Points
	if c.smooths(s) {
		points = Average(points, c.Smooth)
	}
	return points[len(points)-1].Y
}

// subtitle is the one asked for, else the newest number of each series.
func (c Chart) subtitle() string {
	if c.Subtitle != "" || len(c.Categories) > 0 {
		return c.Subtitle
	}
	x, parts := math.Inf(-1), []string(nil)
	for _, s := range c.Series {
		if n := len(s.Points); n > 0 && s.Kind == Line {
			x = math.Max(x, s.Points[n-1].X)
			parts = append(parts, strings.TrimSpace(s.Name+" "+shortNumber(c.newest(s))))
		}
	}
	if len(parts) == 0 || len(parts) > 6 {
		return ""
	}
	return strings.TrimSpace(c.X+" "+shortNumber(x)) + " · " + strings.Join(parts, " · ")
}

// Caption is the subtitle that is drawn.
func (c Chart) Caption() string { return c.subtitle() }

// headline is the chart in one line: "loss: train 2.43 → 0.21, valid 2.55 → 0.29 (400 steps)".
func (c Chart) headline() string {
	var b strings.Builder
	title := c.Title
	if title == "" {
		title = c.Y
	}
	if title == "" {
		title = "chart"
	}
	b.WriteString(title)
	last := math.Inf(-1)
	separator := ": "
	for _, s := range c.Series {
		n := len(s.Points)
		if n == 0 {
			continue
		}
		b.WriteString(separator + s.Name)
		separator = ", "
		switch {
		case len(c.Categories) > 0:
			low, high := span(s.Points)
			fmt.Fprintf(&b, " %s … %s", shortNumber(low), shortNumber(high))
		case n == 1:
			fmt.Fprintf(&b, " %s", shortNumber(s.Points[0].Y))
		default:
			fmt.Fprintf(&b, " %s → %s", shortNumber(s.Points[0].Y), shortNumber(c.newest(s)))
		}
		if bad := undrawable(s.Points); bad > 0 {
			fmt.Fprintf(&b, " (%s non-finite)", groupDigits(bad))
		}
		last = math.Max(last, s.Points[n-1].X)
	}
	switch {
	case len(c.Categories) > 0:
		fmt.Fprintf(&b, " (%d categories)", len(c.Categories))
	case finite(last):
		x := c.X
		if x == "" {
			x = "x"
		}
		fmt.Fprintf(&b, " (%s %s)", x, shortNumber(last))
	}
	return b.String()
}

// Alt describes the chart to who cannot see it.
func (c Chart) Alt() string {
	kind := "Line chart"
	if len(c.Series) > 0 {
		kind = [...]string{"Line chart", "Bar chart", "Scatter plot"}[min(max(int(c.Series[0].Kind), 0), 2)]
	}
	return kind + " " + strings.TrimPrefix(c.headline(), "chart: ")
}

func (c Chart) text() string {
	lines := []string{c.headline()}
	for _, s := range c.Series {
		if len(s.Points) > 1 {
			line := Sparkline(s.Points, 60)
			if len(c.Series) > 1 {
				line += " " + s.Name
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Sparkline draws the course of the points in at most width block characters; a column with
// a non-finite value is an ×.
func Sparkline(points []Point, width int) string {
	columns := min(len(points), width)
	low, high := span(points)
	var b strings.Builder
	for i := range columns {
		part := points[i*len(points)/columns : (i+1)*len(points)/columns]
		sum := 0.0
		for _, p := range part {
			sum += p.Y / float64(len(part))
		}
		switch {
		case undrawable(part) > 0:
			b.WriteRune('×')
		case high == low:
			b.WriteRune('▄')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(max(int((sum-low)/(high-low)*8), 0), 7)])
		}
	}
	return b.String()
}

func span(points []Point) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if finite(p.Y) {
			low, high = math.Min(low, p.Y), math.Max(high, p.Y)
		}
	}
	return low, high
}

func undrawable(points []Point) (n int) {
	for _, p := range points {
		if !finite(p.Y) {
			n++
		}
	}
	return n
}

// imageHTML is the drawing as a picture, which passes every sanitiser: JupyterLab drops
// inline SVG and scripts of untrusted notebooks, and keeps <img>.
func (c Chart) imageHTML(svg string) string {
	w, h := c.Size()
	return fmt.Sprintf(`<img alt="%s" width="%d" height="%d" style="max-width:100%%;height:auto" src="data:image/svg+xml;base64,%s">`,
		html.EscapeString(c.Alt()), w, h, base64.StdEncoding.EncodeToString([]byte(svg)))
}
