package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"gomosaic/trainlib/torch"
)

// This file implements the reading half of Python's pickle protocols 2 to 5 (PEP 307, 3154, 574; Lib/pickletools.py names the
// opcodes), as far as torch.save uses them. Values are:
//
//	None → nil          bool → bool          int → int64 (*big.Int beyond)   float → float64
//	str → string        bytes → []byte       tuple → Tuple                   list → *list
//	dict, OrderedDict → *Dict                set → *list                     torch.Size → Tuple
//	dtype → torch.DType device → string      tensor → *tensorRef

// Tuple is written as a Python tuple.
type Tuple []any

// Dict is a Python dict or OrderedDict: entries in order, keys of any type.
type Dict struct {
	Keys   []any
	Values []any
}

// Get is the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if k, ok := d.Keys[i].(string); ok && k == key {
			return d.Values[i], true
		}
	}
	return nil, false
}

// set stores an entry; of equal keys the last one counts.
func (d *Dict) set(k, v any) {
	d.Keys, d.Values = append(d.Keys, k), append(d.Values, v)
}

// list is a Python list under construction: other values may refer to it while it grows.
type list struct{ items []any }

// storageRef is a storage of the file, by its key.
type storageRef struct {
	key      string
	dtype    torch.DType
	elements int64
}

// tensorRef is a tensor as a view of a storage.
type tensorRef struct {
	storage      storageRef
	offset       int64 // in elements
	size, stride []int64
}

// global is a name that the pickle refers to.
type global string

type mark struct{}

// FormatError locates what is wrong in a pickle.
type FormatError struct {
	Offset int // in the pickle
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("pickle: byte %d: %s", e.Offset, e.Msg) }

// unpickler is the stack machine that a pickle is a program for.
type unpickler struct {
	in    []byte
	at    int
	stack []any
	memo  map[uint32]any
}

// unpickle runs one pickle at the beginning of in and returns its value and its length.
func unpickle(in []byte) (v any, n int, err error) {
	u := &unpickler{in: in, memo: map[uint32]any{}}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*FormatError)
			if !ok {
				panic(r)
			}
			v, err = nil, f
		}
	}()
	return u.run(), u.at, nil
}

func (u *unpickler) fail(format string, args ...any) {
	panic(&FormatError{Offset: u.at, Msg: fmt.Sprintf(format, args...)})
}

// bytes takes the next n bytes of the program.
func (u *unpickler) bytes(n uint64) []byte {
	if n > uint64(len(u.in)-u.at) {
		u.fail("%d bytes wanted, %d left", n, len(u.in)-u.at)
	}
	b := u.in[u.at : u.at+int(n)]
	u.at += int(n)
	return b
}

func (u *unpickler) u8() uint64  { return uint64(u.bytes(1)[0]) }
func (u *unpickler) u16() uint64 { return uint64(binary.LittleEndian.Uint16(u.bytes(2))) }
func (u *unpickler) u32() uint64 { return uint64(binary.LittleEndian.Uint32(u.bytes(4))) }
func (u *unpickler) u64() uint64 { return binary.LittleEndian.Uint64(u.bytes(8)) }

func (u *unpickler) line() string {
	i := bytes.IndexByte(u.in[u.at:], '\n')
	if i < 0 {
		u.fail("unfinished line")
	}
	return string(bytes.TrimSuffix(u.bytes(uint64(i)+1), []byte("\n")))
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) top() any {
	if len(u.stack) == 0 {
		u.fail("the stack is empty")
	}
	return u.stack[len(u.stack)-1]
}

func (u *unpickler) pop() any {
	v := u.top()
	u.stack = u.stack[:len(u.stack)-1]
	return v
}

// popMark takes all values above the topmost mark, and the mark.
func (u *unpickler) popMark() []any {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			v := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return v
		}
	}
	u.fail("no mark on the stack")
	return nil
}

func (u *unpickler) get(i uint64) {
	v, ok := u.memo[uint32(i)]
	if !ok {
		u.fail("nothing was memorised as %d", i)
	}
	u.push(v)
}

func (u *unpickler) put(i uint64) { u.memo[uint32(i)] = u.top() }

// hashable refuses the keys that Python refuses.
func (u *unpickler) hashable(k any) any {
	switch k.(type) {
	case *Dict, *list, mark:
		u.fail("a key of type %T", k)
	}
	return k
}

// run executes the program up to STOP. Opcodes are written as pickletools names them.
func (u *unpickler) run() any {
	for {
		switch op := byte(u.u8()); op {
		case 0x80: // PROTO
			if v := u.u8(); v < 2 || v > 5 {
				u.fail("protocol %d: 2 to 5 are known", v)
			}
		case 0x95: // FRAME
			u.u64()
		case '.': // STOP
			v := u.pop()
			if len(u.stack) != 0 {
				u.fail("%d values are left on the stack", len(u.stack))
			}
			return v
		case '(': // MARK
			u.push(mark{})
		case '0': // POP
			u.pop()
		case '1': // POP_MARK
			u.popMark()
		case '2': // DUP
			u.push(u.top())
		case 'N': // NONE
			u.push(nil)
		case 0x88: // NEWTRUE
			u.push(true)
		case 0x89: // NEWFALSE
			u.push(false)
		case 'K': // BININT1
			u.push(int64(u.u8()))
		case 'M': // BININT2
			u.push(int64(u.u16()))
		case 'J': // BININT
			u.push(int64(int32(u.u32())))
		case 0x8a: // LONG1
			u.push(long(u.bytes(u.u8())))
		case 0x8b: // LONG4
			u.push(long(u.bytes(u.u32())))
		case 'G': // BINFLOAT
			u.push(math.Float64frombits(binary.BigEndian.Uint64(u.bytes(8))))
		case 'X': // BINUNICODE
			u.push(string(u.bytes(u.u32())))
		case 0x8c: // SHORT_BINUNICODE
			u.push(string(u.bytes(u.u8())))
		case 0x8d: // BINUNICODE8
			u.push(string(u.bytes(u.u64())))
		case 'U': // SHORT_BINSTRING
			u.push(string(u.bytes(u.u8())))
		case 'T': // BINSTRING
			u.push(string(u.bytes(u.u32())))
		case 'C': // SHORT_BINBYTES
			u.push(append([]byte{}, u.bytes(u.u8())...))
		case 'B': // BINBYTES
			u.push(append([]byte{}, u.bytes(u.u32())...))
		case 0x8e: // BINBYTES8
			u.push(append([]byte{}, u.bytes(u.u64())...))
		case '}': // EMPTY_DICT
			u.push(&Dict{})
		case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
			u.push(&list{})
		case ')': // EMPTY_TUPLE
			u.push(Tuple{})
		case 't': // TUPLE
			u.push(Tuple(u.popMark()))
		case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
			t := make(Tuple, op-0x84)
			for i := len(t) - 1; i >= 0; i-- {
				t[i] = u.pop()
			}
			u.push(t)
		case 'l': // LIST
			u.push(&list{u.popMark()})
		case 'd': // DICT
			u.push(u.fill(&Dict{}, u.popMark()))
		case 'a': // APPEND
			v := u.pop()
			l := u.list()
			l.items = append(l.items, v)
		case 'e', 0x90: // APPENDS, ADDITEMS
			v := u.popMark()
			l := u.list()
			l.items = append(l.items, v...)
		case 's': // SETITEM
			v, k := u.pop(), u.pop()
			u.fill(u.dict(), []any{k, v})
		case 'u': // SETITEMS
			v := u.popMark()
			u.fill(u.dict(), v)
		case 'q': // BINPUT
			u.put(u.u8())
		case 'r': // LONG_BINPUT
			u.put(u.u32())
		case 0x94: // MEMOIZE
			u.put(uint64(len(u.memo)))
		case 'h': // BINGET
			u.get(u.u8())
		case 'j': // LONG_BINGET
			u.get(u.u32())
		case 'c': // GLOBAL
			module := u.line()
			u.push(u.global(module, u.line()))
		case 0x93: // STACK_GLOBAL
			name, ok1 := u.pop().(string)
			module, ok2 := u.pop().(string)
			if !ok1 || !ok2 {
				u.fail("STACK_GLOBAL without two strings")
			}
			u.push(u.global(module, name))
		case 'R', 0x81: // REDUCE, NEWOBJ
			args, ok := u.pop().(Tuple)
			f, ok2 := u.pop().(global)
			if !ok || !ok2 {
				u.fail("a call without a global and a tuple")
			}
			call := callables[f]
			if call == nil {
				u.fail("%s cannot be called", f)
			}
			v, err := call(args)
			if err != nil {
				u.fail("%s: %v", f, err)
			}
			u.push(v)
		case 'b': // BUILD: the state of an OrderedDict (_metadata) or Parameter, which tells nothing about the values
			u.pop()
			switch v := u.top().(type) {
			case *Dict, *tensorRef:
			default:
				u.fail("BUILD of a %T", v)
			}
		case 'Q': // BINPERSID
			u.push(u.storage(u.pop()))
		default:
			u.at--
			u.fail("opcode %#02x is not supported", op)
		}
	}
}

func (u *unpickler) list() *list {
	l, ok := u.top().(*list)
	if !ok {
		u.fail("append to a %T", u.top())
	}
	return l
}

func (u *unpickler) dict() *Dict {
	d, ok := u.top().(*Dict)
	if !ok {
		u.fail("set an item of a %T", u.top())
	}
	return d
}

func (u *unpickler) fill(d *Dict, kv []any) *Dict {
	if len(kv)%2 != 0 {
		u.fail("a key without a value")
	}
	for i := 0; i < len(kv); i += 2 {
		d.set(u.hashable(kv[i]), kv[i+1])
	}
	return d
}

// global looks a name up; names outside the lists above are refused here, before anything could be done with them.
func (u *unpickler) global(module, name string) any {
	g := global(module + "." + name)
	if d, ok := dtypes[g]; ok {
		return d
	}
	if _, ok := storageTypes[g]; ok {
		return g
	}
	if _, ok := callables[g]; ok {
		return g
	}
	u.fail("the file refers to %s, which is neither a tensor nor a plain container: it may run code, and is refused", g)
	return nil
}

// storage reads a persistent id: ("storage", class, key, location, elements[, view]).
func (u *unpickler) storage(id any) storageRef {
	t, ok := id.(Tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		u.fail("a persistent id that is no storage")
	}
	class, _ := t[1].(global)
	dtype, ok := storageTypes[class]
	if !ok {
		u.fail("the storage type %v is not known", t[1])
	}
	key, ok := t[2].(string)
	n, ok2 := t[4].(int64)
	if !ok || !ok2 || n < 0 {
		u.fail("a storage without key and number of elements")
	}
	if len(t) > 5 && t[5] != nil {
		u.fail("a view of a storage, as PyTorch before 0.4 wrote it")
	}
	return storageRef{key, dtype, n}
}

// long reads a two's-complement little-endian integer of any length.
func long(b []byte) any {
	if len(b) <= 8 {
		var x int64
		for i, c := range b {
			x |= int64(c) << (8 * i)
		}
		if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			x -= 1 << (8 * n)
		}
		return x
	}
	be := make([]byte, len(b))
	for i, c := range b {
		be[len(b)-1-i] = c
	}
	x := new(big.Int).SetBytes(be)
	if be[0]&0x80 != 0 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return x
}
