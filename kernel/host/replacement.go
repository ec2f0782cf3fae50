package host

// The session's host is exchanged: by the user's wish, or when it was found dead.

import (
	"context"
	"strings"
)

// startHost starts a process and makes it the session's.
func (s *Session) startHost(ctx context.Context) error {
	p, err := startProcess(s.options, s.folder.path, s.stream, s.handle)
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go p.kill()
		return errClosed
	}
	s.host = p
	return nil
}

// liveHost returns the host; one that died between two cells is reported and replaced.
func (s *Session) liveHost(ctx context.Context) (*process, error) {
	s.mu.Lock()
	p, out := s.host, s.out
	s.mu.Unlock()
	if p != nil {
		select {
		case <-p.exited:
			out.Stream("stderr", "Between two cells, "+strings.Join(p.death().Traceback, "\n")+"\n")
		default:
			return p, nil
		}
	}
	err := s.replaceHost(ctx)
	if p != nil && err == nil {
		// The cell was compiled against variables that are gone.
		err = &CellError{Name: "host died", Value: "the cell's process died before this cell ran; run the notebook from the top",
			Traceback: []string{"The cell was not run: the notebook's variables and functions are gone. Run the cells that it needs again."}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host, err
}

// replaceHost starts a fresh host and forgets what the cells of the old one declared.
func (s *Session) replaceHost(ctx context.Context) error {
	s.model.Reset()
	s.forgetLoaded()
	return s.startHost(ctx)
}

// Restart ends the host and starts a fresh one; the notebook's variables are gone. A running cell ends with an error.
func (s *Session) Restart(ctx context.Context) error {
	s.mu.Lock()
	old := s.host
	s.mu.Unlock()
	if old != nil {
		old.kill() // ends the cell that holds the lock
	}
	s.execute.Lock()
	defer s.execute.Unlock()
	s.mu.Lock()
	fresh := s.host != old
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return errClosed
	case fresh: // the running cell's end has brought one already
		s.model.Reset()
		return nil
	}
	return s.replaceHost(ctx)
}
