package snapshot

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gomosaic/kernel/cell/rt"
)

// Begin is called first by the main function of a shipped program: it restores the captured variables, sets ctx and
// returns what main defers, which reports a panic with the notebook's frames.
func Begin(snapshot []byte, pointers map[string]any, types Types) (end func()) {
	if err := Load(bytes.NewReader(snapshot), pointers, types); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	rt.SetContext(&ctx)
	return func() {
		stop()
		if value := recover(); value != nil {
			rt.Die(value)
		}
	}
}
