package echarts

// display.Chart → option, by go-echarts, with the layout that package display draws too, so
// that a picture that becomes interactive does not jump.

import (
	"math"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"gomosaic/display"
)

// Up to that many points of a line are marked one by one.
const markersUpTo = 40

// cross is the mark of what cannot be drawn.
const cross = "path://M1 0L4 3L7 0L8 1L5 4L8 7L7 8L4 5L1 8L0 7L3 4L0 1Z"

// fromChart gives the option of a chart.
func fromChart(c display.Chart) option {
	plots := c.Plots()
	line := charts.NewLine()
	line.SetGlobalOptions(
		charts.WithTitleOpts(opts.Title{Title: c.Title, Subtitle: c.Caption()}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithDataZoomOpts(opts.DataZoom{Type: "inside", XAxisIndex: indexes(len(plots))}),
	)
	line.XAxisList, line.YAxisList = nil, nil
	for i, p := range plots {
		line.ExtendXAxis(xAxis(c, i, i == len(plots)-1))
		line.ExtendYAxis(yAxis(c, i, p))
	}
	var names []string
	for i, s := range c.Series {
		names = append(names, s.Name)
		line.MultiSeries = append(line.MultiSeries, series(c, s, i)...)
	}
	for i, s := range c.Series {
		if bad, has := marks(c, s, i, len(line.YAxisList)); has {
			line.ExtendYAxis(opts.YAxis{Type: "value", Show: opts.Bool(false), Min: 0, Max: 1, GridIndex: c.PanelOf(s.Name)})
			line.MultiSeries = append(line.MultiSeries, bad)
		}
	}
	if len(c.Categories) > 0 {
		line.SetXAxis(c.Categories)
	}
	line.Validate()
	o, err := newOption(line.JSON())
	if err != nil {
		// Every number has been checked for being finite; nothing else can fail.
		panic(err)
	}
	delete(o, "color")
	o.layout(c, names)
	o.style()
	return o
}

func xAxis(c display.Chart, plot int, last bool) opts.XAxis {
	a := opts.XAxis{Type: "value", GridIndex: plot, AxisLabel: &opts.AxisLabel{Show: opts.Bool(last)}}
	if len(c.Categories) > 0 {
		a.Type, a.Data = "category", c.Categories
	} else if c.XMax > c.XMin {
		a.Min, a.Max = c.XMin, c.XMax
	} else if low, high := xRange(c); low < high && !hasBars(c) {
		if low > 0 && low < high/20 {
			low = 0 // as in the picture: the first step of an epoch is no round number
		}
		a.Min, a.Max = low, high // all plots the same, whatever of the series they show
		a.AxisLabel.ShowMinLabel, a.AxisLabel.ShowMaxLabel = opts.Bool(isShort(low)), opts.Bool(isShort(high))
	}
	if last {
		a.Name = c.X
	}
	return a
}

// isShort tells whether a number is fit for the end of an axis, where ECharts writes all its digits.
func isShort(x float64) bool { return len(strconv.FormatFloat(x, 'f', -1, 64)) <= 7 }

func xRange(c display.Chart) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range c.Series {
		for _, p := range s.Points {
			if isFinite(p.X) {
				low, high = math.Min(low, p.X), math.Max(high, p.X)
			}
		}
	}
	return low, high
}

func yAxis(c display.Chart, plot int, p display.Panel) opts.YAxis {
	a := opts.YAxis{Type: "value", Name: p.Y, GridIndex: plot, Scale: opts.Bool(true)}
	if p.LogY {
		a.Type = "log"
	}
	if p.YMax > p.YMin {
		a.Min, a.Max = p.YMin, p.YMax
	} else if hasBars(c) {
		a.Scale = opts.Bool(false)
	}
	return a
}

func hasBars(c display.Chart) bool {
	for _, s := range c.Series {
		if s.Kind == display.Bar {
			return true
		}
	}
	return false
}

// series is one series of the chart, or two where a line is smoothed: itself, thin, and its
// average.
func series(c display.Chart, s display.Series, i int) []charts.SingleSeries {
	color, dash := s.Style(i)
	plot := c.PanelOf(s.Name)
	one := charts.SingleSeries{
		Name: s.Name, Type: types.ChartLine, Id: "s" + strconv.Itoa(i),
		XAxisIndex: plot, YAxisIndex: plot,
		ItemStyle: &opts.ItemStyle{Color: color},
	}
	log := c.Plots()[plot].LogY
	switch s.Kind {
	case display.Bar:
		one.Type = types.ChartBar
		one.BarMaxWidth = "72"
		one.Data = data(c, s.Points, log)
		return []charts.SingleSeries{one}
	case display.Scatter:
		one.Type = types.ChartScatter
		one.SymbolSize = 6
		one.Data = data(c, s.Points, log)
		return []charts.SingleSeries{one}
	}
	one.Symbol, one.SymbolSize = "circle", 5
	one.ShowSymbol = opts.Bool(len(s.Points) <= markersUpTo)
	width := float32(2)
	if len(s.Points) > 400 && c.Smooth == 0 {
		width = 1.25
	}
	one.LineStyle = &opts.LineStyle{Color: color, Width: width, Type: dashName(dash)}
	if !(c.Smooth > 0 && c.Smooth < 1 && len(s.Points) > markersUpTo) {
		one.Data = data(c, s.Points, log)
		return []charts.SingleSeries{one}
	}
	raw := one
	raw.Name, raw.Id = s.Name+" (each)", raw.Id+"-each"
	raw.LineStyle = &opts.LineStyle{Color: color, Width: 1, Type: "solid", Opacity: opts.Float(0.4)}
	raw.Data = data(c, s.Points, log)
	one.Data = data(c, display.Average(s.Points, c.Smooth), log)
	return []charts.SingleSeries{raw, one}
}

func dashName(d display.Dash) string {
	switch d {
	case display.Dashed, display.DashDot:
		return "dashed"
	case display.Dotted:
		return "dotted"
	}
	return "solid"
}

// data are points as ECharts takes them; what cannot be drawn is a gap.
func data(c display.Chart, points []display.Point, log bool) []any {
	out := make([]any, 0, len(points))
	for _, p := range points {
		switch {
		case !isFinite(p.X):
			continue
		case !isFinite(p.Y) || log && p.Y <= 0:
			out = append(out, []any{place(p.X), "-"})
		default:
			out = append(out, []any{place(p.X), digits(p.Y)})
		}
	}
	return out
}

// marks are the points of a series that cannot be drawn, as red crosses at the plot's edge,
// on a hidden axis of their own.
func marks(c display.Chart, s display.Series, i, yAxis int) (charts.SingleSeries, bool) {
	plot := c.PanelOf(s.Name)
	log := c.Plots()[plot].LogY
	var bad []any
	for _, p := range s.Points {
		if !isFinite(p.X) || isFinite(p.Y) && !(log && p.Y <= 0) {
			continue
		}
		at := 1
		if isFinite(p.Y) || math.IsInf(p.Y, -1) {
			at = 0
		}
		bad = append(bad, []any{place(p.X), at})
	}
	return charts.SingleSeries{
		Name: s.Name + " (non-finite)", Id: "s" + strconv.Itoa(i) + "-bad", Type: types.ChartScatter,
		XAxisIndex: plot, YAxisIndex: yAxis, Symbol: cross, SymbolSize: 9,
		ItemStyle: &opts.ItemStyle{Color: display.BadInk}, Data: bad,
	}, len(bad) > 0
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// digits rounds a y to five digits: more are not seen, and stay in the notebook's file. place
// rounds an x, which may be a large number with small steps.
func digits(v float64) float64 { return rounded(v, 5) }

func place(v float64) float64 { return rounded(v, 10) }

func rounded(v float64, digits int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return r
}

func indexes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// layout places title, legend and plots.
func (o option) layout(c display.Chart, names []string) {
	w, h := c.Size()
	top := 12.0
	if c.Title != "" {
		top += 18
	}
	if c.Caption() != "" {
		top += 17
	}
	legend := o.object("legend")
	legend["show"] = len(names) > 1
	legend["data"] = anyList(names)
	legend["itemWidth"], legend["itemGap"] = 28, 14
	legend["padding"] = []any{2, 2, 0, 0}
	if len(names) > 1 {
		room := 0.0
		for _, n := range names {
			room += 28 + 5 + 14 + 7*float64(len([]rune(n)))
		}
		if c.Title == "" || room+9*float64(len([]rune(c.Title)))+24 > float64(w) {
			legend["left"], legend["top"] = 0, top-10
			top += 18 * math.Ceil(room/float64(w))
		}
	}
	bottom := 28.0
	if c.X != "" {
		bottom = 44
	}
	plots := c.Plots()
	const gap = 20.0
	unit := (float64(h) - top - bottom - gap*float64(len(plots)-1)) / (float64(len(plots)-1) + 1.6)
	var grids []any
	y := top
	for i := range plots {
		high := unit
		if i == 0 {
			high = 1.6 * unit
		}
		left := 44
		if plots[i].Y != "" {
			left = 60
		}
		grids = append(grids, map[string]any{"left": left, "right": 16, "top": math.Round(y), "height": math.Round(high)})
		y += high + gap
	}
	o["grid"] = grids
	for i, a := range o.list("yAxis") {
		a.or("splitNumber", 4)
		if i < len(plots) && plots[i].YMax > plots[i].YMin && !plots[i].LogY {
			a["interval"] = (plots[i].YMax - plots[i].YMin) / 4 // ECharts would crowd its ticks at a fixed end
		}
	}
	for i, a := range o.list("xAxis") {
		a.object("axisTick")["show"] = len(c.Categories) == 0
		// The line stays at the bottom of the plot where values are negative.
		a.object("axisLine")["onZero"] = false
		a["position"] = "bottom"
		if i < len(plots)-1 {
			delete(a, "name")
		}
	}
	for i, z := range o.list("dataZoom") {
		z["id"] = "zoom" + strconv.Itoa(i)
		z["zoomOnMouseWheel"] = "ctrl" // a plain wheel scrolls the notebook
		z["moveOnMouseMove"] = "shift"
		z["moveOnMouseWheel"] = false
	}
	if len(plots) > 1 {
		o["axisPointer"] = map[string]any{"link": []any{map[string]any{"xAxisIndex": "all"}}}
	}
	o.object("aria")["label"] = map[string]any{"description": c.Alt()}
}
