package local

// Rows written as files of tables: DataFrame.Write.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/store"
)

// Sink writes files of one format. It is safe for concurrent use.
type Sink interface {
	// Suffix ends the files' names: "snappy.parquet".
	Suffix() string

	// Create starts a file on w, which the sink doesn't close.
	Create(w io.WriteSeeker) (RowWriter, error)
}

// RowWriter writes the rows of one file. Values are as package plan describes them; they are not kept.
type RowWriter interface {
	Write(values []any) error
	Close() error
}

// SinkDriver checks the columns and options and makes a sink.
type SinkDriver func(schema plan.Schema, opts *Options) (Sink, error)

var sinks = struct {
	sync.RWMutex
	open map[string]SinkDriver
}{open: map[string]SinkDriver{}}

// RegisterSink makes a format known to the engine's writer, in the manner of database/sql. It panics if the name is taken.
func RegisterSink(format string, open SinkDriver) {
	sinks.Lock()
	defer sinks.Unlock()
	format = strings.ToLower(format)
	if format == "" || open == nil || sinks.open[format] != nil {
		panic("local: RegisterSink: format " + format + " is taken, or the driver is nil")
	}
	sinks.open[format] = open
}

func openSink(schema plan.Schema, spec mdslib.WriteSpec) (Sink, error) {
	sinks.RLock()
	open, names := sinks.open[strings.ToLower(spec.Format)], slices.Sorted(maps.Keys(sinks.open))
	sinks.RUnlock()
	if open == nil {
		hint := "formats: " + strings.Join(names, ", ")
		switch strings.ToLower(spec.Format) {
		case "delta":
			hint = "Delta tables need Spark"
		case "mds":
			hint = "DataFrameToMDS writes data sets"
		}
		return nil, fmt.Errorf("local: Write: no format %q (%s)", spec.Format, hint)
	}
	opts := NewOptions(&plan.Read{Format: spec.Format, Options: spec.Options})
	s, err := open(schema, opts)
	if err == nil {
		err = opts.Unknown()
	}
	if err != nil {
		return nil, fmt.Errorf("local: Write: %s: %w", spec.Format, err)
	}
	return s, nil
}

// success is the name of the empty file that Spark and others write last.
const success = "_SUCCESS"

// Write implements mdslib.Engine. Files are written below a folder whose name starts with "_", so that no reader takes
// them, and get their places when all are complete.
func (e *engine) Write(ctx context.Context, p plan.Node, spec mdslib.WriteSpec) (err error) {
	if spec.Table != "" {
		return fmt.Errorf("local: Write: this engine has no tables: Save writes files, and Spark (sc://host:port) has a catalogue")
	}
	if len(spec.BucketBy) > 0 || len(spec.SortBy) > 0 {
		return errors.New("local: Write: BucketBy and SortBy are for tables, which Spark (sc://host:port) has: use PartitionBy, or OrderBy before Write")
	}
	if spec.Format == "" {
		spec.Format = "parquet"
	}
	dir, local := store.LocalPath(spec.Path)
	if !local || dir == "" {
		return fmt.Errorf("local: Write: path %q: the local engine writes to this machine only", store.Redacted(spec.Path))
	}
	earlier, made, err := checkTarget(dir, spec.Mode)
	if errors.Is(err, errIgnore) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("local: Write: %w", err)
	}
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return err
	}
	r = r.fetchedAhead()
	into, err := foldersOf(r.schema, spec.PartitionBy, e.env)
	if err != nil {
		return fmt.Errorf("local: Write: %w", err)
	}
	sink, err := openSink(into.own, spec)
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%016x", rand.Uint64())
	temp := filepath.Join(dir, "_temporary-"+id)
	if err := os.MkdirAll(temp, 0o777); err != nil {
		return fmt.Errorf("local: Write: %w", err)
	}
	defer func() {
		removed := os.RemoveAll(temp)
		if err != nil && made {
			os.Remove(dir)
		}
		if removed != nil {
			err = errors.Join(err, fmt.Errorf("local: Write: delete %s: %w", temp, removed))
		}
	}()
	names, err := e.writeParts(ctx, r, into, sink, temp, id)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("local: Write was interrupted: %w", context.Cause(ctx))
		}
		return fmt.Errorf("%w\n(nothing was written to %s)", err, dir)
	}
	for _, name := range earlier { // _SUCCESS first
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("local: Write: %w", err)
		}
	}
	for _, name := range earlier { // folders that are empty now; others stay
		if folder := filepath.Dir(name); folder != "." {
			for ; folder != "." && os.Remove(filepath.Join(dir, folder)) == nil; folder = filepath.Dir(folder) {
			}
		}
	}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			return fmt.Errorf("local: Write: %w", err)
		}
		if err := os.Rename(filepath.Join(temp, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("local: Write: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, success), nil, 0o666); err != nil {
		return fmt.Errorf("local: Write: %w", err)
	}
	return nil
}

var errIgnore = errors.New("ignored")

// checkTarget sees whether dir may be written to and what must make room.
func checkTarget(dir, mode string) (earlier []string, made bool, err error) {
	mode = strings.ToLower(mode)
	if !slices.Contains([]string{"", "error", "errorifexists", "overwrite", "append", "ignore"}, mode) {
		return nil, false, fmt.Errorf("mode %q, want error, overwrite, append or ignore", mode)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, true, nil
	case err != nil:
		return nil, false, err
	case len(entries) == 0 || mode == "append":
		return nil, false, nil
	case mode == "ignore":
		return nil, false, errIgnore
	case mode != "overwrite":
		return nil, false, fmt.Errorf("%s is not empty (%w): choose another folder, or Mode overwrite or append", dir, fs.ErrExist)
	}
	earlier, err = written(dir)
	return earlier, false, err
}

// writeParts writes a file for each partition with rows, or one for each folder that it has rows of, at least one file, and
// returns their names in order.
func (e *engine) writeParts(ctx context.Context, r *relation, into *folders, sink Sink, dir, id string) ([]string, error) {
	names := make([][]string, len(r.partitions))
	write := func(ctx context.Context, i int, run partition) error {
		files := &partFiles{sink: sink, dir: dir, part: i, id: id}
		err := run(ctx, func(row Row) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			values := row.Values
			for c, v := range row.Values {
				read, err := force(v, row.Origin)
				if err != nil {
					return err
				}
				if _, lazy := v.(expr.Lazy); lazy {
					if &values[0] == &row.Values[0] {
						values = slices.Clone(row.Values)
					}
					values[c] = read
				}
			}
			folder, own, err := into.split(values)
			if err == nil {
				var f *partFile
				if f, err = files.of(folder); err != nil {
					return err
				}
				err = f.rows.Write(own)
			}
			if err != nil {
				return &RowError{row.Origin, err}
			}
			return nil
		})
		names[i] = files.names
		return errors.Join(err, files.close())
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.workers)
	for i, p := range r.partitions {
		group.Go(func() error { return write(groupCtx, i, p) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(names...)
	if len(all) == 0 && len(into.at) == 0 { // the columns, at least
		f, err := createPart(sink, dir, fmt.Sprintf("part-00000-%s.%s", id, sink.Suffix()))
		if err != nil {
			return nil, err
		}
		return []string{f.name}, f.close()
	}
	return all, ctx.Err()
}

// partFile is a file being written.
type partFile struct {
	name string
	file *os.File
	rows RowWriter
}

func createPart(sink Sink, dir, name string) (*partFile, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	rows, err := sink.Create(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &partFile{name, f, rows}, nil
}

func (p *partFile) close() error { return errors.Join(p.rows.Close(), p.file.Close()) }
