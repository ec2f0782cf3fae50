package arrowipc

// The Arrow sink: DataFrame.Write.

import (
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
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
	if _, err := arrowmds.RowSchema(schema); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *sink) Suffix() string { return "arrow" }

func (s *sink) Create(w io.WriteSeeker) (local.RowWriter, error) {
	return arrowmds.NewRowWriter(s.schema, func(schema *arrow.Schema) (arrowmds.RecordFile, error) {
		return ipc.NewFileWriter(w, append([]ipc.Option{ipc.WithSchema(schema)}, s.codec...)...)
	})
}
