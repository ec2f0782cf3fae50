package mdslib

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// goldenPickles reads pickle/testdata/golden.json, which make.py beside it wrote: name → protocol → pickle.
func goldenPickles(t testing.TB) (rich map[string][6][]byte, refused map[string][]byte) {
	t.Helper()
	text, err := os.ReadFile("pickle/testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Rich    map[string][6]*string
		Refused map[string]string
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	unpack := func(s string) []byte {
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
	rich, refused = map[string][6][]byte{}, map[string][]byte{}
	for name, pickles := range g.Rich {
		var all [6][]byte
		for i, p := range pickles {
			if p != nil {
				all[i] = unpack(*p)
			}
		}
		rich[name] = all
	}
	for name, p := range g.Refused {
		refused[name] = unpack(p)
	}
	return rich, refused
}

// pickledValues are make.py's values beyond plain data, by its names.
func pickledValues() map[string]any {
	naive := func(y, mo, d, h, mi, s, us int) any {
		return NaiveTime{time.Date(y, time.Month(mo), d, h, mi, s, 1000*us, time.UTC)}
	}
	array := func(data any, shape ...int) Array { return Array{append([]int{}, shape...), data} }
	same := array([]int32{0, 1, 2}, 3)
	dict := &PyDict{}
	dict.Set("image", array(make([]uint8, 4), 2, 2))
	dict.Set("loss", Scalar{float32(0.25)})
	dict.Set("when", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	dict.Set("price", Decimal("9.99"))
	return map[string]any{
		"decimals": []any{Decimal("1.10"), Decimal("-1E+50"), Decimal("NaN"), Decimal("1.10")},
		"datetimes": []any{naive(2024, 2, 29, 23, 59, 58, 123456), naive(1, 1, 1, 0, 0, 0, 0), time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC),
			time.Date(9999, 12, 31, 0, 0, 0, 0, time.FixedZone("", -5*3600-30*60))},
		"dates":      []any{Date{2024, 2, 29}, Date{1, 1, 1}},
		"timedeltas": []any{time.Duration(0), -24*time.Hour + 5*time.Microsecond, 3*24*time.Hour + 86399*time.Second},
		"scalars": []any{Scalar{int8(-1)}, Scalar{uint8(255)}, Scalar{int16(-2)}, Scalar{uint16(3)}, Scalar{int32(-4)}, Scalar{uint32(5)}, Scalar{int64(-6)}, Scalar{uint64(7)},
			Scalar{Float16(0x3e00)}, Scalar{float32(0.1)}, Scalar{0.1}, Scalar{true}},
		"arrays":                 []any{array([]int16{0, 1, 2, 3, 4, 5}, 2, 3), array([]float64{1.5, -2}, 2), array([]uint8{0, 1, 2, 3}, 4), array([]Float16{0x3c00, 0}, 2), array([]uint64{0, 1}, 2)},
		"same array":             []any{same, same, array([]int32{0, 1, 2}, 3)},
		"fortran":                array([]int32{0, 1, 2, 3, 4, 5}, 2, 3),
		"big-endian":             array([]int32{0, 1, 2}, 3),
		"bools":                  array([]bool{true, false}, 2),
		"array of no dimensions": array([]int64{5}),
		"empty array":            array([]float32{}, 2, 0),
		"arrays of one byte":     []any{array([]uint8{7}, 1), array([]uint8{7}, 1), array([]uint8{}, 0), []byte{}, []byte{7}},
		"equal ones": []any{Decimal("1"), Decimal("1"), "1", array([]int64{0, 1, 2}, 3), array([]int64{0, 1, 2}, 3), Scalar{float32(2)}, Scalar{float32(2)},
			naive(2024, 1, 1, 0, 0, 0, 0), naive(2024, 1, 1, 0, 0, 0, 0), Date{2024, 1, 1}, Date{2024, 1, 1}},
		"mixed": dict,
	}
}

// TestPickleGolden: numpy's arrays and scalars, datetimes and decimals that Python pickled in any protocol are read, and
// written in protocol 4 as Python wrote them.
func TestPickleGolden(t *testing.T) {
	golden, refused := goldenPickles(t)
	values := pickledValues()
	if len(golden) != len(values) {
		t.Fatalf("%d golden values, the test has %d", len(golden), len(values))
	}
	e, err := ParseEncoding("pkl")
	if err != nil {
		t.Fatal(err)
	}
	for name, pickles := range golden {
		for protocol, data := range pickles {
			if data == nil {
				continue
			}
			got, err := e.Decode(data)
			if err != nil || !sameTimes(got, values[name]) {
				t.Errorf("%s, protocol %d: got %#v, error %v, want %#v", name, protocol, got, err, values[name])
			}
		}
		if name == "fortran" || name == "big-endian" { // written as any other array
			continue
		}
		got, err := e.Append(nil, values[name])
		if err != nil || !bytes.Equal(got, pickles[4]) {
			t.Errorf("%s: error %v\n got %x\nwant %x", name, err, got, pickles[4])
		}
		read, err := e.Decode(pickles[4])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Append(nil, read); err != nil || !bytes.Equal(got, pickles[4]) {
			t.Errorf("%s: read and written again: error %v\n got %x\nwant %x", name, err, got, pickles[4])
		}
	}
	for name, data := range refused {
		if v, err := e.Decode(data); err == nil {
			t.Errorf("%s: got %#v, want an error", name, v)
		}
	}
}

// sameTimes is reflect.DeepEqual but for time zones, which are compared by their offsets.
func sameTimes(a, b any) bool {
	list, ok := a.([]any)
	if !ok {
		return reflect.DeepEqual(a, b)
	}
	other, ok := b.([]any)
	if !ok || len(list) != len(other) {
		return false
	}
	for i := range list {
		if t, ok := list[i].(time.Time); ok {
			u, ok := other[i].(time.Time)
			if !ok || t.Format(time.RFC3339Nano) != u.Format(time.RFC3339Nano) {
				return false
			}
		} else if !reflect.DeepEqual(list[i], other[i]) {
			return false
		}
	}
	return true
}

func TestPickleRefused(t *testing.T) {
	e, err := ParseEncoding("pkl")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{
		struct{}{}, Array{[]int{2}, []int8{1}}, Array{[]int{1}, []string{"x"}}, Array{nil, 5}, Scalar{}, Scalar{"x"}, Decimal("x"), Date{2023, 2, 29}, Date{12024, 1, 1},
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 1, time.UTC), time.Duration(1), (*Array)(nil),
	} {
		if got, err := e.Append(nil, v); err == nil {
			t.Errorf("%#v: got %x, want an error", v, got)
		}
	}
	huge := "\x80\x04cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ftcnumpy\ndtype\n\x8c\x02i4\x89\x88\x87R\x88C\x00tb."
	laughs := "\x80\x04]\x94" + strings.Repeat("]\x94(h\x00h\x00e", 1) + "." // what is left on the stack
	self := "\x80\x04]\x94h\x00a."
	for _, bad := range []string{huge, laughs, self, "ccollections\nOrderedDict\n.", "cnumpy\nndarray\n.", "cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.", "cdatetime\ntimezone\n(I1\ntR.",
		"cdatetime\ndatetime\n(C\x00tR.", "cdatetime\ntimedelta\n(I999999999\nI0\nI0\ntR.", "cdecimal\nDecimal\n(S'x'\ntR.", "cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR."} {
		if v, err := e.Decode([]byte(bad)); err == nil {
			t.Errorf("%q: got %#v, want an error", bad, v)
		}
	}
	// what is shared is turned once: this would have 2^60 elements
	doubling := "\x80\x04]\x94"
	for i := range 60 {
		doubling += "0]\x94(h" + string(rune(i)) + "h" + string(rune(i)) + "e"
	}
	if v, err := e.Decode([]byte(doubling + ".")); err != nil || len(v.([]any)) != 2 {
		t.Errorf("nested references: %v", err)
	}
}

// FuzzPickle: whatever the bytes, a pkl column is read or refused; what is read can be written, and reads back the same.
func FuzzPickle(f *testing.F) {
	golden, refused := goldenPickles(f)
	for _, pickles := range golden {
		for _, data := range pickles {
			f.Add(data)
		}
	}
	for _, data := range refused {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := decodePickle(data)
		if err != nil {
			return
		}
		written, err := appendPickle(nil, v)
		if err != nil {
			return // a Decimal whose text Python writes in another way
		}
		again, err := decodePickle(written)
		if err != nil {
			t.Fatalf("%x cannot be read back: %v", written, err)
		}
		if twice, err := appendPickle(nil, again); err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("written %x, then %x (%v)", written, twice, err)
		}
	})
}

// TestUnsafeTypes: a pkl column is read only where that was asked for.
func TestUnsafeTypes(t *testing.T) {
	dir := writeAll(t, MDSOptions{Columns: Columns{"x": "pkl", "n": "int"}}, []Sample{{"x": []any{1, nil}, "n": 1}})
	if _, err := OpenDataset(dir, ReadOptions{}); err == nil || !strings.Contains(err.Error(), `column "x" contains an unsafe type: pkl`) {
		t.Errorf("opened without AllowUnsafeTypes: %v", err)
	}
	d, err := OpenDataset(dir, ReadOptions{AllowUnsafeTypes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if s, err := d.Get(0); err != nil || !reflect.DeepEqual(s, Sample{"x": []any{int64(1), nil}, "n": int64(1)}) {
		t.Errorf("got %v, %v", s, err)
	}
}
