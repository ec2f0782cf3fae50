package display

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		b := Progress(ProgressOptions{Desc: "train", Total: 100})
		for range 65 {
			time.Sleep(200 * time.Millisecond)
			b.Add(1)
		}
		b.Note("loss", 0.21345)
		b.Note("lr", float32(0.05))
		b.Note("loss", 0.2135)
		time.Sleep(time.Second)
		if got, want := r.last(t).text(), "train:  65%|█████████████       | 65/100 [00:14<00:07, 5.00it/s, loss=0.2135, lr=0.05]"; got != want {
			// The frame was made when the last note came, 13 s after the start.
			if want = strings.Replace(want, "00:14", "00:13", 1); got != want {
				t.Errorf("line:\n%s\nwant:\n%s", got, want)
			}
		}
		b.Set(100)
		b.Done()
		if got := r.last(t); !strings.Contains(got.text(), "100%|████████████████████| 100/100 [00:14, 7.14it/s") || !strings.Contains(got.html(), "✓") {
			t.Errorf("done: %s", got.text())
		}
		for i, f := range r.all() {
			if f.update != (i > 0) || f.id() != r.all()[0].id() {
				t.Errorf("frame %d: update %v, id %s", i, f.update, f.id())
			}
		}
	})
}

func TestProgressFrameRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		b := Progress(ProgressOptions{Desc: "fast"})
		for range 10_000 {
			b.Add(1)
			time.Sleep(100 * time.Microsecond)
		}
		b.Done()
		if n := len(r.all()); n > 13 || n < 8 {
			t.Errorf("%d frames in 1s, want about 10", n)
		}
		if got, want := r.last(t).text(), "fast: 10\u00a0000it [00:01, 10\u00a0000it/s]"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestSlowRateIsSecondsPerItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		b := Progress(ProgressOptions{Total: 4, Unit: "epoch"})
		for range 2 {
			time.Sleep(50 * time.Second)
			b.Add(1)
		}
		b.Stop()
		if got, want := r.last(t).text(), " 50%|██████████          | 2/4 [01:40, 50.00s/epoch] stopped"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestNestedBarsAreOneDisplay(t *testing.T) {
	r := record(t)
	for range Track(slices.Values([]int{1, 2}), ProgressOptions{Desc: "epoch", Total: 2}) {
		for range Track(slices.Values([]int{1, 2, 3}), ProgressOptions{Desc: "step", Total: 3, Vanish: true}) {
		}
	}
	all := r.all()
	for _, f := range all {
		if f.id() != all[0].id() {
			t.Fatalf("two displays: %s, %s", f.id(), all[0].id())
		}
	}
	if got := r.last(t).text(); !strings.HasPrefix(got, "epoch: 100%") || strings.Contains(got, "step") {
		t.Errorf("what stays:\n%s", got)
	}
	for range Track(slices.Values([]int{1}), ProgressOptions{Desc: "next"}) {
	}
	if got := r.last(t); got.id() == all[0].id() || strings.Contains(got.text(), "epoch") {
		t.Errorf("the next loop is in the old display:\n%s", got.text())
	}
}

func TestTrackEnds(t *testing.T) {
	r := record(t)
	for i := range Track(slices.Values([]int{1, 2, 3, 4}), ProgressOptions{Total: 4}) {
		if i == 3 {
			break
		}
	}
	if got := r.last(t).text(); !strings.Contains(got, " 50%|") || !strings.HasSuffix(got, "stopped") {
		t.Errorf("after break: %s", got)
	}

	func() {
		defer func() { _ = recover() }()
		for range Track(slices.Values([]int{1, 2}), ProgressOptions{Total: 2}) {
			panic("boom")
		}
	}()
	if got := r.last(t); !strings.Contains(got.text(), "failed") || !strings.Contains(got.html(), "✗") {
		t.Errorf("after a panic: %s", got.text())
	}

	EndCell(errors.New("boom\ncell[3]:2"))
	if got := r.last(t).text(); !strings.HasSuffix(got, "failed: boom") {
		t.Errorf("the cell's error is not told: %s", got)
	}

	pairs := func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(2, errors.New("shard.00003.mds: <bad>"))
	}
	for _, err := range Track2(iter.Seq2[int, error](pairs), ProgressOptions{Total: 9}) {
		_ = err
	}
	if got := r.last(t); !strings.Contains(got.text(), "| 1/9 ") || !strings.Contains(got.text(), "failed: shard.00003.mds: <bad>") ||
		!strings.Contains(got.html(), "&lt;bad&gt;") {
		t.Errorf("after an error: %s", got.text())
	}
}

func TestEndOfCellClosesBars(t *testing.T) {
	r := record(t)
	Progress(ProgressOptions{Desc: "left open", Total: 5}).Add(2)
	EndCell(errors.New("interrupted\ngoroutine 1"))
	if got := r.last(t).text(); !strings.HasSuffix(got, "failed: interrupted") {
		t.Errorf("after a failed cell: %s", got)
	}

	b := Progress(ProgressOptions{Desc: "background", Total: 5})
	b.Add(2)
	EndCell(nil)
	if got := r.last(t); strings.Contains(got.text(), "failed") {
		t.Errorf("after a good cell: %s", got.text())
	}
	id := r.last(t).id()
	Progress(ProgressOptions{Desc: "later cell"})
	if r.last(t).id() == id {
		t.Error("a later cell's bar is in the earlier cell's display")
	}
	b.Add(3)
	b.Done()
	if got := r.last(t); got.id() != id || !strings.Contains(got.text(), "5/5") {
		t.Errorf("a bar of an earlier cell: %s", got.text())
	}
}

func TestProgressForms(t *testing.T) {
	run := func() {
		b := Progress(ProgressOptions{Desc: "x", Total: 100})
		for range 100 {
			b.Add(1)
		}
		b.Done()
	}
	r := record(t)
	for form, want := range map[string]func(string) bool{
		"off":  func(s string) bool { return s == "" },
		"log":  func(s string) bool { return strings.Count(s, "\n") <= 12 && strings.Contains(s, "100/100") },
		"text": func(s string) bool { return strings.HasPrefix(s, "\r") && strings.HasSuffix(s, "\n") },
	} {
		t.Setenv("GOMOSAIC_PROGRESS", form)
		if got := stderr(t, run); !want(got) {
			t.Errorf("%s: %q", form, got)
		}
	}
	if n := len(r.all()); n != 0 {
		t.Errorf("%d frames for the front-end", n)
	}
	t.Setenv("GOMOSAIC_PROGRESS", "html")
	run()
	if r.last(t).html() == "" {
		t.Error("html: nothing for the front-end")
	}
}

func TestBlocks(t *testing.T) {
	for share, want := range map[float64]string{0: "    ", 0.25: "█   ", 0.5: "██  ", 1: "████", 0.28125: "█▏  "} {
		if got := blocks(share, 4); got != want {
			t.Errorf("blocks(%v) = %q, want %q", share, got, want)
		}
	}
}
