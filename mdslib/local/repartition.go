package local

// Rows dealt to other partitions.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

func (e *engine) repartition(ctx context.Context, n *plan.Repartition, want need) (*relation, error) {
	if n.Num < 1 {
		return nil, fmt.Errorf("local: Repartition: %d partitions", n.Num)
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	// Each partition is computed for itself: row i of the input goes to partition i mod n, so that classes that lie
	// together in the files are spread.
	all := sync.OnceValues(func() ([]Row, error) {
		lists, err := e.gather(ctx, in)
		return slices.Concat(lists...), err
	})
	out := &relation{schema: in.schema}
	for p := range n.Num {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			rows, err := all()
			if err != nil {
				return err
			}
			for i := p; i < len(rows); i += n.Num {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := yield(rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, nil
}

// repartitionBy deals the rows by Spark's hash of the expressions, so that they lie in the partitions that Spark has them in.
func (e *engine) repartitionBy(ctx context.Context, n *plan.RepartitionBy, want need) (*relation, error) {
	num := n.Num
	if num == 0 {
		num = e.workers
	}
	if num < 1 {
		return nil, fmt.Errorf("local: RepartitionBy: %d partitions", n.Num)
	}
	if len(n.Exprs) == 0 {
		return nil, errors.New("local: RepartitionBy: no expressions given: Repartition deals rows out in turn")
	}
	in, err := e.build(ctx, n.Input, want.with(n.Exprs...))
	if err != nil {
		return nil, err
	}
	exprs, err := expr.BindAll(n.Exprs, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: RepartitionBy: %w", err)
	}
	for _, b := range exprs {
		if !orderable(b.Field.Type) {
			return nil, fmt.Errorf("local: RepartitionBy: %q holds a map, which has no hash", b.Text)
		}
	}
	dealt := sync.OnceValues(func() ([][]Row, error) {
		lists, err := e.gather(ctx, in)
		if err != nil {
			return nil, err
		}
		out := make([][]Row, num)
		values := make([]any, len(exprs))
		for _, row := range slices.Concat(lists...) {
			for i, b := range exprs {
				if values[i], err = b.Eval(row.Values); err != nil {
					return nil, &RowError{row.Origin, err}
				}
			}
			p := (int(expr.Murmur3(values...))%num + num) % num
			out[p] = append(out[p], row)
		}
		return out, nil
	})
	return listed(in.schema, num, func(context.Context) ([][]Row, error) { return dealt() }), nil
}

// listed is the relation of rows that all partitions have of one computation, a list for each.
func listed(schema plan.Schema, parts int, lists func(context.Context) ([][]Row, error)) *relation {
	out := &relation{schema: schema}
	for p := range parts {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			all, err := lists(ctx)
			if err != nil {
				return err
			}
			for _, row := range all[p] {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := yield(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out
}

// coalesce puts neighbouring partitions together, the rows staying in their order.
func (e *engine) coalesce(ctx context.Context, n *plan.Coalesce, want need) (*relation, error) {
	if n.Num < 1 {
		return nil, fmt.Errorf("local: Coalesce: %d partitions", n.Num)
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil || len(in.partitions) <= n.Num {
		return in, err
	}
	out := &relation{schema: in.schema, rows: in.rows}
	for i := range n.Num {
		run := in.partitions[i*len(in.partitions)/n.Num : (i+1)*len(in.partitions)/n.Num]
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			for _, p := range run {
				if err := p(ctx, yield); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, nil
}
