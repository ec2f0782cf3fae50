package mdslib

// Write: the rows of a DataFrame as files of tables.

import (
	"context"
	"maps"
)

// WriteSpec says what files a DataFrame's rows are written to. It travels as JSON.
type WriteSpec struct {
	Path    string            `json:"path"`              // a folder
	Format  string            `json:"format"`            // parquet, arrow, csv or json
	Mode    string            `json:"mode,omitempty"`    // error, overwrite, append or ignore; "" is error
	Options map[string]string `json:"options,omitempty"` // Spark's, of the format
}

// DataFrameWriter describes the files that rows are written to, as Spark's DataFrameWriter. Its methods return a changed
// copy; [DataFrameWriter.Save] writes.
type DataFrameWriter struct {
	frame *DataFrame
	spec  WriteSpec
}

// Write starts the description of files for the rows. [DataFrameToMDS] writes data sets.
func (d *DataFrame) Write() *DataFrameWriter {
	return &DataFrameWriter{frame: d, spec: WriteSpec{Format: "parquet"}}
}

// Format names the kind of files: parquet (the default), arrow (IPC files), csv or json (JSON lines).
func (w *DataFrameWriter) Format(format string) *DataFrameWriter {
	c := *w
	c.spec.Format = format
	return &c
}

// Mode says what happens where the path exists: "error" (the default) refuses it, "overwrite" replaces what an earlier Save
// wrote there, "append" adds files, "ignore" writes nothing.
func (w *DataFrameWriter) Mode(mode string) *DataFrameWriter {
	c := *w
	c.spec.Mode = mode
	return &c
}

// Option sets one of Spark's options of the format: compression, and for csv header, sep, quote, escape and nullValue. An
// option the engine doesn't know is an error.
func (w *DataFrameWriter) Option(key, value string) *DataFrameWriter {
	c := *w
	c.spec.Options = map[string]string{}
	maps.Copy(c.spec.Options, w.spec.Options)
	c.spec.Options[key] = value
	return &c
}

// Save runs the plan and writes its rows to a folder, partitions in parallel, a file each, and an empty file _SUCCESS last.
// If it fails or ctx is done nothing that it wrote is left, and what lay there is as it was.
func (w *DataFrameWriter) Save(ctx context.Context, path string) error {
	spec := w.spec
	spec.Path = path
	return w.frame.session.engine.WriteFiles(ctx, w.frame.node, spec)
}

// Parquet is Save in the format parquet.
func (w *DataFrameWriter) Parquet(ctx context.Context, path string) error {
	return w.Format("parquet").Save(ctx, path)
}
