package echarts

// A chart of go-echarts → its option in the house style. Made by users, who import
// go-echarts themselves.

import (
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

// fromGoChart takes the option, and not the page that go-echarts writes: that one loads the
// library from another host, and unescapes the text of its labels.
func fromGoChart(c goChart) (o option, width, height int, err error) {
	c.Validate()
	o, err = newOption(c.JSON())
	if err != nil {
		return nil, 0, 0, err
	}
	// Two colour lists that nobody asked for: go-echarts' own.
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
	for name, to := range map[string]*int{"Width": &width, "Height": &height} {
		f := init.FieldByName(name)
		if !f.IsValid() || f.Kind() != reflect.String || f.String() == "900px" || f.String() == "500px" {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(f.String(), "px")); err == nil && n >= 40 && n <= 4000 {
			*to = n
		}
	}
	return width, height
}
