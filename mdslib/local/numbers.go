package local

// Sources that are no files: whole numbers, and rows of this process.

import (
	"context"
	"fmt"

	"gomosaic/mdslib/plan"
)

// numbers deals Start, Start + Step, … to partitions in runs, as Spark's range does.
func (e *engine) numbers(n *plan.Range) (*relation, error) {
	if n.Step == 0 {
		return nil, fmt.Errorf("local: Range: the step is 0")
	}
	rows := rangeRows(n)
	parts := int64(n.Partitions)
	if parts == 0 {
		parts = int64(e.workers)
	}
	out := &relation{schema: plan.Schema{Fields: []plan.Field{{Name: "id", Type: plan.Of(plan.Long)}}}}
	for p := range parts {
		share, extra := rows/parts, rows%parts
		first, end := p*share+p*extra/parts, (p+1)*share+(p+1)*extra/parts
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			for i := first; i < end; i++ {
				if i%1024 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if err := yield(Row{Values: []any{n.Start + i*n.Step}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, nil
}

// rangeRows is how many numbers there are. The distance may take 64 bits without a sign.
func rangeRows(n *plan.Range) int64 {
	if n.Step > 0 && n.Start >= n.End || n.Step < 0 && n.Start <= n.End {
		return 0
	}
	distance, step := uint64(n.End)-uint64(n.Start), uint64(n.Step)
	if n.Step < 0 {
		distance, step = -distance, -step
	}
	return int64((distance-1)/step + 1)
}

// FromRows implements mdslib.RowsEngine.
func (e *engine) FromRows(_ context.Context, schema plan.Schema, rows [][]any) (plan.Node, error) {
	return &plan.Values{Schema: schema, Rows: rows}, nil
}

// values deals given rows to partitions in runs.
func (e *engine) values(n *plan.Values) (*relation, error) {
	return shared(n.Schema, min(e.workers, len(n.Rows)), func(context.Context) ([]Row, error) {
		rows := make([]Row, len(n.Rows))
		for i, values := range n.Rows {
			rows[i].Values = values
		}
		return rows, nil
	}), nil
}
