package torch

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
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

// MemoryFormat is the order of a tensor's dimensions in memory, numbered as c10::MemoryFormat.
type MemoryFormat int8

// The memory formats: ChannelsLast stores images [batch, channels, height, width] with the channels of a pixel together.
const (
	ContiguousFormat MemoryFormat = 0
	PreserveFormat   MemoryFormat = 1
	ChannelsLast     MemoryFormat = 2
)

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
