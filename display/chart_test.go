package display

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// update rewrites the golden pictures: UPDATE=1 go test ./display -run Golden; look at them.
var update = os.Getenv("UPDATE") != ""

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s differs; UPDATE=1 go test -run %s writes it\n%s", path, t.Name(), got)
	}
}

// curves is a training run of n steps with a validation every tenth of it.
func curves(n int) Chart {
	train, valid, accuracy := Series{Name: "train"}, Series{Name: "valid"}, Series{Name: "accuracy"}
	for i := 1; i <= n; i++ {
		x := float64(i)
		loss := 2.3*math.Exp(-4*x/float64(n)) + 0.15
		train.Points = append(train.Points, Point{x, loss + 0.05*math.Sin(x*1.7)})
		if i%max(n/10, 1) == 0 {
			valid.Points = append(valid.Points, Point{x, loss + 0.1})
			accuracy.Points = append(accuracy.Points, Point{x, 1 - loss/3})
		}
	}
	return Chart{
		ChartOptions: ChartOptions{Title: "flowers", X: "step", Y: "loss (nats)", Panels: []Panel{{Y: "accuracy", Series: []string{"accuracy"}, YMax: 1}}},
		Series:       []Series{train, valid, accuracy},
	}
}

func TestGoldenPictures(t *testing.T) {
	golden(t, "curves.svg", curves(60).PlainSVG())
	bars := Chart{
		ChartOptions: ChartOptions{Title: "Class counts", X: "class", Y: "samples", Categories: []string{"daisy", "dandelion", "roses", "sunflowers", "tulips"}},
		Series:       []Series{{Name: "train", Kind: Bar, Points: Points(300, 280, 320, 290, 310)}, {Name: "valid", Kind: Bar, Points: Points(30, 28, 32, 29, 31)}},
	}
	golden(t, "bars.svg", bars.PlainSVG())
	golden(t, "curves.txt", curves(60).String()+"\n\n"+bars.String())
}

// elements parses an SVG strictly and counts its elements; text is all its text.
func elements(t *testing.T, svg string) (count map[string]int, text []string) {
	t.Helper()
	count = map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count, text
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			count[x.Name.Local]++
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "id" || a.Name.Local != "aria-label" && strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("<%s %s=%q>", x.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			text = append(text, string(x))
		}
	}
}

func TestPictureOfOddData(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]Chart{
		"empty":        {},
		"no points":    {Series: []Series{{Name: "a"}}},
		"one point":    {Series: []Series{{Name: "a", Points: Points(3)}}},
		"constant":     {Series: []Series{{Name: "a", Points: Points(3, 3, 3)}}},
		"zero":         {Series: []Series{{Name: "a", Points: Points(0, 0)}}},
		"all NaN":      {Series: []Series{{Name: "a", Points: Points(nan, inf, -inf)}}},
		"NaN x":        {Series: []Series{{Name: "a", Points: []Point{{nan, 1}, {1, 1}}}}},
		"huge":         {Series: []Series{{Name: "a", Points: Points(1e300, -1e300)}}},
		"tiny":         {Series: []Series{{Name: "a", Points: Points(1e-300, 2e-300)}}},
		"log, no plus": {ChartOptions: ChartOptions{LogY: true}, Series: []Series{{Name: "a", Points: Points(0, -1)}}},
		"log, huge":    {ChartOptions: ChartOptions{LogY: true}, Series: []Series{{Name: "a", Points: Points(1e-200, 1e200)}}},
		"fixed":        {ChartOptions: ChartOptions{XMax: 10, YMin: -1, YMax: 1}, Series: []Series{{Name: "a", Points: Points(-5, 5)}}},
		"small":        {ChartOptions: ChartOptions{WidthPixels: 10, HeightPixels: 10, X: "x", Y: "y", Title: "t"}, Series: []Series{{Name: "a", Points: Points(1, 2)}}},
		"bars":         {Series: []Series{{Name: "a", Kind: Bar, Points: []Point{{5, 2}}}, {Name: "b", Kind: Bar, Points: []Point{{5, -2}, {7, nan}}}}},
		"dots":         {Series: []Series{{Name: "a", Kind: Scatter, Points: Points(1, nan, 2)}}},
		"smooth":       {ChartOptions: ChartOptions{Smooth: 0.9}, Series: []Series{{Name: "a", Points: Points(make([]float64, 100)...)}}},
	} {
		t.Run(name, func(t *testing.T) {
			count, _ := elements(t, c.PlainSVG())
			if count["script"] > 0 {
				t.Error("a script in the picture")
			}
			_ = c.String()
		})
	}
}

func TestNonFiniteIsMarked(t *testing.T) {
	c := Chart{Series: []Series{{Name: "loss", Points: Points(1, math.NaN(), 2, math.Inf(-1), 1)}}}
	svg := c.PlainSVG()
	if n := strings.Count(svg, BadInk); n != 2 {
		t.Errorf("%d red marks, want 2", n)
	}
	if !strings.Contains(svg, "<title>loss: NaN at 1</title>") || !strings.Contains(c.String(), "(2 non-finite)") || !strings.Contains(c.String(), "×") {
		t.Errorf("not told:\n%s\n%s", c.String(), svg)
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	evil := `</text><script>alert(1)</script><img src=x onerror="alert(2)">&'`
	c := Chart{
		ChartOptions: ChartOptions{Title: evil, Subtitle: evil, X: evil, Y: evil, Categories: []string{evil}, Panels: []Panel{{Y: evil}}},
		Series:       []Series{{Name: evil, Kind: Bar, Points: Points(1), Color: `red" onload="alert(3)`}, {Name: evil + "2", Points: Points(math.NaN())}},
	}
	count, _ := elements(t, c.PlainSVG())
	if count["script"]+count["img"] > 0 {
		t.Errorf("elements from labels: %v", count)
	}
	d := c.Render()
	if h := d.Data[MIMETypeHTML].(string); strings.Contains(h, "<script") || strings.Contains(h, "<img src=x") || strings.Count(h, "<") != 1 {
		t.Errorf("HTML from labels: %.300s", h)
	}
}

func TestPanelsShareTheXAxis(t *testing.T) {
	c := curves(400)
	_, text := elements(t, c.PlainSVG())
	for _, want := range []string{"flowers", "step", "loss (nats)", "accuracy", "train", "valid"} {
		if !strings.Contains("|"+strings.Join(text, "|")+"|", "|"+want+"|") {
			t.Errorf("no text %q in %v", want, text)
		}
	}
	if w, h := c.Size(); w != 640 || h != 480 {
		t.Errorf("size %d × %d", w, h)
	}
	if got := c.Caption(); got != "step 400 · train 0.2415 · valid 0.2921 · accuracy 0.936" {
		t.Errorf("caption %q", got)
	}
}

func TestAxisTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		low, high  float64
		fixed, log bool
		want       string
	}{
		{0, 1, false, false, "[0 0.2 0.4 0.6 0.8 1.0]"},
		{0.15, 2.44, false, false, "[0 0.5 1.0 1.5 2.0 2.5]"},
		{0, 250, false, false, "[0 50 100 150 200 250]"},
		{0, 12, false, false, "[0 2.5 5.0 7.5 10.0 12.5]"},
		{-1, 1, false, false, "[−1.0 −0.5 0 0.5 1.0]"},
		{0, 60000, true, false, "[0 20\u00a0000 40\u00a0000 60\u00a0000]"},
		{7, 7, false, false, "[6.0 6.5 7.0 7.5 8.0]"},
		{0.001, 100, false, true, "[0.001 0.01 0.1 1 10 100]"},
		{0.2, 3, false, true, "[0.2 0.5 1 2 5]"},
	} {
		var texts []string
		for _, tick := range newAxis(c.low, c.high, c.fixed, c.log, 5).ticks {
			if tick.text != "" {
				texts = append(texts, tick.text)
			}
		}
		if got := fmt.Sprint(texts); got != c.want {
			t.Errorf("axis %v … %v (fixed %v, log %v): %v, want %v", c.low, c.high, c.fixed, c.log, got, c.want)
		}
	}
}

func TestAverageIsOfWhatCameBefore(t *testing.T) {
	got := Average(Points(1, 3, math.NaN(), 3), 0.5)
	if got[0].Y != 1 || math.Abs(got[1].Y-(0.25+1.5)/0.75) > 1e-12 || !math.IsNaN(got[2].Y) || !(got[3].Y > got[1].Y) {
		t.Errorf("average %v", got)
	}
}

func TestChartTravelsAsJSON(t *testing.T) {
	c := curves(20)
	c.Series[0].Points[3].Y = math.Inf(-1)
	c.Series[0].Points[4].Y = math.Inf(1)
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Chart
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%v: came back as %v", err, back)
	}
	var p Point
	for _, bad := range []string{`[1]`, `["x", 1]`, `{}`, `[1, null]`} {
		if err := json.Unmarshal([]byte(bad), &p); err == nil {
			t.Errorf("%s was taken as %v", bad, p)
		}
	}
	if err := json.Unmarshal([]byte(`[1, "NaN"]`), &p); err != nil || !math.IsNaN(p.Y) {
		t.Errorf("NaN: %v, %v", p, err)
	}
}

func TestShortNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.21346: "0.2135", 2.5: "2.5", 12.3456: "12.35", 1234567: "1\u00a0234\u00a0567", 1e-7: "1e-07", -3: "−3", 1234.5: "1234", 0.05: "0.05", 0.999999: "1"} {
		if got := shortNumber(v); got != want {
			t.Errorf("shortNumber(%v) = %q, want %q", v, got, want)
		}
	}
}

func BenchmarkPlainSVG(b *testing.B) {
	c := curves(2000)
	b.ReportAllocs()
	for b.Loop() {
		c.PlainSVG()
	}
}
