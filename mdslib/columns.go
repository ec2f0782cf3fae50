package mdslib

// Columns and the schema they resolve to: made by the caller or by DataFrameToMDS's inference, used by the shard writer
// and reader.

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Sample is one row: column name → value. A sample that is read belongs to the caller.
type Sample = map[string]any

// Columns maps each column's name to its encoding, for example {"image": "jpeg", "label": "int64"}.
type Columns map[string]string

// Names returns the column names in the order MDS stores them: sorted by code point, as Python sorts str.
func (c Columns) Names() []string { return slices.Sorted(maps.Keys(c)) } // UTF-8 sorts as its code points do

// schema is a resolved column list in stored order.
type schema struct {
	names     []string
	encodings []*Encoding
	variable  int         // number of columns without a fixed size
	text      *textFormat // nil for mds
	nulls     []any       // what stands for a null in each column, nil for none; nil if no column has one
}

// schema resolves the columns of a format; text is nil for mds.
func (c Columns) schema(text *textFormat) (*schema, error) {
	if len(c) == 0 {
		return nil, fmt.Errorf("mdslib: no columns given: want column name → encoding, for example {\"label\": \"int64\"}")
	}
	names := c.Names()
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = c[name]
	}
	if text != nil {
		return text.schema(names, texts)
	}
	return newSchema(names, texts)
}

// nullAs sets what stands for the nulls of some columns. A value must be one that the column takes.
func (s *schema) nullAs(values map[string]any) error {
	if len(values) == 0 {
		return nil
	}
	s.nulls = make([]any, len(s.names))
	for name, value := range values {
		i := slices.Index(s.names, name)
		if i < 0 {
			return fmt.Errorf("mdslib: NullAs: there is no column %q", name)
		}
		if f, ok := value.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 { // options that travelled as JSON
			if e := s.encodings[i].name; e == "int" || e == "str_int" {
				value = int64(f)
			}
		}
		take := s.encodings[i].Append
		if bytes, ok := travelled(value); ok {
			value = bytes
		}
		if s.text != nil {
			take = s.encodings[i].append
		}
		if value == nil {
			return fmt.Errorf("mdslib: NullAs: column %q: a null in place of nulls", name)
		}
		if _, err := take(nil, value); err != nil {
			return fmt.Errorf("mdslib: NullAs: column %q: %w", name, err)
		}
		s.nulls[i] = value
	}
	return nil
}

// nullKey is the only key of a null's value that travels as JSON, in which a value may become one of another type.
const nullKey = "as gomosaic stores it"

// travelling are values of NullAs as they travel to tasks: the bytes that their encodings store, which encodings take for values.
func (c Columns) travelling(values map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, value := range values {
		e, err := ParseEncoding(c[name])
		if err != nil {
			return nil, fmt.Errorf("mdslib: NullAs: column %q: %w", name, err)
		}
		bytes, err := e.Append(nil, value)
		if err != nil {
			return nil, fmt.Errorf("mdslib: NullAs: column %q: %w", name, err)
		}
		out[name] = map[string]any{nullKey: base64.StdEncoding.EncodeToString(bytes)}
	}
	return out, nil
}

// travelled is what a value was on its way, if it was on one.
func travelled(value any) ([]byte, bool) {
	m, _ := value.(map[string]any)
	text, ok := m[nullKey].(string)
	if !ok || len(m) != 1 {
		return nil, false
	}
	bytes, err := base64.StdEncoding.DecodeString(text)
	return bytes, err == nil
}

// newSchema resolves encodings in stored order.
func newSchema(names, encodings []string) (*schema, error) {
	s := &schema{names: names, encodings: make([]*Encoding, len(names))}
	for i, text := range encodings {
		e, err := ParseEncoding(text)
		if err != nil {
			return nil, fmt.Errorf("mdslib: column %q: %w", names[i], err)
		}
		s.encodings[i] = e
		if !e.Fixed() {
			s.variable++
		}
	}
	return s, nil
}

// appendSample appends a sample's bytes. On error dst is returned unchanged in length.
func (s *schema) appendSample(dst []byte, sample Sample) ([]byte, error) {
	if s.text != nil {
		return s.text.appendLine(dst, s, sample)
	}
	return s.appendColumns(dst, func(dst []byte, i int) ([]byte, error) {
		value, ok := sample[s.names[i]]
		if !ok {
			return nil, missingColumn(sample)
		}
		if value == nil && s.nulls != nil {
			value = s.nulls[i]
		}
		return s.encodings[i].Append(dst, value)
	})
}

// appendColumns appends a sample's bytes in mds: a uint32 length for each variable column, then the columns' bytes, which
// appendColumn appends, in stored order. On error dst is returned unchanged in length.
func (s *schema) appendColumns(dst []byte, appendColumn func(dst []byte, i int) ([]byte, error)) ([]byte, error) {
	start := len(dst)
	head := start
	for range s.variable {
		dst = append(dst, 0, 0, 0, 0)
	}
	for i, name := range s.names {
		before := len(dst)
		out, err := appendColumn(dst, i)
		if err == nil && len(out)-before > maxOffset {
			err = fmt.Errorf("a value of %d bytes: MDS holds at most 4 GiB", len(out)-before)
		}
		if err != nil {
			return dst[:start], &SampleError{Sample: -1, Column: name, Err: err}
		}
		dst = out
		if !s.encodings[i].Fixed() {
			putUint32(dst[head:], uint32(len(dst)-before))
			head += 4
		}
	}
	return dst, nil
}

func missingColumn(sample Sample) error {
	has := clip(fmt.Sprintf("%q", slices.Sorted(maps.Keys(sample))))
	return fmt.Errorf("the sample has no such column, only %s", has)
}

// fields splits a sample's bytes into its columns' bytes, appended to dst; they alias raw.
func (s *schema) fields(dst [][]byte, raw []byte) ([][]byte, error) {
	if s.text != nil {
		return s.text.fields(dst, s, raw)
	}
	if len(raw) < 4*s.variable {
		return dst, fmt.Errorf("%w: sample of %d bytes is too short for the lengths of its %d variable columns", ErrFormat, len(raw), s.variable)
	}
	head, body := raw[:4*s.variable], raw[4*s.variable:]
	for i, e := range s.encodings {
		size := e.Bytes()
		if size == 0 {
			n := getUint32(head)
			head = head[4:]
			if uint64(n) > uint64(len(body)) {
				return dst, &SampleError{Sample: -1, Column: s.names[i], Err: fmt.Errorf("%w: value of %d bytes, but only %d are left in the sample", ErrFormat, n, len(body))}
			}
			size = int(n)
		} else if size > len(body) {
			return dst, &SampleError{Sample: -1, Column: s.names[i], Err: fmt.Errorf("%w: value of %d bytes, but only %d are left in the sample", ErrFormat, size, len(body))}
		}
		dst = append(dst, body[:size:size])
		body = body[size:]
	}
	if len(body) != 0 {
		return dst, fmt.Errorf("%w: %d bytes are left over after the last column", ErrFormat, len(body))
	}
	return dst, nil
}

// decode returns the sample whose bytes are raw; values may alias raw.
func (s *schema) decode(raw []byte) (Sample, error) {
	var few [16][]byte
	fields, err := s.fields(few[:0], raw)
	if err != nil {
		return nil, err
	}
	sample := make(Sample, len(fields))
	for i, field := range fields {
		v, err := s.encodings[i].Decode(field)
		if err != nil {
			return nil, &SampleError{Sample: -1, Column: s.names[i], Err: err}
		}
		sample[s.names[i]] = v
	}
	return sample, nil
}
