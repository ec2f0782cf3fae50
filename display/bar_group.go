package display

// A nest of progress bars: one display, at most ten frames a second. Made by Progress.

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const barInterval = time.Second / 10

// barGroup is a nest of bars: one display.
type barGroup struct {
	id   string
	form barForm
	pace *pace

	mu      sync.Mutex
	bars    []*ProgressBar
	shown   *session
	written int       // lines of a terminal that the last frame takes
	logged  time.Time // when the last log line was written
	tenth   int       // the tenth of the way that it told
}

// barForm is where bars go.
type barForm int

const (
	formHTML barForm = iota // one display, updated
	formText                // a line on standard error that rewrites itself
	formLog                 // a line on standard error every ten seconds or tenth of the way
	formOff
)

// formOf follows $GOMOSAIC_PROGRESS (html, text, log, off); else HTML where there is a
// front-end, a rewritten line on a terminal, and log lines in a log.
func formOf(s *session) barForm {
	switch os.Getenv("GOMOSAIC_PROGRESS") {
	case "text":
		return formText
	case "log":
		return formLog
	case "off":
		return formOff
	case "html":
		if s.publisher != nil {
			return formHTML
		}
	}
	if s.publisher != nil {
		return formHTML
	}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" {
		return formText
	}
	return formLog
}

func newBarGroup(s *session) *barGroup {
	g := &barGroup{id: newDisplayID(), form: formOf(s)}
	g.pace = newPace(barInterval, g.publish)
	return g
}

func (g *barGroup) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.bars {
		if b.state == running {
			return true
		}
	}
	return false
}

func (g *barGroup) changed(last bool) {
	if g.form == formOff {
		return
	}
	g.pace.changed()
	if last {
		g.pace.flush()
	}
}

// abandon is the end of the cell that made the bars: after an error, the open ones failed;
// else a goroutine may still be counting.
func (g *barGroup) abandon(err error) {
	if err == nil {
		return
	}
	why, _, _ := strings.Cut(err.Error(), "\n")
	g.mu.Lock()
	news := false
	for _, b := range g.bars {
		switch {
		case b.state == running:
			b.state, b.why, b.end, news = failed, why, time.Now(), true
		case b.state == failed && b.why == "":
			b.why, news = why, true
		}
	}
	g.mu.Unlock()
	if news {
		g.changed(true)
	}
}

// publish runs under the pace's lock.
func (g *barGroup) publish(s *session, full bool) {
	g.mu.Lock()
	// What has vanished and does not run under an open bar is not drawn again: a thousand
	// inner loops must not be kept.
	kept := g.bars[:0]
	for _, b := range g.bars {
		if !(b.o.Vanish && b.state == done) {
			kept = append(kept, b)
		}
	}
	clear(g.bars[len(kept):])
	g.bars = kept
	now := time.Now()
	open := 0
	for _, b := range g.bars {
		if b.state == running {
			open++
		}
	}
	var text, page strings.Builder
	for i, b := range g.bars {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(b.line(now))
		page.WriteString(b.html(now))
	}
	update := g.shown == s
	g.shown = s
	written := g.written
	g.written = len(g.bars)
	progress := 0
	if len(g.bars) > 0 {
		if b := g.bars[0]; b.o.Total > 0 {
			progress = b.n * 10 / b.o.Total
		}
	}
	quiet := open > 0 && time.Since(g.logged) < logInterval && progress == g.tenth && !g.logged.IsZero()
	if !quiet {
		g.logged, g.tenth = now, progress
	}
	g.mu.Unlock()

	switch g.form {
	case formHTML:
		d := Data{Data: MIMEMap{MIMETypeHTML: page.String(), MIMETypeText: text.String()}}
		s.publish(withDisplayID(d, g.id), update)
	case formText:
		// Up to the first line of the frame before, each line cleared to its end.
		up := ""
		if written > 1 {
			up = fmt.Sprintf("\x1b[%dA", written-1)
		}
		lines := strings.ReplaceAll(text.String(), "\n", "\x1b[K\n")
		end := ""
		if open == 0 {
			end = "\n"
		}
		fmt.Fprint(os.Stderr, "\r"+up+lines+"\x1b[J"+end)
	case formLog:
		if !quiet && text.Len() > 0 {
			fmt.Fprintln(os.Stderr, text.String())
		}
	}
}
