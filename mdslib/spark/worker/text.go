package worker

// Rows as text, as SELECT TRANSFORM gives them: the partition's number, the values, and E, separated by tabs and ended by a
// newline. A value is written without tabs and newlines, but base64 may have line breaks in it, as MIME has them.

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

const (
	// TextNull stands for NULL.
	TextNull = "!"
	// TextEnd is the last field of each row: it tells a row from the beginning of one.
	TextEnd = "E"
)

// textBuffer is how much is read at a time. Values may be larger.
const textBuffer = 256 << 10

// TextReader reads the rows of a partition from text. It is not safe for concurrent use.
type TextReader struct {
	fields    fieldReader
	columns   []textColumn
	values    []any
	partition int
	rows      int64
}

// textColumn reads the values of one column.
type textColumn struct {
	name string
	take func(r *fieldReader) (any, error)
}

// NewTextReader reads a job's rows from in.
func NewTextReader(in io.Reader, job *Job) (*TextReader, error) {
	r := &TextReader{fields: fieldReader{in: in, buffer: make([]byte, textBuffer)}, values: make([]any, len(job.Schema.Fields)), partition: -1}
	for i, f := range job.Schema.Fields {
		take, err := taker(f.Type, job.Texts[i])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		r.columns = append(r.columns, textColumn{f.Name, take})
	}
	return r, nil
}

// Partition is the number of the partition, once a row was read.
func (r *TextReader) Partition() int { return r.partition }

// Next returns the values of the next row, as package plan describes them, and io.EOF after the last. They are good until the
// next call.
func (r *TextReader) Next() ([]any, error) {
	if err := r.fields.begin(); err != nil {
		return nil, err
	}
	values, err := r.row()
	if err != nil {
		return nil, fmt.Errorf("row %d of partition %d: %w", r.rows, r.partition, err)
	}
	r.rows++
	return values, nil
}

func (r *TextReader) row() ([]any, error) {
	text, err := r.fields.next()
	if err != nil {
		return nil, err
	}
	if r.partition < 0 {
		if r.partition, err = strconv.Atoi(string(text)); err != nil {
			return nil, fmt.Errorf("its first field is no partition: %w", err)
		}
	}
	for i := range r.columns {
		c := &r.columns[i]
		if r.values[i], err = c.take(&r.fields); err != nil {
			return nil, fmt.Errorf("column %q: %w", c.name, err)
		}
	}
	end, err := r.fields.take(len(TextEnd) + 1)
	if err != nil {
		return nil, err
	}
	if string(end) != TextEnd+"\n" {
		return nil, fmt.Errorf("%q stands where it should end", end)
	}
	return r.values, nil
}

// fieldReader reads fields, each of which ends with a tab.
type fieldReader struct {
	in         io.Reader
	buffer     []byte
	start, end int    // of what is in the buffer and not read yet
	long       []byte // a field that does not fit into the buffer
}

// errLong can only be met in what is no base64: a group of four with line breaks enough for the buffer.
var errLong = errors.New("it is no base64")

// fill reads more into the buffer, within a row.
func (r *fieldReader) fill() error {
	if r.start > 0 {
		r.end = copy(r.buffer, r.buffer[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buffer) {
		return errLong
	}
	n, err := r.in.Read(r.buffer[r.end:])
	r.end += n
	if n > 0 {
		return nil // the error comes again
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// begin begins a row; io.EOF says that there is none.
func (r *fieldReader) begin() error {
	for r.start == r.end {
		if err := r.fill(); errors.Is(err, io.ErrUnexpectedEOF) {
			return io.EOF
		} else if err != nil {
			return err
		}
	}
	return nil
}

// take returns the next n bytes, a few, which are good until the next call of any method.
func (r *fieldReader) take(n int) ([]byte, error) {
	for r.end-r.start < n {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	b := r.buffer[r.start : r.start+n]
	r.start += n
	return b, nil
}

// piece returns what is at hand of the current field, and whether that is its end.
func (r *fieldReader) piece() (p []byte, last bool, err error) {
	for r.start == r.end {
		if err := r.fill(); err != nil {
			return nil, false, err
		}
	}
	p = r.buffer[r.start:r.end]
	if i := bytes.IndexByte(p, '\t'); i >= 0 {
		r.start += i + 1
		return p[:i], true, nil
	}
	r.start = r.end
	return p, false, nil
}

// next returns the next field without its tab. It is good until the next call of any method.
func (r *fieldReader) next() ([]byte, error) {
	p, last, err := r.piece()
	if err != nil || last {
		return p, err
	}
	r.long = r.long[:0]
	for {
		r.long = append(r.long, p...)
		if last {
			return r.long, nil
		}
		if p, last, err = r.piece(); err != nil {
			return nil, err
		}
	}
}

// base64 appends the bytes of the next field, which is base64, to dst, or returns nil for NULL. It decodes the field piece by
// piece: of a large one only the bytes are in memory.
func (r *fieldReader) base64(dst []byte) ([]byte, error) {
	padded := false
	for before := len(dst); ; {
		p, last, err := r.piece()
		if err != nil {
			return nil, err
		}
		if last && len(dst) == before && string(p) == TextNull {
			return nil, nil
		}
		if !last { // keep what is no whole group of four
			rest := unfinished(p)
			p = p[:len(p)-rest]
			r.start -= rest
			if len(p) == 0 {
				if err := r.fill(); err != nil {
					return nil, err
				}
				continue
			}
		}
		if padded && len(bytes.Trim(p, "\r\n")) > 0 {
			return nil, base64.CorruptInputError(len(dst) - before)
		}
		dst = slices.Grow(dst, base64.StdEncoding.DecodedLen(len(p)))
		n, err := base64.StdEncoding.Decode(dst[len(dst):cap(dst)], p)
		if err != nil {
			return nil, err
		}
		padded = padded || n%3 != 0
		if dst = dst[:len(dst)+n]; last {
			return notNil(dst), nil
		}
	}
}

// unfinished is how many of the last bytes of a piece of base64 belong to a group of four that is not whole.
func unfinished(p []byte) int {
	group := (len(p) - bytes.Count(p, []byte{'\r'}) - bytes.Count(p, []byte{'\n'})) % 4
	n := 0
	for group > 0 {
		n++
		if c := p[len(p)-n]; c != '\r' && c != '\n' {
			group--
		}
	}
	return n
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
