package host

import "testing"

// TestContext: ctx lives as long as what its cell has started, unless the cell is interrupted or fails.
func TestContext(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("context"; "errors"; "sync/atomic"; "time")
var beats atomic.Int64
var ended, failed, stopped atomic.Bool
note := func(ctx context.Context, b *atomic.Bool) { <-ctx.Done(); b.Store(true) }
goesOn := func() bool { for b := beats.Load(); beats.Load() == b; { time.Sleep(time.Millisecond) }; return !ended.Load() }
set := func(b *atomic.Bool) bool { for !b.Load() { time.Sleep(time.Millisecond) }; return true }
go func() { for ctx.Err() == nil { beats.Add(1); time.Sleep(time.Millisecond) } }()
go note(ctx, &ended)`, "")
	n.want("goesOn()", "=> true")
	n.stops("context.AfterFunc(ctx, func() { stopped.Store(true) })\n<-ctx.Done()\ncheck(ctx.Err())")
	n.want("goesOn()", "=> true") // also while it asks the ctx of a cell that is over
	n.want("set(&stopped)", "=> true")
	n.fails("go note(ctx, &failed)\ncheck(errors.New(\"no\"))", "no")
	n.want("goesOn()", "=> true")
	n.want("set(&failed)", "=> true")
	n.want("own, stop := context.WithCancel(ctx)\nown.Err()", "")
	n.want("own.Err() == nil", "=> true")
	n.want("type key struct{}\nctx = context.WithValue(ctx, key{}, 1)\nctx.Value(key{})", "=> 1")
	n.want("p := &ctx\n(*p).Value(key{}) == nil", "=> true") // a new cell has a new one
}
