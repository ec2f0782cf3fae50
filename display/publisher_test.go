package display

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// frame is one call of a publisher.
type frame struct {
	d      Data
	update bool
	at     time.Time
}

func (f frame) id() string   { id, _ := f.d.Transient["display_id"].(string); return id }
func (f frame) html() string { s, _ := f.d.Data[MIMETypeHTML].(string); return s }
func (f frame) text() string { s, _ := f.d.Data[MIMETypeText].(string); return s }

// recorder is a publisher that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	frames []frame
	delay  time.Duration
	err    error
}

func (r *recorder) Publish(d Data, update bool) error {
	time.Sleep(r.delay)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames = append(r.frames, frame{d, update, time.Now()})
	return r.err
}

func (r *recorder) all() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]frame(nil), r.frames...)
}

func (r *recorder) last(t *testing.T) frame {
	t.Helper()
	all := r.all()
	if len(all) == 0 {
		t.Fatal("nothing was published")
	}
	return all[len(all)-1]
}

func record(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	t.Cleanup(SetPublisher(r))
	return r
}

// stderr gives what f writes on standard error.
func stderr(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = w
	got := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		got <- string(b)
	}()
	f()
	os.Stderr = before
	w.Close()
	return <-got
}

func TestDisplayShowUpdate(t *testing.T) {
	r := record(t)
	if err := errors.Join(Display(page("a")), Display(3), Display(nil)); err != nil {
		t.Fatal(err)
	}
	h, err := Show(page("b"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Update(page("c")), ShowAs("mine", 1), Update("mine", 2)); err != nil {
		t.Fatal(err)
	}
	all := r.all()
	if len(all) != 6 {
		t.Fatalf("%d frames, want 6: nil shows nothing", len(all))
	}
	if all[0].id() != "" || all[0].html() != "<h1>a</h1>" || all[1].text() != "3" {
		t.Errorf("displayed %v, %v", all[0], all[1])
	}
	if all[2].id() != h.ID() || all[2].update || all[3].id() != h.ID() || !all[3].update || all[3].html() != "<h1>c</h1>" {
		t.Errorf("handle: %v then %v", all[2], all[3])
	}
	if all[4].id() != "mine" || all[5].id() != "mine" || !all[5].update || all[5].text() != "2" {
		t.Errorf("own id: %v then %v", all[4], all[5])
	}
	if ShowAs("", 1) == nil || Update("", 1) == nil {
		t.Error("an empty display id is taken")
	}
	r.err = errors.New("front-end gone")
	if err := Display(1); !errors.Is(err, r.err) {
		t.Errorf("the publisher's error is %v", err)
	}
}

func TestSetPublisherPutsBack(t *testing.T) {
	outer := record(t)
	inner := &recorder{}
	restore := SetPublisher(inner)
	Display(1)
	restore()
	restore()
	Display(2)
	if len(inner.all()) != 1 || outer.last(t).text() != "2" {
		t.Errorf("inner got %v, outer %v", inner.all(), outer.all())
	}
}

func TestWithoutPublisherTextGoesToStandardError(t *testing.T) {
	got := stderr(t, func() {
		Display(HTML("<b>bold</b>"))
		c := Live(ChartOptions{Title: "loss"})
		for i := range 1000 {
			c.Add("train", 1/float64(i+1))
		}
		c.Close()
		for range Track(func(yield func(int) bool) {
			for i := range 500 {
				if !yield(i) {
					return
				}
			}
		}, ProgressOptions{Desc: "read", Total: 500}) {
		}
	})
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if lines[0] != "<b>bold</b>" || lines[1] != "loss: train 1 (x 1)" || lines[2] != "loss: train 1 → 0.001 (x 1000)" {
		t.Errorf("printed:\n%s", got)
	}
	if n := len(lines); n > 20 || !strings.HasPrefix(lines[n-1], "read: 100%|████████████████████| 500/500 ") {
		t.Errorf("%d lines, want few, and the last one complete:\n%s", n, got)
	}
}
