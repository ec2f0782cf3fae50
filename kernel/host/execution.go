package host

// execution is one cell on the client's side: its text is compiled, its plugin run, its end told.

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
)

// Execute compiles and runs one cell; cell is its number in messages, `cell[3]`. It returns nil or a *[CellError], after
// everything that the cell printed and displayed has been given to out. The end of ctx interrupts the cell.
func (s *Session) Execute(ctx context.Context, code string, cell int, out Output) error {
	s.execute.Lock()
	defer s.execute.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bounded := newSpill(&serialOutput{Output: out}, s.options.OutputBytes, s.options.CacheDir, filepath.Base(s.folder.path), cell)
	defer bounded.finish()
	out = bounded
	s.inputs.add(cell, code)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	if last, ok := s.out.(*spill); ok {
		last.close()
	}
	s.out, s.stop, s.again = out, cancel, false
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.stop = nil
		s.mu.Unlock()
	}()
	if expression, detail, ok := question(code); ok {
		return s.answer(expression, detail, out)
	}
	if err := s.magics(ctx, code, cell, out); err != nil {
		return err
	}
	if err := s.updateLocal(ctx, out); err != nil {
		return err
	}
	unit, err := s.model.Compile(code, cell)
	if err != nil {
		return compileError(err)
	}
	if unit.Empty() {
		s.model.Commit(unit)
		return nil
	}
	plugin, err := s.builder.Build(ctx, unit)
	if ctx.Err() != nil {
		return &CellError{Name: "interrupted", Value: "interrupted", Traceback: []string{"interrupted while the cell was being compiled; it did not run"}}
	}
	if err != nil {
		return compileError(err)
	}
	for _, note := range unit.Notes {
		out.Stream("stderr", note+"\n")
	}
	return s.run(ctx, unit, plugin)
}

// compileError makes a cell error of what the checker, the compiler or the linker said.
func compileError(err error) error {
	var found cell.Errors
	if errors.As(err, &found) {
		return &CellError{Name: "compile error", Value: found.Error(), Traceback: strings.Split(found.Text(), "\n")}
	}
	return &CellError{Name: "build error", Value: err.Error(), Traceback: strings.Split("build error: "+cell.Demangle(err.Error()), "\n")}
}

// run gives a plugin to the host and waits for its end, or the host's.
func (s *Session) run(ctx context.Context, unit *cell.Unit, plugin string) error {
	p, err := s.liveHost(ctx)
	if err != nil {
		return err
	}
	a := &active{unit: unit, done: make(chan message, 1), ctx: ctx, told: make(chan struct{})}
	s.mu.Lock()
	s.active = a
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.active = nil
		s.mu.Unlock()
	}()
	err = p.send(message{Kind: msgRun, Seq: unit.Seq, Label: unit.Label, Plugin: plugin})
	stopped := context.AfterFunc(ctx, func() {
		_ = p.send(message{Kind: msgInterrupt})
		close(a.told)
	})
	defer func() {
		if stopped() { // it will not be told any more
			close(a.told)
		}
	}()
	for whole := false; err == nil; whole = true {
		select {
		case m := <-a.done:
			if m.Status != statusLoad || whole || !strings.Contains(m.Error, "undefined symbol") {
				return s.outcome(m)
			}
			// The host lacks what the plugin left out, as when the host's file was exchanged under the session.
			plugin, linkErr := s.builder.Relink(ctx, unit)
			if linkErr != nil || plugin == "" {
				return s.outcome(m)
			}
			err = p.send(message{Kind: msgRun, Seq: unit.Seq, Label: unit.Label, Plugin: plugin})
			continue
		case <-p.exited:
		}
		break
	}
	<-p.exited
	select {
	case m := <-a.done: // it ended and then the host did, before anybody looked
		if m.Status != statusOK {
			return s.outcome(m)
		}
	default:
	}
	death := p.death()
	if err := s.replaceHost(context.WithoutCancel(ctx)); err != nil {
		death.Traceback = append(death.Traceback, "The fresh process did not start: "+err.Error())
	}
	return death
}

// outcome turns the end of a run into Execute's result.
func (s *Session) outcome(m message) error {
	switch m.Status {
	case statusOK:
		return nil
	case statusLoad:
		text := m.Error
		if strings.Contains(text, "different version of package") {
			text += "\nThe gomosaic binary does not fit the sources in " + s.options.ModuleDir + ": build it again (make)."
		}
		return &CellError{Name: "load error", Value: text, Traceback: strings.Split("load error: "+text, "\n")}
	}
	e := &CellError{Name: m.Status, Value: cell.Demangle(m.Error)}
	head := e.Value
	switch m.Status {
	case statusPanic:
		head = "panic: " + e.Value
	case statusAbandoned:
		e.Name = statusInterrupted
		e.Value = "interrupted; the cell was left behind: it " + waitsIn(m.Error)
		head = e.Value
	}
	e.Traceback = strings.Split(head, "\n")
	for _, line := range rt.FramesText(m.Frames, s.model.SourceLine) {
		e.Traceback = append(e.Traceback, cell.Demangle(line))
	}
	if m.Status == statusAbandoned {
		e.Traceback = append(e.Traceback, "The next cell can run, with all variables. "+restartOffer)
	}
	return e
}
