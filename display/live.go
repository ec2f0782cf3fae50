package display

// LiveChart: a chart that grows while a loop runs, in one place of the notebook. Made by
// training loops; the frames go through pace.go to the publisher.

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// Frames per second that a front-end is asked to take: charts cost it more than bars.
const (
	chartInterval = time.Second / 4
	logInterval   = 10 * time.Second // without a publisher, on standard error
)

// LiveChart is a chart that appears with its first point and then follows its data, at most
// four times a second. The newest state wins, the last one is always shown, and the frame that
// stays in the notebook is complete. Its methods may be called from several goroutines.
type LiveChart struct {
	id   string
	pace *pace

	mu     sync.Mutex
	chart  Chart
	places map[string]int // series name → index in chart.Series
	shown  *session       // where the first frame went
}

// Live makes a live chart. Nothing is shown before the first point.
func Live(o ChartOptions) *LiveChart {
	c := &LiveChart{id: newDisplayID(), chart: Chart{ChartOptions: o}, places: map[string]int{}}
	interval := chartInterval
	if current.Load().publisher == nil {
		interval = logInterval
	}
	c.pace = newPace(interval, c.publish)
	return c
}

// Add appends y to the series at the next whole x: 1, 2, … .
func (c *LiveChart) Add(series string, y float64) {
	c.mu.Lock()
	s := c.series(series)
	x := 1.0
	if n := len(s.Points); n > 0 {
		x = s.Points[n-1].X + 1
	}
	s.Points = append(s.Points, Point{x, y})
	c.mu.Unlock()
	c.pace.changed()
}

// AddXY appends the point (x, y) to the series.
func (c *LiveChart) AddXY(series string, x, y float64) {
	c.mu.Lock()
	s := c.series(series)
	s.Points = append(s.Points, Point{x, y})
	c.mu.Unlock()
	c.pace.changed()
}

// Set replaces a series, or says before its first point how it is to be drawn.
func (c *LiveChart) Set(s Series) {
	c.mu.Lock()
	s.Points = append([]Point(nil), s.Points...)
	*c.series(s.Name) = s
	empty := true
	for _, s := range c.chart.Series {
		empty = empty && len(s.Points) == 0
	}
	c.mu.Unlock()
	if !empty {
		c.pace.changed()
	}
}

// SetSubtitle replaces the line under the title.
func (c *LiveChart) SetSubtitle(text string) {
	c.mu.Lock()
	c.chart.Subtitle = text
	c.mu.Unlock()
	c.pace.changed()
}

// Chart is a copy of the chart as it stands.
func (c *LiveChart) Chart() Chart {
	c.mu.Lock()
	defer c.mu.Unlock()
	chart := c.chart
	chart.Series = make([]Series, len(c.chart.Series))
	for i, s := range c.chart.Series {
		s.Points = append([]Point(nil), s.Points...)
		chart.Series[i] = s
	}
	return chart
}

// Flush shows the newest state now, completely.
func (c *LiveChart) Flush() { c.pace.flush() }

// Close shows the last state. The chart may still be read, and a later point reopens it.
func (c *LiveChart) Close() error {
	c.pace.flush()
	return nil
}

// Render draws the chart as it stands, apart from the place where it is live.
func (c *LiveChart) Render() Data { return c.Chart().Render() }

// String is the chart in text.
func (c *LiveChart) String() string { return c.Chart().String() }

// series is called with mu held.
func (c *LiveChart) series(name string) *Series {
	i, has := c.places[name]
	if !has {
		i = len(c.chart.Series)
		c.places[name] = i
		c.chart.Series = append(c.chart.Series, Series{Name: name})
	}
	return &c.chart.Series[i]
}

// publish runs under the pace's lock.
func (c *LiveChart) publish(s *session, full bool) {
	c.mu.Lock()
	chart := c.chart
	chart.Series = append([]Series(nil), c.chart.Series...) // points are only ever appended
	update := c.shown == s
	c.shown = s
	c.mu.Unlock()
	if s.publisher == nil {
		fmt.Fprintln(os.Stderr, chart.headline())
		return
	}
	d := chart.render(Frame{ID: c.id, Live: !full})
	s.publish(withDisplayID(d, c.id), update)
}
