package pickle

// Encoder: the writing half, protocol 4 as CPython's C pickler writes it, byte for byte: its opcodes, its batches of 1,000,
// its frames of 64 KiB, its memo (Modules/_pickle.c).

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

const (
	protocol      = 4
	frameHeader   = 9       // FRAME and its length
	frameMinBytes = 4       // a shorter frame is written without a header
	frameBytes    = 1 << 16 // a frame ends at the first value behind so many bytes
	batch         = 1000    // items between two APPENDS, SETITEMS or ADDITEMS
	maxDepth      = 1000    // Python's recursion limit
)

// Encoder writes pickles. The zero value takes nil, bool, integers of every Go type and *big.Int, floats, string, []byte,
// [Tuple], *[List], *[Dict], *[Set], *[Call], [Global], [Fresh], slices and maps with string or integer keys (in sorted order, so that
// equal maps give equal bytes). A value that is held twice is written once, as Python does: pointers and slices that are
// the same, and strings and bytes that are equal, as Python's own constants and interned names are.
type Encoder struct {
	// Reduce turns any other value into one of these.
	Reduce func(v any) (any, error)
}

// Append appends v's pickle to dst; on error it returns nil.
func (e *Encoder) Append(dst []byte, v any) ([]byte, error) {
	p := &pickler{Encoder: e, out: dst, frame: -1, memo: map[any]uint32{}}
	p.out = append(p.out, 0x80, protocol) // PROTO stands before the first frame
	p.framing = true
	if err := p.save(v, 0); err != nil {
		return nil, err
	}
	p.write('.')
	p.endFrame()
	return p.out, nil
}

type pickler struct {
	*Encoder
	out     []byte
	framing bool
	frame   int // where the open frame starts, -1 for none
	memo    map[any]uint32
}

// write appends to the open frame, which it starts if there is none.
func (p *pickler) write(b ...byte) {
	if p.framing && p.frame < 0 {
		p.frame = len(p.out)
		p.out = append(p.out, make([]byte, frameHeader)...)
	}
	p.out = append(p.out, b...)
}

// endFrame fills the open frame's header in, or takes it away from a very short frame.
func (p *pickler) endFrame() {
	if p.frame < 0 {
		return
	}
	body := p.out[p.frame+frameHeader:]
	if len(body) >= frameMinBytes {
		p.out[p.frame] = 0x95 // FRAME
		binary.LittleEndian.PutUint64(p.out[p.frame+1:], uint64(len(body)))
	} else {
		p.out = append(p.out[:p.frame], body...)
	}
	p.frame = -1
}

// writeSized writes an opcode with the length of data in the smallest of three forms (the opcode, with 1, 4 or 8 bytes of
// length), and data. Large data stands outside of frames.
func (p *pickler) writeSized(op [3]byte, data []byte) {
	n := uint64(len(data))
	var head []byte
	switch {
	case n <= math.MaxUint8:
		head = []byte{op[0], byte(n)}
	case n <= math.MaxUint32:
		head = binary.LittleEndian.AppendUint32([]byte{op[1]}, uint32(n))
	default:
		head = binary.LittleEndian.AppendUint64([]byte{op[2]}, n)
	}
	if n >= frameBytes {
		p.endFrame()
		p.framing = false
	}
	p.write(head...)
	p.write(data...)
	p.framing = true
}

// Opcodes of text (SHORT_BINUNICODE, BINUNICODE, BINUNICODE8) and of bytes (SHORT_BINBYTES, BINBYTES, BINBYTES8).
var (
	textOps  = [3]byte{0x8c, 'X', 0x8d}
	bytesOps = [3]byte{'C', 'B', 0x8e}
)

// Keys of the memo: pointers stand for themselves.
type (
	textKey  string
	bytesKey string
	sliceKey struct {
		first unsafe.Pointer
		n     int
		tuple bool
	}
)

// known writes a GET if key's value was written before.
func (p *pickler) known(key any) bool {
	i, ok := p.memo[key]
	if !ok {
		return false
	}
	if i <= math.MaxUint8 {
		p.write('h', byte(i)) // BINGET
	} else {
		p.write('j') // LONG_BINGET
		p.write(binary.LittleEndian.AppendUint32(nil, i)...)
	}
	return true
}

// memorise notes the value just written. A nil key is one that cannot come again, which still takes a place.
func (p *pickler) memorise(key any) {
	i := uint32(len(p.memo))
	if key == nil {
		key = new(byte)
	}
	p.memo[key] = i
	p.write(0x94) // MEMOIZE
}

func (p *pickler) save(v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("pickle: a value that nests deeper than %d", maxDepth)
	}
	if p.frame >= 0 && len(p.out)-p.frame-frameHeader >= frameBytes {
		p.endFrame()
	}
	switch v := v.(type) {
	case nil:
		p.write('N')
	case bool:
		if v {
			p.write(0x88)
		} else {
			p.write(0x89)
		}
	case int:
		p.saveInt(int64(v))
	case int64:
		p.saveInt(v)
	case *big.Int:
		if v == nil {
			return fmt.Errorf("pickle: a nil *big.Int")
		}
		p.saveBig(v)
	case float64:
		p.saveFloat(v)
	case string:
		return p.saveText(v)
	case []byte:
		if key := bytesKey(v); !p.known(key) {
			p.writeSized(bytesOps, v)
			p.memorise(key)
		}
	case Tuple:
		return p.saveTuple(v, depth)
	case *List:
		if p.known(v) {
			return nil
		}
		return p.saveList(v, v.Items, depth)
	case []any:
		key := keyOf(reflect.ValueOf(v))
		if key != nil && p.known(key) {
			return nil
		}
		return p.saveList(key, v, depth)
	case *Dict:
		if p.known(v) {
			return nil
		}
		return p.saveDict(v, v.Keys, v.Values, depth)
	case *Set:
		if p.known(v) {
			return nil
		}
		return p.saveSet(v, depth)
	case Global:
		return p.saveGlobal(v, depth)
	case *Call:
		return p.saveCall(v, depth)
	case Fresh:
		switch v := v.Value.(type) {
		case string:
			p.writeSized(textOps, []byte(v))
		case []byte:
			p.writeSized(bytesOps, v)
		default:
			return fmt.Errorf("pickle: a Fresh %T", v)
		}
		p.memorise(nil)
	default:
		return p.saveOther(v, depth)
	}
	return nil
}

// keyOf tells slices and maps apart; nil for an empty slice, which has no address of its own.
func keyOf(v reflect.Value) any {
	if v.Kind() == reflect.Map {
		return v.UnsafePointer()
	}
	if v.Len() == 0 {
		return nil
	}
	return sliceKey{v.UnsafePointer(), v.Len(), v.Type() == reflect.TypeFor[Tuple]()}
}

// saveOther writes a value of a type that has no case of its own, by the hook or by its kind.
func (p *pickler) saveOther(v any, depth int) error {
	if p.Reduce != nil {
		r, err := p.Reduce(v)
		if err != nil {
			return err
		}
		if r != nil {
			return p.save(r, depth+1)
		}
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Bool:
		return p.save(r.Bool(), depth)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.saveInt(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.saveBig(new(big.Int).SetUint64(r.Uint()))
	case reflect.Float32, reflect.Float64:
		p.saveFloat(r.Float())
	case reflect.String:
		return p.saveText(r.String())
	case reflect.Slice, reflect.Array:
		var key any
		if r.Kind() == reflect.Slice {
			if key = keyOf(r); key != nil && p.known(key) {
				return nil
			}
		}
		items := make([]any, r.Len())
		for i := range items {
			items[i] = r.Index(i).Interface()
		}
		return p.saveList(key, items, depth)
	case reflect.Map:
		return p.saveMap(r, depth)
	default:
		return fmt.Errorf("pickle: a value of type %T is no plain data", v)
	}
	return nil
}

func (p *pickler) saveInt(v int64) {
	switch {
	case v >= 0 && v <= math.MaxUint8:
		p.write('K', byte(v)) // BININT1
	case v >= 0 && v <= math.MaxUint16:
		p.write('M', byte(v), byte(v>>8)) // BININT2
	case v >= math.MinInt32 && v <= math.MaxInt32:
		p.write(binary.LittleEndian.AppendUint32([]byte{'J'}, uint32(v))...) // BININT
	default:
		p.saveLong(big.NewInt(v))
	}
}

func (p *pickler) saveBig(v *big.Int) {
	if v.IsInt64() {
		p.saveInt(v.Int64())
		return
	}
	p.saveLong(v)
}

func (p *pickler) saveLong(v *big.Int) {
	b := appendLong(nil, v)
	if len(b) <= math.MaxUint8 {
		p.write(0x8a, byte(len(b))) // LONG1
	} else {
		p.write(binary.LittleEndian.AppendUint32([]byte{0x8b}, uint32(len(b)))...) // LONG4
	}
	p.write(b...)
}

func (p *pickler) saveFloat(f float64) {
	bits := math.Float64bits(f)
	if bits == 0x7ff8000000000001 { // math.NaN(); Python's is one less
		bits--
	}
	p.write(binary.BigEndian.AppendUint64([]byte{'G'}, bits)...)
}

func (p *pickler) saveText(s string) error {
	if key := textKey(s); !p.known(key) {
		if !utf8.ValidString(s) {
			return fmt.Errorf("pickle: text that is not UTF-8: %.40q", s)
		}
		p.writeSized(textOps, []byte(s))
		p.memorise(key)
	}
	return nil
}

func (p *pickler) saveTuple(v Tuple, depth int) error {
	if len(v) == 0 {
		p.write(')')
		return nil
	}
	key := keyOf(reflect.ValueOf(v))
	if p.known(key) {
		return nil
	}
	if len(v) > 3 {
		p.write('(') // MARK
	}
	for _, item := range v {
		if err := p.save(item, depth+1); err != nil {
			return err
		}
	}
	if _, ok := p.memo[key]; ok { // a list in it holds the tuple, which is written by now
		if len(v) > 3 {
			p.write('1') // POP_MARK
		} else {
			p.write([]byte("000")[:len(v)]...) // POP
		}
		p.known(key)
		return nil
	}
	if len(v) > 3 {
		p.write('t')
	} else {
		p.write(0x84 + byte(len(v))) // TUPLE1, TUPLE2, TUPLE3
	}
	p.memorise(key)
	return nil
}

func (p *pickler) saveList(key any, items []any, depth int) error {
	p.write(']')
	p.memorise(key)
	if len(items) == 1 {
		if err := p.save(items[0], depth+1); err != nil {
			return err
		}
		p.write('a') // APPEND
		return nil
	}
	for some := range slices.Chunk(items, batch) {
		p.write('(')
		for _, item := range some {
			if err := p.save(item, depth+1); err != nil {
				return err
			}
		}
		p.write('e') // APPENDS
	}
	return nil
}

func (p *pickler) saveDict(key any, keys, values []any, depth int) error {
	if len(keys) != len(values) {
		return fmt.Errorf("pickle: a dict of %d keys and %d values", len(keys), len(values))
	}
	p.write('}')
	p.memorise(key)
	pair := func(i int) error {
		if err := p.save(keys[i], depth+1); err != nil {
			return err
		}
		return p.save(values[i], depth+1)
	}
	if len(keys) == 1 {
		if err := pair(0); err != nil {
			return err
		}
		p.write('s') // SETITEM
		return nil
	}
	return p.batches(len(keys), 'u', pair) // SETITEMS
}

// batches writes n items in batches. CPython starts another one when the last was full, so that 1,000 items are followed by
// an empty batch.
func (p *pickler) batches(n int, end byte, item func(i int) error) error {
	if n == 0 {
		return nil
	}
	for i := 0; ; {
		p.write('(')
		last := min(n, i+batch)
		full := last == i+batch
		for ; i < last; i++ {
			if err := item(i); err != nil {
				return err
			}
		}
		p.write(end)
		if !full {
			return nil
		}
	}
}

func (p *pickler) saveSet(s *Set, depth int) error {
	item := func(i int) error { return p.save(s.Items[i], depth+1) }
	if !s.Frozen {
		p.write(0x8f) // EMPTY_SET
		p.memorise(s)
		return p.batches(len(s.Items), 0x90, item) // ADDITEMS
	}
	p.write('(')
	for i := range s.Items {
		if err := item(i); err != nil {
			return err
		}
	}
	p.write(0x91) // FROZENSET
	p.memorise(s)
	return nil
}

func (p *pickler) saveMap(m reflect.Value, depth int) error {
	key := any(m.UnsafePointer())
	if m.IsNil() {
		key = nil
	} else if p.known(key) {
		return nil
	}
	kind := m.Type().Key().Kind()
	if kind != reflect.String && (kind < reflect.Int || kind > reflect.Uint64) {
		return fmt.Errorf("pickle: a map with keys of type %s: use *pickle.Dict", m.Type().Key())
	}
	sorted := m.MapKeys()
	slices.SortFunc(sorted, func(a, b reflect.Value) int {
		switch {
		case kind == reflect.String:
			return strings.Compare(a.String(), b.String())
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		}
		return cmp.Compare(a.Uint(), b.Uint())
	})
	keys, values := make([]any, len(sorted)), make([]any, len(sorted))
	for i, k := range sorted {
		keys[i], values[i] = k.Interface(), m.MapIndex(k).Interface()
	}
	return p.saveDict(key, keys, values, depth)
}

func (p *pickler) saveGlobal(g Global, depth int) error {
	if p.known(g) {
		return nil
	}
	if err := p.save(g.Module, depth+1); err != nil {
		return err
	}
	p.writeSized(textOps, []byte(g.Name)) // a class makes its name anew for everyone who asks
	p.memorise(nil)
	p.write(0x93) // STACK_GLOBAL
	p.memorise(g)
	return nil
}

func (p *pickler) saveCall(c *Call, depth int) error {
	if p.known(c) {
		return nil
	}
	if err := p.saveGlobal(c.Func, depth+1); err != nil {
		return err
	}
	if err := p.saveTuple(c.Args, depth+1); err != nil {
		return err
	}
	p.write('R') // REDUCE
	p.memorise(c)
	if !c.HasState {
		return nil
	}
	if err := p.save(c.State, depth+1); err != nil {
		return err
	}
	p.write('b') // BUILD
	return nil
}
