package parquet

// The Parquet sink: DataFrame.Write.

import (
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
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
	if _, err := arrowmds.RowSchema(schema); err != nil {
		return nil, err
	}
	s := &sink{schema, codec, name + ".parquet"}
	if codec == compress.Codecs.Uncompressed {
		s.suffix = "parquet"
	}
	return s, nil
}

func (s *sink) Suffix() string { return s.suffix }

func (s *sink) Create(w io.WriteSeeker) (local.RowWriter, error) {
	return arrowmds.NewRowWriter(s.schema, func(schema *arrow.Schema) (arrowmds.RecordFile, error) {
		// The Arrow schema isn't stored: Spark ignores it, and other readers take the types of Parquet as well.
		file, err := pqarrow.NewFileWriter(schema, keepOpen{w}, pq.NewWriterProperties(pq.WithCompression(s.codec), pq.WithMaxRowGroupLength(1<<40)), pqarrow.NewArrowWriterProperties())
		return rowGroups{file}, err
	})
}

// keepOpen hides the Close of a file, which Arrow's writer would call.
type keepOpen struct{ io.Writer }

// rowGroups ends a row group when it has its bytes.
type rowGroups struct{ *pqarrow.FileWriter }

// Write implements [arrowmds.RecordFile].
func (g rowGroups) Write(record arrow.Record) error {
	if g.RowGroupTotalBytesWritten() >= rowGroupBytes {
		g.NewBufferedRowGroup()
	}
	return g.WriteBuffered(record)
}
