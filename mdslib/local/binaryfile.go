package local

import (
	"context"
	"fmt"
	"io"

	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("binaryFile", openBinaryFile) }

// binaryFile is Spark's source of that name: one row a file, with its path, modification time, length and content. The
// content is read when an expression or a writer asks for it, so counting and filtering by name read no file.
type binaryFile struct {
	files  *Files
	splits []Split
	schema plan.Schema
	into   func(row []any, f *File) []any
}

func openBinaryFile(ctx context.Context, read *plan.Read, _ SourceOptions) (Source, error) {
	opts := NewOptions(read)
	files, err := ListFiles(ctx, read, opts)
	if err == nil {
		err = opts.Unknown()
	}
	if err == nil {
		err = NoSchema(read)
	}
	if err != nil {
		return nil, err
	}
	s := &binaryFile{files: files, splits: PackFiles(files.List)}
	s.schema, s.into = files.Joined(plan.Schema{Fields: []plan.Field{
		{Name: "path", Type: plan.Of(plan.String), Nullable: true},
		{Name: "modificationTime", Type: plan.Of(plan.Timestamp), Nullable: true},
		{Name: "length", Type: plan.Of(plan.Long), Nullable: true},
		{Name: "content", Type: plan.Of(plan.Binary), Nullable: true},
	}})
	return s, nil
}

func (s *binaryFile) Schema() plan.Schema { return s.schema }
func (s *binaryFile) Splits() int         { return len(s.splits) }

func (s *binaryFile) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	for i := s.splits[split].First; i < s.splits[split].End; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &s.files.List[i]
		var modified any // NULL where the store doesn't say
		if !f.Modified.IsZero() {
			modified = plan.TimestampValue(f.Modified.UnixMilli() * 1000) // Hadoop's file times have milliseconds
		}
		values := []any{f.URI(), modified, f.Bytes, &fileContent{f}}
		if err := yield(Row{s.into(values, f), Origin{File: f.Path}}); err != nil {
			return err
		}
	}
	return nil
}

// fileContent is a file's bytes, read when asked for.
type fileContent struct{ *File }

// Load reads the file. It has no context to end with: a value may be asked for after the run that made its row.
func (c *fileContent) Load() (any, error) { return c.LoadInto(context.Background(), nil) }

// LoadInto reads the file into buf, or a larger one if it doesn't fit; the bytes are valid until the buffer is used
// again.
func (c *fileContent) LoadInto(ctx context.Context, buf []byte) ([]byte, error) {
	f, err := c.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("column content: %w", err)
	}
	defer f.Close()
	switch {
	case buf == nil:
		buf = make([]byte, 0, c.Bytes+1) // one for the end to be seen
	case int64(cap(buf)) <= c.Bytes:
		buf = make([]byte, 0, c.Bytes+c.Bytes/4+512)
	}
	buf = buf[:0]
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case n == 0 && err != nil:
			if err == io.EOF {
				return buf, nil
			}
			return nil, fmt.Errorf("column content: %w", err)
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
