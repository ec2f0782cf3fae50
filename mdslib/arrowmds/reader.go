package arrowmds

// Records: the samples of a data set as Arrow records.

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib"
)

// SchemaOf is the schema of a data set's records. Numbers are Arrow's own, int64 for int and text's; str, json, str_int and
// str_decimal are text as stored; lists of images are lists of files. ndarray:TYPE is a list, or where there are arrays of
// more than one dimension, for which the samples are looked at, a struct of the lists data and shape, as in Arrow's
// variable_shape_tensor. ndarray:TYPE:SHAPE is a list of fixed size, marked as arrow.fixed_shape_tensor where the shape has
// more than one dimension. Everything else is the stored bytes: images, pickles, and ndarray, whose values may differ in
// type. Each field's metadata "mds.encoding" names its encoding.
func SchemaOf(d *mdslib.Dataset) (*arrow.Schema, error) {
	shards := d.Index().Shards
	if len(shards) == 0 {
		return arrow.NewSchema(nil, nil), nil
	}
	flat, err := flatColumns(d)
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	for i, name := range shards[0].ColumnNames {
		encoding := shards[0].ColumnEncodings[i]
		t, meta := typeOfEncoding(encoding, flat[name])
		if meta == nil {
			meta = map[string]string{}
		}
		meta[encodingKey] = encoding
		fields = append(fields, arrow.Field{Name: name, Type: t, Metadata: arrow.MetadataFrom(meta)})
	}
	return arrow.NewSchema(fields, nil), nil
}

func typeOfEncoding(encoding string, flat bool) (arrow.DataType, map[string]string) {
	if t, ok := numbers[encoding]; ok {
		return t, nil
	}
	if elem, shape, ok := ndarray(encoding); ok {
		return tensorType(elem, shape, flat)
	}
	switch encoding {
	case "int":
		return arrow.PrimitiveTypes.Int64, nil
	case "str_float", "float":
		return arrow.PrimitiveTypes.Float64, nil
	case "str", "str_int", "str_decimal", "json":
		return arrow.BinaryTypes.String, nil
	}
	if isImageList(encoding) {
		return arrow.ListOfNonNullable(arrow.BinaryTypes.Binary), nil
	}
	return arrow.BinaryTypes.Binary, nil
}

func isImageList(encoding string) bool {
	e, err := mdslib.ParseEncoding(encoding)
	return err == nil && e.IsImageList()
}

// flatColumns tells of each column of ndarray:TYPE whether all its arrays have one dimension. One that has more decides;
// otherwise all samples are looked at.
func flatColumns(d *mdslib.Dataset) (map[string]bool, error) {
	shards := d.Index().Shards
	flat := map[string]bool{}
	var open []int // columns that no array has decided
	for i, encoding := range shards[0].ColumnEncodings {
		if _, shape, ok := ndarray(encoding); ok && shape == nil {
			flat[shards[0].ColumnNames[i]] = true
			open = append(open, i)
		}
	}
	var raw []byte
	var fields [][]byte
	for number := range shards {
		for k := 0; len(open) > 0 && k < shards[number].Samples; k++ {
			shard, err := d.Shard(number)
			if err != nil {
				return nil, err
			}
			if raw, err = shard.AppendRaw(raw[:0], k); err != nil {
				return nil, err
			}
			if fields, err = shard.Fields(fields[:0], raw); err != nil {
				return nil, inSample(err, k)
			}
			open = slices.DeleteFunc(open, func(i int) bool {
				more := i < len(fields) && len(fields[i]) > 0 && fields[i][0]>>2 != 1 // the number of dimensions: see FORMAT.md
				if more {
					flat[shards[0].ColumnNames[i]] = false
				}
				return more
			})
		}
	}
	return flat, nil
}

// inSample adds its number to an error about a sample.
func inSample(err error, k int) error {
	if e, ok := errors.AsType[*mdslib.SampleError](err); ok && e.Sample < 0 {
		return &mdslib.SampleError{Shard: e.Shard, Sample: int64(k), Column: e.Column, Err: e.Err}
	}
	return err
}

// mostBytes ends a record early: Arrow counts the bytes and elements of a column in int32.
const mostBytes = 1 << 30

// Records yields the samples in stored order as records of at most so many rows, fewer where they take more than 1 GiB. A
// record must be released by whoever gets it; after an error the sequence ends. All shards must have the columns of the
// first. A value of 2 GiB or more is an error.
func Records(d *mdslib.Dataset, rows int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		shards := d.Index().Shards
		if len(shards) == 0 {
			return
		}
		if rows < 1 {
			yield(nil, fmt.Errorf("arrowmds: records of %d rows", rows))
			return
		}
		schema, err := SchemaOf(d)
		if err != nil {
			yield(nil, err)
			return
		}
		builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer builder.Release()
		pending, pendingBytes := 0, 0
		flush := func() bool {
			pending, pendingBytes = 0, 0
			return yield(builder.NewRecord(), nil)
		}
		var raw []byte
		for i := range shards {
			if !slices.Equal(shards[i].ColumnNames, shards[0].ColumnNames) || !slices.Equal(shards[i].ColumnEncodings, shards[0].ColumnEncodings) {
				yield(nil, fmt.Errorf("arrowmds: %s has other columns than the first shard", shards[i].RawData.Basename))
				return
			}
			shard, err := d.Shard(i)
			if err != nil {
				yield(nil, err)
				return
			}
			for k := range shard.Len() {
				if raw, err = shard.AppendRaw(raw[:0], k); err != nil {
					yield(nil, err)
					return
				}
				if pending > 0 && pendingBytes+len(raw) > mostBytes && !flush() {
					return
				}
				if err := appendSample(builder, shard, raw); err != nil {
					yield(nil, inSample(err, k))
					return
				}
				pendingBytes += len(raw)
				if pending++; pending == rows && !flush() {
					return
				}
			}
		}
		if pending > 0 {
			flush()
		}
	}
}

// appendSample adds a sample, which is copied.
func appendSample(builder *array.RecordBuilder, shard *mdslib.Shard, raw []byte) error {
	fields, err := shard.Fields(nil, raw)
	if err != nil {
		return err
	}
	for i, e := range shard.Encodings() {
		if len(fields[i]) > math.MaxInt32 {
			err = fmt.Errorf("a value of %d bytes: Arrow's columns hold less than 2 GiB", len(fields[i]))
		} else {
			err = appendField(builder.Field(i), e, fields[i])
		}
		if err != nil {
			return &mdslib.SampleError{Shard: shard.Name(), Sample: -1, Column: shard.Columns()[i], Err: err}
		}
	}
	return nil
}

// appendField adds one value to its column.
func appendField(to array.Builder, e *mdslib.Encoding, data []byte) error {
	if b, ok := to.(*array.BinaryBuilder); ok {
		b.Append(data)
		return nil
	}
	if b, ok := to.(*array.StringBuilder); ok {
		v, err := e.Decode(data)
		if err != nil { // text that is damaged is no value
			return err
		}
		if text, ok := v.(string); ok && e.Name() == "str" { // in a json shard its bytes are quoted
			b.Append(text)
		} else {
			b.Append(string(data))
		}
		return nil
	}
	if b, ok := to.(*array.Float16Builder); ok { // decoded it would be a float32
		if len(data) != 2 {
			return fmt.Errorf("want 2 bytes of float16, got %d", len(data))
		}
		b.Append(float16.FromLEBytes(data))
		return nil
	}
	if e.IsImageList() {
		files, err := e.Images(data)
		if err != nil {
			return err
		}
		b := to.(*array.ListBuilder)
		b.Append(true)
		for _, file := range files {
			b.ValueBuilder().(*array.BinaryBuilder).Append(file)
		}
		return nil
	}
	v, err := e.Decode(data)
	if err != nil {
		return err
	}
	if a, ok := v.(mdslib.Array); ok {
		return appendTensor(to, a)
	}
	return appendNumber(to, v)
}

func appendNumber(to array.Builder, v any) error {
	switch b := to.(type) {
	case *array.Int8Builder:
		b.Append(v.(int8))
	case *array.Int16Builder:
		b.Append(v.(int16))
	case *array.Int32Builder:
		b.Append(v.(int32))
	case *array.Int64Builder:
		n, ok := v.(int64)
		if !ok { // a text format's int of more than 64 bits
			return fmt.Errorf("%v does not fit into int64", v)
		}
		b.Append(n)
	case *array.Uint8Builder:
		b.Append(v.(uint8))
	case *array.Uint16Builder:
		b.Append(v.(uint16))
	case *array.Uint32Builder:
		b.Append(v.(uint32))
	case *array.Uint64Builder:
		b.Append(v.(uint64))
	case *array.Float32Builder:
		b.Append(v.(float32))
	case *array.Float64Builder:
		f, ok := v.(float64)
		if !ok { // JSON has no difference between 1 and 1.0
			return fmt.Errorf("%v is no float", v)
		}
		b.Append(f)
	default:
		return fmt.Errorf("a %T does not fit into %s", v, to.Type())
	}
	return nil
}
