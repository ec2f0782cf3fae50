package mdslib

// Typed samples: a Writer and a Reader of one Go type, beside the dynamic MDSWriter and Dataset. typed_columns.go has what a
// type's columns are, typed_assign.go how a column's value gets into a field.

import (
	"fmt"
	"iter"
	"reflect"
)

// Writer writes samples of type T: a struct, whose fields are columns, or a map from column names. Fields are named and
// encoded as their tags say:
//
//	type Sample struct {
//		Image image.Image `mds:"image,jpeg"`
//		Label int64       `mds:"label"`       // encoded as its type: int64
//		Notes string      `mds:"-"`           // no column
//	}
//
// Without a tag a column has the field's name; without an encoding, the one of the Go type: str, bytes, int, int8 … uint64,
// float32, float64, str_decimal for [Decimal], str_int for *big.Int, ndarray for [Array] and slices of numbers, json for
// other structs, maps and slices. A bool needs an encoding, one of whole numbers, and becomes 0 or 1. Embedded structs'
// fields are the struct's own. A nil pointer is a null.
//
// Its methods are called from one goroutine at a time; see [MDSWriter] for the others.
type Writer[T any] struct {
	*MDSWriter
	value   T                                            // the sample being written
	column  func(dst []byte, column int) ([]byte, error) // appends its columns; nil for a map and for text formats
	columns []typedColumn                                // nil for a map
	sample  Sample                                       // reused, where column is nil
}

// NewWriter is [NewMDSWriter] for samples of type T. The columns are T's; opts.Columns may change their encodings, and must
// be given for a map.
func NewWriter[T any](opts MDSOptions) (*Writer[T], error) {
	columns, err := columnsOf(reflect.TypeFor[T](), formats[opts.Format])
	if err != nil {
		return nil, err
	}
	if columns != nil {
		if opts.Columns, err = typedEncodings(columns, opts.Columns); err != nil {
			return nil, err
		}
	}
	m, err := NewMDSWriter(opts)
	if err != nil {
		return nil, err
	}
	w := &Writer[T]{MDSWriter: m, columns: columns, sample: Sample{}}
	if columns != nil && m.schema.text == nil {
		w.column = columnAppender(reflect.ValueOf(&w.value).Elem(), columns, m.schema)
	}
	return w, nil
}

// Write encodes a sample; see [MDSWriter.Write]. Numbers, text and bytes in fields of their kinds need no memory of their own.
func (w *Writer[T]) Write(v T) error {
	if w.column != nil {
		if err := w.ready(); err != nil {
			return err
		}
		w.value = v
		err := w.take(w.schema.appendColumns(w.scratch[:0], w.column))
		var none T
		w.value = none // it is the caller's
		return err
	}
	if s, ok := any(v).(Sample); ok {
		return w.MDSWriter.Write(s)
	}
	clear(w.sample)
	value := reflect.ValueOf(v)
	if w.columns == nil {
		for it := value.MapRange(); it.Next(); {
			w.sample[it.Key().String()] = plainValue(it.Value())
		}
	}
	for _, c := range w.columns {
		w.sample[c.name] = plainValue(value.FieldByIndex(c.index))
	}
	return w.MDSWriter.Write(w.sample)
}

// plainValue is a field's value as the encodings take it: what a pointer points to, and a bool as a number.
func plainValue(v reflect.Value) any {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		if x := v.Interface(); isValue(v.Type()) {
			return x
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Bool {
		if v.Bool() {
			return 1
		}
		return 0
	}
	return v.Interface()
}

// Reader reads samples of type T, a struct or map as [Writer] describes. A field takes a value of the column's type without
// loss: an integer that fits, text as a string type, an array as a slice, json as encoding/json would; a field of type
// []byte takes the column's bytes undecoded. Columns that have no field are not decoded. It is safe for concurrent use;
// see [Dataset] for the other methods.
type Reader[T any] struct {
	*Dataset
	columns []typedColumn
}

// OpenReader is [OpenDataset] for samples of type T. Every column of T must be there, with the encoding that its tag names.
func OpenReader[T any](dir string, opts ReadOptions) (*Reader[T], error) {
	columns, err := columnsOf(reflect.TypeFor[T](), false)
	if err != nil {
		return nil, err
	}
	d, err := OpenDataset(dir, opts)
	if err != nil {
		return nil, err
	}
	for i := range d.index.Shards {
		if err := checkTyped(columns, &d.index.Shards[i]); err != nil {
			d.Close()
			return nil, fmt.Errorf("mdslib: %s: %w", d.index.Shards[i].RawData.Basename, err)
		}
	}
	return &Reader[T]{d, columns}, nil
}

// Get returns sample i. It is the caller's.
func (r *Reader[T]) Get(i int) (v T, err error) {
	err = r.read(i, func(s *Shard, raw []byte) error {
		return setTyped(reflect.ValueOf(&v).Elem(), r.columns, s.schema, raw, true)
	})
	return v, err
}

// Read reads sample i into v, whose []byte fields it fills where they are and whose text it keeps if it is the same: with
// fields of numbers and bytes nothing is allocated. After an error v's contents are of no meaning.
func (r *Reader[T]) Read(i int, v *T) error {
	value := reflect.ValueOf(v).Elem()
	return r.view(i, func(s *Shard, raw []byte) error {
		return setTyped(value, r.columns, s.schema, raw, false)
	})
}

// All yields the samples in stored order; after an error it ends.
func (r *Reader[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range r.NumSamples() {
			v, err := r.Get(i)
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
