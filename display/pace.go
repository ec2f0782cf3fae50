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
	first bool // the first frame has been sent, or is being sent

	sending chan struct{} // holds one token while publish runs
}

func newPace(interval time.Duration, publish func(*session, bool)) *pace {
	return &pace{interval: interval, publish: publish, sending: make(chan struct{}, 1)}
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
	first := !p.first
	p.first = true
	if !first {
		p.arm()
	}
	p.mu.Unlock()
	if first {
		p.sending <- struct{}{}
		p.send(false)
	}
}

// arm sets the timer for the next frame; called with mu held.
func (p *pace) arm() {
	if p.timer == nil {
		p.timer = time.AfterFunc(max(0, p.interval-time.Since(p.last)), p.tick)
	}
}

// tick leaves a frame to the sender that is at work, which arms the timer again.
func (p *pace) tick() {
	p.mu.Lock()
	p.timer = nil
	p.mu.Unlock()
	select {
	case p.sending <- struct{}{}:
		p.send(false)
	default:
	}
}

// flush sends the newest state as a full frame if the last frame was a light one or a change
// is waiting, and takes the value off the session's list. It waits for the publisher.
func (p *pace) flush() {
	p.sending <- struct{}{}
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

// send is called with the token and gives it back.
func (p *pace) send(full bool) {
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	// A tick that was late may come right after another one: its frame waits its turn.
	due := p.last.IsZero() || time.Since(p.last) >= p.interval
	work := p.dirty && (full || due) || full && p.light
	if work {
		p.dirty, p.light, p.first = false, !full, true
	}
	p.mu.Unlock()
	if work {
		p.publish(current.Load(), full)
	}
	p.mu.Lock()
	if work {
		p.last = time.Now()
	}
	<-p.sending
	if p.dirty {
		p.arm()
	}
	p.mu.Unlock()
}
