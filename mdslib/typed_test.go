package mdslib

import (
	"image"
	"image/color"
	"math/big"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type label string

type common struct {
	ID int64 `mds:"id"`
}

// flower is a sample of every kind of field.
type flower struct {
	common
	Image   image.Image `mds:"image,png"`
	Raw     []byte      `mds:"raw"`
	Label   label       `mds:"label"`
	Class   uint8
	Score   float32        `mds:"score"`
	Price   Decimal        `mds:"price"`
	Huge    *big.Int       `mds:"huge"`
	Box     [4]float32     `mds:"box"`
	Mask    [][]int        `mds:"mask"`
	Any     Array          `mds:"any"`
	Meta    map[string]int `mds:"meta"`
	Tags    []string       `mds:"tags,json"`
	Nested  struct{ X int }
	Good    bool     `mds:"good,uint8"`
	Maybe   *int32   `mds:"maybe"`
	Plain   any      `mds:"plain,pkl"`
	Ignored chan int `mds:"-"`
}

func someFlower(i int) flower {
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	img.Set(1, 1, color.Gray{Y: uint8(i)})
	n := int32(-i)
	f := flower{
		common: common{int64(i)}, Image: img, Raw: []byte{byte(i), 255}, Label: "rose", Class: uint8(i), Score: 0.5, Price: "1.10", Huge: bigInt("123456789012345678901234567890"),
		Box: [4]float32{1, 2, 3, float32(i)}, Mask: [][]int{{1, 2}, {3, 4}, {5, i}}, Any: Array{[]int{2}, []int16{-1, 1}}, Meta: map[string]int{"a": i},
		Tags: []string{"x", "y"}, Good: i%2 == 0, Maybe: &n, Plain: []any{int64(i), nil},
	}
	f.Nested.X = i
	return f
}

func TestTyped(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewWriter[flower](MDSOptions{Out: out, SizeLimit: "2000"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := w.Write(someFlower(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	index := w.Index()
	want := Columns{"id": "int64", "image": "png", "raw": "bytes", "label": "str", "Class": "uint8", "score": "float32", "price": "str_decimal", "huge": "str_int",
		"box": "ndarray:float32", "mask": "ndarray:int64", "any": "ndarray", "meta": "json", "tags": "json", "Nested": "json", "good": "uint8", "maybe": "int32", "plain": "pkl"}
	if got := index.Shards[0].Columns(); !reflect.DeepEqual(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	if len(index.Shards) < 2 {
		t.Errorf("%d shards", len(index.Shards))
	}
	r, err := OpenReader[flower](out, ReadOptions{AllowUnsafeTypes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for got, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		if want := someFlower(n); !reflect.DeepEqual(got, want) {
			t.Fatalf("sample %d: got %+v, want %+v", n, got, want)
		}
		n++
	}
	if n != 20 {
		t.Errorf("%d samples", n)
	}
	type part struct {
		ID    uint8     `mds:"id"`
		Image []byte    `mds:"image"` // the file
		Price string    `mds:"price"`
		Box   []float32 `mds:"box"`
	}
	p, err := OpenReader[part](out, ReadOptions{AllowUnsafeTypes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got, err := p.Get(7); err != nil || got.ID != 7 || !strings.HasPrefix(string(got.Image), "\x89PNG") || got.Price != "1.10" || !reflect.DeepEqual(got.Box, []float32{1, 2, 3, 7}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTypedMapAndText(t *testing.T) {
	out := filepath.Join(t.TempDir(), "map")
	w, err := NewWriter[map[label]int](MDSOptions{Out: out, Columns: Columns{"a": "int8", "b": "int"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(map[label]int{"a": -5, "b": 7}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader[map[label]int](out, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Get(0); err != nil || !reflect.DeepEqual(got, map[label]int{"a": -5, "b": 7}) {
		t.Errorf("got %v, %v", got, err)
	}
	type row struct {
		Word string  `mds:"word"`
		N    uint16  `mds:"n"`
		F    float32 `mds:"f"`
	}
	out = filepath.Join(t.TempDir(), "text")
	text, err := NewWriter[row](MDSOptions{Out: out, Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	if err := text.Write(row{"x", 9, 0.5}); err != nil {
		t.Fatal(err)
	}
	if err := text.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := OpenReader[row](out, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if got, err := rows.Get(0); err != nil || got != (row{"x", 9, 0.5}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestTypedRefused: what would lose something is an error that names the column.
func TestTypedRefused(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: Columns{"n": "int", "f": "float64", "s": "str", "x": "ndarray"}},
		[]Sample{{"n": -300, "f": 0.1, "s": "text", "x": []int32{1, 2}}})
	type check struct {
		name string
		err  error
		want string
	}
	var checks []check
	try := func(name string, open func() error, want string) { checks = append(checks, check{name, open(), want}) }
	try("int8", get[struct {
		N int8 `mds:"n"`
	}](out), `column "n": a int of -300 does not fit into int8`)
	try("uint64", get[struct {
		N uint64 `mds:"n"`
	}](out), "does not fit into uint64")
	try("bool", get[struct {
		N bool `mds:"n"`
	}](out), "does not fit into bool")
	try("float32", get[struct {
		F float32 `mds:"f"`
	}](out), "does not fit into float32")
	try("int of float", get[struct {
		F int `mds:"f"`
	}](out), "does not fit into int")
	try("int of text", get[struct {
		S int `mds:"s"`
	}](out), "does not fit into int")
	try("array of other elements", get[struct {
		X []int16 `mds:"x"`
	}](out), "array of shape [2] of int32")
	try("array of other shape", get[struct {
		X [3]int32 `mds:"x"`
	}](out), "does not fit into [3]int32")
	try("no such column", get[struct {
		Y int `mds:"y"`
	}](out), `no column "y"`)
	try("other encoding", get[struct {
		N int64 `mds:"n,int64"`
	}](out), `column "n" is int, the field's tag says int64`)
	try("no struct", get[int](out), "want a struct or a map")
	try("no fields", get[struct{ x int }](out), "no exported fields")
	try("twice", get[struct {
		A int `mds:"n"`
		B int `mds:"n"`
	}](out), `two fields for column "n"`)
	try("bool without an encoding", put[struct{ B bool }](t, MDSOptions{}), `a bool has no encoding by itself`)
	try("image without an encoding", put[struct{ I image.Image }](t, MDSOptions{}), `column "I"`)
	try("no field", put[struct{ Label int }](t, MDSOptions{Columns: Columns{"label": "int"}}), `column "label" has no field in the type`)
	try("null", put[struct{ P *int }](t, MDSOptions{}), `column "P": want an integer, got a null`)
	for _, c := range checks {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, c.err, c.want)
		}
	}
}

// get reads the first sample as a T.
func get[T any](dir string) func() error {
	return func() error {
		r, err := OpenReader[T](dir, ReadOptions{})
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Get(0)
		return err
	}
}

// put writes T's zero value.
func put[T any](t *testing.T, opts MDSOptions) func() error {
	return func() error {
		opts.Out = filepath.Join(t.TempDir(), "out")
		w, err := NewWriter[T](opts)
		if err != nil {
			return err
		}
		defer w.Abort()
		var zero T
		return w.Write(zero)
	}
}

// TestTypedImageLists: files of images go into a [][]byte as they are, and come back.
func TestTypedImageLists(t *testing.T) {
	type pictures struct {
		A [][]byte `mds:"a,jpeg_array"`
		B [][]byte `mds:"b,list[png]"`
	}
	want := []pictures{{[][]byte{[]byte("one"), []byte("another")}, [][]byte{[]byte("third")}}, {[][]byte{[]byte("x")}, [][]byte{}}}
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewWriter[pictures](MDSOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range want {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader[pictures](out, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var reused pictures
	for i, p := range want {
		if got, err := r.Get(i); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("Get: %q, %v, want %q", got, err, p)
		}
		if err := r.Read(i, &reused); err != nil || !reflect.DeepEqual(reused, p) {
			t.Errorf("Read: %q, %v, want %q", reused, err, p)
		}
	}
}
