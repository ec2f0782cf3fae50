package mdslib

import (
	"fmt"
	"iter"
	"time"

	"gomosaic/mdslib/plan"
)

// Batch is some rows of a DataFrame, column by column. An engine yields it and does not touch it afterwards.
type Batch struct {
	Schema  Schema
	Rows    int
	Columns []BatchColumn // one for each field of Schema, each of Rows values
}

// BatchColumn is one column's values. Data is a slice of the Go type that package plan gives for the column's type:
// []bool, []int8, []int16, []int32, []int64, []float32, []float64, []string, [][]byte, []plan.DateValue,
// []plan.TimestampValue, []plan.DecimalValue, or []any for arrays, structs and maps. Where Valid is not nil and false
// the value is NULL and the element is zero.
type BatchColumn struct {
	Data  any
	Valid []bool
}

// Value returns the value of row i, nil for NULL.
func (c BatchColumn) Value(i int) any {
	if c.Valid != nil && !c.Valid[i] {
		return nil
	}
	switch d := c.Data.(type) {
	case []bool:
		return d[i]
	case []int8:
		return d[i]
	case []int16:
		return d[i]
	case []int32:
		return d[i]
	case []int64:
		return d[i]
	case []float32:
		return d[i]
	case []float64:
		return d[i]
	case []string:
		return d[i]
	case [][]byte:
		return d[i]
	case []plan.DateValue:
		return d[i]
	case []plan.TimestampValue:
		return d[i]
	case []plan.DecimalValue:
		return d[i]
	case []any:
		return d[i]
	}
	return nil
}

// NewBatch turns rows of values, as package plan describes them, into a batch.
func NewBatch(schema Schema, rows [][]any) (*Batch, error) {
	b := &Batch{Schema: schema, Rows: len(rows), Columns: make([]BatchColumn, len(schema.Fields))}
	for i, f := range schema.Fields {
		var err error
		switch f.Type.Kind {
		case plan.Boolean:
			b.Columns[i], err = columnOf[bool](rows, i)
		case plan.Byte:
			b.Columns[i], err = columnOf[int8](rows, i)
		case plan.Short:
			b.Columns[i], err = columnOf[int16](rows, i)
		case plan.Int:
			b.Columns[i], err = columnOf[int32](rows, i)
		case plan.Long:
			b.Columns[i], err = columnOf[int64](rows, i)
		case plan.Float:
			b.Columns[i], err = columnOf[float32](rows, i)
		case plan.Double:
			b.Columns[i], err = columnOf[float64](rows, i)
		case plan.String:
			b.Columns[i], err = columnOf[string](rows, i)
		case plan.Binary:
			b.Columns[i], err = columnOf[[]byte](rows, i)
		case plan.Date:
			b.Columns[i], err = columnOf[plan.DateValue](rows, i)
		case plan.Timestamp, plan.TimestampNTZ:
			b.Columns[i], err = columnOf[plan.TimestampValue](rows, i)
		case plan.Decimal:
			b.Columns[i], err = columnOf[plan.DecimalValue](rows, i)
		default:
			b.Columns[i], err = columnOf[any](rows, i)
		}
		if err != nil {
			return nil, fmt.Errorf("mdslib: column %q of type %s: %w", f.Name, f.Type, err)
		}
	}
	return b, nil
}

func columnOf[T any](rows [][]any, i int) (BatchColumn, error) {
	data := make([]T, len(rows))
	var valid []bool
	for r, row := range rows {
		if row[i] == nil {
			if valid == nil {
				valid = make([]bool, len(rows))
				for j := range r {
					valid[j] = true
				}
			}
			continue
		}
		v, ok := row[i].(T)
		if !ok {
			return BatchColumn{}, fmt.Errorf("row %d holds a %T", r, row[i])
		}
		data[r] = v
		if valid != nil {
			valid[r] = true
		}
	}
	return BatchColumn{data, valid}, nil
}

// Row returns the values of row i, nil for NULL.
func (b *Batch) Row(i int) []any {
	row := make([]any, len(b.Columns))
	for c := range b.Columns {
		row[c] = b.Columns[c].Value(i)
	}
	return row
}

// Samples yields the rows as samples: column name → value, dates and timestamps as time.Time in UTC, decimals as
// [Decimal], structs as [Object].
func (b *Batch) Samples() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for i := range b.Rows {
			s := make(Sample, len(b.Columns))
			for c, f := range b.Schema.Fields {
				s[f.Name] = goValue(b.Columns[c].Value(i), f.Type)
			}
			if !yield(s) {
				return
			}
		}
	}
}

// goValue turns a plan's value into the one that Go programs expect.
func goValue(v any, t plan.Type) any {
	switch v := v.(type) {
	case plan.DateValue:
		return v.Time()
	case plan.TimestampValue:
		return v.Time()
	case plan.DecimalValue:
		return DecimalOf(v.Unscaled, v.Scale)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = goValue(e, *t.Elem)
		}
		return out
	case plan.StructValue:
		out := make(Object, len(v))
		for i, e := range v {
			out[i] = Member{t.Fields[i].Name, goValue(e, t.Fields[i].Type)}
		}
		return out
	case plan.MapValue:
		out := make(Object, len(v))
		for i, e := range v {
			out[i] = Member{fmt.Sprint(goValue(e.Key, *t.Key)), goValue(e.Value, *t.Elem)}
		}
		return out
	}
	return v
}

// jsonValue is goValue with dates, timestamps and decimals as text, for the json encoding.
func jsonValue(v any, t plan.Type) any {
	switch v := v.(type) {
	case plan.DateValue:
		return v.String()
	case plan.TimestampValue:
		return v.Time().Format(time.RFC3339Nano)
	case plan.DecimalValue:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = jsonValue(e, *t.Elem)
		}
		return out
	case plan.StructValue:
		out := make(Object, len(v))
		for i, e := range v {
			out[i] = Member{t.Fields[i].Name, jsonValue(e, t.Fields[i].Type)}
		}
		return out
	case plan.MapValue:
		out := make(Object, len(v))
		for i, e := range v {
			out[i] = Member{fmt.Sprint(jsonValue(e.Key, *t.Key)), jsonValue(e.Value, *t.Elem)}
		}
		return out
	}
	return v
}
