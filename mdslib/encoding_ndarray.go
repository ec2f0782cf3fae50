package mdslib

// The ndarray encodings. Bytes of a value, little-endian:
//
//	[dtype code: 1]                    absent when the column names the type
//	[ndim << 2 | dimension code: 1]    absent when the column names the shape
//	[ndim dimensions: 1, 2, 4 or 8 bytes each, by dimension code 0…3, the smallest that holds the largest]
//	[elements in row-major order]

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

const maxDims = 63 // ndim has six bits

// parseNDArray reads the part after "ndarray:": DTYPE or DTYPE:DIM,DIM.
func parseNDArray(config string) (*Encoding, error) {
	if config == "" {
		return ndarrayEncoding(nil, nil), nil
	}
	name, dims, hasShape := strings.Cut(config, ":")
	d, ok := dtypeNamed(name)
	if !ok {
		var names []string
		for _, d := range dtypes {
			names = append(names, d.name)
		}
		return nil, fmt.Errorf("unknown element type %q: want one of %s", name, strings.Join(names, ", "))
	}
	if !hasShape {
		return ndarrayEncoding(&d, nil), nil
	}
	var shape []int
	for dim := range strings.SplitSeq(dims, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(dim))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("dimension %q: want a whole number from 1 on", dim)
		}
		shape = append(shape, n)
	}
	n, err := elements(shape)
	if err != nil {
		return nil, err
	}
	if len(shape) > maxDims || n > maxOffset/d.bytes {
		return nil, fmt.Errorf("shape %v of %s: more than %d dimensions or 4 GiB", shape, d.name, maxDims)
	}
	e := ndarrayEncoding(&d, shape)
	e.bytes = n * d.bytes
	return e, nil
}

func ndarrayEncoding(d *dtype, shape []int) *Encoding {
	return &Encoding{
		append: func(dst []byte, v any) ([]byte, error) { return appendNDArray(dst, v, d, shape) },
		decode: func(data []byte) (any, error) { return decodeNDArray(data, d, shape) },
	}
}

func appendNDArray(dst []byte, v any, want *dtype, wantShape []int) ([]byte, error) {
	a, err := asArray(v)
	if err != nil {
		return nil, err
	}
	d, ok := dtypeOf(reflect.TypeOf(a.Data).Elem())
	if !ok {
		return nil, fmt.Errorf("want an array of numbers, got %T", v)
	}
	if want != nil && want.name != d.name {
		return nil, fmt.Errorf("want elements of type %s, got %s", want.name, d.name)
	}
	if len(a.Shape) == 0 {
		return nil, fmt.Errorf("want an array, got one of no dimensions: use a scalar encoding")
	}
	n, err := elements(a.Shape)
	if err != nil {
		return nil, err
	}
	if got := reflect.ValueOf(a.Data).Len(); got != n {
		return nil, fmt.Errorf("array of shape %v has %d elements instead of %d", a.Shape, got, n)
	}
	if wantShape != nil && !slices.Equal(a.Shape, wantShape) {
		return nil, fmt.Errorf("want shape %v, got %v", wantShape, a.Shape)
	}
	if want == nil {
		dst = append(dst, d.code)
	}
	if wantShape == nil {
		if len(a.Shape) > maxDims {
			return nil, fmt.Errorf("array of %d dimensions, at most %d are allowed", len(a.Shape), maxDims)
		}
		code, width := dimensionCode(slices.Max(a.Shape))
		dst = append(dst, byte(len(a.Shape))<<2|code)
		for _, dim := range a.Shape {
			dst = appendBits(dst, uint64(dim), width)
		}
	}
	return appendElements(dst, a.Data)
}

// dimensionCode returns the code and width in bytes of the smallest unsigned type that holds the largest dimension.
func dimensionCode(largest int) (code byte, width int) {
	switch n := uint64(largest); {
	case n <= math.MaxUint8:
		return 0, 1
	case n <= math.MaxUint16:
		return 1, 2
	case n <= math.MaxUint32:
		return 2, 4
	}
	return 3, 8
}

// appendElements appends the elements of a typed slice, little-endian.
func appendElements(dst []byte, data any) ([]byte, error) {
	switch d := data.(type) {
	case []uint8:
		return append(dst, d...), nil
	case []Float16:
		data = unsafe.Slice((*uint16)(unsafe.SliceData(d)), len(d))
	case []int:
		for _, v := range d {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
		return dst, nil
	case []uint:
		for _, v := range d {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
		return dst, nil
	}
	return binary.Append(dst, binary.LittleEndian, data)
}

// asArray returns v as an Array: an Array itself, or a slice or Go array of numbers, nested ones as more dimensions.
func asArray(v any) (Array, error) {
	switch v := v.(type) {
	case Array:
		if v.DType() == "" {
			return Array{}, fmt.Errorf("want an Array whose Data is a slice of numbers, got %T", v.Data)
		}
		return v, nil
	case *Array:
		if v != nil {
			return asArray(*v)
		}
	case nil:
	default:
		if k := reflect.TypeOf(v).Kind(); k == reflect.Slice || k == reflect.Array {
			return flatten(reflect.ValueOf(v))
		}
	}
	return Array{}, wantGot("Array or a slice of numbers", v)
}

func flatten(v reflect.Value) (Array, error) {
	var shape []int
	elem := v.Type()
	for w := v; w.Kind() == reflect.Slice || w.Kind() == reflect.Array; w = w.Index(0) {
		shape = append(shape, w.Len())
		elem = elem.Elem()
		if w.Len() == 0 {
			return Array{}, fmt.Errorf("want at least one element, got %s of shape %v", v.Type(), shape)
		}
	}
	if _, ok := dtypeOf(elem); !ok {
		return Array{}, fmt.Errorf("want an array of numbers, got %s", v.Type())
	}
	if len(shape) == 1 && v.Kind() == reflect.Slice {
		return Array{Shape: shape, Data: v.Interface()}, nil
	}
	out := reflect.MakeSlice(reflect.SliceOf(elem), 0, 0)
	var walk func(v reflect.Value, dims []int) error
	walk = func(v reflect.Value, dims []int) error {
		if v.Len() != dims[0] {
			return fmt.Errorf("ragged array: a row of %d elements among rows of %d", v.Len(), dims[0])
		}
		if len(dims) == 1 {
			if v.Kind() == reflect.Array {
				for i := range v.Len() {
					out = reflect.Append(out, v.Index(i))
				}
				return nil
			}
			out = reflect.AppendSlice(out, v)
			return nil
		}
		for i := range v.Len() {
			if err := walk(v.Index(i), dims[1:]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(v, shape); err != nil {
		return Array{}, err
	}
	return Array{Shape: shape, Data: out.Interface()}, nil
}

func decodeNDArray(data []byte, d *dtype, shape []int) (any, error) {
	bad := func(format string, args ...any) (any, error) {
		return nil, fmt.Errorf("%w: ndarray: %s", ErrFormat, fmt.Sprintf(format, args...))
	}
	if d == nil {
		if len(data) == 0 {
			return bad("no element type")
		}
		i := slices.IndexFunc(dtypes, func(d dtype) bool { return d.code == data[0] })
		if i < 0 {
			return bad("unknown element type %d", data[0])
		}
		d, data = &dtypes[i], data[1:]
	}
	if shape == nil {
		if len(data) == 0 {
			return bad("no shape")
		}
		ndim, width := int(data[0]>>2), 1<<(data[0]&3)
		data = data[1:]
		if ndim == 0 || len(data) < ndim*width {
			return bad("%d dimensions of %d bytes in %d bytes", ndim, width, len(data))
		}
		shape = make([]int, ndim)
		for i := range shape {
			var dim uint64
			for b := width - 1; b >= 0; b-- {
				dim = dim<<8 | uint64(data[i*width+b])
			}
			if dim > math.MaxInt64 {
				return bad("dimension %d", dim)
			}
			shape[i] = int(dim)
		}
		data = data[ndim*width:]
	} else {
		shape = slices.Clone(shape)
	}
	n, err := elements(shape)
	if err != nil {
		return bad("%v", err)
	}
	if len(data)/d.bytes != n || len(data)%d.bytes != 0 {
		return bad("%d bytes of %s elements for shape %v, which needs %d", len(data), d.name, shape, n*d.bytes)
	}
	return Array{Shape: shape, Data: elementsOf(data, d.name, n)}, nil
}

// elementsOf copies n little-endian elements into a typed slice.
func elementsOf(data []byte, dtype string, n int) any {
	switch dtype {
	case "uint8":
		return slices.Clone(data)
	case "int8":
		return decodeElements[int8](data, n)
	case "uint16":
		return decodeElements[uint16](data, n)
	case "int16":
		return decodeElements[int16](data, n)
	case "float16":
		bits := decodeElements[uint16](data, n)
		return unsafe.Slice((*Float16)(unsafe.SliceData(bits)), n)
	case "uint32":
		return decodeElements[uint32](data, n)
	case "int32":
		return decodeElements[int32](data, n)
	case "float32":
		return decodeElements[float32](data, n)
	case "uint64":
		return decodeElements[uint64](data, n)
	case "int64":
		return decodeElements[int64](data, n)
	}
	return decodeElements[float64](data, n)
}

func decodeElements[T any](data []byte, n int) []T {
	out := make([]T, n)
	if _, err := binary.Decode(data, binary.LittleEndian, out); err != nil {
		panic(err) // sizes were checked
	}
	return out
}
