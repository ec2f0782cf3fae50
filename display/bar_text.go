package display

// One progress bar in text and in HTML. Used by progress.go.

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// line is the bar in tqdm's form: `train:  65%|██████▌   | 65/100 [00:12<00:08, 151.3it/s, loss=0.213]`.
// Called with the group's mu held.
func (b *ProgressBar) line(now time.Time) string {
	var s strings.Builder
	s.WriteString(strings.Repeat("  ", b.depth))
	if b.o.Desc != "" {
		s.WriteString(b.o.Desc + ": ")
	}
	if b.o.Total > 0 {
		share := b.share()
		fmt.Fprintf(&s, "%3d%%|%s| %s/%s ", int(share*100), blocks(share, 20), groupDigits(b.n), groupDigits(b.o.Total))
	} else {
		fmt.Fprintf(&s, "%s%s ", groupDigits(b.n), b.o.Unit)
	}
	s.WriteString(b.clock(now))
	switch b.state {
	case failed:
		s.WriteString(" failed")
		if b.why != "" {
			s.WriteString(": " + b.why)
		}
	case stopped:
		s.WriteString(" stopped")
	}
	return s.String()
}

// clock is "[elapsed<remaining, rate, notes]".
func (b *ProgressBar) clock(now time.Time) string {
	elapsed := now.Sub(b.start)
	if b.state != running {
		elapsed = b.end.Sub(b.start)
	}
	// While running the newest rate, then the mean, as tqdm.
	rate := b.rate.value()
	if b.state != running || math.IsNaN(rate) {
		rate = math.NaN()
		if elapsed >= time.Millisecond { // less says nothing
			rate = float64(b.n) / elapsed.Seconds()
		}
	}
	s := "[" + clock(elapsed)
	if b.o.Total > 0 && b.state == running {
		left := "?"
		if seconds := float64(b.o.Total-b.n) / rate; rate > 0 && seconds < 1e7 {
			left = clock(time.Duration(math.Max(0, seconds) * float64(time.Second)))
		}
		s += "<" + left
	}
	s += ", " + rateText(rate, b.o.Unit)
	for _, n := range b.notes {
		s += ", " + n.key + "=" + n.value
	}
	return s + "]"
}

func rateText(rate float64, unit string) string {
	switch {
	case !(rate > 0) || math.IsInf(rate, 0):
		return "?" + unit + "/s"
	case rate < 1:
		return fmt.Sprintf("%.2fs/%s", 1/rate, unit)
	case rate < 1000:
		return fmt.Sprintf("%.2f%s/s", rate, unit)
	}
	return groupDigits(int(rate)) + unit + "/s"
}

func (b *ProgressBar) share() float64 {
	return math.Min(1, math.Max(0, float64(b.n)/float64(b.o.Total)))
}

// blocks is a bar of width characters with eighths.
func blocks(share float64, width int) string {
	eighths := int(share * float64(width) * 8)
	bar := []rune(strings.Repeat("█", eighths/8))
	if eighths%8 > 0 {
		bar = append(bar, []rune("▏▎▍▌▋▊▉")[eighths%8-1])
	}
	return string(bar) + strings.Repeat(" ", width-len(bar))
}

// html is the bar as a line of a page, without scripts, classes or ids; the colours stand on
// light and dark ground, and the state is told by a glyph too. Called with the group's mu held.
func (b *ProgressBar) html(now time.Time) string {
	color, glyph, label := "#0072B2", "", "running"
	switch b.state {
	case done:
		color, glyph, label = GoodInk, "✓ ", "done"
	case stopped:
		color, glyph, label = Ink, "", "stopped"
	case failed:
		color, glyph, label = BadInk, "✗ ", "failed"
	}
	var count, fill string
	if b.o.Total > 0 {
		percent := b.share() * 100
		count = fmt.Sprintf("%d%% · %s/%s", int(percent), groupDigits(b.n), groupDigits(b.o.Total))
		fill = fmt.Sprintf(`<div style="width:%.1f%%;height:100%%;border-radius:3px;background:%s"></div>`, percent, color)
	} else {
		count = groupDigits(b.n) + html.EscapeString(b.o.Unit)
		if b.state != running {
			fill = fmt.Sprintf(`<div style="width:100%%;height:100%%;border-radius:3px;background:%s"></div>`, color)
		} else { // how far is unknown: stripes
			fill = fmt.Sprintf(`<div style="width:100%%;height:100%%;border-radius:3px;opacity:.5;background:repeating-linear-gradient(90deg,%s 0 12px,transparent 12px 20px)"></div>`, color)
		}
	}
	tail := html.EscapeString(b.clock(now))
	switch b.state {
	case failed:
		why := b.why
		if why == "" {
			why = "failed"
		}
		tail += fmt.Sprintf(` <span style="color:%s">%s</span>`, BadInk, html.EscapeString(shorten(why, 200)))
	case stopped:
		tail += " stopped"
	}
	value := ""
	if b.o.Total > 0 {
		value = fmt.Sprintf(` aria-valuemin="0" aria-valuemax="%d" aria-valuenow="%d"`, b.o.Total, b.n)
	}
	return fmt.Sprintf(`<div style="display:flex;gap:8px;align-items:center;font:12px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-variant-numeric:tabular-nums;max-width:860px;padding-left:%dpx">`+
		`<span style="flex:0 0 auto;min-width:5em">%s<span style="color:%s">%s</span></span>`+
		`<div role="progressbar" aria-label="%s"%s style="flex:1 1 120px;min-width:60px;height:10px;border-radius:3px;background:rgba(128,128,128,.25);overflow:hidden">%s</div>`+
		`<span style="flex:0 1 auto;text-align:left">%s %s</span></div>`,
		b.depth*16, html.EscapeString(b.o.Desc), color, withSpace(glyph), html.EscapeString(strings.TrimSpace(b.o.Desc+" "+label)), value, fill, count, tail)
}

func withSpace(glyph string) string {
	if glyph == "" {
		return ""
	}
	return " " + strings.TrimSpace(glyph)
}
