package host

// What a host sends: output, and calls that the front answers.

import (
	"fmt"
	"io"

	"gomosaic/kernel/cell"
)

// stream is called by a host's collector.
func (s *Session) stream(p *process, name, text string) {
	if out := s.output(p); out != nil {
		out.Stream(name, text)
	}
}

// output is where a host's output goes; nil for what comes from one that was replaced on purpose.
func (s *Session) output(p *process) Output {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.host != p {
		return nil
	}
	return s.out
}

// handle is called by a host's collector for each event in its place among the output.
func (s *Session) handle(p *process, m message) {
	if m.Kind == msgPeeked {
		p.peeks.answer(m.ID, m.Text)
		return
	}
	out := s.output(p)
	if out == nil {
		return
	}
	switch m.Kind {
	case msgLoaded, msgDone:
		s.mu.Lock()
		a := s.active
		s.mu.Unlock()
		if a == nil || a.unit.Seq != m.Seq {
			return
		}
		if m.Kind == msgLoaded {
			s.model.Commit(a.unit)
		} else {
			a.done <- m
		}
	case msgDisplay:
		out.Display(demangleData(m.Data), m.Metadata, m.Transient, m.Update)
	case msgResult:
		out.Result(demangleData(m.Data), m.Metadata)
	case msgClear:
		out.ClearOutput(m.Wait)
	case msgInput:
		go func() { // takes its time, and the output must flow meanwhile
			text, err := out.Input(m.Text, m.Password)
			if err == io.EOF {
				text, err = endOfInput, nil
			}
			if err != nil {
				s.awaitInterrupt()
			}
			reply(p, m.ID, message{Text: text}, err)
		}()
	case msgSource:
		go reply(p, m.ID, message{Text: s.model.SourceLine(m.Text)}, nil) // waits for a cell that is being compiled
	case msgPlan:
		plan, err := s.model.Captured(m.Function)
		var variables []variable
		for _, v := range plan {
			variables = append(variables, variable{Name: v.Name, Cell: v.Cell, Key: v.Key})
		}
		reply(p, m.ID, message{Plan: variables}, err)
	case msgBuild:
		go func() {
			path, err := s.buildProgram(m)
			reply(p, m.ID, message{Text: path}, err)
		}()
	}
}

// awaitInterrupt returns when the host knows that the running cell is to stop, if it is: of an input that ends for this reason
// the cell would make an error of its own otherwise.
func (s *Session) awaitInterrupt() {
	s.mu.Lock()
	a := s.active
	s.mu.Unlock()
	if a != nil && a.ctx.Err() != nil {
		<-a.told
	}
}

func reply(p *process, id int, m message, err error) {
	m.Kind, m.ID = msgReply, id
	if err != nil {
		m.Error = err.Error()
		if m.Error == "" {
			m.Error = fmt.Sprintf("%T", err)
		}
	}
	_ = p.send(m) // the host is gone: nobody waits
}

// demangleData gives text in a bundle the user's names.
func demangleData(data map[string]any) map[string]any {
	for mime, v := range data {
		if text, ok := v.(string); ok {
			data[mime] = cell.Demangle(text)
		}
	}
	return data
}
