package echarts

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gomosaic/display"
)

// curves is a training run of n steps with a validation every tenth of it.
func curves(n int) display.Chart {
	train, valid, accuracy := display.Series{Name: "train"}, display.Series{Name: "valid"}, display.Series{Name: "accuracy"}
	for i := 1; i <= n; i++ {
		x := float64(i)
		loss := 2.3*math.Exp(-4*x/float64(n)) + 0.15
		train.Points = append(train.Points, display.Point{X: x, Y: loss + 0.05*math.Sin(x*1.7)})
		if i%max(n/10, 1) == 0 {
			valid.Points = append(valid.Points, display.Point{X: x, Y: loss + 0.1})
			accuracy.Points = append(accuracy.Points, display.Point{X: x, Y: 1 - loss/3})
		}
	}
	return display.Chart{
		ChartOptions: display.ChartOptions{Title: "flowers", X: "step", Y: "loss (nats)", Panels: []display.Panel{{Y: "accuracy", Series: []string{"accuracy"}, YMax: 1}}},
		Series:       []display.Series{train, valid, accuracy},
	}
}

var (
	picture    = regexp.MustCompile(`<img alt="([^"]*)"[^>]* src="data:image/svg\+xml;base64,([^"]*)">`)
	scriptText = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

// pictureOf is the static SVG inside an output.
func pictureOf(t *testing.T, d display.Data) string {
	t.Helper()
	page, _ := d.Data[display.MIMETypeHTML].(string)
	m := picture.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no picture in %.300s", page)
	}
	raw, err := base64.StdEncoding.DecodeString(m[2])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// texts parses an SVG strictly, refuses what has no place in it, and gives its text.
func texts(t *testing.T, svg string) string {
	t.Helper()
	var list []string
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "|" + strings.Join(list, "|") + "|"
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%.2000s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			if n := x.Name.Local; n == "script" || n == "style" || n == "image" || n == "foreignObject" {
				t.Errorf("<%s> in the picture", n)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "class" || strings.Contains(a.Value, "NaN") {
					t.Errorf("<%s %s=%q>", x.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if s := strings.TrimSpace(string(x)); s != "" {
				list = append(list, s)
			}
		}
	}
}

func TestCompleteFrame(t *testing.T) {
	c := curves(400)
	d, err := registered.RenderChart(c, display.Frame{ID: "gm-1"})
	if err != nil {
		t.Fatal(err)
	}
	svg := pictureOf(t, d)
	if d.Data[display.MIMETypeSVG] != svg {
		t.Error("image/svg+xml is another picture")
	}
	all := texts(t, svg)
	for _, want := range []string{"flowers", "step 400 · train 0.2415 · valid 0.2921 · accuracy 0.936", "step", "loss (nats)", "accuracy", "train", "valid", "0.5", "100", "0.75"} {
		if !strings.Contains(all, "|"+want+"|") {
			t.Errorf("no text %q in %s", want, all)
		}
	}
	for _, color := range display.Palette()[:3] {
		if !strings.Contains(svg, color) {
			t.Errorf("no line of colour %s", color)
		}
	}
	if !strings.Contains(svg, "stroke-dasharray") {
		t.Error("lines are told apart by colour alone")
	}
	page := d.Data[display.MIMETypeHTML].(string)
	if !strings.HasPrefix(page, `<div id="gm-1" style="width:100%;max-width:640px;height:480px"><img `) || !strings.HasSuffix(page, "</script>") {
		t.Errorf("the picture must come first: %.200s", page)
	}
	if strings.Contains(page, "http://") || strings.Contains(page, "https://") || strings.Contains(page, "//cdn") {
		t.Error("the page names a host")
	}
	if m, _ := d.Metadata[display.MIMETypeHTML].(display.MIMEMap); m["isolated"] != false {
		t.Errorf("metadata %v", d.Metadata)
	}
	if len(page) > 64<<10 {
		t.Errorf("%d bytes for 400 steps", len(page))
	}
}

func TestLiveFrameIsCheap(t *testing.T) {
	r := &renderer{}
	d, err := r.RenderChart(curves(400), display.Frame{ID: "gm-1", Live: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.engine.vm != nil || d.Data[display.MIMETypeSVG] != nil {
		t.Error("a live frame loads the library")
	}
	if all := texts(t, pictureOf(t, d)); !strings.Contains(all, "|flowers|") {
		t.Errorf("the picture shows %s", all)
	}
}

func TestNonFiniteIsMarkedAndOptionIsJSON(t *testing.T) {
	c := curves(60)
	c.Series[0].Points[20].Y = math.NaN()
	c.Series[0].Points[30].Y = math.Inf(-1)
	c.Series[1].Points[2].X = math.NaN()
	c.LogY, c.Smooth = true, 0.9
	text, err := fromChart(c).expression()
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Series []struct{ Name, Type string } }
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("not JSON: %v in %.300s", err, text)
	}
	names := fmt.Sprint(o.Series)
	if want := "[{train (each) line} {train line} {valid line} {accuracy line} {train (non-finite) scatter}]"; names != want {
		t.Errorf("series %s, want %s", names, want)
	}
	d, err := registered.RenderChart(c, display.Frame{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	svg := pictureOf(t, d)
	texts(t, svg)
	if n := strings.Count(svg, display.BadInk); n != 2 {
		t.Errorf("%d red marks, want 2", n)
	}
}

func TestOddCharts(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]display.Chart{
		"empty":     {},
		"no points": {Series: []display.Series{{Name: "a"}}},
		"one point": {Series: []display.Series{{Name: "a", Points: display.Points(3)}}},
		"all NaN":   {Series: []display.Series{{Name: "a", Points: display.Points(nan, nan)}}},
		"bars": {ChartOptions: display.ChartOptions{Categories: []string{"x", "y"}, X: "class"}, Series: []display.Series{
			{Name: "a", Kind: display.Bar, Points: display.Points(1, -2)}, {Name: "b", Kind: display.Bar, Points: display.Points(3, 4)}}},
		"number bars": {Series: []display.Series{{Name: "a", Kind: display.Bar, Points: display.Points(1, 2)}}},
		"dots":        {Series: []display.Series{{Name: "a", Kind: display.Scatter, Points: display.Points(1, 2)}}},
		"fixed":       {ChartOptions: display.ChartOptions{XMax: 100, YMin: -1, YMax: 1, WidthPixels: 300, HeightPixels: 200}, Series: []display.Series{{Name: "a", Points: display.Points(0, 0.5)}}},
	} {
		d, err := registered.RenderChart(c, display.Frame{ID: "x"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := texts(t, pictureOf(t, d))
		if name == "bars" && !strings.Contains(all, "|x|y|") {
			t.Errorf("bars without their names: %s", all)
		}
	}
}

func TestLabelsCannotBecomeScript(t *testing.T) {
	evil := `</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>"'&__f__alert(3)__f__`
	marked := "__f__alert(4)__f__"
	c := display.Chart{
		ChartOptions: display.ChartOptions{Title: evil, Subtitle: marked, X: evil, Y: marked, Categories: []string{evil, marked}},
		Series:       []display.Series{{Name: evil, Kind: display.Bar, Points: display.Points(1, 2), Color: `red"><script>`}, {Name: marked, Kind: display.Bar, Points: display.Points(1, 2)}},
	}
	d, err := registered.RenderChart(c, display.Frame{ID: `x"><script>alert(5)</script>`})
	if err != nil {
		t.Fatal(err)
	}
	page := d.Data[display.MIMETypeHTML].(string)
	if n := strings.Count(page, "<script"); n != 1 || strings.Count(page, "</script") != 1 || strings.Contains(page, "<!--") {
		t.Errorf("%d scripts in the page", n)
	}
	if strings.Contains(page, `:alert(4)`) || !strings.Contains(page, `"__f__alert(4)__f__"`) {
		t.Error("text from data became a function")
	}
	texts(t, pictureOf(t, d))
}

func TestPicturesShareAPage(t *testing.T) {
	id := regexp.MustCompile(` id="([^"]*)"`)
	seen := map[string]bool{}
	for _, n := range []int{50, 60} {
		d, err := registered.RenderChart(curves(n), display.Frame{ID: "x"})
		if err != nil {
			t.Fatal(err)
		}
		svg := pictureOf(t, d)
		for _, m := range id.FindAllStringSubmatch(svg, -1) {
			if seen[m[1]] {
				t.Errorf("id %s twice", m[1])
			}
			seen[m[1]] = true
			if !strings.Contains(svg, "url(#"+m[1]+")") && !strings.Contains(svg, `href="#`+m[1]+`"`) {
				t.Errorf("nothing uses id %s", m[1])
			}
		}
	}
	if len(seen) == 0 {
		t.Error("no ids seen: the check checks nothing")
	}
}

func TestEngineSurvives(t *testing.T) {
	var e engine
	for name, option := range map[string]string{"syntax": "{", "throws": "(function(){throw new Error('boom')})()", "series": `{series:[{type:'nothing'}]}`} {
		if svg, err := e.svg(option, 100, 100); err == nil && name != "series" {
			t.Errorf("%s: drew %.100s", name, svg)
		} else if err != nil && !strings.HasPrefix(err.Error(), "echarts: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := e.svg(`{xAxis:{type:'value'},yAxis:{},series:[{type:'line',data:[[1,2],[2,3]]}]}`, 200, 100); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestFilesOfTheKernelspec(t *testing.T) {
	files := Files()
	if len(files) != 4 || len(files[ScriptName]) != 1121883 {
		t.Errorf("%d files, %s has %d bytes", len(files), ScriptName, len(files[ScriptName]))
	}
	for name, want := range map[string]string{"echarts.LICENSE": "Apache License", "echarts.NOTICE": "Apache ECharts", "echarts.LICENSE-d3": "Bostock", ScriptName: "echarts"} {
		if !strings.Contains(string(files[name]), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
}

func TestUpgradeScriptNamesItsKernelspec(t *testing.T) {
	if s := upgrade("a", "{}"); !strings.Contains(s, `encodeURIComponent("gomosaic")`) {
		t.Error("not the default name")
	}
	t.Setenv(KernelEnv, `my</script>`)
	if s := upgrade("a", "{}"); !strings.Contains(s, `encodeURIComponent("my\u003c/script\u003e")`) {
		t.Errorf("script %s", s)
	}
}

func BenchmarkCompleteFrame(b *testing.B) {
	c := curves(400)
	for b.Loop() {
		if _, err := registered.RenderChart(c, display.Frame{ID: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLiveFrame(b *testing.B) {
	c := curves(2000)
	for b.Loop() {
		if _, err := registered.RenderChart(c, display.Frame{ID: "x", Live: true}); err != nil {
			b.Fatal(err)
		}
	}
}
