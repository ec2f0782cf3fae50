package echarts

// The house style: what a chart looks like where it does not say so itself. One place for
// our own charts and for go-echarts' ones.

import (
	"gomosaic/display"
)

// font is a list that a script and an SVG attribute both take.
const font = "system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif"

// style fills in colours, type and room; all that the option says stays.
func (o option) style() {
	o["animation"] = false
	o.or("backgroundColor", "transparent")
	o.or("color", anyList(display.Palette()))
	text := o.object("textStyle")
	text.or("color", display.Ink)
	text.or("fontFamily", font)
	aria := o.object("aria")
	aria.or("enabled", true)

	titled := false
	top := 8.0
	for _, t := range o.list("title") {
		t.or("left", 0)
		t.or("top", 0)
		t.or("padding", 0)
		t.or("itemGap", 3)
		style := t.object("textStyle")
		style.or("color", display.Ink)
		style.or("fontSize", 14)
		style.or("fontWeight", 600)
		style.or("lineHeight", 18) // there are no font metrics: without it the title runs into the plot
		style = t.object("subtextStyle")
		style.or("color", display.Ink)
		style.or("fontSize", 12)
		style.or("lineHeight", 15)
		if t.str("text") != "" {
			titled, top = true, 30
		}
		if t.str("subtext") != "" {
			top = 48
		}
	}
	series := o.list("series")
	if legends := o.list("legend"); len(legends) > 0 {
		for _, l := range legends {
			l.or("show", len(series) > 1 || len(series) == 1 && hasNamedParts(series[0]))
			l.or("top", 0)
			if _, set := l["left"]; !set {
				l.or("right", 14) // the estimate of text widths is Helvetica's; other fonts are wider
			}
			l.or("itemWidth", 28) // wide enough to tell dashes
			l.or("itemHeight", 10)
			l.or("padding", []any{2, 2, 0, 0})
			l.object("textStyle").or("color", display.Ink)
		}
	}
	if _, axes := o["xAxis"]; axes {
		if _, set := o["grid"]; !set {
			right := 16
			if len(o.list("visualMap")) > 0 {
				right = 84
			}
			o["grid"] = map[string]any{"left": 64, "right": right, "top": top + 6, "bottom": 48}
		}
	} else if titled {
		for _, s := range series {
			if s.str("type") == "pie" {
				s.or("center", []any{"50%", "56%"})
				s.or("radius", "62%")
			}
		}
	}
	for _, name := range []string{"xAxis", "yAxis", "radiusAxis", "angleAxis", "singleAxis", "parallelAxis"} {
		for _, a := range o.list(name) {
			a.object("axisLabel").or("color", display.Ink)
			a.object("axisLabel").or("hideOverlap", true)
			a.object("nameTextStyle").or("color", display.Ink)
			a.object("axisLine").object("lineStyle").or("color", display.Ink)
			a.object("splitLine").object("lineStyle").or("color", display.GridLine)
		}
	}
	for _, a := range o.list("xAxis") {
		a.or("nameLocation", "middle")
		a.or("nameGap", 28)
		if t := a.str("type"); t == "value" || t == "log" || t == "time" {
			a.object("splitLine").or("show", false)
		}
	}
	for _, a := range o.list("yAxis") {
		a.or("nameLocation", "middle")
		a.or("nameGap", 46)
	}
	for _, v := range o.list("visualMap") {
		v.object("textStyle").or("color", display.Ink)
		if _, set := v["left"]; !set && v.str("orient") != "horizontal" {
			v.or("right", 0)
			v.or("top", "middle")
			v.or("inRange", map[string]any{"color": viridis()})
		}
	}
	for _, s := range series {
		switch s.str("type") {
		case "pie", "funnel", "tree", "graph", "sankey":
			s.object("label").or("color", display.Ink)
		}
	}
	for _, t := range o.list("tooltip") {
		// ECharts writes names from the data into the HTML of its tooltips.
		if _, own := t["formatter"]; !own {
			t["renderMode"] = "richText"
		}
	}
	dashes := []string{"solid", "dashed", "dashDot", "dotted"}
	lines := 0
	for _, s := range series {
		if s.str("type") != "line" {
			continue
		}
		style := s.object("lineStyle")
		style.or("width", 2)
		if dash := dashes[lines%len(dashes)]; dash == "dashDot" {
			style.or("type", []any{8, 3, 2, 3})
		} else {
			style.or("type", dash)
		}
		if points, _ := s["data"].([]any); len(points) > 40 {
			s.or("showSymbol", false)
		}
		lines++
	}
}

// viridis is matplotlib's map in five steps: even in brightness, for every eye.
func viridis() []any {
	return []any{"#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"}
}

// hasNamedParts tells a series whose legend lists its data, a pie for instance.
func hasNamedParts(s option) bool {
	switch s.str("type") {
	case "pie", "funnel", "radar", "themeRiver":
		return true
	}
	return false
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
