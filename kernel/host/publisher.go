package host

import (
	"context"
	"fmt"
	"io"

	"gomosaic/display"
	"gomosaic/kernel/cell/rt"
)

// Publish implements [display.Publisher]: the value goes to the front, in its place among the output.
func (s *server) Publish(d display.Data, update bool) error {
	m, err := newShown(msgDisplay, d)
	if err != nil {
		return fmt.Errorf("display: %w", err)
	}
	m.Update = update
	if err := s.sendMarked(m); err != nil {
		return fmt.Errorf("display: %w", err)
	}
	return nil
}

// ClearOutput is what display.Clear looks for in its publisher.
func (s *server) ClearOutput(wait bool) error {
	return s.sendMarked(message{Kind: msgClear, Wait: wait})
}

// Context is what display.Context looks for.
func (s *server) Context() context.Context { return *rt.Context() }

// endOfInput is what clients send for Ctrl-D (jupyter-console does).
const endOfInput = "\x04"

// Input is what display.Input and display.Password look for. The user's Ctrl-D is io.EOF.
func (s *server) Input(ctx context.Context, prompt string, password bool) (string, error) {
	answer, err := s.call(ctx, message{Kind: msgInput, Text: prompt, Password: password})
	if err == nil && answer.Text == endOfInput {
		return "", io.EOF
	}
	return answer.Text, err
}
