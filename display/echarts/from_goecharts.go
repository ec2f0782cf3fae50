package echarts

// A chart of go-echarts → its option in the house style. Made by users, who import
// go-echarts themselves.

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/render"
)

// goChart is what all charts of go-echarts have.
type goChart interface {
	Type() string
	Validate() // puts the data in place
	JSON() map[string]any
	render.Renderer
}

// seriesTypes are those of ECharts 6; go-echarts knows more, of extensions. The library draws
// nothing for a type that it does not know, and says nothing.
var seriesTypes = map[string]bool{
	"line": true, "bar": true, "pie": true, "scatter": true, "effectScatter": true, "radar": true, "tree": true, "treemap": true,
	"sunburst": true, "boxplot": true, "candlestick": true, "heatmap": true, "map": true, "parallel": true, "lines": true,
	"graph": true, "sankey": true, "funnel": true, "gauge": true, "pictorialBar": true, "themeRiver": true, "chord": true, "custom": true,
}

// fromGoChart takes the option, and not the page that go-echarts writes: that one loads the
// library from another host, and unescapes the text of its labels.
func fromGoChart(c goChart) (o option, width, height int, err error) {
	c.Validate()
	o, err = newOption(c.JSON())
	if err != nil {
		return nil, 0, 0, err
	}
	for _, s := range o.list("series") {
		if t := s.str("type"); !seriesTypes[t] {
			return o, 0, 0, fmt.Errorf("echarts: series type %q is an extension of ECharts, which is not here", t)
		}
		if s.str("type") == "map" {
			return o, 0, 0, errors.New("echarts: a map needs its outlines, which are not here")
		}
	}
	if _, geo := o["geo"]; geo {
		return o, 0, 0, errors.New("echarts: a map needs its outlines, which are not here")
	}
	// go-echarts' own colours nobody asked for.
	if list, is := o["color"].([]any); is && slices.EqualFunc(list, charts.NewLine().Colors, func(a any, b string) bool { return a == b }) {
		delete(o, "color")
	}
	// An empty title or toolbox is none.
	for _, name := range []string{"title", "toolbox"} {
		if part, is := o[name].(map[string]any); is && len(part) == 0 {
			delete(o, name)
		}
	}
	o.style()
	width, height = sizeOf(c)
	return o, width, height, nil
}

// sizeOf is the size in pixels that the chart asks for by its initialisation options, else
// 640 × 320; go-echarts' own default, 900 × 500, is taken for not asked.
func sizeOf(c goChart) (width, height int) {
	width, height = 640, 320
	v := reflect.Indirect(reflect.ValueOf(c))
	if v.Kind() != reflect.Struct {
		return width, height
	}
	init := v.FieldByName("Initialization")
	if !init.IsValid() || init.Kind() != reflect.Struct {
		return width, height
	}
	for _, side := range []struct {
		name, unasked string
		to            *int
	}{{"Width", "900px", &width}, {"Height", "500px", &height}} {
		f := init.FieldByName(side.name)
		if !f.IsValid() || f.Kind() != reflect.String || f.String() == side.unasked {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(f.String(), "px")); err == nil && n >= 40 && n <= 4000 {
			*side.to = n
		}
	}
	return width, height
}
