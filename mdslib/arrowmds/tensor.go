package arrowmds

// Arrays as Arrow holds them: a list where they have one dimension, else the layout of Arrow's tensor extensions
// (https://arrow.apache.org/docs/format/CanonicalExtensions.html), elements in row-major order.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"gomosaic/mdslib"
)

// What marks a field as of an extension type, for readers that know the type; to others it is of its storage type.
const (
	extensionName     = "ARROW:extension:name"
	extensionMetadata = "ARROW:extension:metadata"
	fixedShapeTensor  = "arrow.fixed_shape_tensor"
	variableTensor    = "arrow.variable_shape_tensor"
)

// numbers are the Arrow types of an array's elements.
var numbers = map[string]arrow.DataType{
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16, "uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
	"float16": arrow.FixedWidthTypes.Float16, "float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
}

// dtypeOf is numpy's name of an Arrow type of numbers.
func dtypeOf(t arrow.DataType) (string, bool) {
	for name, number := range numbers {
		if number.ID() == t.ID() {
			return name, true
		}
	}
	return "", false
}

// ndarray takes an encoding "ndarray:DTYPE" or "ndarray:DTYPE:SHAPE" apart; shape is nil for the former. It is false for
// any other, plain "ndarray" too, whose values name their types themselves.
func ndarray(encoding string) (elem arrow.DataType, shape []int, ok bool) {
	parts := strings.Split(encoding, ":")
	if len(parts) < 2 || parts[0] != "ndarray" || numbers[parts[1]] == nil {
		return nil, nil, false
	}
	if len(parts) == 3 {
		for dim := range strings.SplitSeq(parts[2], ",") {
			n, err := strconv.Atoi(strings.TrimSpace(dim))
			if err != nil || n < 1 {
				return nil, nil, false
			}
			shape = append(shape, n)
		}
	}
	return numbers[parts[1]], shape, true
}

// tensorType is the type of a column of arrays, and what its field's metadata says besides. Without a shape it is a list,
// or, if flat is false, a list with the shape beside it.
func tensorType(elem arrow.DataType, shape []int, flat bool) (arrow.DataType, map[string]string) {
	if shape == nil && flat {
		return arrow.ListOfNonNullable(elem), nil
	}
	if shape == nil {
		return arrow.StructOf(arrow.Field{Name: "data", Type: arrow.ListOfNonNullable(elem)}, arrow.Field{Name: "shape", Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int32)}), nil
	}
	n := 1
	for _, dim := range shape {
		n *= dim
	}
	t := arrow.FixedSizeListOfNonNullable(int32(n), elem)
	if len(shape) == 1 {
		return t, nil
	}
	text, _ := json.Marshal(map[string][]int{"shape": shape})
	return t, map[string]string{extensionName: fixedShapeTensor, extensionMetadata: string(text)}
}

// tensorEncoding is the encoding of a field whose type another program marked as a tensor, or "".
func tensorEncoding(f arrow.Field) (string, error) {
	name, _ := f.Metadata.GetValue(extensionName)
	text, _ := f.Metadata.GetValue(extensionMetadata)
	var meta struct{ Shape, Permutation []int }
	if name == fixedShapeTensor || name == variableTensor {
		if err := json.Unmarshal([]byte(text), &meta); err != nil && text != "" {
			return "", fmt.Errorf("the metadata of %s: %w", name, err)
		}
		if !slices.IsSorted(meta.Permutation) {
			return "", fmt.Errorf("%s of the permutation %v: want its dimensions in row-major order", name, meta.Permutation)
		}
	}
	switch t := f.Type.(type) {
	case *arrow.FixedSizeListType:
		elem, ok := dtypeOf(t.Elem())
		if !ok || name != fixedShapeTensor || len(meta.Shape) == 0 {
			return "", nil
		}
		return "ndarray:" + elem + ":" + strings.Trim(strings.ReplaceAll(fmt.Sprint(meta.Shape), " ", ","), "[]"), nil
	case *arrow.StructType:
		data, ok := tensorData(t)
		if !ok || name != variableTensor {
			return "", nil
		}
		elem, _ := dtypeOf(data)
		return "ndarray:" + elem, nil
	}
	return "", nil
}

// tensorData is the type of the elements in a struct of lists "data" and "shape".
func tensorData(t *arrow.StructType) (arrow.DataType, bool) {
	if t.NumFields() != 2 || t.Field(0).Name != "data" || t.Field(1).Name != "shape" {
		return nil, false
	}
	data, ok1 := t.Field(0).Type.(arrow.ListLikeType)
	shape, ok2 := t.Field(1).Type.(arrow.ListLikeType)
	if !ok1 || !ok2 || shape.Elem().ID() != arrow.INT32 {
		return nil, false
	}
	_, ok := dtypeOf(data.Elem())
	return data.Elem(), ok
}

// appendTensor adds an array to its column.
func appendTensor(to array.Builder, a mdslib.Array) error {
	switch b := to.(type) {
	case *array.ListBuilder:
		b.Append(true)
		appendElements(b.ValueBuilder(), a.Data)
	case *array.FixedSizeListBuilder:
		b.Append(true)
		appendElements(b.ValueBuilder(), a.Data)
	case *array.StructBuilder:
		b.Append(true)
		shape := b.FieldBuilder(1).(*array.ListBuilder)
		shape.Append(true)
		for _, dim := range a.Shape {
			shape.ValueBuilder().(*array.Int32Builder).Append(int32(dim)) // an array is below 2 GiB here
		}
		return appendTensor(b.FieldBuilder(0), a)
	default:
		return fmt.Errorf("an array does not fit into %s", to.Type())
	}
	return nil
}

func appendElements(to array.Builder, data any) {
	switch data := data.(type) {
	case []int8:
		to.(*array.Int8Builder).AppendValues(data, nil)
	case []int16:
		to.(*array.Int16Builder).AppendValues(data, nil)
	case []int32:
		to.(*array.Int32Builder).AppendValues(data, nil)
	case []int64:
		to.(*array.Int64Builder).AppendValues(data, nil)
	case []uint8:
		to.(*array.Uint8Builder).AppendValues(data, nil)
	case []uint16:
		to.(*array.Uint16Builder).AppendValues(data, nil)
	case []uint32:
		to.(*array.Uint32Builder).AppendValues(data, nil)
	case []uint64:
		to.(*array.Uint64Builder).AppendValues(data, nil)
	case []float32:
		to.(*array.Float32Builder).AppendValues(data, nil)
	case []float64:
		to.(*array.Float64Builder).AppendValues(data, nil)
	case []mdslib.Float16:
		b := to.(*array.Float16Builder)
		b.Reserve(len(data))
		for _, h := range data {
			b.UnsafeAppend(float16.FromBits(uint16(h)))
		}
	}
}

// tensorsOf gives the arrays of a column, of the shape given, or of one dimension if shape is nil and the column says none.
// They may alias the record.
func tensorsOf(a arrow.Array, shape []int) (func(i int) any, error) {
	switch a := a.(type) {
	case array.ListLike:
		part, err := elementsOf(a.ListValues())
		if err != nil {
			return nil, err
		}
		return func(i int) any {
			if a.IsNull(i) {
				return nil
			}
			first, end := a.ValueOffsets(i)
			out := mdslib.Array{Shape: shape, Data: part(first, end)}
			if shape == nil {
				out.Shape = []int{int(end - first)}
			}
			return out
		}, nil
	case *array.Struct:
		data, err := tensorsOf(a.Field(0), shape)
		if err != nil {
			return nil, err
		}
		dims, err := tensorsOf(a.Field(1), nil)
		if err != nil {
			return nil, err
		}
		return func(i int) any {
			out, ok := data(i).(mdslib.Array)
			lengths, ok2 := dims(i).(mdslib.Array)
			if a.IsNull(i) || !ok || !ok2 {
				return nil
			}
			if shape == nil {
				out.Shape = nil
				for _, n := range lengths.Data.([]int32) {
					out.Shape = append(out.Shape, int(n))
				}
			}
			return out
		}, nil
	}
	return nil, fmt.Errorf("%s holds no arrays", a.DataType())
}

// elementsOf gives pieces of an Arrow array of numbers as Go slices, which alias it where Go has the type.
func elementsOf(values arrow.Array) (func(first, end int64) any, error) {
	if values.NullN() > 0 {
		return nil, fmt.Errorf("a list holds a null")
	}
	switch v := values.(type) {
	case *array.Int8:
		return func(first, end int64) any { return v.Int8Values()[first:end] }, nil
	case *array.Int16:
		return func(first, end int64) any { return v.Int16Values()[first:end] }, nil
	case *array.Int32:
		return func(first, end int64) any { return v.Int32Values()[first:end] }, nil
	case *array.Int64:
		return func(first, end int64) any { return v.Int64Values()[first:end] }, nil
	case *array.Uint8:
		return func(first, end int64) any { return v.Uint8Values()[first:end] }, nil
	case *array.Uint16:
		return func(first, end int64) any { return v.Uint16Values()[first:end] }, nil
	case *array.Uint32:
		return func(first, end int64) any { return v.Uint32Values()[first:end] }, nil
	case *array.Uint64:
		return func(first, end int64) any { return v.Uint64Values()[first:end] }, nil
	case *array.Float32:
		return func(first, end int64) any { return v.Float32Values()[first:end] }, nil
	case *array.Float64:
		return func(first, end int64) any { return v.Float64Values()[first:end] }, nil
	case *array.Float16:
		return func(first, end int64) any {
			out := make([]mdslib.Float16, end-first)
			for i := range out {
				out[i] = mdslib.Float16(v.Value(int(first) + i).Uint16())
			}
			return out
		}, nil
	}
	return nil, fmt.Errorf("lists of %s", values.DataType())
}
