package arrowmds

// Arrow records as a DataFrame, and the engines that take and give records as they are.

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// Engine is implemented by engines whose rows travel as Arrow records.
type Engine interface {
	// Records runs a plan and yields its rows as records, which must be released by whoever gets them; after an error it ends.
	Records(ctx context.Context, p plan.Node) iter.Seq2[arrow.Record, error]

	// FromRecords is the plan of the rows of records, which have the schema; it takes no hold of them.
	FromRecords(ctx context.Context, schema *arrow.Schema, records iter.Seq2[arrow.Record, error]) (plan.Node, error)
}

// FromArrow makes a DataFrame of records, which have one schema, as Spark's createDataFrame does of an Arrow table. They are
// read now and may be released afterwards. Types are those that [TypeOf] says.
func FromArrow(ctx context.Context, s *mdslib.Session, records ...arrow.Record) (*mdslib.DataFrame, error) {
	if len(records) == 0 {
		return nil, errors.New("arrowmds: FromArrow: no records, so no columns: give one without rows")
	}
	schema, err := planSchema(records[0].Schema())
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		if !r.Schema().Equal(records[0].Schema()) {
			return nil, fmt.Errorf("arrowmds: FromArrow: record %d has the schema %s, the first %s", i, r.Schema(), records[0].Schema())
		}
	}
	if e, ok := s.Engine().(Engine); ok {
		of, all, err := conformed(schema, records)
		if err != nil {
			return nil, err
		}
		n, err := e.FromRecords(ctx, of, all)
		if err != nil {
			return nil, err
		}
		return s.FromPlan(n), nil
	}
	e, ok := s.Engine().(mdslib.RowsEngine)
	if !ok {
		return nil, fmt.Errorf("arrowmds: FromArrow: %s takes no rows of this process", s)
	}
	var rows [][]any
	for _, r := range records {
		for row, err := range rowsOf(r) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	n, err := e.FromRows(ctx, schema, rows)
	if err != nil {
		return nil, err
	}
	return s.FromPlan(n), nil
}

func planSchema(of *arrow.Schema) (plan.Schema, error) {
	var schema plan.Schema
	for _, f := range of.Fields() {
		t, err := TypeOf(f.Type)
		if err != nil {
			return schema, fmt.Errorf("arrowmds: column %q: %w", f.Name, err)
		}
		schema.Fields = append(schema.Fields, plan.Field{Name: f.Name, Type: t, Nullable: f.Nullable})
	}
	return schema, nil
}

// rowsOf yields the rows of a record as values.
func rowsOf(r arrow.Record) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		get := make([]func(int) any, r.NumCols())
		for c := range get {
			var err error
			if get[c], err = Values(r.Column(c)); err != nil {
				yield(nil, fmt.Errorf("arrowmds: column %q: %w", r.ColumnName(c), err))
				return
			}
		}
		for i := range int(r.NumRows()) {
			row := make([]any, len(get))
			for c := range get {
				row[c] = get[c](i)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// conformed are the records with the types that Spark's records have, and their schema: as they are, if they have them.
func conformed(schema plan.Schema, records []arrow.Record) (*arrow.Schema, iter.Seq2[arrow.Record, error], error) {
	of, err := RowSchema(schema)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range records[0].Schema().Fields() {
		if arrow.TypeEqual(f.Type, of.Field(i).Type) {
			continue
		}
		return of, func(yield func(arrow.Record, error) bool) {
			for _, r := range records {
				for made, err := range RecordsOf(schema, rowsOf(r)) {
					if !yield(made, err) || err != nil {
						return
					}
				}
			}
		}, nil
	}
	return records[0].Schema(), func(yield func(arrow.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}, nil
}

// RecordsOf makes records of rows, with values as package plan describes them. A record is good until the next one, unless it
// is retained; after an error it ends.
func RecordsOf(schema plan.Schema, rows iter.Seq2[[]any, error]) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		b, err := newRowBuilder(schema)
		if err != nil {
			yield(nil, err)
			return
		}
		defer b.builder.Release()
		give := func() bool {
			r := b.record()
			defer r.Release()
			return yield(r, nil)
		}
		for row, err := range rows {
			if err == nil {
				err = b.append(row)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if b.full() && !give() {
				return
			}
		}
		if b.rows > 0 {
			give()
		}
	}
}
