// Package parquet is the local engine's Parquet source, linked with a blank import. It is apart from package local because
// it needs Apache Arrow, which is larger than all the rest.
package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

func init() { local.RegisterSource("parquet", open) }

// Rows are decoded so many at once, and fewer where they are large: about so many bytes, which the processor's cache holds.
const (
	mostRows   = 256
	batchBytes = 1 << 20
)

// source reads Parquet files by the schema of the first one; columns that another file lacks are NULL in its rows. Splits
// are runs of row groups.
type source struct {
	files  []local.File
	groups []rowGroup
	splits []local.Split // of groups
	schema plan.Schema
	own    plan.Schema // the files' columns
	into   func(row []any, f *local.File) []any
}

type rowGroup struct {
	file  int
	group int
	rows  int64
	first int64 // rows of the file before it
}

func open(ctx context.Context, read *plan.Read, so local.SourceOptions) (local.Source, error) {
	opts := local.NewOptions(read)
	files, err := local.ListFiles(ctx, read, opts)
	if err != nil {
		return nil, err
	}
	if merge, err := opts.Bool("mergeSchema", false); err != nil {
		return nil, err
	} else if merge {
		return nil, fmt.Errorf("option mergeSchema isn't part of the local engine: the schema is the first file's")
	}
	if err := opts.Unknown(); err != nil {
		return nil, err
	}
	if err := local.NoSchema(read); err != nil {
		return nil, err
	}
	if len(files.List) == 0 {
		return nil, fmt.Errorf("no Parquet file at %s", strings.Join(read.Paths, ", "))
	}
	s := &source{files: files.List}
	groups := make([][]rowGroup, len(s.files))
	sizes := make([][]int64, len(s.files))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(local.Openers(files.List, so.Workers))
	for i := range s.files {
		f := &s.files[i]
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = damaged(f.Path, p)
				}
			}()
			if err := groupCtx.Err(); err != nil {
				return err
			}
			r, err := openFile(groupCtx, f)
			if err != nil {
				return err
			}
			defer r.Close()
			var first int64
			for g := range r.NumRowGroups() {
				md := r.MetaData().RowGroup(g)
				groups[i] = append(groups[i], rowGroup{i, g, md.NumRows(), first})
				sizes[i] = append(sizes[i], md.TotalByteSize())
				first += md.NumRows()
			}
			if i == 0 {
				s.own, err = schemaOf(r)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var weights []local.File // PackFiles deals row groups as it deals files
	for i := range groups {
		for g := range groups[i] {
			s.groups = append(s.groups, groups[i][g])
			weights = append(weights, local.File{Bytes: sizes[i][g]})
		}
	}
	s.splits = local.PackFiles(weights)
	s.schema, s.into = files.Joined(s.own)
	return s, nil
}

func openFile(ctx context.Context, f *local.File) (*file.Reader, error) {
	at, err := f.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkEnd(at); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Path, err), at.Close())
	}
	properties := parquet.NewReaderProperties(nil)
	properties.BufferedStreamEnabled = !f.Remote() // page by page; at a store each column of a row group is one request
	r, err := file.NewParquetReader(at, file.WithReadProps(properties))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Path, err), at.Close())
	}
	return r, nil
}

// checkEnd sees whether a file ends as Parquet files do: of another one Arrow says that its metadata is too large.
func checkEnd(at io.ReadSeeker) error {
	var end [4]byte
	size, err := at.Seek(0, io.SeekEnd)
	if err == nil && size >= int64(len(end)) {
		if _, err = at.Seek(size-int64(len(end)), io.SeekStart); err == nil {
			_, err = io.ReadFull(at, end[:])
		}
	}
	if mark := string(end[:]); err == nil && mark != "PAR1" && mark != "PARE" {
		err = errors.New("no Parquet file, or one that was cut off: it doesn't end in PAR1")
	}
	return err
}

func newReader(r *file.Reader, rows int64) (*pqarrow.FileReader, error) {
	return pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: rows}, memory.DefaultAllocator)
}

func schemaOf(r *file.Reader) (plan.Schema, error) {
	fr, err := newReader(r, 1)
	if err != nil {
		return plan.Schema{}, err
	}
	have, err := fr.Schema()
	if err != nil {
		return plan.Schema{}, err
	}
	var s plan.Schema
	for _, f := range have.Fields() {
		t, err := arrowmds.TypeOf(f.Type)
		if err != nil {
			return s, fmt.Errorf("column %q: %w", f.Name, err)
		}
		s.Fields = append(s.Fields, plan.Field{Name: f.Name, Type: t, Nullable: true}) // as Spark has it
	}
	return s, nil
}

func (s *source) Schema() plan.Schema { return s.schema }
func (s *source) Splits() int         { return len(s.splits) }

func (s *source) Scan(ctx context.Context, split int, want []bool, yield func(local.Row) error) error {
	var r *file.Reader
	opened := -1
	defer func() {
		if r != nil {
			r.Close()
		}
	}()
	for _, g := range s.groups[s.splits[split].First:s.splits[split].End] {
		f := &s.files[g.file]
		if opened != g.file {
			if r != nil {
				r.Close()
			}
			var err error
			if r, err = openFile(ctx, f); err != nil {
				return err
			}
			opened = g.file
		}
		if err := s.rows(ctx, r, g, f, want, yield); err != nil {
			return err
		}
	}
	return nil
}

// rows reads one row group.
func (s *source) rows(ctx context.Context, r *file.Reader, g rowGroup, f *local.File, want []bool, yield func(local.Row) error) (err error) {
	yielding := false
	defer func() {
		if p := recover(); p != nil {
			if yielding { // a panic of the consumer is its own
				panic(p)
			}
			err = damaged(f.Path, p)
		}
	}()
	located := func(err error) error { return fmt.Errorf("%s, row group %d: %w", f.Path, g.group, err) }
	rowBytes := max(r.MetaData().RowGroup(g.group).TotalByteSize()/max(g.rows, 1), 1)
	fr, err := newReader(r, min(max(batchBytes/rowBytes, 1), mostRows))
	if err != nil {
		return located(err)
	}
	have, err := fr.Schema()
	if err != nil {
		return located(err)
	}
	var leaves, to []int // columns to decode; where their values go
	for i, field := range have.Fields() {
		c, _ := s.own.Index(field.Name)
		if c < 0 || !want[c] {
			continue
		}
		if t, err := arrowmds.TypeOf(field.Type); err != nil || !t.Equal(s.own.Fields[c].Type) {
			return fmt.Errorf("%s: column %q is %s here and %s in %s", f.Path, field.Name, field.Type, s.own.Fields[c].Type, s.files[0].Path)
		}
		leaves = append(leaves, leavesOf(&fr.Manifest.Fields[i])...)
		to = append(to, c)
	}
	row := g.first
	emit := func(values []any) error {
		row++
		yielding = true
		err := yield(local.Row{Values: s.into(values, f), Origin: local.Origin{File: f.Path, Row: row}})
		yielding = false
		return err
	}
	if len(to) == 0 { // no column is wanted: the count of rows is enough
		for range g.rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := emit(make([]any, len(s.own.Fields), len(s.schema.Fields))); err != nil {
				return err
			}
		}
		return nil
	}
	// Arrow reads metadata, and the pages of nested columns, in goroutines of its own, where a panic over a damaged file
	// couldn't be caught. What panics there panics here first.
	for _, leaf := range leaves {
		pages, err := r.RowGroup(g.group).GetColumnPageReader(leaf)
		if err != nil {
			return located(err)
		}
		if r.MetaData().Schema.Column(leaf).MaxRepetitionLevel() > 0 || len(r.MetaData().Schema.Column(leaf).ColumnPath()) > 1 {
			for pages.Next() {
			}
			if err := pages.Err(); err != nil {
				return located(err)
			}
		}
	}
	records, err := fr.GetRecordReader(ctx, leaves, []int{g.group})
	if err != nil {
		return located(err)
	}
	defer records.Release()
	for records.Next() {
		rec := records.Record()
		columns := make([]func(i int) any, len(to))
		for k := range to {
			if columns[k], err = arrowmds.Values(rec.Column(k)); err != nil {
				return located(err)
			}
		}
		for i := range int(rec.NumRows()) {
			values := make([]any, len(s.own.Fields), len(s.schema.Fields))
			for k, c := range to {
				values[c] = columns[k](i)
			}
			if err := emit(values); err != nil {
				return err
			}
		}
	}
	if err := records.Err(); err != nil && err.Error() != "EOF" {
		return located(err)
	}
	return ctx.Err()
}

// damaged makes an error of a panic: Arrow's reader has some left for files that are damaged in ways it doesn't foresee.
func damaged(path string, panicked any) error {
	return fmt.Errorf("%s: damaged Parquet file: %v", path, panicked)
}

// leavesOf are the positions of the primitive columns below a field. A list's IsLeaf cannot be trusted: arrow v17 leaves
// its ColIndex at 0, not at the -1 that IsLeaf looks for.
func leavesOf(f *pqarrow.SchemaField) []int {
	if len(f.Children) == 0 {
		return []int{f.ColIndex}
	}
	var all []int
	for i := range f.Children {
		all = append(all, leavesOf(&f.Children[i])...)
	}
	return all
}
