package display

// Chart: series over a common x axis as plain data, which travels as JSON or gob. Made by
// callers and by LiveChart, drawn by the registered ChartRenderer or by svg.go.

import (
	"encoding/json"
	"fmt"
	"math"
	"sync/atomic"
)

// ChartOptions says what a chart is called and how its axes run. The zero value is usable.
type ChartOptions struct {
	Title string
	// Subtitle is the line under the title; empty means: the newest number of each series.
	Subtitle string
	X, Y     string // axis names with their units, "step" or "loss (nats)"
	// Panels are further plots under the first one, on the same x axis: what has another
	// unit than Y belongs in one of its own. A series is drawn in the panel that lists its
	// name, else in the first plot.
	Panels []Panel
	// LogY draws the first plot's y axis in powers of ten; values ≤ 0 are marked, not drawn.
	LogY bool
	// XMin and XMax fix the x axis where XMax > XMin, so that a live chart does not rescale;
	// YMin and YMax likewise.
	XMin, XMax, YMin, YMax float64
	// Categories names the places 0, 1, … on the x axis of a bar chart.
	Categories []string
	// Smooth, in (0, 1), draws each line thin and its exponential moving average over it:
	// the share that the average keeps at each point, 0.9 for instance.
	Smooth float64
	// WidthPixels and HeightPixels default to 640 × 320 (and 160 for each further panel).
	WidthPixels, HeightPixels int
}

// Panel is one further plot of a chart.
type Panel struct {
	Y          string   // axis name
	Series     []string // names of the series that are drawn here
	LogY       bool
	YMin, YMax float64 // fixed where YMax > YMin
}

// Kind is how a series is drawn.
type Kind int

// The kinds of series.
const (
	Line Kind = iota
	Bar
	Scatter
)

// Dash is the pattern of a line, told apart without colour.
type Dash int

// The patterns. AutoDash gives each series of a plot its own.
const (
	AutoDash Dash = iota
	Solid
	Dashed
	Dotted
	DashDot
)

// Series is one named row of points, in order of x.
type Series struct {
	Name   string
	Points []Point
	Kind   Kind
	Dash   Dash
	// Color is a CSS colour; empty means the next one of the Okabe–Ito palette.
	Color string
}

// Point is one measurement. A non-finite Y is drawn as a red mark at the plot's edge, never
// left out: a loss that is NaN is what one looks for.
type Point struct{ X, Y float64 }

// MarshalJSON writes [x, y], with "NaN", "+Inf" and "-Inf" as strings.
func (p Point) MarshalJSON() ([]byte, error) {
	part := func(v float64) any {
		if finite(v) {
			return v
		}
		return fmt.Sprint(v)
	}
	return json.Marshal([2]any{part(p.X), part(p.Y)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(text []byte) error {
	var parts [2]any
	if err := json.Unmarshal(text, &parts); err != nil {
		return fmt.Errorf("display: point %s: %w", text, err)
	}
	for i, to := range []*float64{&p.X, &p.Y} {
		switch v := parts[i].(type) {
		case float64:
			*to = v
		case string:
			if _, err := fmt.Sscan(v, to); err != nil {
				return fmt.Errorf("display: point %s: %w", text, err)
			}
		default:
			return fmt.Errorf("display: point %s: want two numbers", text)
		}
	}
	return nil
}

// Chart is series with their options. It renders as a picture inside HTML, as SVG and as a
// line of text. Rendering reads the points and keeps none of them.
type Chart struct {
	ChartOptions
	Series []Series
}

// Points makes the points (0, y[0]), (1, y[1]), … .
func Points(y ...float64) []Point {
	points := make([]Point, len(y))
	for i, v := range y {
		points[i] = Point{float64(i), v}
	}
	return points
}

// Frame says which showing of a chart is drawn.
type Frame struct {
	ID string // the display id: equal for all frames of one showing
	// Live marks a frame that a later one will replace within the second: it must be cheap.
	Live bool
}

// ChartRenderer draws charts better than the package itself can. Its methods MUST be safe
// for concurrent use. RenderChart gets a chart whose series are thinned to what a screen can
// show, and need not make the plain text; RenderValue draws chart types of its own, and tells
// by ok whether v is one.
type ChartRenderer interface {
	RenderChart(c Chart, f Frame) (Data, error)
	RenderValue(v any, id string) (d Data, ok bool)
}

var registered atomic.Pointer[ChartRenderer]

// RegisterChartRenderer makes r draw all charts, in the manner of database/sql: the package
// that has one registers it in its init. It panics if there is one already.
func RegisterChartRenderer(r ChartRenderer) {
	if !registered.CompareAndSwap(nil, &r) {
		panic(fmt.Sprintf("display: RegisterChartRenderer called twice, now with %T", r))
	}
}

func chartRenderer() ChartRenderer {
	if r := registered.Load(); r != nil {
		return *r
	}
	return nil
}

// Render draws the chart.
func (c Chart) Render() Data { return c.render(Frame{ID: newDisplayID()}) }

// String is the chart in text: the course of each series in numbers and a small curve.
func (c Chart) String() string { return c.text() }

func (c Chart) render(f Frame) Data {
	text := c.text()
	points := MaxPoints
	if f.Live {
		points = livePoints
	}
	c = c.thinned(points)
	if r := chartRenderer(); r != nil {
		d, err := r.RenderChart(c, f)
		if err == nil {
			d.Data[MIMETypeText] = text
			return d
		}
		text += fmt.Sprintf("\n(drawn plainly: %v)", err)
	}
	d := c.plain(f)
	d.Data[MIMETypeText] = text
	return d
}

// plain is the chart drawn by this package alone.
func (c Chart) plain(f Frame) Data {
	svg := c.PlainSVG()
	d := Data{Data: MIMEMap{
		MIMETypeHTML: c.imageHTML(svg),
	}}
	if !f.Live {
		d.Data[MIMETypeSVG] = svg
	}
	return d
}

func (c Chart) thinned(limit int) Chart {
	series := make([]Series, len(c.Series))
	for i, s := range c.Series {
		if len(c.Categories) == 0 || s.Kind != Bar {
			s.Points = Thin(s.Points, limit)
		}
		series[i] = s
	}
	c.Series = series
	return c
}

// Size is the picture's size in CSS pixels.
func (o ChartOptions) Size() (width, height int) {
	width, height = o.WidthPixels, o.HeightPixels
	if width <= 0 {
		width = 640
	}
	if height <= 0 {
		height = 320 + 160*len(o.Panels)
	}
	return width, height
}

// PanelOf is the index of the plot in which the series is drawn: 0 for the first one, i+1
// for Panels[i].
func (o ChartOptions) PanelOf(series string) int {
	for i, p := range o.Panels {
		for _, name := range p.Series {
			if name == series {
				return i + 1
			}
		}
	}
	return 0
}

// Plots are the chart's plots from the top, the first one made of the options themselves.
func (o ChartOptions) Plots() []Panel {
	return append([]Panel{{Y: o.Y, LogY: o.LogY, YMin: o.YMin, YMax: o.YMax}}, o.Panels...)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
