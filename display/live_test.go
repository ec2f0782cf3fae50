package display

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLiveChartFrameRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		c := Live(ChartOptions{Title: "loss", X: "step"})
		if len(r.all()) != 0 {
			t.Error("shown before its first point")
		}
		start := time.Now()
		for i := range 1000 { // 10 s
			c.Add("train", float64(i))
			time.Sleep(10 * time.Millisecond)
		}
		spent := time.Since(start)
		time.Sleep(time.Second)
		all := r.all()
		if most := int(spent/chartInterval) + 2; len(all) > most || len(all) < most/2 {
			t.Errorf("%d frames in %v, want about %d", len(all), spent, most)
		}
		for i, f := range all {
			if f.update != (i > 0) || f.id() != all[0].id() || f.id() == "" {
				t.Fatalf("frame %d: update %v, display id %q", i, f.update, f.id())
			}
			if i > 0 && f.at.Sub(all[i-1].at) < chartInterval {
				t.Fatalf("frames %d and %d are %v apart", i-1, i, f.at.Sub(all[i-1].at))
			}
			if f.d.Data[MIMETypeSVG] != nil {
				t.Fatalf("frame %d is not light", i)
			}
		}
		if last := all[len(all)-1]; !strings.Contains(last.text(), "→ 999 (step 1000)") {
			t.Errorf("the last state was not shown by the timer: %s", last.text())
		}
		EndCell(nil)
		if last := r.last(t); len(r.all()) != len(all)+1 || last.d.Data[MIMETypeSVG] == nil || !last.update {
			t.Errorf("the end of the cell must show everything once: %d frames more", len(r.all())-len(all))
		}
		EndCell(nil)
		Flush()
		if n := len(r.all()); n != len(all)+1 {
			t.Errorf("%d frames for no change", n-len(all)-1)
		}
		c.Add("train", 5) // a later cell goes on
		time.Sleep(time.Second)
		if last := r.last(t); !last.update || last.id() != all[0].id() {
			t.Errorf("a later point makes a new display")
		}
	})
}

func TestLiveChartDoesNotWaitForTheFrontEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		c := Live(ChartOptions{})
		c.Add("a", 0)
		r.delay = 3 * time.Second
		start := time.Now()
		for i := range 100 {
			c.Add("a", float64(i))
			time.Sleep(10 * time.Millisecond)
		}
		if spent := time.Since(start); spent != time.Second {
			t.Errorf("the loop took %v, want 1s", spent)
		}
		EndCell(errors.New("interrupted"))
		if last := r.last(t); last.d.Data[MIMETypeSVG] == nil || !strings.Contains(last.text(), "(x 101)") {
			t.Errorf("last frame: %v", last.text())
		}
	})
}

func TestLiveChartFromManyGoroutines(t *testing.T) {
	r := record(t)
	c := Live(ChartOptions{Title: "ranks"})
	var wg sync.WaitGroup
	for rank := range 8 {
		wg.Go(func() {
			for i := range 200 {
				c.AddXY(fmt.Sprintf("rank %d", rank), float64(i), float64(rank))
			}
		})
	}
	wg.Wait()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range c.Chart().Series {
		total += len(s.Points)
	}
	if total != 1600 || r.last(t).d.Data[MIMETypeSVG] == nil {
		t.Errorf("%d points, want 1600", total)
	}
}

func TestLiveChartKeepsWhatSetSays(t *testing.T) {
	r := record(t)
	c := Live(ChartOptions{})
	c.Set(Series{Name: "valid", Dash: Dotted, Color: "#123456"})
	if len(r.all()) != 0 {
		t.Error("shown without a point")
	}
	c.Add("valid", 1)
	c.Add("valid", 2)
	c.Flush()
	if s := svgOf(t, r.last(t)); !strings.Contains(s, `stroke="#123456"`) || !strings.Contains(s, `stroke-dasharray="2 3"`) {
		t.Errorf("style lost: %s", s)
	}
	d, ok, _ := Render(c)
	if !ok || d.Data[MIMETypeSVG] == nil || d.Transient != nil {
		t.Errorf("as a value: %v, %v", d.Transient, ok)
	}
}

var dataSVG = regexp.MustCompile(`src="data:image/svg\+xml;base64,([^"]*)"`)

// svgOf is the picture inside a frame's HTML.
func svgOf(t *testing.T, f frame) string {
	t.Helper()
	m := dataSVG.FindStringSubmatch(f.html())
	if m == nil {
		t.Fatalf("no picture in %.200s", f.html())
	}
	raw, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
