package local

// Contents of files at stores, fetched side by side some rows ahead of their consumer: one after the other, small files would
// wait for the network most of the time.

import (
	"context"
	"slices"
	"sync"

	"gomosaic/mdslib/plan"
)

// Of each partition so many rows are fetched ahead, and of so many bytes, but always the next one.
const (
	rowsAhead  = 16
	bytesAhead = 32 << 20
)

// fetchedAhead is the relation with the contents of its rows that lie at stores read. It is for the last step of a run, which needs
// all of them.
func (in *relation) fetchedAhead() *relation {
	var columns []int // that may hold contents
	for i, f := range in.schema.Fields {
		if f.Type.Kind == plan.Binary {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 {
		return in
	}
	out := &relation{schema: in.schema}
	for _, p := range in.partitions {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			ctx, cancel := context.WithCancel(ctx)
			a := &ahead{ctx: ctx, columns: columns, yield: yield}
			defer a.running.Wait()
			defer cancel()
			if err := p(ctx, a.row); err != nil {
				return err
			}
			return a.pass(0, 0)
		})
	}
	return out
}

// ahead is the rows of a partition that are on their way to its consumer.
type ahead struct {
	ctx     context.Context
	columns []int
	yield   func(Row) error
	rows    []*aheadRow
	bytes   int64 // of the contents of rows
	running sync.WaitGroup
}

type aheadRow struct {
	Row
	bytes int64
	done  chan struct{} // closed when all is read, or err says why not; nil where nothing is to be read
	err   error
}

func (a *ahead) row(row Row) error {
	r := &aheadRow{Row: row}
	for _, c := range a.columns {
		if content, ok := row.Values[c].(*fileContent); ok && content.Remote() {
			r.bytes += content.Bytes
		}
	}
	if r.bytes == 0 && len(a.rows) == 0 {
		return a.yield(row)
	}
	if err := a.pass(rowsAhead-1, bytesAhead-r.bytes); err != nil {
		return err
	}
	if r.bytes > 0 {
		r.done = make(chan struct{})
		a.running.Go(func() {
			defer close(r.done)
			r.err = r.fetch(a.ctx, a.columns)
		})
	}
	a.rows, a.bytes = append(a.rows, r), a.bytes+r.bytes
	return nil
}

// fetch reads the contents of a row, which gets values of its own: the ones it has may be others' too.
func (r *aheadRow) fetch(ctx context.Context, columns []int) error {
	r.Values = slices.Clone(r.Values)
	for _, c := range columns {
		if content, ok := r.Values[c].(*fileContent); ok && content.Remote() {
			b, err := content.LoadInto(ctx, nil)
			if err != nil {
				return &RowError{r.Origin, err}
			}
			r.Values[c] = b
		}
	}
	return nil
}

// pass hands rows on until no more than so many, with no more than so many bytes, are left.
func (a *ahead) pass(rows int, bytes int64) error {
	for len(a.rows) > 0 && (len(a.rows) > rows || a.bytes > bytes) {
		r := a.rows[0]
		a.rows, a.bytes = a.rows[1:], a.bytes-r.bytes
		if r.done != nil {
			<-r.done
		}
		if r.err != nil {
			return r.err
		}
		if err := a.yield(r.Row); err != nil {
			return err
		}
	}
	return nil
}
