package arrowmds

// Records: the samples of a data set as Arrow records.

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib"
)

// scalars are the Arrow types of the encodings that hold one number or text.
var scalars = map[string]arrow.DataType{
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16, "uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
	"int": arrow.PrimitiveTypes.Int64, "float16": arrow.PrimitiveTypes.Float32, "float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
	"str_float": arrow.PrimitiveTypes.Float64, "float": arrow.PrimitiveTypes.Float64,
	"str": arrow.BinaryTypes.String, "str_int": arrow.BinaryTypes.String, "str_decimal": arrow.BinaryTypes.String, "json": arrow.BinaryTypes.String,
}

// SchemaOf is the schema of the records of a shard. Numbers are Arrow's own; str, json, str_int and str_decimal are text as
// stored; ndarray:TYPE is a list, ndarray:TYPE:SHAPE a list of fixed size, in row-major order; everything else, images and
// pickles among it, is the stored bytes. Each field's metadata "mds.encoding" names its encoding.
func SchemaOf(info *mdslib.ShardInfo) *arrow.Schema {
	var fields []arrow.Field
	for i, name := range info.ColumnNames {
		encoding := info.ColumnEncodings[i]
		fields = append(fields, arrow.Field{Name: name, Type: typeOfEncoding(encoding, info), Metadata: arrow.NewMetadata([]string{encodingKey}, []string{encoding})})
	}
	return arrow.NewSchema(fields, nil)
}

func typeOfEncoding(encoding string, info *mdslib.ShardInfo) arrow.DataType {
	if t, ok := scalars[encoding]; ok {
		return t
	}
	parts := strings.Split(encoding, ":")
	if elem, ok := scalars[parts[min(1, len(parts)-1)]]; ok && parts[0] == "ndarray" {
		if len(parts) == 2 {
			return arrow.ListOfNonNullable(elem)
		}
		i := slices.Index(info.ColumnEncodings, encoding)
		return arrow.FixedSizeListOfNonNullable(int32(info.ColumnSizes[i]/elementBytes(parts[1])), elem)
	}
	return arrow.BinaryTypes.Binary
}

func elementBytes(dtype string) int {
	switch dtype {
	case "uint8", "int8":
		return 1
	case "uint16", "int16", "float16":
		return 2
	case "uint32", "int32", "float32":
		return 4
	}
	return 8
}

// Records yields the samples in stored order as records of at most so many rows. A record must be released by whoever gets
// it; after an error the sequence ends. All shards must have the columns of the first.
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
		schema := SchemaOf(&shards[0])
		builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer builder.Release()
		pending := 0
		flush := func() bool {
			pending = 0
			return yield(builder.NewRecord(), nil)
		}
		for i := range shards {
			if !SchemaOf(&shards[i]).Equal(schema) {
				yield(nil, fmt.Errorf("arrowmds: %s has other columns than the first shard", shards[i].RawData.Basename))
				return
			}
			shard, err := d.Shard(i)
			if err != nil {
				yield(nil, err)
				return
			}
			for k := range shard.Len() {
				if err := appendSample(builder, shard, k); err != nil {
					yield(nil, err)
					return
				}
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

func appendSample(builder *array.RecordBuilder, shard *mdslib.Shard, k int) error {
	raw, err := shard.Raw(k)
	if err != nil {
		return err
	}
	fields, err := shard.Fields(nil, raw)
	if err != nil {
		return err
	}
	for i, e := range shard.Encodings() {
		if err := appendField(builder.Field(i), e, fields[i]); err != nil {
			return &mdslib.SampleError{Sample: int64(k), Column: shard.Columns()[i], Err: err}
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
	v, err := e.Decode(data)
	if err != nil {
		return err
	}
	a, ok := v.(mdslib.Array)
	if !ok {
		return appendNumber(to, v)
	}
	var elements array.Builder
	switch b := to.(type) {
	case *array.ListBuilder:
		if len(a.Shape) != 1 {
			return fmt.Errorf("an array of shape %v: Arrow's lists have one dimension", a.Shape)
		}
		b.Append(true)
		elements = b.ValueBuilder()
	case *array.FixedSizeListBuilder:
		b.Append(true)
		elements = b.ValueBuilder()
	default:
		return fmt.Errorf("an array does not fit into %s", to.Type())
	}
	switch data := a.Data.(type) {
	case []int8:
		elements.(*array.Int8Builder).AppendValues(data, nil)
	case []int16:
		elements.(*array.Int16Builder).AppendValues(data, nil)
	case []int32:
		elements.(*array.Int32Builder).AppendValues(data, nil)
	case []int64:
		elements.(*array.Int64Builder).AppendValues(data, nil)
	case []uint8:
		elements.(*array.Uint8Builder).AppendValues(data, nil)
	case []uint16:
		elements.(*array.Uint16Builder).AppendValues(data, nil)
	case []uint32:
		elements.(*array.Uint32Builder).AppendValues(data, nil)
	case []uint64:
		elements.(*array.Uint64Builder).AppendValues(data, nil)
	case []float64:
		elements.(*array.Float64Builder).AppendValues(data, nil)
	default: // float32, and float16 widened
		elements.(*array.Float32Builder).AppendValues(a.Float32s(), nil)
	}
	return nil
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
