package torch

import (
	"fmt"
	"math"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// value is mt_val of mdstorch.h; v holds the bits of an integer, a double or an address.
type value struct {
	tag, n int32
	v      uint64
}

const (
	tagNone int32 = iota
	tagTensor
	tagInt
	tagDouble
	tagBool
	tagString
	tagInts
	tagDoubles
	tagBools
	tagTensors
	tagDevice
	tagDefault
	tagStream
)

// KW gives arguments of [Op] by the names of the operator's schema, as Python's keyword arguments.
type KW map[string]any

// operator is one entry of libtorch's dispatcher.
type operator struct {
	name   string // "add.Tensor"
	h      uintptr
	schema string
	index  map[string]int // argument name → position
	args   int
}

// operators caches what was looked up; the dispatcher never takes an operator back.
var operators sync.Map // "add.Tensor" → *operator

func findOperator(name string) *operator {
	if o, ok := operators.Load(name); ok {
		return o.(*operator)
	}
	o := &operator{name: name, index: map[string]int{}}
	base, overload, _ := strings.Cut(name, ".")
	full := base
	if !strings.Contains(base, "::") {
		full = "aten::" + base
	}
	var schema uintptr
	if e := lib().opFind(full, overload, &o.h, &schema); e != 0 {
		panic(&OpError{Op: name, Msg: message(e)})
	}
	o.schema = fetch(schema)
	lib().free(schema)
	for _, a := range schemaArguments(o.schema) {
		o.index[a] = o.args
		o.args++
	}
	operators.Store(name, o)
	return o
}

// schemaArguments are the names of the arguments in a schema as libtorch prints it:
//
//	aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor
func schemaArguments(schema string) []string {
	_, s, ok := strings.Cut(schema, "(")
	if !ok {
		return nil
	}
	var names []string
	depth, start := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '[':
			depth++
			continue
		case ']':
			depth--
			continue
		case ')':
			if depth > 0 {
				depth--
				continue
			}
		case ',':
			if depth > 0 {
				continue
			}
		default:
			continue
		}
		arg, _, _ := strings.Cut(s[start:i], "=")
		if f := strings.Fields(arg); len(f) > 1 { // "Tensor self"; a lone * marks the keyword-only part
			names = append(names, f[len(f)-1])
		}
		if s[i] == ')' {
			break
		}
		start = i + 1
	}
	return names
}

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

// MemoryFormat is the order of a tensor's dimensions in memory, numbered as c10::MemoryFormat.
type MemoryFormat int8

// The memory formats: ChannelsLast stores images [batch, channels, height, width] with the channels of a pixel together.
const (
	ContiguousFormat MemoryFormat = 0
	PreserveFormat   MemoryFormat = 1
	ChannelsLast     MemoryFormat = 2
)

// call runs the operator with the frame's arguments under the goroutine's state; keep says whether the results are wanted.
func (f *frame) call(o *operator, keep bool) {
	Drain()
	room := uintptr(0)
	if keep {
		room = maxResults
	}
	f.count = 0
	state := current()
	e, _, _ := purego.SyscallN(lib().opCall, uintptr(unsafe.Pointer(&state.call)), o.h,
		uintptr(unsafe.Pointer(&f.args[0])), uintptr(f.n), uintptr(unsafe.Pointer(&f.results[0])), room, uintptr(unsafe.Pointer(&f.count)))
	runtime.KeepAlive(f)
	runtime.KeepAlive(state)
	if e != 0 {
		err := newOpError(o.name, message(e), f.tensors)
		f.done()
		panic(err)
	}
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

// bind sets positional and keyword arguments by the schema.
func (f *frame) bind(o *operator, args []any) {
	kw := KW(nil)
	for _, x := range args {
		if k, ok := x.(KW); ok {
			if kw == nil {
				kw = k
				continue
			}
			panic(&OpError{Op: o.name, Msg: "more than one KW"})
		}
		if kw != nil {
			panic(&OpError{Op: o.name, Msg: "an argument follows KW, which must be the last"})
		}
		if f.n == maxArgs {
			panic(&OpError{Op: o.name, Msg: fmt.Sprintf("more than %d arguments", maxArgs)})
		}
		f.any(x)
	}
	if kw == nil {
		return
	}
	names := make([]string, 0, len(kw))
	for name := range kw {
		if _, ok := o.index[name]; !ok {
			panic(&OpError{Op: o.name, Msg: fmt.Sprintf("no argument named %q in %s", name, o.schema)})
		}
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return o.index[names[i]] < o.index[names[j]] })
	for _, name := range names {
		at := o.index[name]
		if at < f.n {
			panic(&OpError{Op: o.name, Msg: fmt.Sprintf("argument %q is given twice", name)})
		}
		for f.n < at {
			f.byDefault()
		}
		f.any(kw[name])
	}
}

// Op calls any operator of libtorch by the name of its schema, "add.Tensor" or "relu", and returns its first result (nil for
// an operator without one). Arguments are *Tensor (nil: none), []*Tensor, numbers, bool, string, []int, []float64, []bool,
// DType, Device, MemoryFormat, *Stream and nil, in the schema's order; a last KW gives some by name; what is left out takes the
// schema's default. Schemas are listed in PyTorch's native_functions.yaml.
func Op(name string, args ...any) *Tensor {
	if r := Ops(name, args...); len(r) > 0 {
		t, _ := r[0].(*Tensor)
		return t
	}
	return nil
}

// Ops is [Op] with all results: *Tensor, []*Tensor, int64, float64, bool, []int64 or nil.
func Ops(name string, args ...any) []any {
	o := findOperator(name)
	f := newFrame(name)
	f.bind(o, args)
	f.call(o, true)
	out := make([]any, f.count)
	for i := range out {
		switch r := &f.results[i]; r.tag {
		case tagTensor:
			out[i] = f.result(i)
		case tagTensors:
			out[i] = f.resultList(i)
		case tagInt:
			out[i] = int64(r.v)
		case tagDouble:
			out[i] = math.Float64frombits(r.v)
		case tagBool:
			out[i] = r.v != 0
		case tagInts:
			out[i] = append([]int64(nil), unsafe.Slice((*int64)(pointer(uintptr(r.v))), r.n)...)
			lib().free(uintptr(r.v))
		}
	}
	f.done()
	return out
}

// OpInPlace calls an operator for what it does to its arguments ("add_.Tensor", "_foreach_mul_.Scalar") and drops its
// results.
func OpInPlace(name string, args ...any) {
	o := findOperator(name)
	f := newFrame(name)
	f.bind(o, args)
	f.call(o, false)
	f.done()
}

// OpSchema is the schema of an operator, as libtorch prints it.
func OpSchema(name string) string { return findOperator(name).schema }

//go:generate go run ./opsgen

// lazyOp is an operator of ops_gen.go, looked up at its first call: one that an older libtorch lacks is an error when used,
// not when loading.
type lazyOp struct {
	name  string
	found atomic.Pointer[operator]
}

func (l *lazyOp) get() *operator {
	if o := l.found.Load(); o != nil {
		return o
	}
	o := findOperator(l.name)
	l.found.Store(o)
	return o
}
