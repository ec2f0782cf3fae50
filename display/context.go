package display

// the context of values that render by methods without one

import "context"

// contextual is a [Publisher] that knows the context of the running cell; the cell host's is one.
type contextual interface{ Context() context.Context }

// Context is that of the running cell, which ends when the cell is interrupted, for methods that have none of their own, such as
// HTML and String. Without a publisher that knows it, it never ends.
func Context() context.Context {
	if p, ok := current.Load().publisher.(contextual); ok {
		return p.Context()
	}
	return context.Background()
}
