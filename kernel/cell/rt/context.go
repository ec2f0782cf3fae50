package rt

import (
	"context"
	"sync/atomic"
)

// others is ctx on goroutines that belong to no run.
var others = func() *atomic.Pointer[context.Context] {
	p, ctx := new(atomic.Pointer[context.Context]), context.Background()
	p.Store(&ctx)
	return p
}()

// Context is where ctx is. A cell's ctx ends when the cell is interrupted or fails; what a cell that went well has
// started with it goes on. It is the same for all goroutines that the cell starts, whichever cells run meanwhile; to end
// them later, start them with a context of your own, made by context.WithCancel(ctx). On a goroutine that a library
// started it is that of the cell that was run last. In a shipped program it ends when the program gets SIGINT or SIGTERM.
func Context() *context.Context {
	if m := self(); m != nil {
		return &m.run.ctx
	}
	return others.Load()
}

// SetContext says where goroutines that belong to no run find ctx.
func SetContext(ctx *context.Context) { others.Store(ctx) }
