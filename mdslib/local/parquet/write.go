package parquet

// The Parquet sink: DataFrame.Write.

import (
	"errors"
	"fmt"
	"io"
	"strings"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

func init() { local.RegisterSink("parquet", openSink) }

// rowGroupBytes ends a row group, as in Spark's writer.
const rowGroupBytes = 128 << 20

var codecs = map[string]compress.Compression{
	"none": compress.Codecs.Uncompressed, "uncompressed": compress.Codecs.Uncompressed, "snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip,
	"zstd": compress.Codecs.Zstd, "brotli": compress.Codecs.Brotli,
}

// sink writes Parquet files as Spark reads and writes them: snappy unless the option compression says otherwise.
type sink struct {
	schema plan.Schema
	codec  compress.Compression
	suffix string
}

func openSink(schema plan.Schema, opts *local.Options) (local.Sink, error) {
	name := strings.ToLower(opts.Text("compression", "snappy"))
	codec, ok := codecs[name]
	if !ok {
		return nil, fmt.Errorf("option compression is %q, want none, snappy, gzip, zstd or brotli", name)
	}
	rows, err := arrowmds.NewRowBuilder(schema) // refuses what Arrow has no type for
	if err != nil {
		return nil, err
	}
	rows.Release()
	s := &sink{schema, codec, name + ".parquet"}
	if codec == compress.Codecs.Uncompressed {
		s.suffix = "parquet"
	}
	return s, nil
}

func (s *sink) Suffix() string { return s.suffix }

func (s *sink) Create(w io.WriteSeeker) (local.RowWriter, error) {
	rows, err := arrowmds.NewRowBuilder(s.schema)
	if err != nil {
		return nil, err
	}
	// The Arrow schema isn't stored: Spark ignores it, and other readers take the types of Parquet as well.
	file, err := pqarrow.NewFileWriter(rows.Schema(), keepOpen{w}, pq.NewWriterProperties(pq.WithCompression(s.codec), pq.WithMaxRowGroupLength(1<<40)), pqarrow.NewArrowWriterProperties())
	if err != nil {
		rows.Release()
		return nil, err
	}
	return &writer{rows: rows, file: file}, nil
}

// keepOpen hides the Close of a file, which Arrow's writer would call.
type keepOpen struct{ io.Writer }

type writer struct {
	rows *arrowmds.RowBuilder
	file *pqarrow.FileWriter
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

// flush hands the rows to Arrow.
func (w *writer) flush() error {
	if w.rows.Rows() == 0 {
		return nil
	}
	rec := w.rows.Record()
	defer rec.Release()
	if w.file.RowGroupTotalBytesWritten() >= rowGroupBytes {
		w.file.NewBufferedRowGroup()
	}
	return w.file.WriteBuffered(rec)
}

func (w *writer) Close() error {
	defer w.rows.Release()
	return errors.Join(w.flush(), w.file.Close())
}
