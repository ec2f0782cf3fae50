package exchange

// The values of a column of a Parquet file, as rows have them.

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"gomosaic/mdslib/plan"
)

// readAs tells whether a column has single values, perhaps NULL, which Spark reads as ones of a type.
func readAs(c *schema.Column, t plan.Type) bool {
	if c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 || len(c.ColumnPath()) != 1 {
		return false
	}
	of, noted := c.PhysicalType(), c.LogicalType()
	whole := func(bits int8) bool { return noted.Equals(schema.NewIntLogicalType(bits, true)) }
	switch t.Kind {
	case plan.Boolean:
		return of == parquet.Types.Boolean && noted.IsNone()
	case plan.Byte:
		return of == parquet.Types.Int32 && whole(8)
	case plan.Short:
		return of == parquet.Types.Int32 && whole(16)
	case plan.Int:
		return of == parquet.Types.Int32 && (noted.IsNone() || whole(32))
	case plan.Long:
		return of == parquet.Types.Int64 && (noted.IsNone() || whole(64))
	case plan.Float:
		return of == parquet.Types.Float && noted.IsNone()
	case plan.Double:
		return of == parquet.Types.Double && noted.IsNone()
	case plan.Binary:
		return of == parquet.Types.ByteArray && noted.IsNone()
	case plan.String:
		return of == parquet.Types.ByteArray && noted.Equals(schema.StringLogicalType{})
	}
	return false
}

// valueReader reads a column's values, some at a time.
type valueReader interface {
	// read decodes the values of the next n rows. Fewer are an error.
	read(n int64) error
	// appendNext appends the value of the next of the rows that were read.
	appendNext(row []byte) []byte
}

// newValueReader reads a column that [readAs] accepts, at most so many rows at a time.
func newValueReader(c file.ColumnChunkReader, t plan.Type, rows int) (valueReader, error) {
	le := binary.LittleEndian
	switch c := c.(type) {
	case *file.BooleanColumnChunkReader:
		return newValues(c.ReadBatch, c, rows, func(row []byte, v bool) []byte {
			if v {
				return append(row, 1)
			}
			return append(row, 0)
		}), nil
	case *file.Int32ColumnChunkReader:
		put := func(row []byte, v int32) []byte { return le.AppendUint32(row, uint32(v)) }
		switch t.Kind {
		case plan.Byte:
			put = func(row []byte, v int32) []byte { return append(row, byte(v)) }
		case plan.Short:
			put = func(row []byte, v int32) []byte { return le.AppendUint16(row, uint16(v)) }
		}
		return newValues(c.ReadBatch, c, rows, put), nil
	case *file.Int64ColumnChunkReader:
		return newValues(c.ReadBatch, c, rows, func(row []byte, v int64) []byte { return le.AppendUint64(row, uint64(v)) }), nil
	case *file.Float32ColumnChunkReader:
		return newValues(c.ReadBatch, c, rows, func(row []byte, v float32) []byte { return le.AppendUint32(row, math.Float32bits(v)) }), nil
	case *file.Float64ColumnChunkReader:
		return newValues(c.ReadBatch, c, rows, func(row []byte, v float64) []byte { return le.AppendUint64(row, math.Float64bits(v)) }), nil
	case *file.ByteArrayColumnChunkReader:
		return newValues(c.ReadBatch, c, rows, func(row []byte, v parquet.ByteArray) []byte {
			return append(binary.AppendUvarint(row, uint64(len(v))), v...)
		}), nil
	}
	return nil, fmt.Errorf("values of type %s are not read", c.Type())
}

// values reads values that Arrow has as T's.
type values[T any] struct {
	chunk file.ColumnChunkReader
	batch func(n int64, values []T, defined, repeated []int16) (rows int64, read int, err error) // of chunk
	put   func(row []byte, v T) []byte

	values  []T     // those that are not NULL
	defined []int16 // 0 where a row's is NULL; nil where none can be
	row     int     // the next
	value   int     // the next
}

func newValues[T any](batch func(int64, []T, []int16, []int16) (int64, int, error), c file.ColumnChunkReader, rows int, put func(row []byte, v T) []byte) *values[T] {
	v := &values[T]{chunk: c, batch: batch, put: put, values: make([]T, rows)}
	if c.Descriptor().MaxDefinitionLevel() > 0 {
		v.defined = make([]int16, rows)
	}
	return v
}

func (v *values[T]) read(n int64) error {
	v.row, v.value = 0, 0
	rows, read, err := v.batch(n, v.values, v.defined, nil)
	if err == nil {
		err = v.chunk.Err() // why there are no more pages, of which batch says nothing
	}
	if err != nil {
		return err
	}
	want := n
	if v.defined != nil {
		want = 0
		for _, level := range v.defined[:rows] {
			want += int64(level) // 1 at most
		}
	}
	if rows != n || int64(read) != want {
		return fmt.Errorf("%d of %d rows have values, and there are %d", want, n, read)
	}
	return nil
}

func (v *values[T]) appendNext(row []byte) []byte {
	if v.defined != nil {
		v.row++
		if v.defined[v.row-1] == 0 {
			return append(row, 0)
		}
	}
	v.value++
	return v.put(append(row, 1), v.values[v.value-1])
}
