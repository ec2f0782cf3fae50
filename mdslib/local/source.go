package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"gomosaic/mdslib/plan"
)

// Origin says where a row came from, for errors. The zero value says nothing.
type Origin struct {
	File   string
	Row    int64      // counted from 1; 0 where the file is the row
	Unit   string     // what Row counts: "row" if empty
	before *lineCount // the lines of the file before those that Row counts; nil for none
}

// String names the file and the row.
func (o Origin) String() string {
	if o.Row == 0 {
		return o.File
	}
	unit := o.Unit
	if unit == "" {
		unit = "row"
	}
	row := o.Row
	if o.before != nil {
		row += o.before.lines()
	}
	return fmt.Sprintf("%s, %s %d", o.File, unit, row)
}

// Row is one row on its way through the operators. Values are as package plan describes them, nil for NULL, or an
// expr.Lazy. An operator never changes the values of a row it was given.
type Row struct {
	Values []any
	Origin Origin
}

// RowError is an error about one row.
type RowError struct {
	Origin Origin
	Err    error
}

func (e *RowError) Error() string {
	if e.Origin == (Origin{}) {
		return e.Err.Error()
	}
	return e.Origin.String() + ": " + e.Err.Error()
}

func (e *RowError) Unwrap() error { return e.Err }

// Source is an opened set of files: its columns, and splits that can be read independently and in parallel. The splits
// and their order MUST be a function of the files alone. Methods MUST be safe for concurrent use.
type Source interface {
	Schema() plan.Schema
	Splits() int

	// Scan calls yield for each row of a split, in order, until yield returns an error, which Scan returns. Only the
	// columns for which want is true need be filled. Rows and their values belong to the consumer.
	Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error
}

// SourceDriver opens a source. It reads no more than it takes to know the columns and splits.
type SourceDriver func(ctx context.Context, read *plan.Read, opts SourceOptions) (Source, error)

// SourceOptions is what the engine tells a source.
type SourceOptions struct {
	Workers    int   // goroutines it may use to open files
	ChunkBytes int64 // of a text file that one split reads; 0 leaves it to the files' sizes
}

// remoteOpeners is how many files at stores are opened side by side: it is the network that they wait for.
const remoteOpeners = 16

// Openers returns how many of the files a source should open side by side, with so many workers.
func Openers(files []File, workers int) int {
	if slices.ContainsFunc(files, func(f File) bool { return f.Remote() }) {
		return max(workers, remoteOpeners)
	}
	return max(workers, 1)
}

var sources = struct {
	sync.RWMutex
	open map[string]SourceDriver
}{open: map[string]SourceDriver{}}

// RegisterSource makes a format known to the engine, in the manner of database/sql. It panics if the name is taken.
func RegisterSource(format string, open SourceDriver) {
	sources.Lock()
	defer sources.Unlock()
	format = strings.ToLower(format)
	if format == "" || open == nil || sources.open[format] != nil {
		panic("local: RegisterSource: format " + format + " is taken, or the driver is nil")
	}
	sources.open[format] = open
}

// openSource opens what a plan reads.
func openSource(ctx context.Context, read *plan.Read, opts SourceOptions) (Source, error) {
	sources.RLock()
	open, names := sources.open[strings.ToLower(read.Format)], slices.Sorted(maps.Keys(sources.open))
	sources.RUnlock()
	if open != nil {
		if len(read.Paths) == 0 {
			return nil, fmt.Errorf("local: %s: no path given to Load", read.Format)
		}
		s, err := open(ctx, read, opts)
		if err != nil {
			return nil, fmt.Errorf("local: %s: %w", read.Format, err)
		}
		return s, nil
	}
	hint := "formats: " + strings.Join(names, ", ")
	switch strings.ToLower(read.Format) {
	case "":
		return nil, fmt.Errorf("local: no format given: call Format before Load (%s)", hint)
	case "parquet":
		hint = `import _ "gomosaic/mdslib/local/parquet"`
	case "delta":
		hint = "Delta tables need Spark; read their Parquet files only if nothing was ever deleted or rewritten"
	}
	return nil, fmt.Errorf("local: no source for format %q (%s)", read.Format, hint)
}

// NoSchema refuses columns given to a source whose files name and type their own.
func NoSchema(read *plan.Read) error {
	if read.Schema == "" {
		return nil
	}
	return errors.New("Schema is for csv and json: these files say themselves what their columns are; choose and cast them with Select")
}

// Options reads the options of a source; names match in any case, as in Spark. An unknown one is an error.
type Options struct {
	format  string
	values  map[string]string // by lower-case name
	spelled map[string]string // the names as given, by lower-case name
	asked   []string
}

// NewOptions wraps the options of a Read.
func NewOptions(read *plan.Read) *Options {
	o := &Options{format: read.Format, values: map[string]string{}, spelled: map[string]string{}}
	for k, v := range read.Options {
		o.values[strings.ToLower(k)], o.spelled[strings.ToLower(k)] = v, k
	}
	return o
}

// Text returns an option, or its default.
func (o *Options) Text(name, otherwise string) string {
	o.asked = append(o.asked, name)
	if v, ok := o.values[strings.ToLower(name)]; ok {
		return v
	}
	return otherwise
}

// Bool returns an option that is true or false.
func (o *Options) Bool(name string, otherwise bool) (bool, error) {
	switch v := strings.ToLower(o.Text(name, fmt.Sprint(otherwise))); v {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, fmt.Errorf("option %s is %q, want true or false", name, v)
	}
}

// NoEffect names options of Spark's that the local engine takes and has no use for.
func (o *Options) NoEffect(names ...string) { o.asked = append(o.asked, names...) }

// NotHere refuses options of Spark's that the local engine doesn't have, saying so.
func (o *Options) NotHere(names ...string) error {
	for _, name := range names {
		if _, ok := o.values[strings.ToLower(name)]; ok {
			return fmt.Errorf("option %s is Spark's, but the local engine doesn't have it", name)
		}
	}
	return nil
}

// Unknown reports options that nobody asked for.
func (o *Options) Unknown() error {
	if err := o.NotHere("ignoreMissingFiles", "ignoreCorruptFiles"); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(o.values)) {
		if !slices.ContainsFunc(o.asked, func(a string) bool { return strings.EqualFold(a, k) }) {
			hint := plan.Nearest(k, o.asked)
			if hint == "" {
				hint = "known: " + strings.Join(o.asked, ", ")
			}
			return fmt.Errorf("unknown option %q (%s)", o.spelled[k], hint)
		}
	}
	return nil
}
