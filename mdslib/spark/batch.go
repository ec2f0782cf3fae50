package spark

// From Arrow's record batches to ours.

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/mdslib"
	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// arrowStreams yields the Arrow streams among a plan's answers, put together from the pieces that a large one comes in.
func arrowStreams(answers iter.Seq2[*pb.ExecutePlanResponse, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var pieces [][]byte
		for answer, err := range answers {
			if err != nil {
				yield(nil, err)
				return
			}
			b := answer.GetArrowBatch()
			if b == nil {
				continue
			}
			whole := b.Data
			if total := b.GetNumChunksInBatch(); total > 1 {
				if int(b.GetChunkIndex()) != len(pieces) {
					yield(nil, fmt.Errorf("spark: the server sent piece %d of a batch after piece %d", b.GetChunkIndex(), len(pieces)-1))
					return
				}
				if pieces = append(pieces, b.Data); int64(len(pieces)) < total {
					continue
				}
				whole, pieces = bytes.Join(pieces, nil), nil
			}
			if !yield(whole, nil) {
				return
			}
		}
		if len(pieces) > 0 {
			yield(nil, fmt.Errorf("spark: the results end within a batch, after piece %d of it", len(pieces)-1))
		}
	}
}

// batches reads an Arrow stream: its schema, then its records. Batches alias its bytes, text excepted.
func batches(stream []byte) iter.Seq2[*mdslib.Batch, error] {
	return func(yield func(*mdslib.Batch, error) bool) {
		for r, err := range records(stream) {
			var b *mdslib.Batch
			if err == nil {
				b, err = batchOf(r)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

func batchOf(record arrow.Record) (*mdslib.Batch, error) {
	b := &mdslib.Batch{Rows: int(record.NumRows())}
	for i, f := range record.Schema().Fields() {
		t, err := arrowmds.TypeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("spark: column %q: %w", f.Name, err)
		}
		column, err := columnOf(record.Column(i), t)
		if err != nil {
			return nil, fmt.Errorf("spark: column %q: %w", f.Name, err)
		}
		b.Schema.Fields = append(b.Schema.Fields, plan.Field{Name: f.Name, Type: t, Nullable: f.Nullable})
		b.Columns = append(b.Columns, column)
	}
	return b, nil
}

// columnOf makes a column of an array. Numbers and binary values alias the array's memory, which the garbage collector keeps.
func columnOf(a arrow.Array, t plan.Type) (mdslib.BatchColumn, error) {
	c := mdslib.BatchColumn{Valid: validity(a)}
	switch a := a.(type) {
	case *array.Int8:
		c.Data = a.Int8Values()
	case *array.Int16:
		c.Data = a.Int16Values()
	case *array.Int32:
		c.Data = a.Int32Values()
	case *array.Int64:
		c.Data = a.Int64Values()
	case *array.Float32:
		c.Data = a.Float32Values()
	case *array.Float64:
		c.Data = a.Float64Values()
	case *array.Binary:
		values := make([][]byte, a.Len())
		for i := range values {
			if a.IsValid(i) {
				v := a.Value(i)
				values[i] = v[:len(v):len(v)]
			}
		}
		c.Data = values
	default:
		get, err := arrowmds.Values(a)
		if err != nil {
			return c, err
		}
		c.Data = boxed(a.Len(), get, t.Kind)
	}
	return c, nil
}

// boxed takes the values one by one into the slice that a column of this kind has.
func boxed(n int, get func(int) any, k plan.Kind) any {
	switch k {
	case plan.Boolean:
		return slice[bool](n, get)
	case plan.String:
		return slice[string](n, get)
	case plan.Binary:
		return slice[[]byte](n, get)
	case plan.Date:
		return slice[plan.DateValue](n, get)
	case plan.Timestamp, plan.TimestampNTZ:
		return slice[plan.TimestampValue](n, get)
	case plan.Decimal:
		return slice[plan.DecimalValue](n, get)
	}
	return slice[any](n, get)
}

func slice[T any](n int, get func(int) any) []T {
	values := make([]T, n)
	for i := range values {
		values[i], _ = get(i).(T) // NULL is the zero value
	}
	return values
}

// validity is nil where no value is NULL.
func validity(a arrow.Array) []bool {
	if a.NullN() == 0 {
		return nil
	}
	valid := make([]bool, a.Len())
	for i := range valid {
		valid[i] = a.IsValid(i)
	}
	return valid
}
