package host

import (
	"context"
	"errors"
)

// Session is the client of one cell host, with the state of one notebook: what its cells declared. Its methods are safe
// for concurrent use; one cell runs at a time.
type Session struct{ options Options }

var errUnfinished = errors.New("host: not available yet")

// Start starts a host process and returns when it is ready to run cells.
func Start(ctx context.Context, o Options) (*Session, error) { return nil, errUnfinished }

// Execute compiles and runs one cell; cell is its number in messages, `cell[3]`. It returns nil or a *[CellError], after
// everything that the cell printed and displayed has been given to out.
func (s *Session) Execute(ctx context.Context, code string, cell int, out Output) error {
	return errUnfinished
}

// Interrupt stops the running cell, if any.
func (s *Session) Interrupt() {}

// Restart ends the host and starts a fresh one; the notebook's variables are gone.
func (s *Session) Restart(ctx context.Context) error { return errUnfinished }

// Close ends the host.
func (s *Session) Close() error { return nil }
