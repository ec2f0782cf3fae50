package checkpoint

import (
	"fmt"
	"strings"

	"gomosaic/mdslib/pickle"
	"gomosaic/trainlib/torch"
)

// This file lists the globals that a pickle may refer to and what calling them makes; unpickler refuses all others.

// storageTypes are the legacy storage classes, by which a pickle names element types.
var storageTypes = map[string]torch.DType{
	"torch.FloatStorage": torch.Float32, "torch.DoubleStorage": torch.Float64, "torch.HalfStorage": torch.Float16,
	"torch.BFloat16Storage": torch.BFloat16, "torch.LongStorage": torch.Int64, "torch.IntStorage": torch.Int32,
	"torch.ShortStorage": torch.Int16, "torch.CharStorage": torch.Int8, "torch.ByteStorage": torch.Uint8,
	"torch.BoolStorage": torch.Bool, "torch.ComplexFloatStorage": torch.Complex64,
}

// dtypes are the element types that a pickle may hold as values.
var dtypes = map[string]torch.DType{
	"torch.float32": torch.Float32, "torch.float64": torch.Float64, "torch.float16": torch.Float16, "torch.bfloat16": torch.BFloat16,
	"torch.int64": torch.Int64, "torch.int32": torch.Int32, "torch.int16": torch.Int16, "torch.int8": torch.Int8,
	"torch.uint8": torch.Uint8, "torch.bool": torch.Bool, "torch.complex64": torch.Complex64,
}

// callables are the globals that REDUCE may call beside those of plain data; everything else in a pickle is refused.
var callables = map[string]pickle.Func{
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch.Size":                      newSize,
	"torch.device":                    newDevice,
	"torch.serialization._get_layout": firstString,
}

// rebuildTensor is (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]).
func rebuildTensor(args Tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	s, ok := args[0].(storageRef)
	offset, ok2 := args[1].(int64)
	if !ok || !ok2 {
		return nil, fmt.Errorf("want a storage and an offset, got %T and %T", args[0], args[1])
	}
	t := &tensorRef{storage: s, offset: offset}
	var err error
	if t.size, err = int64s(args[2]); err != nil {
		return nil, err
	}
	if t.stride, err = int64s(args[3]); err != nil {
		return nil, err
	}
	return t, t.check()
}

// check holds the view to its storage: libtorch would read whatever lies behind.
func (t *tensorRef) check() error {
	if len(t.size) != len(t.stride) || len(t.size) > 64 {
		return fmt.Errorf("%d sizes and %d strides", len(t.size), len(t.stride))
	}
	last, empty := uint64(t.offset), false
	if t.offset < 0 || t.offset > t.storage.elements {
		return fmt.Errorf("offset %d of a storage of %d elements", t.offset, t.storage.elements)
	}
	for i, n := range t.size {
		if n < 0 || t.stride[i] < 0 {
			return fmt.Errorf("size %v, stride %v", t.size, t.stride)
		}
		empty = empty || n == 0
	}
	if empty {
		return nil
	}
	for i, n := range t.size {
		if n == 1 {
			continue
		}
		if t.stride[i] > 0 && uint64(n-1) > uint64(t.storage.elements)/uint64(t.stride[i]) {
			return fmt.Errorf("size %v, stride %v reach beyond the storage of %d elements", t.size, t.stride, t.storage.elements)
		}
		last += uint64(n-1) * uint64(t.stride[i])
	}
	if last >= uint64(t.storage.elements) {
		return fmt.Errorf("size %v, stride %v, offset %d reach beyond the storage of %d elements", t.size, t.stride, t.offset, t.storage.elements)
	}
	return nil
}

func int64s(v any) ([]int64, error) {
	t, ok := v.(Tuple)
	if !ok {
		return nil, fmt.Errorf("want a tuple of ints, got %T", v)
	}
	out := make([]int64, len(t))
	for i := range t {
		if out[i], ok = t[i].(int64); !ok {
			return nil, fmt.Errorf("want a tuple of ints, with %T in it", t[i])
		}
	}
	return out, nil
}

func rebuildParameter(args Tuple) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*tensorRef); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("want a tensor")
}

func newSize(args Tuple) (any, error) {
	if len(args) == 1 {
		if t, ok := args[0].(Tuple); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("want a tuple")
}

func newDevice(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no arguments")
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(a)
	}
	return strings.Join(words, ":"), nil
}

func firstString(args Tuple) (any, error) {
	if len(args) > 0 {
		if s, ok := args[0].(string); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("want a string")
}
