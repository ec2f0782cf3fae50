package mdslib

// numpy's arrays and scalars in a pickle. An array of protocol 4 is _reconstruct(ndarray, (0,), b"b") with the state
// (1, shape, dtype, is Fortran's order, elements); of protocol 5 _frombuffer(elements, dtype, shape, order); a scalar is
// scalar(dtype, element); a dtype is dtype("i4", False, True) with the state (3, byte order, …).

import (
	"fmt"
	"reflect"
	"slices"

	"gomosaic/mdslib/pickle"
)

// Scalar is one number of numpy in a pkl column: int8 to float64, [Float16] or bool. A plain Go number is written as
// Python's int or float.
type Scalar struct{ Value any }

// numpyTypes are the element types by numpy's short names. Arrays of bool occur in pickles alone.
var numpyTypes = map[string]reflect.Type{
	"b1": reflect.TypeFor[bool](), "u1": reflect.TypeFor[uint8](), "i1": reflect.TypeFor[int8](), "u2": reflect.TypeFor[uint16](),
	"i2": reflect.TypeFor[int16](), "f2": reflect.TypeFor[Float16](), "u4": reflect.TypeFor[uint32](), "i4": reflect.TypeFor[int32](),
	"f4": reflect.TypeFor[float32](), "u8": reflect.TypeFor[uint64](), "i8": reflect.TypeFor[int64](), "f8": reflect.TypeFor[float64](),
}

type (
	// numpyClass is the class numpy.ndarray as an argument.
	numpyClass struct{}
	// numpyDType is a dtype; it is complete after its state.
	numpyDType struct {
		name  string
		bytes int
		big   bool // big-endian
	}
	// numpyArray is an array; it is complete after its state.
	numpyArray struct {
		dtype    *numpyDType
		shape    []int
		fortran  bool
		elements []byte
	}
)

var numpyNames = map[string]any{
	"numpy.ndarray":                       numpyClass{},
	"numpy.dtype":                         pickle.Func(newNumpyDType),
	"numpy._core.multiarray._reconstruct": pickle.Func(newNumpyArray),
	"numpy.core.multiarray._reconstruct":  pickle.Func(newNumpyArray),
	"numpy._core.multiarray.scalar":       pickle.Func(newNumpyScalar),
	"numpy.core.multiarray.scalar":        pickle.Func(newNumpyScalar),
	"numpy._core.numeric._frombuffer":     pickle.Func(numpyFromBuffer),
	"numpy.core.numeric._frombuffer":      pickle.Func(numpyFromBuffer),
	"numpy._core.multiarray._frombuffer":  pickle.Func(numpyFromBuffer),
}

func newNumpyDType(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no arguments")
	}
	name, _ := args[0].(string)
	t, ok := numpyTypes[name]
	if !ok {
		return nil, fmt.Errorf("the element type %.20q is not read", fmt.Sprint(args[0]))
	}
	return &numpyDType{name: name, bytes: int(t.Size())}, nil
}

func (d *numpyDType) setState(state any) error {
	s, ok := state.(pickle.Tuple)
	if !ok || len(s) < 3 {
		return fmt.Errorf("a dtype's state is a %T", state)
	}
	switch s[1] {
	case "<", "|", "=":
		d.big = false
	case ">":
		d.big = true
	default:
		return fmt.Errorf("the byte order %v", s[1])
	}
	return nil
}

func newNumpyArray(args pickle.Tuple) (any, error) {
	if len(args) != 3 || args[0] != (numpyClass{}) {
		return nil, fmt.Errorf("want numpy.ndarray, a shape and a type")
	}
	return &numpyArray{}, nil
}

func (a *numpyArray) setState(state any) error {
	s, ok := state.(pickle.Tuple)
	if !ok || len(s) != 5 {
		return fmt.Errorf("an array's state is a %T", state)
	}
	fortran, ok := s[3].(bool)
	if !ok {
		return fmt.Errorf("an array's order is a %T", s[3])
	}
	return a.fill(s[4], s[2], s[1], fortran)
}

func (a *numpyArray) fill(elements, dtype, shape any, fortran bool) error {
	var ok bool
	if a.dtype, ok = dtype.(*numpyDType); !ok {
		return fmt.Errorf("an array's dtype is a %T", dtype)
	}
	if a.elements, ok = elements.([]byte); !ok {
		return fmt.Errorf("an array's elements are a %T", elements)
	}
	dims, ok := shape.(pickle.Tuple)
	if !ok {
		return fmt.Errorf("an array's shape is a %T", shape)
	}
	a.shape, a.fortran = make([]int, len(dims)), fortran
	n := int64(1)
	for i, d := range dims {
		dim, ok := d.(int64)
		if !ok || dim < 0 || dim > 0 && n > maxOffset/dim {
			return fmt.Errorf("the shape %v of an array of %d bytes", dims, len(a.elements))
		}
		a.shape[i] = int(dim)
		n *= dim
	}
	if n*int64(a.dtype.bytes) != int64(len(a.elements)) {
		return fmt.Errorf("%d bytes for an array of shape %v of %s", len(a.elements), dims, a.dtype.name)
	}
	return nil
}

func numpyFromBuffer(args pickle.Tuple) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	a := &numpyArray{}
	return a, a.fill(args[0], args[1], args[2], args[3] == "F")
}

func newNumpyScalar(args pickle.Tuple) (any, error) {
	a := &numpyArray{}
	if len(args) != 2 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	if err := a.fill(args[1], args[0], pickle.Tuple{}, false); err != nil {
		return nil, err
	}
	array, err := a.array()
	if err != nil {
		return nil, err
	}
	return Scalar{reflect.ValueOf(array.Data).Index(0).Interface()}, nil
}

// array gives the array in Go's terms: little-endian and in row-major order, whatever it was.
func (a *numpyArray) array() (Array, error) {
	if a.dtype == nil {
		return Array{}, fmt.Errorf("pickle: an array without its state")
	}
	size := a.dtype.bytes
	data := slices.Clone(a.elements)
	if a.dtype.big {
		for i := 0; i < len(data); i += size {
			slices.Reverse(data[i : i+size])
		}
	}
	if a.fortran && len(a.shape) > 1 && len(data) > 0 {
		data = rowMajor(data, a.shape, size)
	}
	n := len(data) / size
	out := Array{Shape: a.shape}
	if a.dtype.name == "b1" {
		bools := make([]bool, n)
		for i, b := range data {
			bools[i] = b != 0
		}
		out.Data = bools
		return out, nil
	}
	d, _ := dtypeOf(numpyTypes[a.dtype.name])
	out.Data = elementsOf(data, d.name, n)
	return out, nil
}

// rowMajor reorders elements of Fortran's order, in which the first index runs fastest.
func rowMajor(data []byte, shape []int, size int) []byte {
	out := make([]byte, 0, len(data))
	strides := make([]int, len(shape))
	stride := size
	for i, dim := range shape {
		strides[i] = stride
		stride *= dim
	}
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(shape) {
			out = append(out, data[at:at+size]...)
			return
		}
		for i := range shape[axis] {
			walk(axis+1, at+i*strides[axis])
		}
	}
	walk(0, 0)
	return out
}

// arrayKey tells arrays apart: two that share their elements and shape are one object in Python.
type arrayKey struct {
	data  uintptr
	n     int
	dtype string
	shape string
}

// pickleReducer turns Go's values into the calls by which Python pickles the like, for one pickle.
type pickleReducer struct {
	dtypes map[string]*pickle.Call
	arrays map[arrayKey]*pickle.Call
	zones  map[int]*pickle.Call
}

func (r *pickleReducer) reduce(v any) (any, error) {
	switch v := v.(type) {
	case Array:
		return r.array(v)
	case *Array:
		if v == nil {
			return nil, fmt.Errorf("a nil *Array")
		}
		return r.array(*v)
	case Scalar:
		return r.scalar(v)
	case Decimal:
		d, err := ParseDecimal(string(v))
		return &pickle.Call{Func: pickle.Global{Module: "decimal", Name: "Decimal"}, Args: pickle.Tuple{pickle.Fresh{Value: string(d)}}}, err
	}
	return r.time(v)
}

// dtype returns the short name and the dtype object of a slice type, which one pickle holds once.
func (r *pickleReducer) dtype(elem reflect.Type) (string, *pickle.Call, error) {
	name := ""
	if elem == reflect.TypeFor[bool]() {
		name = "b1"
	} else if d, ok := dtypeOf(elem); ok {
		for short, t := range numpyTypes {
			if t == d.elem {
				name = short
			}
		}
	}
	if name == "" {
		return "", nil, fmt.Errorf("want an array of numbers, got one of %s", elem)
	}
	c := r.dtypes[name]
	if c == nil {
		order := "<"
		if numpyTypes[name].Size() == 1 {
			order = "|"
		}
		c = &pickle.Call{
			Func: pickle.Global{Module: "numpy", Name: "dtype"}, Args: pickle.Tuple{name, false, true},
			State: pickle.Tuple{3, order, nil, nil, nil, -1, -1, 0}, HasState: true,
		}
		r.dtypes[name] = c
	}
	return name, c, nil
}

func (r *pickleReducer) array(a Array) (any, error) {
	data := reflect.ValueOf(a.Data)
	if data.Kind() != reflect.Slice {
		return nil, fmt.Errorf("want an Array whose Data is a slice of numbers, got %T", a.Data)
	}
	name, dtype, err := r.dtype(data.Type().Elem())
	if err != nil {
		return nil, err
	}
	n := 1
	shape := make(pickle.Tuple, len(a.Shape))
	for i, dim := range a.Shape {
		if dim < 0 || dim > 0 && n > maxOffset/dim {
			return nil, fmt.Errorf("the shape %v", a.Shape)
		}
		n *= dim
		shape[i] = dim
	}
	if data.Len() != n {
		return nil, fmt.Errorf("array of shape %v has %d elements instead of %d", a.Shape, data.Len(), n)
	}
	key := arrayKey{data.Pointer(), n, name, fmt.Sprint(a.Shape)}
	if c := r.arrays[key]; c != nil && n > 0 {
		return c, nil
	}
	elements, err := pickledElements(a.Data)
	if err != nil {
		return nil, err
	}
	c := &pickle.Call{
		Func:     pickle.Global{Module: "numpy._core.multiarray", Name: "_reconstruct"},
		Args:     pickle.Tuple{pickle.Global{Module: "numpy", Name: "ndarray"}, pickle.Tuple{0}, []byte("b")},
		State:    pickle.Tuple{1, shape, dtype, false, fresh(elements, 1)},
		HasState: true,
	}
	r.arrays[key] = c
	return c, nil
}

func pickledElements(data any) ([]byte, error) {
	bools, ok := data.([]bool)
	if !ok {
		return appendElements(nil, data)
	}
	out := make([]byte, len(bools))
	for i, b := range bools {
		if b {
			out[i] = 1
		}
	}
	return out, nil
}

// fresh marks bytes that Python makes anew; of those up to the given length it has one of each.
func fresh(data []byte, most int) any {
	if len(data) <= most {
		return append([]byte{}, data...)
	}
	return pickle.Fresh{Value: data}
}

func (r *pickleReducer) scalar(s Scalar) (any, error) {
	if s.Value == nil {
		return nil, fmt.Errorf("a Scalar without a value")
	}
	one := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(s.Value)), 1, 1)
	one.Index(0).Set(reflect.ValueOf(s.Value))
	_, dtype, err := r.dtype(one.Type().Elem())
	if err != nil {
		return nil, err
	}
	element, err := pickledElements(one.Interface())
	if err != nil {
		return nil, err
	}
	return &pickle.Call{Func: pickle.Global{Module: "numpy._core.multiarray", Name: "scalar"}, Args: pickle.Tuple{dtype, fresh(element, 1)}}, nil
}
