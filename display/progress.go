package display

// Progress bars, with tqdm's conventions. Made by loops; a nest of bars (epochs over steps)
// is one display: bar_group.go. bar_text.go draws one.

import (
	"fmt"
	"iter"
	"math"
	"time"
)

// ProgressOptions describes a bar. The zero value counts without knowing the end.
type ProgressOptions struct {
	Desc  string // what goes on, before the bar
	Total int    // how many there will be; 0 means unknown
	Unit  string // what is counted; "it" by default
	// Vanish takes the bar away when it is done, as for an inner loop (tqdm's leave=False).
	// A failed bar stays.
	Vanish bool
}

// ProgressBar is a bar on the screen. Its methods may be called from several goroutines and
// do not wait for the front-end.
type ProgressBar struct {
	group *barGroup
	o     ProgressOptions
	depth int

	// All below is guarded by group.mu.
	n          int
	start, end time.Time
	rate       average
	lastN      int
	lastTime   time.Time
	notes      []note
	state      barState
	why        string
}

type note struct{ key, value string }

type barState int

const (
	running barState = iota
	done
	stopped // left before its end, without a failure
	failed
)

// Progress shows a bar. While another bar is open, the new one belongs under it, in the same
// place of the notebook.
func Progress(o ProgressOptions) *ProgressBar {
	if o.Unit == "" {
		o.Unit = "it"
	}
	s := current.Load()
	s.mu.Lock()
	g := s.bars
	if g == nil || !g.open() {
		g = newBarGroup(s)
		s.bars = g
	}
	s.mu.Unlock()
	now := time.Now()
	b := &ProgressBar{group: g, o: o, start: now, lastTime: now}
	g.mu.Lock()
	for _, other := range g.bars {
		if other.state == running {
			b.depth++
		}
	}
	g.bars = append(g.bars, b)
	g.mu.Unlock()
	g.changed(false)
	return b
}

// Track counts the values that seq yields. The bar is done when the loop has seen them all,
// stays as it is after a break, and turns red when the loop panics.
//
//	for x := range display.Track(slices.Values(files), display.ProgressOptions{Desc: "read", Total: len(files)}) { … }
func Track[T any](seq iter.Seq[T], o ProgressOptions) iter.Seq[T] {
	return func(yield func(T) bool) {
		b := Progress(o)
		defer b.leave()
		for v := range seq {
			if !yield(v) {
				b.Stop()
				return
			}
			b.Add(1)
		}
		b.Done()
	}
}

// Track2 counts the pairs that seq yields, as [Track] does; a pair whose second value is an
// error turns the bar red and is not counted.
//
//	for batch, err := range display.Track2(loader.Batches(ctx), display.ProgressOptions{Desc: "train"}) { … }
func Track2[K, V any](seq iter.Seq2[K, V], o ProgressOptions) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		b := Progress(o)
		defer b.leave()
		for k, v := range seq {
			err, bad := any(v).(error)
			bad = bad && err != nil
			if bad {
				b.Fail(err)
			}
			if !yield(k, v) {
				b.Stop()
				return
			}
			if !bad {
				b.Add(1)
			}
		}
		b.Done()
	}
}

// leave is deferred by the loops: a bar that is still running then is one whose loop
// panicked. The end of the cell knows why.
func (b *ProgressBar) leave() { b.finish(failed, "") }

// Add counts n more.
func (b *ProgressBar) Add(n int) {
	b.group.mu.Lock()
	b.set(b.n + n)
	b.group.mu.Unlock()
	b.group.changed(false)
}

// Set sets the count.
func (b *ProgressBar) Set(n int) {
	b.group.mu.Lock()
	b.set(n)
	b.group.mu.Unlock()
	b.group.changed(false)
}

// set updates the rate as tqdm does: at most every 0.1 s, an exponential moving average.
func (b *ProgressBar) set(n int) {
	b.n = n
	now := time.Now()
	if dt := now.Sub(b.lastTime); dt >= barInterval {
		if n > b.lastN {
			b.rate.add(float64(n-b.lastN) / dt.Seconds())
		}
		b.lastN, b.lastTime = n, now
	}
}

// SetTotal says how many there will be once that is known.
func (b *ProgressBar) SetTotal(total int) {
	b.group.mu.Lock()
	b.o.Total = total
	b.group.mu.Unlock()
	b.group.changed(false)
}

// SetDesc replaces the words before the bar.
func (b *ProgressBar) SetDesc(desc string) {
	b.group.mu.Lock()
	b.o.Desc = desc
	b.group.mu.Unlock()
	b.group.changed(false)
}

// Note puts key=value behind the bar (tqdm's set_postfix), in the order in which the keys
// first came; floats are shortened.
func (b *ProgressBar) Note(key string, value any) {
	text := fmt.Sprint(value)
	switch v := value.(type) {
	case float64:
		text = shortNumber(v)
	case float32:
		text = shortNumber(float64(v))
	}
	b.group.mu.Lock()
	found := false
	for i := range b.notes {
		if b.notes[i].key == key {
			b.notes[i].value, found = text, true
		}
	}
	if !found {
		b.notes = append(b.notes, note{key, text})
	}
	b.group.mu.Unlock()
	b.group.changed(false)
}

// Done closes the bar as complete; a bar with a known total that is not reached says so.
func (b *ProgressBar) Done() { b.finish(done, "") }

// Stop closes the bar where it stands, without calling it a failure.
func (b *ProgressBar) Stop() { b.finish(stopped, "") }

// Fail closes the bar as failed, in red, with the error behind it; nil does nothing.
func (b *ProgressBar) Fail(err error) {
	if err != nil {
		b.finish(failed, err.Error())
	}
}

func (b *ProgressBar) finish(state barState, why string) {
	b.group.mu.Lock()
	was := b.state
	if was == running {
		b.state, b.why, b.end = state, why, time.Now()
		if state == done && b.o.Total > 0 && b.n < b.o.Total {
			b.state = stopped
		}
	}
	b.group.mu.Unlock()
	if was == running {
		b.group.changed(!b.group.open())
	}
}

// String is the bar in tqdm's form.
func (b *ProgressBar) String() string {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	return b.line(time.Now())
}

// average is tqdm's rate: smoothing 0.3, corrected for the start at zero.
type average struct{ sum, weight float64 }

func (a *average) add(v float64) {
	const smoothing = 0.3
	a.sum = smoothing*v + (1-smoothing)*a.sum
	a.weight = smoothing + (1-smoothing)*a.weight
}

func (a *average) value() float64 {
	if a.weight == 0 {
		return math.NaN()
	}
	return a.sum / a.weight
}
