package host

import (
	"context"

	"gomosaic/display"
)

// Publish implements [display.Publisher]: the value goes to the front, in its place among the output.
func (s *server) Publish(d display.Data, update bool) error {
	return s.sendMarked(message{Kind: msgDisplay, Data: d.Data, Metadata: d.Metadata, Transient: d.Transient, Update: update})
}

// ClearOutput and Input are there for package display too, which may look for them in its publisher.

// ClearOutput clears the cell's output; with wait, when the next output comes.
func (s *server) ClearOutput(wait bool) error {
	return s.sendMarked(message{Kind: msgClear, Wait: wait})
}

// Input asks the user for a line.
func (s *server) Input(ctx context.Context, prompt string, password bool) (string, error) {
	answer, err := s.call(ctx, message{Kind: msgInput, Text: prompt, Password: password})
	return answer.Text, err
}
