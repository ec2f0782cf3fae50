// Package arrowipc is the local engine's Arrow source, format "arrow", linked with a blank import: files and streams of
// Arrow's IPC format, compressed or not; Feather version 2 is the same. It is apart from package local because Apache Arrow
// is larger than all the rest.
//
// A file that is cut off or isn't Arrow's is an error that names it. Arrow's reader does not check the metadata of a file, so
// one made to do harm can ask for more memory than there is: read files of people you trust.
package arrowipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

func init() { local.RegisterSource("arrow", open) }

// magic begins an IPC file; a stream has none.
const magic = "ARROW1"

// source reads IPC files and streams by the schema of the first one; columns that another one lacks are NULL in its rows.
// Splits are runs of the record batches of files, and whole streams.
type source struct {
	files   []local.File
	batches []batch
	splits  []local.Split // of batches
	schema  plan.Schema
	own     plan.Schema // the files' columns
	into    func(row []any, f *local.File) []any
}

// batch is one record batch of a file, or with number -1 a whole stream.
type batch struct {
	file, number int
}

func open(ctx context.Context, read *plan.Read, so local.SourceOptions) (local.Source, error) {
	opts := local.NewOptions(read)
	files, err := local.ListFiles(ctx, read, opts)
	if err == nil {
		err = opts.Unknown()
	}
	if err == nil {
		err = local.NoSchema(read)
	}
	if err != nil {
		return nil, err
	}
	if len(files.List) == 0 {
		return nil, fmt.Errorf("no Arrow file at %s", strings.Join(read.Paths, ", "))
	}
	s := &source{files: files.List}
	counts := make([]int, len(s.files))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(local.Openers(files.List, so.Workers))
	for i := range s.files {
		group.Go(func() error {
			return withReader(groupCtx, &s.files[i], func(r *reader) (err error) {
				counts[i] = -1
				if r.file != nil {
					counts[i] = r.file.NumRecords()
				}
				if i == 0 {
					s.own, err = schemaOf(r.schema)
				}
				return errors.Join(err, groupCtx.Err())
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var weights []local.File // PackFiles deals batches as it deals files
	for i, n := range counts {
		if n < 0 {
			s.batches = append(s.batches, batch{i, -1})
			weights = append(weights, s.files[i])
		}
		for b := range n {
			s.batches = append(s.batches, batch{i, b})
			weights = append(weights, local.File{Bytes: s.files[i].Bytes / int64(n)})
		}
	}
	s.splits = local.PackFiles(weights)
	s.schema, s.into = files.Joined(s.own)
	return s, nil
}

func schemaOf(from *arrow.Schema) (plan.Schema, error) {
	var s plan.Schema
	for _, f := range from.Fields() {
		t, err := arrowmds.TypeOf(f.Type)
		if err != nil {
			return s, fmt.Errorf("column %q: %w", f.Name, err)
		}
		s.Fields = append(s.Fields, plan.Field{Name: f.Name, Type: t, Nullable: true})
	}
	return s, nil
}

// reader is an open file or stream.
type reader struct {
	schema *arrow.Schema
	file   *ipc.FileReader // nil for a stream
	stream *ipc.Reader

	yielding bool // the consumer has the word
}

// withReader opens a file for use and names it in what goes wrong: Arrow's reader panics over some damaged files.
func withReader(ctx context.Context, file *local.File, use func(*reader) error) (err error) {
	r, path := &reader{}, file.Path
	defer func() {
		if p := recover(); p != nil {
			if r.yielding { // a panic of the consumer is its own
				panic(p)
			}
			err = fmt.Errorf("%s: damaged Arrow file: %v", path, p)
		}
	}()
	f, err := file.Open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	allocator := ipc.WithAllocator(bounded{memory.DefaultAllocator, int(min(max(file.Bytes, 1)*mostExpansion, mostBuffer))})
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return fmt.Errorf("%s: %w", path, err)
	}
	if string(head[:n]) == magic {
		if r.file, err = ipc.NewFileReader(f, allocator); err == nil {
			defer r.file.Close()
			r.schema = r.file.Schema()
		}
	} else if _, err = f.Seek(0, io.SeekStart); err == nil {
		if r.stream, err = ipc.NewReader(f, allocator); err == nil {
			defer r.stream.Release()
			r.schema = r.stream.Schema()
		}
	}
	if err != nil {
		return fmt.Errorf("%s: no Arrow file or stream: %w", path, err)
	}
	err = use(r)
	var consumer *consumerError
	switch {
	case errors.As(err, &consumer):
		return consumer.error
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// A buffer of a record batch is at most so many times as large as the file, and never larger than so many bytes.
const (
	mostExpansion = 1024
	mostBuffer    = 4 << 30
)

// bounded refuses buffers that a damaged file asks for, by a panic that withReader turns into an error.
type bounded struct {
	memory.Allocator
	limit int
}

func (b bounded) Allocate(bytes int) []byte {
	b.check(bytes)
	return b.Allocator.Allocate(bytes)
}

func (b bounded) Reallocate(bytes int, old []byte) []byte {
	b.check(bytes)
	return b.Allocator.Reallocate(bytes, old)
}

func (b bounded) check(bytes int) {
	if bytes < 0 || bytes > b.limit {
		panic(fmt.Sprintf("it asks for a buffer of %d bytes", bytes))
	}
}

// consumerError is what yield returned, which is passed on as it is.
type consumerError struct{ error }

func (s *source) Schema() plan.Schema { return s.schema }
func (s *source) Splits() int         { return len(s.splits) }

func (s *source) Scan(ctx context.Context, split int, want []bool, yield func(local.Row) error) error {
	batches := s.batches[s.splits[split].First:s.splits[split].End]
	for len(batches) > 0 {
		n := 1
		for n < len(batches) && batches[n].file == batches[0].file {
			n++
		}
		f := &s.files[batches[0].file]
		err := withReader(ctx, f, func(r *reader) error { return s.read(ctx, r, batches[:n], f, want, yield) })
		if err != nil {
			return err
		}
		batches = batches[n:]
	}
	return nil
}

// read yields the rows of some batches of one file.
func (s *source) read(ctx context.Context, r *reader, batches []batch, f *local.File, want []bool, yield func(local.Row) error) error {
	to := make([]int, 0, r.schema.NumFields()) // where each of the file's columns goes; -1 for nowhere
	for _, field := range r.schema.Fields() {
		c, _ := s.own.Index(field.Name)
		if c >= 0 && !want[c] {
			c = -1
		}
		if c >= 0 {
			if t, err := arrowmds.TypeOf(field.Type); err != nil || !t.Equal(s.own.Fields[c].Type) {
				return fmt.Errorf("column %q is %s here and %s in %s", field.Name, field.Type, s.own.Fields[c].Type, s.files[0].Path)
			}
		}
		to = append(to, c)
	}
	if r.file == nil {
		for i := 0; r.stream.Next(); i++ {
			if err := s.rows(ctx, r, r.stream.Record(), i, to, f, yield); err != nil {
				return err
			}
		}
		if err := r.stream.Err(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return ctx.Err()
	}
	for _, b := range batches {
		rec, err := r.file.RecordAt(b.number)
		if err != nil {
			return fmt.Errorf("record batch %d: %w", b.number, err)
		}
		err = s.rows(ctx, r, rec, b.number, to, f, yield)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// rows yields those of one record batch. A row is counted in its batch.
func (s *source) rows(ctx context.Context, r *reader, rec arrow.Record, number int, to []int, f *local.File, yield func(local.Row) error) error {
	columns := make([]func(i int) any, len(to))
	for k, c := range to {
		if c < 0 {
			continue
		}
		var err error
		if columns[k], err = arrowmds.Values(rec.Column(k)); err != nil {
			return fmt.Errorf("record batch %d: %w", number, err)
		}
	}
	unit := fmt.Sprintf("record batch %d, row", number)
	for i := range int(rec.NumRows()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		values := make([]any, len(s.own.Fields), len(s.schema.Fields))
		for k, c := range to {
			if c >= 0 {
				values[c] = columns[k](i)
			}
		}
		row := local.Row{Values: s.into(values, f), Origin: local.Origin{File: f.Path, Row: int64(i + 1), Unit: unit}}
		r.yielding = true
		err := yield(row)
		r.yielding = false
		if err != nil {
			return &consumerError{err}
		}
	}
	return nil
}
