package display

// The way out: one publisher at a time carries rendered values to a front-end. Set by the
// cell host for its life; used by Display and the live values.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
)

// Publisher carries rendered values to a front-end. Publish may be called from any
// goroutine, also after the cell that showed the value has ended; update tells that d
// replaces what was shown under d.Transient["display_id"] (update_display_data), and a
// Publisher MUST keep the order of calls with equal display_id. A call may block: live
// values then leave out frames, never lines of the caller. The Publisher owns d's maps, but
// MUST NOT change the bytes in them.
type Publisher interface {
	Publish(d Data, update bool) error
}

// session is one publisher with what is alive on it. A program without a publisher has one
// too, whose publisher is nil.
type session struct {
	publisher Publisher

	mu    sync.Mutex
	paces map[*pace]struct{} // values whose last frame was not a full one
	bars  *barGroup          // the open nest of progress bars, or nil
}

// current is the one session; a driver slot like database/sql's, only replaceable.
var current = func() *atomic.Pointer[session] {
	p := new(atomic.Pointer[session])
	p.Store(&session{})
	return p
}()

// SetPublisher makes p the way out for all that is displayed from now on, and returns the
// function that flushes what is alive and puts the publisher before it back. The host calls
// it once; a test, around what it watches.
func SetPublisher(p Publisher) (restore func()) {
	s := &session{publisher: p}
	before := current.Swap(s)
	return sync.OnceFunc(func() {
		s.end(nil)
		current.CompareAndSwap(s, before)
	})
}

// Flush publishes the newest state of every live value that is not on the screen yet, with
// everything an exported page needs.
func Flush() { current.Load().flush() }

// EndCell is called by the host when a cell has ended, with the cell's error or nil, before
// it tells the front-end so: it publishes the last frames (as [Flush]), marks the progress
// bars that a failed or interrupted cell left open as failed, and lets later cells start
// their own. Live values stay usable: one that a later cell or a goroutine changes is updated
// in its old place.
func EndCell(err error) { current.Load().end(err) }

func (s *session) end(err error) {
	s.mu.Lock()
	bars := s.bars
	s.bars = nil
	s.mu.Unlock()
	if bars != nil {
		bars.abandon(err)
	}
	s.flush()
}

func (s *session) flush() {
	s.mu.Lock()
	paces := make([]*pace, 0, len(s.paces))
	for p := range s.paces {
		paces = append(paces, p)
	}
	s.mu.Unlock()
	for _, p := range paces {
		p.flush()
	}
}

func (s *session) publish(d Data, update bool) error {
	if s.publisher != nil {
		return s.publisher.Publish(d, update)
	}
	text, _ := d.Data[MIMETypeText].(string)
	_, err := fmt.Fprintln(os.Stderr, text)
	return err
}

// Display shows a value now: a renderable one by its representations, any other by its
// printed form. Without a publisher the plain text goes to standard error.
func Display(v any) error {
	d, err := rendered(v)
	if err != nil || len(d.Data) == 0 {
		return err
	}
	return current.Load().publish(d, false)
}

// Handle is a value on the screen that can be replaced in place. Its methods may be called
// from several goroutines.
type Handle struct{ id string }

// Show shows a value as [Display] does and returns the handle by which it can be replaced.
func Show(v any) (Handle, error) {
	h := Handle{id: newDisplayID()}
	return h, ShowAs(h.id, v)
}

// ShowAs shows a value under a display id of the caller's choice, for [Update].
func ShowAs(id string, v any) error {
	if id == "" {
		return errors.New("display: ShowAs: empty display id")
	}
	return publishAs(id, v, false)
}

// Update replaces what was shown under the display id, in every place where it is shown.
func Update(id string, v any) error {
	if id == "" {
		return errors.New("display: Update: empty display id")
	}
	return publishAs(id, v, true)
}

// ID is the display id by which the front-end knows the value.
func (h Handle) ID() string { return h.id }

// Update replaces the value on the screen.
func (h Handle) Update(v any) error { return Update(h.id, v) }

func publishAs(id string, v any, update bool) error {
	d, err := rendered(v)
	if err != nil {
		return err
	}
	return current.Load().publish(withDisplayID(d, id), update)
}

func rendered(v any) (Data, error) {
	if d, ok, err := Render(v); ok {
		return d, err
	}
	if v == nil {
		return Data{}, nil
	}
	return MakeData(MIMETypeText, Text(v)), nil
}

// withDisplayID copies d's transient part: d may be the caller's.
func withDisplayID(d Data, id string) Data {
	t := MIMEMap{}
	for k, v := range d.Transient {
		t[k] = v
	}
	t["display_id"] = id
	d.Transient = t
	return d
}

// newDisplayID is unique over sessions too: a reopened notebook holds the old ones.
func newDisplayID() string { return fmt.Sprintf("gm-%016x", rand.Uint64()) }
