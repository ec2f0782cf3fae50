package display

// Pace: a value that changes often is published at most once per interval; the newest state
// wins, and the last state is always published, by a timer or by the end of the cell. Used
// by LiveChart and the progress bars.

import (
	"sync"
	"time"
)

// pace calls publish for one value. changed never waits for the publisher, so a slow
// front-end costs frames and no time of the loop that makes them.
type pace struct {
	interval time.Duration
	publish  func(s *session, full bool) // renders and sends the newest state; called by one goroutine at a time

	mu    sync.Mutex
	dirty bool      // a change is not published yet
	light bool      // the last frame published was not a full one
	last  time.Time // when the last frame had been sent: a slow front-end slows the frames
	timer *time.Timer
	first bool // the first frame has been sent

	sending sync.Mutex // held around publish; taken before mu
}

// changed notes a new state. The first one is sent at once by the caller, so that the value
// appears where the code stands.
func (p *pace) changed() {
	s := current.Load()
	s.mu.Lock()
	if s.paces == nil {
		s.paces = map[*pace]struct{}{}
	}
	s.paces[p] = struct{}{}
	s.mu.Unlock()

	p.mu.Lock()
	p.dirty = true
	if !p.first {
		p.first = true
		p.mu.Unlock()
		p.send(false)
		return
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(max(0, p.interval-time.Since(p.last)), func() { p.send(false) })
	}
	p.mu.Unlock()
}

// flush sends the newest state as a full frame if the last frame was a light one or a change
// is waiting, and takes the value off the session's list.
func (p *pace) flush() {
	p.send(true)
	s := current.Load()
	p.mu.Lock()
	clean := !p.dirty && !p.light
	p.mu.Unlock()
	if clean {
		s.mu.Lock()
		delete(s.paces, p)
		s.mu.Unlock()
	}
}

func (p *pace) send(full bool) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	if !p.dirty && !(full && p.light) {
		p.mu.Unlock()
		return
	}
	if wait := p.interval - time.Since(p.last); !full && !p.last.IsZero() && wait > 0 {
		p.timer = time.AfterFunc(wait, func() { p.send(false) })
		p.mu.Unlock()
		return
	}
	p.dirty, p.light, p.first = false, !full, true
	p.mu.Unlock()
	p.publish(current.Load(), full)
	p.mu.Lock()
	p.last = time.Now()
	p.mu.Unlock()
}
