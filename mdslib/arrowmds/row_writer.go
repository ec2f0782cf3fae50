package arrowmds

// Rows of values, as package plan describes them, into files of Arrow records.

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib/plan"
)

// Rows are written to files in records of so many rows or about so many bytes.
const (
	recordRows  = 1024
	recordBytes = 8 << 20
)

// RecordFile is a file that records are written to, in whatever format. Close ends it.
type RecordFile interface {
	Write(arrow.Record) error
	Close() error
}

// RowWriter writes rows to a file. Its methods are called from one goroutine at a time.
type RowWriter struct {
	rows *rowBuilder
	file RecordFile
}

// NewRowWriter opens a file for rows of a schema; create gets the schema of its records. Close must be called.
func NewRowWriter(schema plan.Schema, create func(*arrow.Schema) (RecordFile, error)) (*RowWriter, error) {
	rows, err := newRowBuilder(schema)
	if err != nil {
		return nil, err
	}
	file, err := create(rows.builder.Schema())
	if err != nil {
		rows.builder.Release()
		return nil, err
	}
	return &RowWriter{rows, file}, nil
}

// Write adds a row.
func (w *RowWriter) Write(row []any) error {
	if err := w.rows.append(row); err != nil {
		return err
	}
	if w.rows.full() {
		return w.flush()
	}
	return nil
}

func (w *RowWriter) flush() error {
	if w.rows.rows == 0 {
		return nil
	}
	record := w.rows.record()
	defer record.Release()
	return w.file.Write(record)
}

// Close writes the last rows and ends the file.
func (w *RowWriter) Close() error {
	defer w.rows.builder.Release()
	return errors.Join(w.flush(), w.file.Close())
}

// RowSchema is the schema of records that hold rows of a schema, or an error that names a column for which Arrow has no type.
func RowSchema(schema plan.Schema) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(schema.Fields))
	for i, f := range schema.Fields {
		t, err := arrowType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("arrowmds: column %q: %w", f.Name, err)
		}
		fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: true}
	}
	return arrow.NewSchema(fields, nil), nil
}

// rowBuilder makes records of rows; its builder must be released.
type rowBuilder struct {
	schema  plan.Schema
	builder *array.RecordBuilder
	rows    int // since the last record, and their bytes
	bytes   int
}

func newRowBuilder(schema plan.Schema) (*rowBuilder, error) {
	of, err := RowSchema(schema)
	if err != nil {
		return nil, err
	}
	return &rowBuilder{schema: schema, builder: array.NewRecordBuilder(memory.DefaultAllocator, of)}, nil
}

// full tells whether the rows are enough for a record.
func (b *rowBuilder) full() bool { return b.rows >= recordRows || b.bytes >= recordBytes }

func (b *rowBuilder) append(row []any) error {
	for i, f := range b.schema.Fields {
		if err := appendValue(b.builder.Field(i), row[i], f.Type); err != nil {
			return fmt.Errorf("arrowmds: column %q: %w", f.Name, err)
		}
		switch v := row[i].(type) {
		case string:
			b.bytes += len(v)
		case []byte:
			b.bytes += len(v)
		default:
			b.bytes += 8
		}
	}
	b.rows++
	return nil
}

// record returns the rows added since the last one. The caller releases it.
func (b *rowBuilder) record() arrow.Record {
	b.rows, b.bytes = 0, 0
	return b.builder.NewRecord()
}
