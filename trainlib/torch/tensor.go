package torch

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// Tensor is a handle of a libtorch tensor. Its methods panic with *OpError when libtorch refuses, and when the tensor has been
// freed. Tensors are not safe for concurrent use.
type Tensor struct {
	h       uintptr // a reference of its own; 0 once freed
	scope   *Scope  // the scope that will free it; nil: the collector will
	kept    bool    // given to Keep
	cleanup runtime.Cleanup
}

// wrap makes a Tensor of a handle whose reference it takes over; nil for the undefined tensor.
func wrap(h uintptr, kib int64) *Tensor {
	if h == 0 {
		return nil
	}
	live.Add(1)
	t := &Tensor{h: h}
	if sc := current().scope; sc != nil {
		t.scope = sc
		sc.tensors = append(sc.tensors, t)
	} else {
		t.watch()
		pressure(kib)
	}
	return t
}

// watch has the collector release the handle when the Tensor is no longer referred to.
func (t *Tensor) watch() { t.cleanup = runtime.AddCleanup(t, queue, t.h) }

// handle is the libtorch handle, for one call; op names the caller in the panic about a freed tensor.
func (t *Tensor) handle(op string) uintptr {
	if t == nil {
		panic(&OpError{Op: op, Msg: "the tensor is nil"})
	}
	if t.h == 0 {
		panic(&OpError{Op: op, Msg: "the tensor has been freed (with its step, or by Free; torch.Keep spares one)"})
	}
	return t.h
}

// handles are the handles of a list; nil entries become 0.
func handles(op string, ts []*Tensor) []uintptr {
	h := make([]uintptr, len(ts), len(ts)+1) // +1: &h[:1][0] exists for an empty list, too
	for i, t := range ts {
		if t != nil {
			h[i] = t.handle(op)
		}
	}
	return h
}

// Free releases the tensor's memory now, unless autograd or another tensor shares it. Freeing twice does nothing; any other
// use of a freed tensor panics.
func (t *Tensor) Free() {
	if t == nil || t.h == 0 {
		return
	}
	if t.scope == nil {
		t.cleanup.Stop()
	}
	lib().release(t.h)
	t.h, t.scope = 0, nil
	live.Add(-1)
}

// Freed reports whether the tensor was freed.
func (t *Tensor) Freed() bool { return t.h == 0 }

// info is mt_info of mdstorch.h.
type info struct {
	dtype, deviceKind, deviceIndex, ndim, requiresGrad, contiguous, leaf, _ int32 // the last is the layout
	numel, bytes, _                                                         int64 // the last is the storage's offset
	sizes, strides                                                          *int64
	data                                                                    unsafe.Pointer
}

func (t *Tensor) info(op string) info {
	var i info
	check(op, lib().info(t.handle(op), &i))
	return i
}

// Shape is the size of each dimension; empty for a scalar.
func (t *Tensor) Shape() []int {
	i := t.info("Shape")
	return ints(i.sizes, i.ndim)
}

// Strides are the steps between neighbours along each dimension, in elements.
func (t *Tensor) Strides() []int {
	i := t.info("Strides")
	if i.strides == nil {
		panic(&OpError{Op: "Strides", Msg: "the tensor is sparse"})
	}
	return ints(i.strides, i.ndim)
}

func ints(p *int64, n int32) []int {
	out := make([]int, n)
	for i, v := range unsafe.Slice(p, n) {
		out[i] = int(v)
	}
	return out
}

// Size is the size of one dimension; a negative one counts from the last.
func (t *Tensor) Size(dim int) int {
	s := t.Shape()
	if dim < 0 {
		dim += len(s)
	}
	if dim < 0 || dim >= len(s) {
		panic(&OpError{Op: "Size", Shapes: [][]int{s}, Msg: fmt.Sprintf("dimension %d is out of range", dim)})
	}
	return s[dim]
}

// Dim is the number of dimensions.
func (t *Tensor) Dim() int { return int(t.info("Dim").ndim) }

// Numel is the number of elements.
func (t *Tensor) Numel() int { return int(t.info("Numel").numel) }

// Bytes is the size of the elements.
func (t *Tensor) Bytes() int64 { return t.info("Bytes").bytes }

// DType is the type of the elements.
func (t *Tensor) DType() DType { return DType(t.info("DType").dtype) }

// Device is where the elements lie.
func (t *Tensor) Device() Device {
	i := t.info("Device")
	if DeviceKind(i.deviceKind) == KindCUDA {
		return CUDA(int(i.deviceIndex))
	}
	return CPU
}

// IsContiguous reports whether the elements lie one after another, last dimension fastest.
func (t *Tensor) IsContiguous() bool { return t.info("IsContiguous").contiguous != 0 }

// RequiresGrad reports whether operations on the tensor are recorded for Backward.
func (t *Tensor) RequiresGrad() bool { return t.info("RequiresGrad").requiresGrad != 0 }

// IsLeaf reports whether the tensor was made by the user and not by recorded operations; leaves collect gradients.
func (t *Tensor) IsLeaf() bool { return t.info("IsLeaf").leaf != 0 }

// Same reports whether two Tensors are handles of one libtorch tensor.
func (t *Tensor) Same(other *Tensor) bool {
	return t != nil && other != nil && t.h == other.h && t.h != 0
}

// FromSlice makes a CPU tensor of a copy of data, row-major; the product of shape must be its length. No shape means one
// dimension. The element type follows T.
func FromSlice[T Element](data []T, shape ...int) *Tensor {
	return fromSlice(data, shape, false)
}

// FromSlicePinned is [FromSlice] into page-locked memory, from which a GPU copies without waiting. It needs a GPU.
func FromSlicePinned[T Element](data []T, shape ...int) *Tensor {
	return fromSlice(data, shape, true)
}

func fromSlice[T Element](data []T, shape []int, pinned bool) *Tensor {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	n := 1
	for _, s := range shape {
		n *= s
	}
	if n != len(data) {
		panic(&OpError{Op: "FromSlice", Shapes: [][]int{shape}, Msg: fmt.Sprintf("%d values do not fill the shape, which has %d", len(data), n)})
	}
	return fromBytes("FromSlice", unsafe.Pointer(unsafe.SliceData(data)), DTypeOf[T](), shape, pinned)
}

// Scalar makes a tensor without dimensions.
func Scalar[T Element](v T) *Tensor {
	return fromBytes("Scalar", unsafe.Pointer(&v), DTypeOf[T](), nil, false)
}

// FromBytes makes a CPU tensor of a copy of raw little-endian elements, row-major: what a checkpoint holds.
func FromBytes(data []byte, dtype DType, shape ...int) *Tensor {
	n := dtype.ElementBytes()
	for _, s := range shape {
		n *= s
	}
	if n != len(data) || dtype.ElementBytes() == 0 {
		panic(&OpError{Op: "FromBytes", Shapes: [][]int{shape}, Msg: fmt.Sprintf("%d bytes do not fill the shape as %v, which takes %d", len(data), dtype, n)})
	}
	return fromBytes("FromBytes", unsafe.Pointer(unsafe.SliceData(data)), dtype, shape, false)
}

func fromBytes(op string, data unsafe.Pointer, dtype DType, shape []int, pinned bool) *Tensor {
	Drain()
	sizes := make([]int64, len(shape)+1)
	for i, s := range shape {
		sizes[i] = int64(s)
	}
	var r uintptr
	if e := lib().fromData(data, &sizes[0], int32(len(shape)), int32(dtype), cbool(pinned), &r); e != 0 {
		panic(&OpError{Op: op, Shapes: [][]int{shape}, Msg: message(e)})
	}
	runtime.KeepAlive(data)
	n := dtype.ElementBytes()
	for _, s := range shape {
		n *= s
	}
	return wrap(r, int64(n)>>10)
}

// ToSlice copies the elements out, row-major, from any device. T must be the tensor's element type; see [Tensor.Float64s] for
// a conversion.
func ToSlice[T Element](t *Tensor) []T {
	if got, want := t.DType(), DTypeOf[T](); got != want {
		panic(newOpError("ToSlice", fmt.Sprintf("the elements are %v, not %v", got, want), []*Tensor{t}))
	}
	out := make([]T, t.Numel())
	t.read(func(p unsafe.Pointer) { copy(out, unsafe.Slice((*T)(p), len(out))) })
	return out
}

// RawBytes copies the elements out, row-major and little-endian: what a checkpoint holds.
func (t *Tensor) RawBytes() []byte {
	out := make([]byte, t.Bytes())
	t.read(func(p unsafe.Pointer) { copy(out, unsafe.Slice((*byte)(p), len(out))) })
	return out
}

// read calls f with the address of the elements, contiguous on the CPU; they are not to be used after f.
func (t *Tensor) read(f func(p unsafe.Pointer)) {
	Step(func() {
		NoGrad(func() {
			c := t
			if c.Device() != CPU {
				c = c.To(CPU)
			}
			if !c.IsContiguous() {
				c = c.Contiguous()
			}
			if i := c.info("read"); i.data != nil {
				f(i.data)
			}
		})
	})
	runtime.KeepAlive(t)
}

// Float64s copies the elements out as float64, whatever their type, row-major.
func (t *Tensor) Float64s() []float64 {
	if t.DType() == Float64 {
		return ToSlice[float64](t)
	}
	var out []float64
	Step(func() { NoGrad(func() { out = ToSlice[float64](t.ToDType(Float64)) }) })
	return out
}

// Float32s copies the elements out as float32, whatever their type, row-major.
func (t *Tensor) Float32s() []float32 {
	if t.DType() == Float32 {
		return ToSlice[float32](t)
	}
	var out []float32
	Step(func() { NoGrad(func() { out = ToSlice[float32](t.ToDType(Float32)) }) })
	return out
}

// Int64s copies the elements out as int64, whatever their type (fractions are cut off), row-major.
func (t *Tensor) Int64s() []int64 {
	if t.DType() == Int64 {
		return ToSlice[int64](t)
	}
	var out []int64
	Step(func() { NoGrad(func() { out = ToSlice[int64](t.ToDType(Int64)) }) })
	return out
}

// Item is the value of a tensor with one element, of any numeric type; a true bool is 1. It waits for a GPU.
func (t *Tensor) Item() float64 {
	i := t.info("Item")
	if i.numel != 1 {
		panic(newOpError("Item", fmt.Sprintf("want a tensor with one element, this one has %d", i.numel), []*Tensor{t}))
	}
	if DeviceKind(i.deviceKind) == KindCPU && i.data != nil {
		switch DType(i.dtype) {
		case Float32:
			return float64(*(*float32)(i.data))
		case Float64:
			return *(*float64)(i.data)
		case Int64:
			return float64(*(*int64)(i.data))
		}
	}
	v := t.Float64s()
	if len(v) != 1 {
		return math.NaN()
	}
	return v[0]
}

// To is the tensor on another device; itself where it is there already.
func (t *Tensor) To(d Device) *Tensor {
	if t.Device() == d {
		return t
	}
	return Op("_to_copy", t, KW{"device": d})
}

// ToDType is the tensor with elements of another type; itself where they are already.
func (t *Tensor) ToDType(d DType) *Tensor {
	if t.DType() == d {
		return t
	}
	return Op("_to_copy", t, KW{"dtype": d})
}

// ToNonBlocking is [Tensor.To] without waiting: from pinned memory, in the order of the current stream.
func (t *Tensor) ToNonBlocking(d Device) *Tensor {
	if t.Device() == d {
		return t
	}
	return Op("_to_copy", t, KW{"device": d, "non_blocking": true})
}

// DataAddress is where the first element lies in memory, to tell whether tensors share it; 0 for an empty tensor.
func (t *Tensor) DataAddress() uintptr { return uintptr(t.info("DataAddress").data) }
