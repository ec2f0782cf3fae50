package echarts

// Renderer: what package display calls. Chart in, output out.

import (
	"encoding/base64"
	"fmt"
	"html"

	"github.com/go-echarts/go-echarts/v2/components"

	"gomosaic/display"
)

// renderer is registered once; its engine loads with the first complete drawing.
type renderer struct{ engine engine }

var registered = func() *renderer {
	r := &renderer{}
	display.RegisterChartRenderer(r)
	return r
}()

// Warm loads the library in the background, so that the first chart does not wait for it. A
// host calls it once when it is idle.
func Warm() {
	go func() {
		registered.engine.mu.Lock()
		defer registered.engine.mu.Unlock()
		_ = registered.engine.load() // the first chart says what is wrong
	}()
}

// RenderChart draws a chart of package display.
func (r *renderer) RenderChart(c display.Chart, f display.Frame) (display.Data, error) {
	w, h := c.Size()
	option, err := fromChart(c).expression()
	if err != nil {
		return display.Data{}, err
	}
	d := display.Data{Data: display.MIMEMap{}}
	var svg string
	if f.Live {
		svg = c.PlainSVG()
	} else {
		if svg, err = r.engine.svg(option, w, h); err != nil {
			return display.Data{}, err
		}
		d.Data[display.MIMETypeSVG] = svg
	}
	d.Data[display.MIMETypeHTML] = page(f.ID, c.Alt(), option, svg, w, h)
	d.Metadata = display.MIMEMap{display.MIMETypeHTML: display.MIMEMap{"isolated": false}}
	return d, nil
}

// RenderValue draws a chart of go-echarts, or a page of them. A chart that cannot be drawn,
// because its type needs a library that is not part of ECharts for instance, says so.
func (r *renderer) RenderValue(v any, id string) (display.Data, bool) {
	var list []goChart
	switch x := v.(type) {
	case *components.Page:
		for _, c := range x.Charts {
			if chart, is := c.(goChart); is {
				list = append(list, chart)
			}
		}
	case goChart:
		list = []goChart{x}
	}
	if len(list) == 0 {
		return display.Data{}, false
	}
	d := display.Data{Data: display.MIMEMap{}, Metadata: display.MIMEMap{display.MIMETypeHTML: display.MIMEMap{"isolated": false}}}
	body, text := "", ""
	for i, chart := range list {
		alt, part, svg, err := r.goChart(chart, fmt.Sprintf("%s-%d", id, i))
		if err != nil {
			part = fmt.Sprintf(`<div>%s cannot be drawn: %s</div>`, html.EscapeString(alt), html.EscapeString(err.Error()))
			alt = fmt.Sprintf("%s cannot be drawn: %v", alt, err)
		} else if len(list) == 1 {
			d.Data[display.MIMETypeSVG] = svg
		}
		body += part
		if i > 0 {
			text += "\n"
		}
		text += alt
	}
	d.Data[display.MIMETypeHTML], d.Data[display.MIMETypeText] = body, text
	return d, true
}

func (r *renderer) goChart(c goChart, id string) (alt, body, svg string, err error) {
	o, w, h, err := fromGoChart(c)
	alt = o.alt(c.Type())
	if err != nil {
		return alt, "", "", err
	}
	expression, err := o.expression()
	if err != nil {
		return alt, "", "", err
	}
	if svg, err = r.engine.svg(expression, w, h); err != nil {
		return alt, "", "", err
	}
	return alt, page(id, alt, expression, svg, w, h), svg, nil
}

// page is the picture and the script that puts the interactive chart in its place.
func page(id, alt, option, svg string, w, h int) string {
	return fmt.Sprintf(`<div id="%s" style="width:100%%;max-width:%dpx;height:%dpx"><img alt="%s" width="%d" height="%d" style="max-width:100%%" src="data:image/svg+xml;base64,%s"></div>`,
		html.EscapeString(id), w, h, html.EscapeString(alt), w, h, base64.StdEncoding.EncodeToString([]byte(svg))) +
		upgrade(id, option)
}
