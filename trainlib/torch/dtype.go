package torch

import "fmt"

// DType is the type of a tensor's elements, numbered as c10::ScalarType.
type DType int8

// The element types, by PyTorch's names.
const (
	Uint8     DType = 0
	Int8      DType = 1
	Int16     DType = 2
	Int32     DType = 3
	Int64     DType = 4
	Float16   DType = 5
	Float32   DType = 6
	Float64   DType = 7
	Complex64 DType = 9
	Bool      DType = 11
	BFloat16  DType = 15
)

// String is PyTorch's name without "torch.".
func (d DType) String() string {
	switch d {
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int16:
		return "int16"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float16:
		return "float16"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Complex64:
		return "complex64"
	case Bool:
		return "bool"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("ScalarType(%d)", int8(d))
}

// ElementBytes is the size of one element; 0 for a type that this package has no name for.
func (d DType) ElementBytes() int {
	switch d {
	case Uint8, Int8, Bool:
		return 1
	case Int16, Float16, BFloat16:
		return 2
	case Int32, Float32:
		return 4
	case Int64, Float64, Complex64:
		return 8
	}
	return 0
}

// IsFloat reports whether the type can carry gradients and fractions.
func (d DType) IsFloat() bool {
	return d == Float16 || d == Float32 || d == Float64 || d == BFloat16
}

// Element is a Go type that has an element type of its own.
type Element interface {
	uint8 | int8 | int16 | int32 | int64 | float32 | float64 | bool
}

// DTypeOf is the element type of a Go type.
func DTypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case uint8:
		return Uint8
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case float32:
		return Float32
	case float64:
		return Float64
	default:
		return Bool
	}
}
