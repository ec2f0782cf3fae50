package mdslib

// Write: the rows of a DataFrame as files of tables, and as tables of a catalogue.

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// WriteSpec says where a DataFrame's rows are written: to the files of a folder, or with Table to a table. It travels as JSON.
type WriteSpec struct {
	Path    string            `json:"path,omitempty"`    // a folder
	Table   string            `json:"table,omitempty"`   // a table of the engine's catalogue, instead of Path
	Insert  bool              `json:"insert,omitempty"`  // into the Table that is there, columns by position
	Format  string            `json:"format,omitempty"`  // parquet, arrow, csv, json or another of the engine's; "" is its default
	Mode    string            `json:"mode,omitempty"`    // error, overwrite, append or ignore; "" is error, and append for Insert
	Options map[string]string `json:"options,omitempty"` // Spark's, of the format

	PartitionBy []string `json:"partition_by,omitempty"` // columns that become folders key=value
	Buckets     int      `json:"buckets,omitempty"`      // of a Table: rows are dealt to so many files by the hash of
	BucketBy    []string `json:"bucket_by,omitempty"`    // these columns
	SortBy      []string `json:"sort_by,omitempty"`      // and sorted by these within a bucket
}

// DataFrameWriter describes the files or the table that rows are written to, as Spark's DataFrameWriter. Its methods return a
// changed copy; [DataFrameWriter.Save], [DataFrameWriter.SaveAsTable] and [DataFrameWriter.InsertInto] write.
type DataFrameWriter struct {
	frame *DataFrame
	spec  WriteSpec
}

// Write starts the description of files for the rows. [DataFrameToMDS] writes data sets.
func (d *DataFrame) Write() *DataFrameWriter { return &DataFrameWriter{frame: d} }

// with returns a copy that change has changed.
func (w *DataFrameWriter) with(change func(*WriteSpec)) *DataFrameWriter {
	c := *w
	change(&c.spec)
	return &c
}

// Format names the kind of files: parquet, arrow (IPC files), csv or json (JSON lines), on Spark any that it has. Without it
// they are the engine's default: parquet, or what spark.sql.sources.default says.
func (w *DataFrameWriter) Format(format string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) { s.Format = format })
}

// Mode says what happens where the path or table exists: "error" (the default) refuses it, "overwrite" replaces what an earlier
// Save wrote there, "append" adds rows, "ignore" writes nothing.
func (w *DataFrameWriter) Mode(mode string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) { s.Mode = mode })
}

// Option sets one of Spark's options of the format: compression, and for csv header, sep, quote, escape and nullValue. An
// option the local engine doesn't know is an error.
func (w *DataFrameWriter) Option(key, value string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) {
		options := map[string]string{}
		maps.Copy(options, s.Options)
		options[key] = value
		s.Options = options
	})
}

// PartitionBy puts the rows of each value of the columns into a folder of their own, "label=rose/day=2026-11-27"; the files
// themselves don't have the columns, and reading the folder gives them back.
func (w *DataFrameWriter) PartitionBy(columns ...string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) { s.PartitionBy = slices.Clone(columns) })
}

// BucketBy deals the rows of a table out to n files by the hash of columns, for Spark's joins by them. It is for
// [DataFrameWriter.SaveAsTable].
func (w *DataFrameWriter) BucketBy(n int, columns ...string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) { s.Buckets, s.BucketBy = n, slices.Clone(columns) })
}

// SortBy sorts the rows of each bucket; see [DataFrameWriter.BucketBy].
func (w *DataFrameWriter) SortBy(columns ...string) *DataFrameWriter {
	return w.with(func(s *WriteSpec) { s.SortBy = slices.Clone(columns) })
}

// String says what is described so far, and what writes it. The values of options may be secret.
func (w *DataFrameWriter) String() string {
	s := w.spec
	parts := []string{w.frame.session.url}
	for _, part := range []struct {
		name   string
		values []string
	}{{"format", []string{s.Format}}, {"mode", []string{s.Mode}}, {"options", slices.Sorted(maps.Keys(s.Options))}, {"partitioned by", s.PartitionBy}, {"buckets by", s.BucketBy}, {"sorted by", s.SortBy}} {
		if text := strings.Join(part.values, ", "); text != "" {
			parts = append(parts, part.name+" "+text)
		}
	}
	return "mdslib.DataFrameWriter(" + strings.Join(parts, "; ") + "): Save(ctx, path) writes the files, SaveAsTable(ctx, name) a table"
}

// Save runs the plan and writes its rows to a folder, partitions in parallel, a file each, and an empty file _SUCCESS last.
// If it fails or ctx is done nothing that it wrote is left, and what lay there is as it was.
func (w *DataFrameWriter) Save(ctx context.Context, path string) error {
	spec := w.spec
	spec.Path = path
	return w.frame.session.engine.Write(ctx, w.frame.node, spec)
}

// SaveAsTable runs the plan and writes its rows to a table of the catalogue, "name" or "catalog.schema.name". An engine without
// a catalogue, such as local, refuses.
func (w *DataFrameWriter) SaveAsTable(ctx context.Context, name string) error {
	spec := w.spec
	spec.Table = name
	return w.frame.session.engine.Write(ctx, w.frame.node, spec)
}

// InsertInto runs the plan and adds its rows to a table that is there, columns matched by position; with Mode overwrite they
// replace the table's rows.
func (w *DataFrameWriter) InsertInto(ctx context.Context, name string) error {
	spec := w.spec
	spec.Table, spec.Insert = name, true
	return w.frame.session.engine.Write(ctx, w.frame.node, spec)
}

// Parquet is Save in the format parquet.
func (w *DataFrameWriter) Parquet(ctx context.Context, path string) error {
	return w.Format("parquet").Save(ctx, path)
}
