package local

// Map: a Go func run on every row. It and UDFIterable are run by goroutines of the engine, where a panic would end the whole
// process; it becomes an error that names the row.

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/ship"
)

// mapRows runs a Go func on every row, all its columns read.
func (e *engine) mapRows(ctx context.Context, n *plan.MapRows) (*relation, error) {
	in, err := e.build(ctx, n.Input, nil)
	if err != nil {
		return nil, err
	}
	schema, fn, err := n.Bind(in.schema)
	if err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	return in.each(schema, func(row Row, yield func(Row) error) error {
		values := slices.Clone(row.Values)
		for i, v := range values {
			var err error
			if values[i], err = force(v, row.Origin); err != nil {
				return err
			}
		}
		made, err := guarded(fn, values)
		if err != nil {
			return &RowError{row.Origin, err}
		}
		if made == nil {
			return nil
		}
		return yield(Row{made, row.Origin})
	}), nil
}

// guarded calls fn and makes an error of its panic.
func guarded(fn func([]any) ([]any, error), row []any) (out []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return fn(row)
}

// panicked is the error that a recovered panic becomes, with the frames that led to it.
func panicked(p any) error {
	return fmt.Errorf("the func panicked: %v%s", p, ship.Frames(string(debug.Stack())))
}
