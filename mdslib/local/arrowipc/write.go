package arrowipc

// The Arrow sink: DataFrame.Write.

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

func init() { local.RegisterSink("arrow", openSink) }

// sink writes IPC files. Option: compression, none (the default), zstd or lz4.
type sink struct {
	schema plan.Schema
	codec  []ipc.Option
}

func openSink(schema plan.Schema, opts *local.Options) (local.Sink, error) {
	s := &sink{schema: schema}
	switch name := strings.ToLower(opts.Text("compression", "none")); name {
	case "none", "uncompressed":
	case "zstd":
		s.codec = []ipc.Option{ipc.WithZstd()}
	case "lz4":
		s.codec = []ipc.Option{ipc.WithLZ4()}
	default:
		return nil, fmt.Errorf("option compression is %q, want none, zstd or lz4", name)
	}
	rows, err := arrowmds.NewRowBuilder(schema) // refuses what Arrow has no type for
	if err != nil {
		return nil, err
	}
	rows.Release()
	return s, nil
}

func (s *sink) Suffix() string { return "arrow" }

func (s *sink) Create(w io.WriteSeeker) (local.RowWriter, error) {
	rows, err := arrowmds.NewRowBuilder(s.schema)
	if err != nil {
		return nil, err
	}
	file, err := ipc.NewFileWriter(w, append([]ipc.Option{ipc.WithSchema(rows.Schema())}, s.codec...)...)
	if err != nil {
		rows.Release()
		return nil, err
	}
	return &writer{rows: rows, file: file}, nil
}

type writer struct {
	rows *arrowmds.RowBuilder
	file *ipc.FileWriter
}

func (w *writer) Write(values []any) error {
	if err := w.rows.Append(values); err != nil {
		return err
	}
	if w.rows.Full() {
		return w.flush()
	}
	return nil
}

// flush writes a record batch.
func (w *writer) flush() error {
	if w.rows.Rows() == 0 {
		return nil
	}
	rec := w.rows.Record()
	defer rec.Release()
	return w.file.Write(rec)
}

func (w *writer) Close() error {
	defer w.rows.Release()
	return errors.Join(w.flush(), w.file.Close())
}
