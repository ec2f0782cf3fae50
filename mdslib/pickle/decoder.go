package pickle

// Decoder: the reading half, protocols 0 to 5 (PEP 307, 3154, 574; Lib/pickletools.py names the opcodes). A pickle is a
// program for a stack machine; this one knows the instructions that make data, and asks its owner about every name.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"
)

// Decoder reads pickles. The zero value reads plain data alone. It is safe for concurrent use if its hooks are.
type Decoder struct {
	// Global returns what stands for a name beyond plain data: a value, or a [Func] that the pickle may call. A name it does
	// not know is an error, before anything is done with it.
	Global func(name Global) (value any, known bool)
	// Persistent returns the object of a persistent id. Without it there are none.
	Persistent func(id any) (any, error)
	// Build does object's __setstate__, in place: other values may hold it already. Without it that is an error.
	Build func(object, state any) error
}

// Decode runs one pickle at the beginning of data and returns its value and its length. Bytes are copied. Errors are
// [*FormatError]s.
func (d *Decoder) Decode(data []byte) (v any, n int, err error) {
	u := &unpickler{Decoder: d, in: data, memo: map[uint32]any{}}
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

// mark is MARK on the stack.
type mark struct{}

// unpickler is the stack machine. It reports errors by panicking with a *FormatError, which Decode catches.
type unpickler struct {
	*Decoder
	in    []byte
	at    int
	stack []any
	memo  map[uint32]any
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

// line takes the text up to the next newline.
func (u *unpickler) line() string {
	i := bytes.IndexByte(u.in[u.at:], '\n')
	if i < 0 {
		u.fail("unfinished line")
	}
	return string(bytes.TrimSuffix(u.bytes(uint64(i)+1), []byte("\n")))
}

// text takes n bytes of UTF-8.
func (u *unpickler) text(n uint64) string {
	b := u.bytes(n)
	if !utf8.Valid(b) {
		u.fail("text that is not UTF-8: a lone surrogate, which Go text cannot hold, or damage")
	}
	return string(b)
}

// ascii is the str of Python 2, which Python 3 reads as ASCII.
func (u *unpickler) ascii(b []byte) string {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			u.fail("a str of Python 2 that is not ASCII")
		}
	}
	return string(b)
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

// top is the topmost value, which must be there and no mark.
func (u *unpickler) top() any {
	if len(u.stack) == 0 {
		u.fail("the stack is empty")
	}
	v := u.stack[len(u.stack)-1]
	if _, ok := v.(mark); ok {
		u.fail("a mark where a value is wanted")
	}
	return v
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

// index reads a memo's index as text.
func (u *unpickler) index() uint64 {
	n, ok := new(big.Int).SetString(u.digits(), 10)
	if !ok || !n.IsUint64() || n.Uint64() > math.MaxUint32 {
		u.fail("no index of the memo")
	}
	return n.Uint64()
}

// digits takes a line with a number. Its length is bounded, since reading long ones takes quadratic time.
func (u *unpickler) digits() string {
	s := u.line()
	const most = 4300 // Python's own limit (sys.get_int_max_str_digits)
	if len(s) > most {
		u.fail("a number of %d digits", len(s))
	}
	return s
}

// hashable refuses the keys that Python refuses.
func (u *unpickler) hashable(k any) any {
	if err := hashable(k); err != nil {
		u.fail("%v", err)
	}
	return k
}

func hashable(k any) error {
	switch k := k.(type) {
	case *Dict, *List:
		return fmt.Errorf("a key of type %T", k)
	case *Set:
		if !k.Frozen {
			return errors.New("a set as a key")
		}
	}
	return nil
}

// run executes the program up to STOP. Opcodes are written as pickletools names them.
func (u *unpickler) run() any {
	for {
		switch op := byte(u.u8()); op {
		case 0x80: // PROTO
			if v := u.u8(); v > 5 {
				u.fail("protocol %d: 0 to 5 are known", v)
			}
		case 0x95: // FRAME
			if n := u.u64(); n > uint64(len(u.in)-u.at) {
				u.fail("a frame of %d bytes, %d left", n, len(u.in)-u.at)
			}
		case '.': // STOP
			v := u.pop()
			if len(u.stack) != 0 {
				u.fail("%d values are left on the stack", len(u.stack))
			}
			return v
		case '(': // MARK
			u.push(mark{})
		case '0': // POP
			if len(u.stack) == 0 {
				u.fail("the stack is empty")
			}
			u.stack = u.stack[:len(u.stack)-1]
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
		case 'I', 'L': // INT, LONG
			u.push(u.integer(op))
		case 0x8a: // LONG1
			u.push(long(u.bytes(u.u8())))
		case 0x8b: // LONG4
			u.push(long(u.bytes(u.u32())))
		case 'G': // BINFLOAT
			u.push(math.Float64frombits(binary.BigEndian.Uint64(u.bytes(8))))
		case 'F': // FLOAT
			u.push(u.float())
		case 'X': // BINUNICODE
			u.push(u.text(u.u32()))
		case 0x8c: // SHORT_BINUNICODE
			u.push(u.text(u.u8()))
		case 0x8d: // BINUNICODE8
			u.push(u.text(u.u64()))
		case 'V': // UNICODE
			u.push(u.rawUnicodeEscape(u.line()))
		case 'U': // SHORT_BINSTRING
			u.push(u.ascii(u.bytes(u.u8())))
		case 'T': // BINSTRING
			u.push(u.ascii(u.bytes(u.u32())))
		case 'S': // STRING
			u.push(u.ascii([]byte(u.quoted(u.line()))))
		case 'C': // SHORT_BINBYTES
			u.push(append([]byte{}, u.bytes(u.u8())...))
		case 'B': // BINBYTES
			u.push(append([]byte{}, u.bytes(u.u32())...))
		case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
			u.push(append([]byte{}, u.bytes(u.u64())...))
		case 0x98: // READONLY_BUFFER: bytes are never changed here
			u.top()
		case '}': // EMPTY_DICT
			u.push(&Dict{})
		case ']': // EMPTY_LIST
			u.push(&List{})
		case 0x8f: // EMPTY_SET
			u.push(&Set{})
		case 0x91: // FROZENSET
			u.push(u.addItems(&Set{Frozen: true}, u.popMark()))
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
			u.push(&List{u.popMark()})
		case 'd': // DICT
			u.push(u.fill(&Dict{}, u.popMark()))
		case 'a': // APPEND
			v := u.pop()
			l := u.list()
			l.Items = append(l.Items, v)
		case 'e': // APPENDS
			v := u.popMark()
			l := u.list()
			l.Items = append(l.Items, v...)
		case 0x90: // ADDITEMS
			v := u.popMark()
			s, ok := u.top().(*Set)
			if !ok || s.Frozen {
				u.fail("add an item to a %T", u.top())
			}
			u.addItems(s, v)
		case 's': // SETITEM
			v, k := u.pop(), u.pop()
			u.fill(u.dict(), []any{k, v})
		case 'u': // SETITEMS
			v := u.popMark()
			u.fill(u.dict(), v)
		case 'p': // PUT
			u.put(u.index())
		case 'q': // BINPUT
			u.put(u.u8())
		case 'r': // LONG_BINPUT
			u.put(u.u32())
		case 0x94: // MEMOIZE
			u.put(uint64(len(u.memo)))
		case 'g': // GET
			u.get(u.index())
		case 'h': // BINGET
			u.get(u.u8())
		case 'j': // LONG_BINGET
			u.get(u.u32())
		case 'c': // GLOBAL
			module := u.line()
			u.push(u.global(Global{module, u.line()}))
		case 0x93: // STACK_GLOBAL
			name, ok1 := u.pop().(string)
			module, ok2 := u.pop().(string)
			if !ok1 || !ok2 {
				u.fail("STACK_GLOBAL without two strings")
			}
			u.push(u.global(Global{module, name}))
		case 'R', 0x81: // REDUCE, NEWOBJ
			args, ok := u.pop().(Tuple)
			f, ok2 := u.pop().(Function)
			if !ok || !ok2 {
				u.fail("a call of what is no function, or without a tuple")
			}
			u.push(u.call(f, args))
		case 'i': // INST
			module := u.line()
			f, ok := u.global(Global{module, u.line()}).(Function)
			if !ok {
				u.fail("an instance of what is no class")
			}
			u.push(u.call(f, u.popMark()))
		case 'b': // BUILD
			state := u.pop()
			if u.Build == nil {
				u.fail("BUILD of a %T", u.top())
			}
			if err := u.Build(u.top(), state); err != nil {
				u.fail("%v", err)
			}
		case 'P': // PERSID
			u.persistent(u.line())
		case 'Q': // BINPERSID
			u.persistent(u.pop())
		default:
			u.at--
			u.fail("opcode %#02x is not supported", op)
		}
	}
}

func (u *unpickler) list() *List {
	l, ok := u.top().(*List)
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
		d.Set(u.hashable(kv[i]), kv[i+1])
	}
	return d
}

func (u *unpickler) addItems(s *Set, items []any) *Set {
	for _, v := range items {
		s.Items = append(s.Items, u.hashable(v))
	}
	return s
}

func (u *unpickler) persistent(id any) {
	if u.Persistent == nil {
		u.fail("a persistent id, which plain data has not")
	}
	v, err := u.Persistent(id)
	if err != nil {
		u.fail("%v", err)
	}
	u.push(v)
}
