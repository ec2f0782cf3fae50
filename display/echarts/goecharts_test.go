package echarts

import (
	"strings"
	"testing"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/components"
	"github.com/go-echarts/go-echarts/v2/opts"

	"gomosaic/display"
)

func line(title string) *charts.Line {
	l := charts.NewLine()
	l.SetGlobalOptions(charts.WithTitleOpts(opts.Title{Title: title, Subtitle: "of a week"}),
		charts.WithXAxisOpts(opts.XAxis{Name: "day"}), charts.WithYAxisOpts(opts.YAxis{Name: "count"}))
	return l.SetXAxis([]string{"Mon", "Tue", "Wed"}).
		AddSeries("A", []opts.LineData{{Value: 1}, {Value: 3}, {Value: 2}}).
		AddSeries("B", []opts.LineData{{Value: 2}, {Value: 1}, {Value: 4}})
}

func TestGoEchartsChartRenders(t *testing.T) {
	d, _ := display.RenderResult(line("My line"))
	all := texts(t, pictureOf(t, d))
	for _, want := range []string{"My line", "of a week", "Mon", "day", "count", "A", "B"} {
		if !strings.Contains(all, "|"+want+"|") {
			t.Errorf("no text %q in %s", want, all)
		}
	}
	if d.Data[display.MIMETypeText] != "line chart My line: A, B" || d.Data[display.MIMETypeJSON] != nil {
		t.Errorf("text/plain %v, JSON %v", d.Data[display.MIMETypeText], d.Data[display.MIMETypeJSON])
	}
	if again, _ := display.RenderResult(line("My line")); texts(t, pictureOf(t, again)) != all {
		t.Error("drawn differently the second time")
	}
}

func TestGoEchartsTypes(t *testing.T) {
	pie := charts.NewPie()
	pie.AddSeries("p", []opts.PieData{{Name: "a", Value: 3}, {Name: "b", Value: 5}})
	heat := charts.NewHeatMap()
	heat.SetGlobalOptions(charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: []string{"a", "b"}}), charts.WithYAxisOpts(opts.YAxis{Type: "category", Data: []string{"c", "d"}}),
		charts.WithVisualMapOpts(opts.VisualMap{Max: 4}))
	heat.AddSeries("h", []opts.HeatMapData{{Value: [3]any{0, 1, 4}}})
	bar := charts.NewBar()
	bar.SetXAxis([]string{"x", "y"}).AddSeries("n", []opts.BarData{{Value: 1}, {Value: 2}})
	scatter := charts.NewScatter()
	scatter.AddSeries("s", []opts.ScatterData{{Value: []any{1, 2}}})
	box := charts.NewBoxPlot()
	box.SetXAxis([]string{"x"}).AddSeries("b", []opts.BoxPlotData{{Value: []int{1, 2, 3, 4, 5}}})
	radar := charts.NewRadar()
	radar.SetGlobalOptions(charts.WithRadarComponentOpts(opts.RadarComponent{Indicator: []*opts.Indicator{{Name: "i", Max: 5}, {Name: "j", Max: 5}, {Name: "k", Max: 5}}}))
	radar.AddSeries("r", []opts.RadarData{{Value: []int{1, 2, 3}}})
	gauge := charts.NewGauge()
	gauge.AddSeries("g", []opts.GaugeData{{Name: "load", Value: 30}})
	for name, v := range map[string]any{"pie": pie, "heat map": heat, "bar": bar, "scatter": scatter, "box plot": box, "radar": radar, "gauge": gauge} {
		d, ok, _ := display.Render(v)
		if !ok {
			t.Errorf("%s is not rendered", name)
			continue
		}
		if svg := pictureOf(t, d); len(svg) < 1500 {
			t.Errorf("%s: hardly drawn: %s", name, svg)
		}
	}
}

func TestGoEchartsPageIsItsCharts(t *testing.T) {
	page := components.NewPage()
	page.AddCharts(line("one"), line("two"))
	d, ok, _ := display.Render(page)
	if !ok || strings.Count(d.Data[display.MIMETypeHTML].(string), "<img ") != 2 {
		t.Errorf("%v, %v", ok, d.Data[display.MIMETypeText])
	}
	if strings.Contains(d.Data[display.MIMETypeHTML].(string), "go-echarts.github.io") {
		t.Error("the page loads from another host")
	}
}

func TestWhatIsNotPartOfEChartsSaysSo(t *testing.T) {
	words := charts.NewWordCloud()
	words.AddSeries("w", []opts.WordCloudData{{Name: "<b>", Value: 3}})
	d, ok, _ := display.Render(words)
	text, _ := d.Data[display.MIMETypeText].(string)
	page, _ := d.Data[display.MIMETypeHTML].(string)
	if !ok || !strings.Contains(text, "wordCloud") || !strings.Contains(text, "cannot be drawn") || strings.Contains(page, "<script") {
		t.Errorf("%v: %s\n%s", ok, text, page)
	}
}

func TestFunctionsRunAndTextDoesNot(t *testing.T) {
	l := line(`</script>&lt;/script&gt;`)
	l.SetGlobalOptions(charts.WithYAxisOpts(opts.YAxis{AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts("function(v){return '<'+v+'</u> items'}")}}))
	d, ok, _ := display.Render(l)
	if !ok {
		t.Fatal("not rendered")
	}
	if all := texts(t, pictureOf(t, d)); !strings.Contains(all, "|<3</u> items|") || !strings.Contains(all, "|</script>&lt;/script&gt;|") {
		t.Errorf("the formatter did not run: %s", all)
	}
	page := d.Data[display.MIMETypeHTML].(string)
	if strings.Count(page, "</script") != 1 || !strings.Contains(page, `return '<'+v+'<\/u> items'`) {
		t.Errorf("script:\n%s", scriptText.FindString(page))
	}
	if !strings.Contains(page, `&lt;`) || strings.Contains(page, `"text":"</script>`) {
		t.Error("the title can end the script")
	}
}

func TestSizeIsTheOneAskedFor(t *testing.T) {
	l := line("x")
	if _, w, h, err := fromGoChart(l); w != 640 || h != 320 || err != nil {
		t.Errorf("default %d × %d, %v", w, h, err)
	}
	l.SetGlobalOptions(charts.WithInitializationOpts(opts.Initialization{Width: "500px", Height: "240px"}))
	if _, w, h, _ := fromGoChart(l); w != 500 || h != 240 {
		t.Errorf("asked for 500 × 240, got %d × %d", w, h)
	}
}
