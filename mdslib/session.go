package mdslib

import (
	"context"
	"fmt"
	"maps"

	"gomosaic/mdslib/plan"
)

// Session is a connection to an engine. It is safe for concurrent use and needs no closing.
type Session struct {
	url    string
	engine Engine
}

// Connect opens an engine: "local" runs in this process on all cores ("local[4]" on four), and needs package
// mdslib/local linked in, as it is in notebooks. A URL of another scheme is an error that says which engines are linked.
func Connect(ctx context.Context, url string) (*Session, error) {
	e, err := openEngine(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Session{url, e}, nil
}

// Read starts the description of a source, as Spark's DataFrameReader.
func (s *Session) Read() *DataFrameReader { return &DataFrameReader{session: s} }

// String names the engine.
func (s *Session) String() string { return fmt.Sprintf("mdslib.Session(%s)", s.url) }

// DataFrameReader describes a source. Its methods return a changed copy, so that a reader can be shared.
type DataFrameReader struct {
	session *Session
	format  string
	schema  string
	options map[string]string
}

// Format names the kind of files: binaryFile, parquet, arrow (IPC files and streams), csv, json (JSON lines) or mds.
func (r *DataFrameReader) Format(format string) *DataFrameReader {
	c := *r
	c.format = format
	return &c
}

// Schema gives the columns of csv and json files, as Spark's DDL strings have them: "name STRING, age INT". Without it csv
// has columns of text, or infers types with the option inferSchema, and json infers them.
func (r *DataFrameReader) Schema(ddl string) *DataFrameReader {
	c := *r
	c.schema = ddl
	return &c
}

// Option sets one of Spark's options of the format, such as recursiveFileLookup, pathGlobFilter, header, inferSchema or
// sep. An option the engine doesn't know is an error at the first action.
func (r *DataFrameReader) Option(key, value string) *DataFrameReader {
	c := *r
	c.options = map[string]string{}
	maps.Copy(c.options, r.options)
	c.options[key] = value
	return &c
}

// Load describes the files at the paths: files, folders or patterns. Nothing is read before an action.
func (r *DataFrameReader) Load(paths ...string) *DataFrame {
	return &DataFrame{session: r.session, node: &plan.Read{Format: r.format, Options: maps.Clone(r.options), Schema: r.schema, Paths: paths}}
}
