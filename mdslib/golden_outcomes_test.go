package mdslib

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// nothing stands for a value that has no counterpart in Go's type system but would be refused.
type nothing struct{}

// outcomeValues are the values of errors.json's "write ENCODING <- VALUE" cases in Go.
var outcomeValues = map[string]any{
	"write int <- str '5'":                                            "5",
	"write int <- float 1.5":                                          1.5,
	"write int <- NoneType None":                                      nil,
	"write int <- int 9223372036854775808":                            uint64(1 << 63),
	"write int <- int64 np.int64(3)":                                  int64(3),
	"write int <- bytes b'12345678'":                                  []byte("12345678"),
	"write int <- bytes b'123'":                                       []byte("123"),
	"write str <- int 5":                                              5,
	"write str <- bytes b'raw'":                                       []byte("raw"),
	"write bytes <- str 'x'":                                          "x",
	"write bytes <- bytearray bytearray(b'x')":                        [1]byte{'x'},
	"write bytes <- NoneType None":                                    nil,
	"write uint8 <- int 300":                                          300,
	"write uint8 <- int -1":                                           -1,
	"write uint8 <- float 1.7":                                        1.7,
	"write uint8 <- str '7'":                                          "7",
	"write uint8 <- NoneType None":                                    nil,
	"write float32 <- str '1.5'":                                      "1.5",
	"write float32 <- NoneType None":                                  nil,
	"write str_int <- float 1.0":                                      1.0,
	"write str_float <- int 1":                                        1,
	"write str_decimal <- float 1.5":                                  1.5,
	"write ndarray <- ndarray array([], dtype=float64)":               []float64{},
	"write ndarray <- float32 np.float32(1.0)":                        float32(1),
	"write ndarray <- ndarray array([], shape=(2, 0), dtype=float64)": Array{[]int{2, 0}, []float64{}},
	"write ndarray <- list [1, 2]":                                    []any{1, 2},
	"write ndarray <- ndarray array([False, False])":                  []bool{false, false},
	"write ndarray <- ndarray array(['', ''], dtype='<U3')":           []string{"", ""},
	"write ndarray:int8 <- ndarray array([0, 0], dtype=int16)":        []int16{0, 0},
	"write ndarray:int8:3 <- ndarray array([0, 0], dtype=int8)":       []int8{0, 0},
	"write ndarray <- ndarray array([0, 0], dtype='>i4')":             []int32{0, 0},
	"write ndarray <- ndarray array([[0, 1, 2],\n       [3, 4, 5]])":  [][]int{{0, 1, 2}, {3, 4, 5}},
	"write pil <- bytes b'raw'":                                       []byte("raw"),
	"write pil <- ndarray array([[0., 0.],\n       [0., 0.]])":        [][]float64{{0, 0}, {0, 0}},
	"write png <- str 'x'":                                            "x",
	"write jpeg_array <- list []":                                     []any{},
	"write list[jpeg] <- tuple (1,)":                                  [1]int{1},
	"write json <- set {1, 2}":                                        map[nothing]bool{},
	"write json <- bytes b'zz'":                                       []byte("zz"),
	"write pkl <- int 1":                                              1,
}

// outcomesThatDiffer are accepted by the reference and refused here, or the other way round, with the words of FORMAT.md that
// say so.
var outcomesThatDiffer = map[string]string{
	"write uint8 <- float 1.7":       "1.7 into an integer column",
	"write float32 <- NoneType None": "a null in a float column",
	"write int <- int64 np.int64(3)": "integer types in `int` and `str_int`",
}

// errCompiler stands for the compiler's error, where Python finds out only when the program runs.
var errCompiler = errors.New("does not compile")

// otherOutcomes does what errors.json's cases do that write no value; streamlib drives those about reading, ds_* and stream_*.
var otherOutcomes = map[string]func(dir string) (result string, err error){
	"bad_encoding":        opens(MDSOptions{Columns: Columns{"a": "float128"}}),
	"bad_encoding_prefix": opens(MDSOptions{Columns: Columns{"a": "foo:bar"}}),
	"bad_ndarray_dtype":   opens(MDSOptions{Columns: Columns{"a": "ndarray:bool"}}),
	"bad_ndarray_shape":   opens(MDSOptions{Columns: Columns{"a": "ndarray:int8:0"}}),
	"bad_compression":     opens(MDSOptions{Compression: "lz4"}),
	"bad_level":           opens(MDSOptions{Compression: "zstd:23"}),
	"bad_hash":            opens(MDSOptions{Hashes: []string{"nope"}}),
	"unsorted_hashes":     opens(MDSOptions{Hashes: []string{"xxh64", "sha1"}}),
	"dup_hashes":          opens(MDSOptions{Hashes: []string{"sha1", "sha1"}}),
	"size_limit_neg":      opens(MDSOptions{SizeLimit: "-1"}),
	"size_limit_4g":       opens(MDSOptions{SizeLimit: "4294967296"}),
	"size_limit_str":      opens(MDSOptions{SizeLimit: "10xb"}),
	"size_limit_0":        opens(MDSOptions{SizeLimit: "0"}),
	"out_bad_scheme":      opens(MDSOptions{Out: "ftp://a/b"}),
	"out_bad_tuple":       opens(MDSOptions{Out: "s3://a/b", Remote: "s3://c/d"}),
	"missing_key":         writes(Sample{"a": 1}),
	"extra_key_ignored":   writes(Sample{"a": 1, "b": 2, "c": 3}),
	"bad_kwarg": func(string) (string, error) {
		if _, ok := reflect.TypeFor[MDSOptions]().FieldByName("Foo"); !ok {
			return "", errCompiler
		}
		return "None", nil
	},
	"nonempty_out": func(dir string) (string, error) {
		if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
			return "no file: " + err.Error(), nil
		}
		return opens(MDSOptions{Out: dir})(dir)
	},
	"empty_dataset_index": func(dir string) (string, error) {
		if _, err := opens(MDSOptions{})(dir); err != nil {
			return "", err
		}
		text, err := os.ReadFile(filepath.Join(dir, "out", IndexName))
		return "'" + string(text) + "'", err
	},
	"merge_noargs_type": func(string) (string, error) {
		if !reflect.TypeFor[int]().AssignableTo(reflect.TypeOf(MergeIndex).In(1)) {
			return "", errCompiler
		}
		return "None", nil
	},
	"merge_missing": func(dir string) (string, error) {
		return "None", MergeIndexFiles(context.Background(), []string{filepath.Join(dir, "nope", IndexName)}, dir, MergeOptions{})
	},
}

// opens opens a writer and closes it.
func opens(opts MDSOptions) func(dir string) (string, error) {
	return func(dir string) (string, error) { return write(dir, opts, nil) }
}

// writes writes a sample of the columns a and b.
func writes(sample Sample) func(dir string) (string, error) {
	return func(dir string) (string, error) {
		return write(dir, MDSOptions{Columns: Columns{"a": "int", "b": "int"}}, sample)
	}
}

func write(dir string, opts MDSOptions, sample Sample) (string, error) {
	if opts.Out == "" {
		opts.Out = filepath.Join(dir, "out")
	}
	if opts.Columns == nil {
		opts.Columns = Columns{"a": "int"}
	}
	w, err := NewMDSWriter(opts)
	if err == nil && sample != nil {
		err = w.Write(sample)
	}
	if w != nil {
		err = errors.Join(err, w.Close())
	}
	return "None", err
}

// encodes encodes a value by the encoding of the case's name.
func encodes(name string, value any) (string, error) {
	encoding, _, _ := strings.Cut(strings.TrimPrefix(name, "write "), " <- ")
	e, err := ParseEncoding(encoding)
	if err != nil {
		return "", err
	}
	data, err := e.Append(nil, value)
	return fmt.Sprintf("'%x'", data), err
}

// TestGoldenOutcomes drives each case of errors.json: what the reference refuses is refused, what it accepts gives the same
// result, but for the differences that FORMAT.md has.
func TestGoldenOutcomes(t *testing.T) {
	data, err := os.ReadFile("testdata/golden/errors.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string
		Error  *string
		Result string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	format, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	transparent := image.NewNRGBA(image.Rect(0, 0, 5, 3))
	transparent.Set(1, 1, color.NRGBA{R: 9, A: 128})
	driven := 0
	for _, c := range cases {
		value, isValue := outcomeValues[c.Name]
		if strings.HasPrefix(c.Name, "write jpeg <- Image") {
			value, isValue = transparent, true
		}
		var got string
		switch do := otherOutcomes[c.Name]; {
		case strings.HasPrefix(c.Name, "ds_"), strings.HasPrefix(c.Name, "stream_"):
			continue
		case isValue:
			got, err = encodes(c.Name, value)
		case do != nil:
			got, err = do(t.TempDir())
		default:
			t.Errorf("%s: nothing drives it", c.Name)
			continue
		}
		driven++
		refused, row := c.Error != nil, outcomesThatDiffer[c.Name]
		if row != "" {
			refused = !refused
			if !strings.Contains(string(format), "| "+row) {
				t.Errorf("%s: FORMAT.md has no row %q", c.Name, row)
			}
		}
		if refused != (err != nil) {
			t.Errorf("%s: got %s, error %v; the reference: %v %s", c.Name, got, err, c.Error, c.Result)
		} else if err == nil && c.Error == nil && got != c.Result {
			t.Errorf("%s: got %s, want %s", c.Name, got, c.Result)
		}
	}
	if driven != len(outcomeValues)+1+len(otherOutcomes) {
		t.Errorf("%d outcomes driven", driven)
	}
}
