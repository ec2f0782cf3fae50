package local

// The source that makes its rows: whole numbers.

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
