package display

// The package's own drawing of a chart: SVG from the standard library alone. It serves where
// no ChartRenderer is linked, and for the frames of a live chart, which must be cheap.

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// markersUpTo is the number of points up to which each is marked: validation has few.
const markersUpTo = 40

// drawing collects the SVG's elements.
type drawing struct {
	strings.Builder
	chart         Chart
	width, height float64
}

// PlainSVG draws the chart with the standard library alone, in a fraction of a millisecond
// per thousand points. The SVG has no ids and no scripts, so several of them can stand in one
// page.
func (c Chart) PlainSVG() string {
	c = c.thinned(MaxPoints)
	w, h := c.Size()
	g := &drawing{chart: c, width: float64(w), height: float64(h)}
	fmt.Fprintf(g, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s" font-family="%s" font-size="12" fill="%s">`,
		w, h, w, h, html.EscapeString(c.Alt()), html.EscapeString(FontCSS), Ink)
	top := g.header()
	x, left := g.xAxis(), g.leftMargin()
	x.a, x.b = left, g.width-16
	plots := c.Plots()
	bottom := g.height - 26
	if c.X != "" {
		bottom -= 18
	}
	const gap = 20.0
	unit := (bottom - top - gap*float64(len(plots)-1)) / (float64(len(plots)-1) + 1.6)
	y := top
	for i, p := range plots {
		high := unit
		if i == 0 {
			high = unit * 1.6
		}
		g.plot(i, p, x, y, y+high, i == len(plots)-1)
		y += high + gap
	}
	if c.X != "" {
		g.text((x.a+x.b)/2, g.height-8, "middle", "", c.X)
	}
	g.WriteString("</svg>")
	return g.String()
}

// header draws title, subtitle and legend and returns where the plots begin.
func (g *drawing) header() (top float64) {
	c := g.chart
	y := 0.0
	if c.Title != "" {
		y += 16
		g.text(0, y, "start", ` font-size="14" font-weight="600"`, c.Title)
	}
	type entry struct {
		s     Series
		place int
		width float64
	}
	var entries []entry
	total := 0.0
	for i, s := range c.Series {
		e := entry{s, i, 24 + textWidth(s.Name, 12) + 16}
		entries = append(entries, e)
		total += e.width
	}
	legendAt := 0.0
	if len(entries) > 1 {
		if c.Title != "" && textWidth(c.Title, 15)+24+total <= g.width {
			legendAt = y
		}
	} else {
		entries = nil
	}
	if sub := c.subtitle(); sub != "" {
		y += 17
		g.text(0, y, "start", "", sub)
	}
	draw := func(row []entry, x, y float64) {
		for _, e := range row {
			color, dash := e.s.Style(e.place)
			switch e.s.Kind {
			case Line:
				fmt.Fprintf(g, `<path d="M%s %sh18" stroke="%s" stroke-width="2.5" stroke-dasharray="%s"/>`, px(x), px(y-4), color, dash.svg())
			case Bar:
				fmt.Fprintf(g, `<rect x="%s" y="%s" width="12" height="10" rx="2" fill="%s"/>`, px(x+4), px(y-9), color)
			case Scatter:
				fmt.Fprintf(g, `<circle cx="%s" cy="%s" r="4" fill="%s"/>`, px(x+9), px(y-4), color)
			}
			g.text(x+24, y, "start", "", e.s.Name)
			x += e.width
		}
	}
	if legendAt > 0 {
		draw(entries, g.width-total+4, legendAt)
	} else {
		for len(entries) > 0 {
			n, w := 1, entries[0].width
			for n < len(entries) && w+entries[n].width <= g.width {
				w += entries[n].width
				n++
			}
			y += 18
			draw(entries[:n], 0, y)
			entries = entries[n:]
		}
	}
	return y + 14
}

// xAxis is the common x axis, without its place.
func (g *drawing) xAxis() axis {
	c := g.chart
	if n := len(c.Categories); n > 0 {
		x := axis{low: -0.5, high: float64(n) - 0.5}
		for i, name := range c.Categories {
			x.ticks = append(x.ticks, tick{float64(i), name})
		}
		return x
	}
	low, high, step, bars := math.Inf(1), math.Inf(-1), math.Inf(1), false
	for _, s := range c.Series {
		bars = bars || s.Kind == Bar
		for i, p := range s.Points {
			if finite(p.X) {
				low, high = math.Min(low, p.X), math.Max(high, p.X)
			}
			if i > 0 && p.X > s.Points[i-1].X {
				step = math.Min(step, p.X-s.Points[i-1].X)
			}
		}
	}
	fixed := c.XMax > c.XMin
	if fixed {
		low, high = c.XMin, c.XMax
	} else if low < high || bars {
		if bars && low <= high {
			if math.IsInf(step, 0) {
				step = 1
			}
			low, high = low-step/2, high+step/2
		}
		fixed = low < high // lines touch both ends
	}
	return newAxis(low, high, fixed, false, int(g.width/90))
}

// yAxis is the y axis of plot i, without its place.
func (g *drawing) yAxis(i int, p Panel, high float64) axis {
	if p.YMax > p.YMin {
		return newAxis(p.YMin, p.YMax, true, p.LogY, int(high/36))
	}
	low, top := math.Inf(1), math.Inf(-1)
	for _, s := range g.chart.Series {
		if g.chart.PanelOf(s.Name) != i {
			continue
		}
		for _, q := range s.Points {
			if finite(q.Y) && (!p.LogY || q.Y > 0) {
				low, top = math.Min(low, q.Y), math.Max(top, q.Y)
			}
		}
		if s.Kind == Bar && !p.LogY && low <= top {
			low, top = math.Min(low, 0), math.Max(top, 0)
		}
	}
	return newAxis(low, top, false, p.LogY, max(2, int(high/36)))
}

func (g *drawing) leftMargin() float64 {
	widest := 0.0
	for i, p := range g.chart.Plots() {
		for _, t := range g.yAxis(i, p, g.height/2).ticks {
			widest = math.Max(widest, textWidth(t.text, 12))
		}
		if p.Y != "" {
			widest = math.Max(widest, 8)
		}
	}
	for _, p := range g.chart.Plots() {
		if p.Y != "" {
			return math.Min(widest+30, g.width/3)
		}
	}
	return math.Min(widest+12, g.width/3)
}

// plot draws plot i between the pixel rows top and bottom.
func (g *drawing) plot(i int, p Panel, x axis, top, bottom float64, last bool) {
	y := g.yAxis(i, p, bottom-top)
	y.a, y.b = bottom, top
	for _, t := range y.ticks {
		at := y.at(t.at)
		faint := ""
		if t.text == "" {
			faint = ` opacity=".4"`
		}
		fmt.Fprintf(g, `<path d="M%s %sH%s" stroke="%s"%s/>`, px(x.a), px(at), px(x.b), GridLine, faint)
		if t.text != "" {
			g.text(x.a-6, at+4, "end", "", t.text)
		}
	}
	fmt.Fprintf(g, `<path d="M%s %sH%s" stroke="%s"/>`, px(x.a), px(bottom), px(x.b), Ink)
	if p.Y != "" {
		fmt.Fprintf(g, `<text transform="translate(12 %s) rotate(-90)" text-anchor="middle">%s</text>`, px((top+bottom)/2), html.EscapeString(p.Y))
	}
	end := math.Inf(-1)
	for _, t := range x.ticks {
		at := x.at(t.at)
		if len(g.chart.Categories) == 0 {
			fmt.Fprintf(g, `<path d="M%s %sv4" stroke="%s"/>`, px(at), px(bottom), Ink)
		}
		if !last {
			continue
		}
		label := t.text
		room := (x.b - x.a) / math.Max(1, float64(len(x.ticks)))
		if len(g.chart.Categories) > 0 && len(g.chart.Categories) <= 12 {
			label = shorten(label, int(room/6.6))
		}
		w := textWidth(label, 12)
		middle := math.Min(math.Max(at, w/2), g.width-w/2)
		if middle-w/2 > end+6 {
			g.text(middle, bottom+18, "middle", "", label)
			end = middle + w/2
		}
	}
	// An inner <svg> clips what runs out of a fixed range; a clipPath would need an id.
	fmt.Fprintf(g, `<svg x="%s" y="%s" width="%s" height="%s" viewBox="%s %s %s %s" fill="none" stroke-linejoin="round">`,
		px(x.a-5), px(top-5), px(x.b-x.a+10), px(bottom-top+10), px(x.a-5), px(top-5), px(x.b-x.a+10), px(bottom-top+10))
	bar, bars := 0, 0
	for _, s := range g.chart.Series {
		if s.Kind == Bar && g.chart.PanelOf(s.Name) == i {
			bars++
		}
	}
	for k, s := range g.chart.Series {
		if g.chart.PanelOf(s.Name) != i {
			continue
		}
		color, dash := s.Style(k)
		switch s.Kind {
		case Bar:
			g.bars(s, x, y, color, bar, bars)
			bar++
		case Scatter:
			g.points(s, x, y, color, 3)
		default:
			g.line(s, x, y, color, dash)
		}
		g.marks(s, x, y)
	}
	g.WriteString("</svg>")
}

// smooths tells whether a series is drawn as its average; few points are drawn as they are.
func (c Chart) smooths(s Series) bool {
	return c.Smooth > 0 && c.Smooth < 1 && s.Kind == Line && len(s.Points) > markersUpTo
}

func (g *drawing) line(s Series, x, y axis, color string, dash Dash) {
	if g.chart.smooths(s) {
		fmt.Fprintf(g, `<path d="%s" stroke="%s" stroke-width="1" opacity=".4"/>`, pathOf(s.Points, x, y), color)
		s.Points = Average(s.Points, g.chart.Smooth)
	}
	width := "2"
	if len(s.Points) > 400 && g.chart.Smooth == 0 {
		width = "1.25"
	}
	fmt.Fprintf(g, `<path d="%s" stroke="%s" stroke-width="%s" stroke-dasharray="%s"/>`, pathOf(s.Points, x, y), color, width, dash.svg())
	if len(s.Points) <= markersUpTo {
		g.points(s, x, y, color, 2.5)
	}
}

func (g *drawing) points(s Series, x, y axis, color string, radius float64) {
	for _, p := range s.Points {
		if drawn(p, y) {
			fmt.Fprintf(g, `<circle cx="%s" cy="%s" r="%s" fill="%s"/>`, px(x.at(p.X)), px(y.at(p.Y)), px(radius), color)
		}
	}
}

func (g *drawing) bars(s Series, x, y axis, color string, place, of int) {
	step := 1.0
	if len(g.chart.Categories) == 0 {
		step = math.Inf(1)
		for i := 1; i < len(s.Points); i++ {
			step = math.Min(step, s.Points[i].X-s.Points[i-1].X)
		}
		if math.IsInf(step, 0) {
			step = (x.high - x.low) / 2
		}
	}
	wide := math.Max(1, (x.at(x.low+step)-x.at(x.low))*0.76)
	one := wide / float64(of)
	base := y.at(math.Max(y.low, math.Min(0, y.high)))
	for _, p := range s.Points {
		if !drawn(p, y) {
			continue
		}
		from, to := math.Min(base, y.at(p.Y)), math.Max(base, y.at(p.Y))
		fmt.Fprintf(g, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"><title>%s</title></rect>`,
			px(x.at(p.X)-wide/2+one*float64(place)), px(from), px(math.Max(one-1, 0.5)), px(to-from), color, shortNumber(p.Y))
	}
}

// marks shows what cannot be drawn as red crosses at the edge: the bottom for −∞ and what a
// logarithm does not take, the top for the rest.
func (g *drawing) marks(s Series, x, y axis) {
	for _, p := range s.Points {
		if drawn(p, y) || !finite(p.X) {
			continue
		}
		at := y.b
		if math.IsInf(p.Y, -1) || finite(p.Y) {
			at = y.a
		}
		cx := x.at(p.X)
		fmt.Fprintf(g, `<path d="M%s %sl8 8m0 -8l-8 8" stroke="%s" stroke-width="2"><title>%s: %s at %s</title></path>`,
			px(cx-4), px(at-4), BadInk, html.EscapeString(s.Name), shortNumber(p.Y), shortNumber(p.X))
	}
}

func drawn(p Point, y axis) bool { return finite(p.X) && finite(p.Y) && (!y.log || p.Y > 0) }

// pathOf is the line through the points that can be drawn, interrupted at those that cannot.
func pathOf(points []Point, x, y axis) string {
	var b strings.Builder
	pen := "M"
	for _, p := range points {
		if !drawn(p, y) {
			pen = "M"
			continue
		}
		b.WriteString(pen + px(x.at(p.X)) + " " + px(y.at(p.Y)))
		pen = "L"
	}
	return b.String()
}

// Average is the exponential moving average of the points, each of which keeps the share
// keep of the average before it; non-finite points pass through and are left out of it. The
// first ones are corrected for the start at zero (Adam's bias correction).
func Average(points []Point, keep float64) []Point {
	out := make([]Point, len(points))
	sum, weight := 0.0, 0.0
	for i, p := range points {
		out[i] = p
		if finite(p.Y) {
			sum, weight = keep*sum+(1-keep)*p.Y, keep*weight+1-keep
			out[i].Y = sum / weight
		}
	}
	return out
}

func (g *drawing) text(x, y float64, anchor, attributes, s string) {
	fmt.Fprintf(g, `<text x="%s" y="%s" text-anchor="%s"%s>%s</text>`, px(x), px(y), anchor, attributes, html.EscapeString(s))
}

// px writes a coordinate with one decimal: a tenth of a pixel is not seen.
func px(v float64) string {
	v = math.Max(-1e5, math.Min(1e5, v))
	if math.IsNaN(v) {
		v = 0
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
