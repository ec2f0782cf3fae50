package exchange

// A split of a Parquet file: the row groups in a piece of it, whose rows become bytes. It is read by Arrow's readers of columns:
// those of its records link much more, and a worker travels to every machine.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/worker"
)

// Rows are decoded so many at once, and fewer where they are large: about so many bytes, which the processor's cache holds.
const (
	mostRows   = 1024
	batchBytes = 512 << 10
	readBytes  = 256 << 10 // of a column's file at a time
)

// column is one that is read from files.
type column struct {
	name string // in the files
	t    plan.Type
}

// split reads the rows of a Parquet file's row groups whose middle lies in a piece of it. It is not safe for concurrent use.
type split struct {
	file    *file.Reader
	columns []column
	leaves  []int // of the file, for each column
	groups  []int
}

// openSplit opens the piece of a file that has this number, of so many bytes. The file must have the columns as Spark reads them.
func openSplit(uri string, number, splitBytes int64, columns []column) (s *split, err error) {
	defer damaged(&err)
	// Pages are not freed but collected, so that values, which lie in them, outlive the reading of the next.
	properties := parquet.NewReaderProperties(memory.NewGoAllocator())
	properties.BufferedStreamEnabled, properties.BufferSize = true, readBytes
	of, err := worker.OpenLocalFile(uri)
	if err != nil {
		return nil, err
	}
	r, err := file.NewParquetReader(of, file.WithReadProps(properties))
	if err != nil {
		return nil, errors.Join(err, of.Close())
	}
	s = &split{file: r, columns: columns}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	for _, c := range columns {
		leaf, err := leafOf(r.MetaData().Schema, c.name)
		if err != nil {
			return nil, err
		}
		if of := r.MetaData().Schema.Column(leaf); !readAs(of, c.t) {
			return nil, fmt.Errorf("column %q is %s %s in it, and %s as Spark reads it", c.name, of.PhysicalType(), of.LogicalType(), c.t)
		}
		s.leaves = append(s.leaves, leaf)
	}
	last := (of.Size() - 1) / splitBytes
	for g := range r.NumRowGroups() {
		middle, err := middleOf(r.MetaData().RowGroup(g))
		if err != nil {
			return nil, err
		}
		if min(middle/splitBytes, last) == number {
			s.groups = append(s.groups, g)
		}
	}
	return s, nil
}

// leafOf finds a column of single values in a file. One that has the same name but for the case of its letters is Spark's concern: it
// may read that, or neither.
func leafOf(s *schema.Schema, name string) (int, error) {
	leaf, root := -1, s.Root()
	var like []string
	for i := range root.NumFields() {
		if f := root.Field(i); strings.EqualFold(f.Name(), name) {
			leaf, like = s.ColumnIndexByNode(f), append(like, f.Name())
		}
	}
	switch {
	case len(like) == 0:
		return 0, fmt.Errorf("it has no column %q", name)
	case len(like) > 1 || like[0] != name:
		return 0, fmt.Errorf("for the column %q it has %q", name, like)
	case leaf < 0:
		return 0, fmt.Errorf("column %q is a nested one in it", name)
	}
	return leaf, nil
}

// middleOf is the middle of a row group in its file, as Spark takes it.
func middleOf(group *metadata.RowGroupMetaData) (int64, error) {
	var at, bytes int64
	for i := range group.NumColumns() {
		c, err := group.ColumnChunk(i)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			if at = c.DataPageOffset(); c.HasDictionaryPage() {
				at = min(at, c.DictionaryPageOffset())
			}
		}
		bytes += c.TotalCompressedSize()
	}
	return at + bytes/2, nil
}

// fileRows is how many rows the whole file has.
func (s *split) fileRows() int64 { return s.file.NumRows() }

func (s *split) close() { _ = s.file.Close() }

// rows yields the rows in their order: put appends the values of one to bytes, and must be called once.
func (s *split) rows(ctx context.Context, yield func(put func(row []byte) []byte) error) (rows int64, err error) {
	defer damaged(&err)
	for _, g := range s.groups {
		n, err := s.group(ctx, g, yield)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("row group %d: %w", g, err)
		}
	}
	return rows, nil
}

func (s *split) group(ctx context.Context, g int, yield func(put func(row []byte) []byte) error) (rows int64, err error) {
	group := s.file.RowGroup(g)
	all := group.NumRows()
	batch := min(mostRows, max(batchBytes/max(group.ByteSize()/max(all, 1), 1), 1))
	readers := make([]valueReader, len(s.columns))
	for i, leaf := range s.leaves {
		chunk, err := group.Column(leaf)
		if err != nil {
			return 0, err
		}
		if readers[i], err = newValueReader(chunk, s.columns[i].t, int(batch)); err != nil {
			return 0, err
		}
	}
	put := func(row []byte) []byte {
		for _, r := range readers {
			row = r.appendNext(row)
		}
		return row
	}
	for rows < all {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		n := min(batch, all-rows)
		for i, r := range readers {
			if err := r.read(n); err != nil {
				return rows, fmt.Errorf("column %q, rows %d to %d of %d: %w", s.columns[i].name, rows, rows+n, all, err)
			}
		}
		for range n {
			if err := yield(put); err != nil {
				return rows, err
			}
			rows++
		}
	}
	return rows, nil
}

// damaged makes an error of a panic: Arrow's reader has some left for files that are damaged in ways it doesn't foresee. It must be
// deferred.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged Parquet file: %v", p)
	}
}
