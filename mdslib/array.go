package mdslib

// Array is the value of the ndarray encodings. encoding_ndarray.go gives it its bytes.

import (
	"fmt"
	"reflect"
	"slices"
)

// Array is a dense array: Data is one of []uint8, []int8, []uint16, []int16, []Float16, []uint32, []int32, []float32,
// []uint64, []int64, []float64, in row-major order, len(Data) = product of Shape. A decoded Array is the caller's.
type Array struct {
	Shape []int
	Data  any
}

// dtypes are numpy's names of the element types and MDS's codes for them (mosaicml-streaming, encodings.py, NDArray).
var dtypes = []dtype{
	{"uint8", 8, 1, reflect.TypeFor[uint8]()},
	{"int8", 9, 1, reflect.TypeFor[int8]()},
	{"uint16", 16, 2, reflect.TypeFor[uint16]()},
	{"int16", 17, 2, reflect.TypeFor[int16]()},
	{"float16", 18, 2, reflect.TypeFor[Float16]()},
	{"uint32", 32, 4, reflect.TypeFor[uint32]()},
	{"int32", 33, 4, reflect.TypeFor[int32]()},
	{"float32", 34, 4, reflect.TypeFor[float32]()},
	{"uint64", 64, 8, reflect.TypeFor[uint64]()},
	{"int64", 65, 8, reflect.TypeFor[int64]()},
	{"float64", 66, 8, reflect.TypeFor[float64]()},
}

type dtype struct {
	name  string
	code  byte // first byte of an ndarray without a given dtype
	bytes int  // per element
	elem  reflect.Type
}

func dtypeNamed(name string) (dtype, bool) {
	i := slices.IndexFunc(dtypes, func(d dtype) bool { return d.name == name })
	if i < 0 {
		return dtype{}, false
	}
	return dtypes[i], true
}

func dtypeOf(elem reflect.Type) (dtype, bool) {
	for _, d := range dtypes {
		if d.elem == elem {
			return d, true
		}
	}
	switch elem.Kind() { // int and uint as numpy's default integers, named types as their underlying ones
	case reflect.Int:
		return dtypeNamed("int64")
	case reflect.Uint:
		return dtypeNamed("uint64")
	case reflect.Interface, reflect.String, reflect.Bool:
		return dtype{}, false
	}
	for _, d := range dtypes {
		if d.elem.Kind() == elem.Kind() && d.name != "float16" {
			return d, true
		}
	}
	return dtype{}, false
}

// DType returns numpy's name of the element type, for example "float32", or "" if Data is none of the listed slices.
func (a Array) DType() string {
	t := reflect.TypeOf(a.Data)
	if t == nil || t.Kind() != reflect.Slice {
		return ""
	}
	d, ok := dtypeOf(t.Elem())
	if !ok {
		return ""
	}
	return d.name
}

// Float32s returns the elements as float32, whatever their type; a []float32 is returned as it is.
func (a Array) Float32s() []float32 {
	switch data := a.Data.(type) {
	case []float32:
		return data
	case []float64:
		return float32s(data)
	case []uint8:
		return float32s(data)
	case []int8:
		return float32s(data)
	case []uint16:
		return float32s(data)
	case []int16:
		return float32s(data)
	case []uint32:
		return float32s(data)
	case []int32:
		return float32s(data)
	case []uint64:
		return float32s(data)
	case []int64:
		return float32s(data)
	case []Float16:
		out := make([]float32, len(data))
		for i, h := range data {
			out[i] = h.Float32()
		}
		return out
	}
	return nil
}

func float32s[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float64](in []T) []float32 {
	out := make([]float32, len(in))
	for i, v := range in {
		out[i] = float32(v)
	}
	return out
}

// elements returns the product of a shape, or an error for a dimension below 1 or a product beyond 2^40.
func elements(shape []int) (int, error) {
	const most = 1 << 40
	n := 1
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("shape %v: every dimension must be at least 1", shape)
		}
		if d > most/n {
			return 0, fmt.Errorf("shape %v: too many elements", shape)
		}
		n *= d
	}
	return n, nil
}

// nested returns the elements as nested []any, as ndarray.tolist() does.
func (a Array) nested() (any, error) {
	data := reflect.ValueOf(a.Data)
	n, err := elements(a.Shape)
	if err != nil {
		return nil, err
	}
	if a.DType() == "" || data.Len() != n {
		return nil, fmt.Errorf("array of shape %v does not fit its data %T", a.Shape, a.Data)
	}
	at := 0
	var level func(dims []int) any
	level = func(dims []int) any {
		if len(dims) == 0 {
			at++
			return data.Index(at - 1).Interface()
		}
		out := make([]any, dims[0])
		for i := range out {
			out[i] = level(dims[1:])
		}
		return out
	}
	return level(a.Shape), nil
}
