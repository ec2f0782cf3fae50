package pickle

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"
)

// golden is testdata/golden.json, which testdata/make.py wrote.
type golden struct {
	Plain, Rich map[string][6]*string
	Refused     map[string]string
}

func readGolden(t testing.TB) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func unpack(t testing.TB, s string) []byte {
	t.Helper()
	z, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(s)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func power(exponent uint, sign int64) *big.Int {
	return new(big.Int).Mul(new(big.Int).Lsh(big.NewInt(1), exponent), big.NewInt(sign))
}

func ints(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

func list(items ...any) *List { return &List{items} }

func dictOf(n int) *Dict {
	d := &Dict{}
	for i := range n {
		d.Set(int64(i), nil)
	}
	return d
}

// values are make.py's, by its names.
func values() map[string]any {
	x255, x256 := strings.Repeat("x", 255), strings.Repeat("x", 256)
	blob := []byte{0, 1, 255}
	trillion := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)
	shared := list(int64(1), int64(2))
	cyclic := list()
	cyclic.Items = []any{cyclic}
	inTuple := Tuple{list()}
	inTuple[0].(*List).Items = []any{inTuple}
	pairs := list()
	for i := range 300 {
		pairs.Items = append(pairs.Items, list(int64(i)))
	}
	pairs.Items = append(pairs.Items, "end", "end")
	frames := make([]any, 30000)
	for i := range frames {
		frames[i] = int64(70000)
	}
	return map[string]any{
		"none": nil, "true": true, "false": false,
		"ints": list(int64(0), int64(1), int64(255), int64(256), int64(65535), int64(65536), int64(-1), int64(-128), int64(math.MaxInt32), int64(1<<31),
			int64(-1<<31), int64(-1<<31-1), int64(math.MaxInt64), power(63, 1), int64(math.MinInt64), new(big.Int).Sub(power(63, -1), big.NewInt(1)),
			trillion, new(big.Int).Neg(trillion), power(2039, 1), power(2039, -1), power(2100, 1)),
		"floats":          list(0.0, math.Copysign(0, -1), 1.5, -1e300, 5e-324, math.Inf(1), math.Inf(-1)),
		"nan":             math.NaN(),
		"texts":           list("", "a", "héllo 世界 😀", "a\\u0041\\", "line\nbreak\r\x00\x1a", x255, x256, "a"),
		"bytes":           list([]byte{}, blob, bytes.Repeat([]byte("y"), 255), bytes.Repeat([]byte("y"), 256), blob),
		"long text":       list("before", strings.Repeat("x", 70000), "after"),
		"long bytes":      list(bytes.Repeat([]byte("z"), 65535), bytes.Repeat([]byte("z"), 65536), []byte("after")),
		"frames":          &List{frames},
		"list":            &List{},
		"list of one":     list(int64(7)),
		"list of 1000":    &List{ints(1000)},
		"list of 1001":    &List{ints(1001)},
		"list of 2000":    &List{ints(2000)},
		"tuples":          list(Tuple{}, Tuple{int64(1)}, Tuple{int64(1), int64(2)}, Tuple(ints(4)[1:]), Tuple(append(ints(4)[1:], int64(4)))),
		"dict":            &Dict{},
		"dict of one":     &Dict{[]any{"k"}, []any{int64(1)}},
		"dict of many":    &Dict{[]any{"b", "a", int64(3), nil, Tuple{int64(1), int64(2)}}, []any{int64(1), list(nil, true, &Dict{[]any{"b"}, []any{"a"}}), 4.5, []byte{}, "t"}},
		"dict of 1000":    dictOf(1000),
		"dict of 1001":    dictOf(1001),
		"set":             &Set{},
		"set of one":      &Set{Items: []any{int64(5)}},
		"frozensets":      list(&Set{Frozen: true}, &Set{Items: []any{int64(5)}, Frozen: true}),
		"set of 1000":     &Set{Items: ints(1000)},
		"ordered":         &Dict{[]any{"z", "a"}, []any{int64(1), int64(2)}},
		"shared":          list(shared, shared, &Dict{[]any{"x"}, []any{shared}}),
		"cyclic":          cyclic,
		"cyclic tuple":    inTuple,
		"memo beyond 255": pairs,
		"bytearray":       []byte("abc"),
	}
}

// same compares values that may contain themselves and NaN; empty slices are equal however they were made.
func same(a, b any, seen map[any]bool) bool {
	all := func(a, b []any) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i], seen) {
				return false
			}
		}
		return true
	}
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (math.Float64bits(a) == math.Float64bits(b) || a != a && b != b)
	case Tuple:
		b, ok := b.(Tuple)
		return ok && all(a, b)
	case *List:
		b, ok := b.(*List)
		if !ok || seen[a] {
			return ok
		}
		seen[a] = true
		return all(a.Items, b.Items)
	case *Set:
		b, ok := b.(*Set)
		return ok && a.Frozen == b.Frozen && all(a.Items, b.Items)
	case *Dict:
		b, ok := b.(*Dict)
		return ok && all(a.Keys, b.Keys) && all(a.Values, b.Values)
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	}
	return reflect.DeepEqual(a, b)
}

// TestPythonReads: what Python wrote in any protocol is read as the value it was made from.
func TestPythonRead(t *testing.T) {
	g, want := readGolden(t), values()
	if len(g.Plain) != len(want) {
		t.Fatalf("%d golden values, the test has %d", len(g.Plain), len(want))
	}
	for name, pickles := range g.Plain {
		for protocol, text := range pickles {
			if text == nil {
				continue
			}
			data := unpack(t, *text)
			v, n, err := new(Decoder).Decode(append(data, "behind"...))
			if err != nil || n != len(data) {
				t.Errorf("%s, protocol %d: read %d of %d bytes, error %v", name, protocol, n, len(data), err)
			} else if !same(v, want[name], map[any]bool{}) {
				t.Errorf("%s, protocol %d: got %#v, want %#v", name, protocol, v, want[name])
			}
		}
	}
}

// TestPythonBytes: the same values are written as Python wrote them, and so are those that were read.
func TestPythonBytes(t *testing.T) {
	g := readGolden(t)
	for name, value := range values() {
		if name == "ordered" || name == "bytearray" { // read as what is written a dict and bytes
			continue
		}
		want := unpack(t, *g.Plain[name][4])
		got, err := new(Encoder).Append([]byte("before"), value)
		if err != nil || string(got) != "before"+string(want) {
			t.Errorf("%s: error %v; %d bytes, want %d\n got %.200x\nwant %.200x", name, err, len(got)-6, len(want), got[min(6, len(got)):], want)
		}
		v, _, err := new(Decoder).Decode(want)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := new(Encoder).Append(nil, v); err != nil || !bytes.Equal(again, want) {
			t.Errorf("%s: read and written again: error %v\n got %.200x\nwant %.200x", name, err, again, want)
		}
	}
}

// TestGoValues: Go's own types are written as the Python values nearest to them.
func TestGoValues(t *testing.T) {
	type level int8
	cycle := map[string]any{}
	cycle["me"] = cycle
	row := []any{int64(1), "a"}
	for _, c := range []struct {
		got, like any
	}{
		{map[string]int{"b": 1, "a": 2}, &Dict{[]any{"a", "b"}, []any{int64(2), int64(1)}}},
		{map[int8]string{-1: "x", 3: "y"}, &Dict{[]any{int64(-1), int64(3)}, []any{"x", "y"}}},
		{[]float32{0.5, 2}, list(0.5, 2.0)},
		{[2]string{"a", "b"}, list("a", "b")},
		{[]any{level(3), uint64(math.MaxUint64)}, list(int64(3), new(big.Int).SetUint64(math.MaxUint64))},
		{[]any{row, row}, func() any { l := list(row...); return list(l, l) }()},
		{cycle, func() any { d := &Dict{}; d.Set("me", d); return d }()},
		{[]any{[]any{}, []any{}}, list(list(), list())},
	} {
		got, err := new(Encoder).Append(nil, c.got)
		if err != nil {
			t.Errorf("%#v: %v", c.got, err)
			continue
		}
		if want, err := new(Encoder).Append(nil, c.like); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%T: got %x, want %x (%v)", c.got, got, want, err)
		}
	}
	deep := any(nil)
	for range 1100 {
		deep = []any{deep}
	}
	for _, v := range []any{struct{}{}, make(chan int), map[float64]int{1: 1}, "\xff", deep, &Dict{Keys: []any{1}}, (*big.Int)(nil), func() {}} {
		if got, err := new(Encoder).Append(nil, v); err == nil || got != nil {
			t.Errorf("%T: no error", v)
		}
	}
}

// TestRefused: names beyond plain data are refused by name, before anything is done with them.
func TestRefused(t *testing.T) {
	g := readGolden(t)
	want := map[string]string{"system": "os.system", "eval": "builtins.eval", "complex": "builtins.complex", "range": "builtins.range", "path": "pathlib.PosixPath",
		"object array": "numpy._core.multiarray._reconstruct"}
	if len(g.Refused) != len(want) {
		t.Fatalf("%d refused pickles, want %d", len(g.Refused), len(want))
	}
	for name, text := range g.Refused {
		if _, _, err := new(Decoder).Decode(unpack(t, text)); err == nil || !strings.Contains(err.Error(), "refers to "+want[name]) {
			t.Errorf("%s: error %v, want one that names %s", name, err, want[name])
		}
	}
	for _, bad := range []string{
		"", ".", "0.", "N", "NN.", "\x80\x06N.", "(.", "(0", "a.", "]a.", "N(e.", "}(Nu.", "}]Ns.", "g0\n.", "g99999999999\n.", "I1x\n.", "L" + strings.Repeat("9", 5000) + "L\n.",
		"F0x1p2\n.", "S'a\n.", "S'\\x4'\n.", "S'\\q'\n.", "V\\u12\n.", "V\\ud800\n.", "\x8c\x02\xed\xa0.", "U\x01\xff.", "X\xff\xff\xff\xffab.", "\x8e\xff\xff\xff\xff\xff\xff\xff\xffab.",
		"\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", "NR.", "N)R.", "\x8f(]\x90.", "(]\x91.", "Nb.", "Pid\n.", "NQ.", "\x97.", "c__builtin__\ndict\n(]tR}b.", "\xff",
		"ccollections\nOrderedDict\n(](](]Neatetre.", "c_codecs\nencode\n(V\\u0100\nVlatin1\ntR.", "c_codecs\nencode\n(Va\nVutf8\ntR.", "c_codecs\nencode\n(tR.",
		"c__builtin__\nset\n((]ltR.", "cbuiltins\nfrozenset\n(((dltR.", "ccollections\nOrderedDict\n(]](c__builtin__\nset\n(tRNeatR.",
	} {
		if v, _, err := new(Decoder).Decode([]byte(bad)); err == nil {
			t.Errorf("%q: got %#v, want an error", bad, v)
		}
	}
}

// FuzzDecode: whatever the bytes, reading ends in a value or a located error, and a value that is written reads back the same.
func FuzzDecode(f *testing.F) {
	g := readGolden(f)
	for _, group := range []map[string][6]*string{g.Plain, g.Rich} {
		for _, pickles := range group {
			for _, text := range pickles {
				if text != nil && len(*text) < 2000 {
					f.Add(unpack(f, *text))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, n, err := new(Decoder).Decode(data)
		if err != nil {
			if _, ok := err.(*FormatError); !ok {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		if n > len(data) {
			t.Fatalf("read %d of %d bytes", n, len(data))
		}
		written, err := new(Encoder).Append(nil, v)
		if err != nil {
			return // deeper than Python writes, or a function as a value
		}
		again, _, err := new(Decoder).Decode(written)
		if err != nil {
			t.Fatalf("%x cannot be read back: %v", written, err)
		}
		if twice, err := new(Encoder).Append(nil, again); err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("written %x, then %x (%v)", written, twice, err)
		}
	})
}
