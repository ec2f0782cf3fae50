package torch

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

const (
	maxArgs    = 32 // the longest schema of ATen has 26
	maxResults = 8
)

// frame is the memory of one call. It lies on the heap, where nothing moves, so libtorch may read it by address; integer
// lists are copied into it, and what does not fit is held by refs until the call is over.
type frame struct {
	args    [maxArgs]value
	results [maxResults]value
	count   int32
	n       int // arguments set
	op      string
	arena   [48]int64
	used    int
	refs    []any
	tensors []*Tensor // for the error message, and to keep them alive during the call
}

var frames = sync.Pool{New: func() any { return new(frame) }}

func newFrame(op string) *frame {
	f := frames.Get().(*frame)
	f.op = op
	return f
}

func (f *frame) done() {
	clear(f.refs)
	clear(f.tensors)
	f.refs, f.tensors = f.refs[:0], f.tensors[:0]
	f.n, f.used = 0, 0
	frames.Put(f)
}

func (f *frame) tensor(t *Tensor) {
	if t == nil {
		f.none()
		return
	}
	f.args[f.n] = value{tag: tagTensor, v: uint64(t.handle(f.op))}
	f.tensors = append(f.tensors, t)
	f.n++
}

// required is tensor for an argument that may not be nil.
func (f *frame) required(t *Tensor) {
	t.handle(f.op)
	f.tensor(t)
}

func (f *frame) none() {
	f.args[f.n] = value{tag: tagNone}
	f.n++
}

func (f *frame) byDefault() {
	f.args[f.n] = value{tag: tagDefault}
	f.n++
}

func (f *frame) int(v int) {
	f.args[f.n] = value{tag: tagInt, v: uint64(v)}
	f.n++
}

func (f *frame) double(v float64) {
	f.args[f.n] = value{tag: tagDouble, v: math.Float64bits(v)}
	f.n++
}

func (f *frame) bool(v bool) {
	f.args[f.n] = value{tag: tagBool, v: uint64(cbool(v))}
	f.n++
}

func (f *frame) string(s string) {
	b := append([]byte(s), 0)
	f.refs = append(f.refs, b)
	f.args[f.n] = value{tag: tagString, n: int32(len(s)), v: address(unsafe.Pointer(&b[0]))}
	f.n++
}

func (f *frame) ints(v []int) {
	var dst []int64
	if f.used+len(v) <= len(f.arena) {
		dst = f.arena[f.used : f.used+len(v)]
		f.used += len(v)
	} else {
		dst = make([]int64, len(v))
		f.refs = append(f.refs, dst)
	}
	for i, x := range v {
		dst[i] = int64(x)
	}
	f.args[f.n] = value{tag: tagInts, n: int32(len(v)), v: address(unsafe.Pointer(unsafe.SliceData(dst)))}
	f.n++
}

func (f *frame) doubles(v []float64) {
	c := append([]float64(nil), v...)
	f.refs = append(f.refs, c)
	f.args[f.n] = value{tag: tagDoubles, n: int32(len(c)), v: address(unsafe.Pointer(unsafe.SliceData(c)))}
	f.n++
}

func (f *frame) bools(v []bool) {
	c := append([]bool(nil), v...)
	f.refs = append(f.refs, c)
	f.args[f.n] = value{tag: tagBools, n: int32(len(c)), v: address(unsafe.Pointer(unsafe.SliceData(c)))}
	f.n++
}

func (f *frame) list(ts []*Tensor) {
	h := handles(f.op, ts)
	f.refs = append(f.refs, h)
	f.tensors = append(f.tensors, ts...)
	f.args[f.n] = value{tag: tagTensors, n: int32(len(ts)), v: address(unsafe.Pointer(unsafe.SliceData(h)))}
	f.n++
}

func (f *frame) device(d Device) {
	kind, index := d.parts()
	f.args[f.n] = value{tag: tagDevice, v: uint64(kind)<<32 | uint64(uint8(index))}
	f.n++
}

func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

// any sets an argument of any supported type.
func (f *frame) any(x any) {
	switch v := x.(type) {
	case nil:
		f.none()
	case *Tensor:
		f.tensor(v)
	case int:
		f.int(v)
	case int64:
		f.int(int(v))
	case int32:
		f.int(int(v))
	case float64:
		f.double(v)
	case float32:
		f.double(float64(v))
	case bool:
		f.bool(v)
	case string:
		f.string(v)
	case []int:
		f.ints(v)
	case []int64:
		c := make([]int, len(v))
		for i, n := range v {
			c[i] = int(n)
		}
		f.ints(c)
	case []float64:
		f.doubles(v)
	case []bool:
		f.bools(v)
	case []*Tensor:
		f.list(v)
	case Device:
		f.device(v)
	case DType:
		f.int(int(v))
	case MemoryFormat:
		f.int(int(v))
	case *Stream:
		f.args[f.n] = value{tag: tagStream, v: uint64(v.handle())}
		f.n++
	default:
		panic(&OpError{Op: f.op, Msg: fmt.Sprintf("an argument of type %T cannot be passed to libtorch", x)})
	}
}

// call runs the operator with the frame's arguments under the goroutine's state; keep says whether the results are wanted.
// One that finds no memory on the GPU for its results is called again when the collector has found some: variables of a
// notebook that were assigned anew hold theirs until then.
func (f *frame) call(o *operator, keep bool) {
	Drain()
	room := uintptr(0)
	if keep {
		room = maxResults
	}
	f.count = 0
	state := current()
	e := f.run(o, state, room)
	if e != 0 {
		msg := message(e)
		if keep && isOutOfMemory(msg) && reclaim() {
			if e = f.run(o, state, room); e == 0 {
				return
			}
			msg = message(e)
		}
		err := newOpError(o.name, msg, f.tensors)
		f.done()
		panic(err)
	}
}

func (f *frame) run(o *operator, state *goroutineState, room uintptr) uintptr {
	e, _, _ := purego.SyscallN(lib().opCall, uintptr(unsafe.Pointer(&state.call)), o.h,
		uintptr(unsafe.Pointer(&f.args[0])), uintptr(f.n), uintptr(unsafe.Pointer(&f.results[0])), room, uintptr(unsafe.Pointer(&f.count)))
	runtime.KeepAlive(f)
	runtime.KeepAlive(state)
	return e
}

// result is the i-th result, a tensor; nil where it is undefined.
func (f *frame) result(i int) *Tensor {
	if r := &f.results[i]; r.tag == tagTensor {
		return wrap(uintptr(r.v), int64(r.n))
	}
	return nil
}

// results of list type: the C array is freed.
func (f *frame) resultList(i int) []*Tensor {
	r := &f.results[i]
	if r.tag != tagTensors {
		return nil
	}
	ts := make([]*Tensor, r.n)
	for j, h := range unsafe.Slice((*uintptr)(pointer(uintptr(r.v))), r.n) {
		ts[j] = wrap(h, 0)
	}
	lib().free(uintptr(r.v))
	return ts
}
