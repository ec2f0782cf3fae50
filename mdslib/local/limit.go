package local

// The first rows, the last, and all but the first.

import (
	"context"
	"fmt"
	"iter"

	"gomosaic/mdslib/plan"
)

func (e *engine) limit(ctx context.Context, n *plan.Limit, want need) (*relation, error) {
	if n.N < 0 {
		return nil, fmt.Errorf("local: Limit: %d rows", n.N)
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	if in.rows != nil { // as after OrderBy: the first rows are known, and stay dealt to partitions
		return shared(in.schema, len(in.partitions), func(ctx context.Context) ([]Row, error) {
			rows, err := in.rows(ctx)
			return rows[:min(n.N, int64(len(rows)))], err
		}), nil
	}
	one := func(ctx context.Context, yield func(Row) error) error {
		left := n.N
		if left == 0 {
			return nil
		}
		for row, err := range e.inOrder(ctx, in) {
			if err == nil {
				err = yield(row)
			}
			if err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
		return nil
	}
	return &relation{schema: in.schema, partitions: []partition{one}}, nil
}

func (e *engine) offset(ctx context.Context, n *plan.Offset, want need) (*relation, error) {
	if n.N < 0 {
		return nil, fmt.Errorf("local: Offset: %d rows", n.N)
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	if in.rows != nil {
		return shared(in.schema, len(in.partitions), func(ctx context.Context) ([]Row, error) {
			rows, err := in.rows(ctx)
			return rows[min(n.N, int64(len(rows))):], err
		}), nil
	}
	one := func(ctx context.Context, yield func(Row) error) error {
		left := n.N
		for row, err := range e.inOrder(ctx, in) {
			if err == nil && left == 0 {
				err = yield(row)
			}
			if err != nil {
				return err
			}
			left = max(0, left-1)
		}
		return nil
	}
	return &relation{schema: in.schema, partitions: []partition{one}}, nil
}

func (e *engine) tail(ctx context.Context, n *plan.Tail, want need) (*relation, error) {
	if n.N < 0 {
		return nil, fmt.Errorf("local: Tail: %d rows", n.N)
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	return shared(in.schema, 1, func(ctx context.Context) ([]Row, error) {
		if n.N == 0 {
			return nil, nil
		}
		var last []Row // a ring: row i of the input is at i modulo N
		i := 0
		for row, err := range e.inOrder(ctx, in) {
			if err != nil {
				return nil, err
			}
			if int64(len(last)) < n.N {
				last = append(last, row)
			} else {
				last[i%len(last)] = row
			}
			i++
		}
		if len(last) == 0 {
			return nil, nil
		}
		return append(last[i%len(last):len(last):len(last)], last[:i%len(last)]...), nil
	}), nil
}

// inOrder runs the partitions, side by side, and yields their rows one after the other; after an error it ends.
func (e *engine) inOrder(ctx context.Context, in *relation) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for rows, err := range ordered(ctx, e, in.partitions, func(rows []Row) ([]Row, error) { return rows, nil }) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
