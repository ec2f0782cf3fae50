package notebook

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"gomosaic/kernel/host"
)

// Session executes cells; *host.Session is the one there is.
type Session interface {
	Execute(ctx context.Context, code string, cell int, out host.Output) error
}

// RunOptions configures [Run]. The zero value stops at the first cell that fails, however long a cell takes.
type RunOptions struct {
	TimeoutSeconds float64 // a cell that takes longer is interrupted and has failed; 0: none
	AllowErrors    bool    // go on behind cells that fail
	// Input answers a cell that asks for a line (display.Input, os.Stdin); io.EOF is the end of the input. nil: nobody answers.
	Input func(prompt string, password bool) (string, error)
	// Progress is called when a cell has ended; nil: nobody is told. done counts the cells that have.
	Progress func(done, of int, c *Cell, took time.Duration, err error)
}

// FailedCell is the error of [Run] for a cell that failed.
type FailedCell struct {
	Count int // its execution count: cell[Count] in messages
	Err   *host.CellError
}

// Error names the cell, as its traceback does, and what went wrong.
func (e *FailedCell) Error() string {
	first, _, _ := strings.Cut(e.Err.Error(), "\n")
	return fmt.Sprintf("cell[%d] failed: %s", e.Count, first)
}

// Unwrap gives the cell's error.
func (e *FailedCell) Unwrap() error { return e.Err }

// Run executes the code cells in their order, and puts their outputs and execution counts in place of the old ones. A cell
// that fails ends the run with a *[FailedCell], unless it is tagged raises-exception; the notebook then holds the outputs
// so far, the failed cell's among them.
func Run(ctx context.Context, s Session, n *Notebook, o RunOptions) error {
	n.describe()
	total := 0
	for _, c := range n.Cells {
		if c.Type == "code" {
			c.raw["outputs"], c.raw["execution_count"] = []any{}, nil
			if strings.TrimSpace(c.Source) != "" {
				total++
			}
		}
	}
	shown := &outputs{ids: map[string][]map[string]any{}}
	count := 0
	for _, c := range n.Cells {
		if c.Type != "code" || strings.TrimSpace(c.Source) == "" {
			continue
		}
		count++
		out := &cellOutput{of: shown, cell: c, count: count, input: o.Input}
		c.raw["execution_count"] = count
		started := time.Now()
		err := execute(ctx, s, c, out, o.TimeoutSeconds)
		if o.Progress != nil {
			o.Progress(count, total, c, time.Since(started), err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var failed *host.CellError
		switch {
		case err == nil:
		case !errors.As(err, &failed):
			return err
		case !o.AllowErrors && !c.HasTag("raises-exception"):
			return &FailedCell{count, failed}
		}
	}
	return nil
}

func execute(ctx context.Context, s Session, c *Cell, out *cellOutput, timeoutSeconds float64) error {
	cell, cancel := ctx, context.CancelFunc(func() {})
	if timeoutSeconds > 0 {
		cell, cancel = context.WithTimeout(ctx, time.Duration(timeoutSeconds*float64(time.Second)))
	}
	defer cancel()
	err := s.Execute(cell, c.Source, out.count, out)
	var failed *host.CellError
	if errors.As(err, &failed) {
		if cell.Err() != nil && ctx.Err() == nil {
			failed = &host.CellError{Name: "timeout", Value: fmt.Sprintf("the cell took longer than %g s", timeoutSeconds), Traceback: failed.Traceback}
			err = failed
		}
		out.fail(failed)
	}
	return err
}

// describe notes the language, as Jupyter's clients do.
func (n *Notebook) describe() {
	metadata, ok := n.raw["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		n.raw["metadata"] = metadata
	}
	metadata["language_info"] = map[string]any{"name": "go", "version": strings.TrimPrefix(runtime.Version(), "go"), "mimetype": "text/x-go", "file_extension": ".go"}
}
