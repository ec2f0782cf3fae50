package mdslib

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// Session is a connection to an engine. It is safe for concurrent use and needs no closing; [Session.Stop] frees at once
// what the engine keeps for it.
type Session struct {
	url    string
	engine Engine
}

// Connect opens an engine: "local" runs in this process on all cores ("local[4]" on four), "sc://host:port" is a Spark
// Connect server, "spark-local" starts one from the Spark that is installed here and ends it with this process, and "" is
// what $SPARK_REMOTE says, else local. The engines are packages mdslib/local and mdslib/spark, which notebooks have linked in. A URL of another scheme is an error that says which engines are linked.
//
// The parameters of a Spark server follow its address, each after a semicolon, as PySpark has them:
// "sc://host:443/;token=…;use_ssl=true;x-databricks-cluster-id=…". A server that can't be reached is Connect's error.
func Connect(ctx context.Context, url string) (*Session, error) {
	if url == "" {
		url = cmp.Or(os.Getenv("SPARK_REMOTE"), "local")
	}
	e, err := openEngine(ctx, url)
	if err != nil {
		return nil, err
	}
	url, _, _ = strings.Cut(url, ";") // parameters may be secret
	s := &Session{url, e}
	s.activate()
	return s, nil
}

// Stop ends the session: a Spark server then drops its temporary views and what still runs for it. Its DataFrames cannot be
// used any more.
func (s *Session) Stop() error {
	s.deactivate()
	if c, ok := s.engine.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// SQL is spark.sql: a query is a DataFrame, run when it is used; a command, such as CREATE TEMPORARY VIEW, is run at once,
// and its rows are the DataFrame's. An engine without SQL, such as local, refuses.
func (s *Session) SQL(ctx context.Context, query string) (*DataFrame, error) {
	e, err := s.sql("SQL")
	if err != nil {
		return nil, err
	}
	n, err := e.SQL(ctx, query)
	if err != nil {
		return nil, err
	}
	return &DataFrame{session: s, node: n}, nil
}

// Conf is spark.conf.get: a setting of the session, such as "spark.sql.shuffle.partitions".
func (s *Session) Conf(ctx context.Context, key string) (string, error) {
	e, err := s.sql("Conf")
	if err != nil {
		return "", err
	}
	return e.Conf(ctx, key)
}

// SetConf is spark.conf.set: it changes a setting for what the session runs from now on.
func (s *Session) SetConf(ctx context.Context, key, value string) error {
	e, err := s.sql("SetConf")
	if err != nil {
		return err
	}
	return e.SetConf(ctx, key, value)
}

// sql is the engine, if it has SQL, for what is asked of it.
func (s *Session) sql(what string) (SQLEngine, error) {
	if e, ok := s.engine.(SQLEngine); ok {
		return e, nil
	}
	return nil, fmt.Errorf("mdslib: %s: the engine %s has no SQL statements and no settings: connect to Spark (sc://host:port), or use the DataFrame's methods", what, s.url)
}

// Engine is what runs the session's plans, for packages that know more of an engine than this one does.
func (s *Session) Engine() Engine { return s.engine }

// FromPlan is the DataFrame of a plan.
func (s *Session) FromPlan(n plan.Node) *DataFrame { return &DataFrame{session: s, node: n} }

// Table is a table or view of the engine's catalogue: "name" or "catalog.schema.name".
func (s *Session) Table(name string) *DataFrame {
	return &DataFrame{session: s, node: &plan.Table{Name: name}}
}

// Range is the whole numbers from start to end, without end, in a column id.
func (s *Session) Range(start, end int64) *DataFrame {
	return &DataFrame{session: s, node: &plan.Range{Start: start, End: end, Step: 1}}
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

// String says what is described so far, and what reads it. The values of options may be secret.
func (r *DataFrameReader) String() string {
	parts := []string{r.session.url}
	if r.format != "" {
		parts = append(parts, "format "+r.format)
	}
	if r.schema != "" {
		parts = append(parts, "schema "+r.schema)
	}
	if len(r.options) > 0 {
		parts = append(parts, "options "+strings.Join(slices.Sorted(maps.Keys(r.options)), ", "))
	}
	return "mdslib.DataFrameReader(" + strings.Join(parts, "; ") + "): Load(path) makes the DataFrame"
}

// Load describes the files at the paths: files, folders or patterns. Nothing is read before an action.
func (r *DataFrameReader) Load(paths ...string) *DataFrame {
	return &DataFrame{session: r.session, node: &plan.Read{Format: r.format, Options: maps.Clone(r.options), Schema: r.schema, Paths: paths}}
}
