package mdslib

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOptionOutcomes: a writer says what is wrong with its options.
func TestOptionOutcomes(t *testing.T) {
	columns := Columns{"a": "int"}
	for _, c := range []struct {
		name    string
		opts    MDSOptions
		refused string // part of the message, "" if accepted
	}{
		{"bad_encoding", MDSOptions{Columns: Columns{"a": "float128"}}, `column "a": unknown encoding "float128"`},
		{"bad_encoding_prefix", MDSOptions{Columns: Columns{"a": "foo:bar"}}, "unknown encoding"},
		{"bad_ndarray_dtype", MDSOptions{Columns: Columns{"a": "ndarray:bool"}}, "unknown element type"},
		{"bad_ndarray_shape", MDSOptions{Columns: Columns{"a": "ndarray:int8:0"}}, "dimension"},
		{"bad_compression", MDSOptions{Columns: columns, Compression: "lz4"}, "unknown compression"},
		{"bad_level", MDSOptions{Columns: columns, Compression: "zstd:23"}, "unknown compression"},
		{"no level", MDSOptions{Columns: columns, Compression: "snappy:1"}, "unknown compression"},
		{"bad_hash", MDSOptions{Columns: columns, Hashes: []string{"nope"}}, "unknown hash"},
		{"unsorted_hashes", MDSOptions{Columns: columns, Hashes: []string{"xxh64", "sha1"}}, "sorted"},
		{"dup_hashes", MDSOptions{Columns: columns, Hashes: []string{"sha1", "sha1"}}, ""},
		{"size_limit_neg", MDSOptions{Columns: columns, SizeLimit: "-1"}, "SizeLimit"},
		{"size_limit_4g", MDSOptions{Columns: columns, SizeLimit: "4gb"}, "SizeLimit"},
		{"size_limit_str", MDSOptions{Columns: columns, SizeLimit: "10xb"}, "no number of bytes"},
		{"size_limit_0", MDSOptions{Columns: columns, SizeLimit: "0"}, ""},
		{"no columns", MDSOptions{}, "no columns"},
		{"out_bad_scheme", MDSOptions{Columns: columns, Out: "ftp://x/y"}, "no driver"},
		{"out_bad_tuple", MDSOptions{Columns: columns, Out: "s3://x/y", Remote: "s3://x/z"}, "local folder"},
		{"retry", MDSOptions{Columns: columns, Retry: -1}, "Retry"},
	} {
		if c.opts.Out == "" {
			c.opts.Out = filepath.Join(t.TempDir(), "out")
		}
		w, err := NewMDSWriter(c.opts)
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.refused)
		}
		if err == nil {
			if err := w.Close(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if text, err := os.ReadFile(filepath.Join(c.opts.Out, IndexName)); err != nil || string(text) != `{"shards": [], "version": 2}` {
				t.Errorf("%s: index of an empty data set: %s, %v", c.name, text, err)
			}
		}
	}
	if _, err := NewMDSWriter(MDSOptions{Columns: columns}); err == nil {
		t.Error("no Out: no error")
	}
}

// TestEncodingValues covers values beyond the golden ones.
func TestEncodingValues(t *testing.T) {
	type named int16
	for _, c := range []struct {
		encoding string
		value    any
		want     string // hexadecimal, or part of the error after "!"
	}{
		{"int", true, "!want an integer, got bool true"},
		{"int8", true, "!want int8, got bool"},
		{"int8", 128, "!128 is out of range for int8"},
		{"int8", -129, "!-129 is out of range for int8"},
		{"int8", "-128", "80"},
		{"uint8", "-0", "00"},
		{"uint8", math.NaN(), "!fraction"},
		{"uint64", 1e19, "0000e8890423c78a"},
		{"int16", named(-2), "feff"},
		{"int64", bigInt("-9223372036854775808"), "0000000000000080"},
		{"int64", bigInt("-9223372036854775809"), "!out of range"},
		{"int64", bigInt("99999999999999999999999"), "!want int64"},
		{"float32", 1e300, "0000807f"},
		{"float32", int8(-3), "000040c0"},
		{"float64", "0x1p-2", "!want float64"},
		{"float64", " inf ", "000000000000f07f"},
		{"float64", math.NaN(), "000000000000f87f"},
		{"float64", true, "!want float64, got bool"},
		{"str", "\xff", "!UTF-8"},
		{"str", nil, "!null"},
		{"str", Decimal("1"), "!want string"},
		{"str_int", true, "!want an integer"},
		{"str_int", int8(-5), "2d35"},
		{"str_float", float32(0.1), hexOf("0.10000000149011612")},
		{"str_float", 1e-5, hexOf("1e-05")},
		{"str_float", 0.0001, hexOf("0.0001")},
		{"str_float", 9999999999999998.0, hexOf("9999999999999998.0")},
		{"str_float", math.NaN(), hexOf("nan")},
		{"str_decimal", " 007.50 ", hexOf("7.50")},
		{"str_decimal", "1e-7", hexOf("1E-7")},
		{"str_decimal", "0.000001", hexOf("0.000001")},
		{"str_decimal", "12e1", hexOf("1.2E+2")},
		{"str_decimal", "-0", hexOf("-0")},
		{"str_decimal", "Inf", hexOf("Infinity")},
		{"str_decimal", "nan", hexOf("NaN")},
		{"str_decimal", DecimalOf(bigInt("-12345"), 2), hexOf("-123.45")},
		{"str_decimal", "1.2.3", "!no decimal"},
		{"str_decimal", "999E999999999999", hexOf("9.99E+1000000000001")},
		{"str_decimal", "123456E999999999999999994", hexOf("1.23456E+999999999999999999")}, // the last that Python takes
		{"str_decimal", "123456E999999999999999995", "!no decimal"},
		{"str_decimal", "1E-1999999999999999997", hexOf("1E-1999999999999999997")},
		{"str_decimal", "0.01E-1999999999999999996", "!no decimal"},
		{"str_decimal", "0E1000000000000000000", "!no decimal"},
		{"ndarray", [][]int8{{1}, {2, 3}}, "!ragged"},
		{"ndarray", Array{[]int{2}, []int8{1}}, "!has 1 elements instead of 2"},
		{"ndarray", Array{nil, []int8{1}}, "!no dimensions"},
		{"ndarray", []any{1}, "!want an array of numbers"},
		{"ndarray:int8", Array{[]int{1}, []int8{-1}}, "0401ff"},
		{"ndarray:uint8:2", []byte{1, 2}, "0102"},
		{"ndarray:uint8:2", []byte{1, 2, 3}, "!want 2 bytes"},
		{"json", map[string]any{"b": 1, "a": []int{1}}, hexOf(`{"a": [1], "b": 1}`)},
		{"json", struct {
			X int `json:"x"`
			y int
			Z *int `json:",omitempty"`
		}{X: 1}, hexOf(`{"x": 1}`)},
		{"json", map[int]string{2: "\"\\\n\x7f\x01"}, hexOf(`{"2": "\"\\\n\u007f\u0001"}`)},
		{"json", math.Inf(-1), hexOf("-Infinity")},
		{"json", make(chan int), "!not JSON"},
		{"json", "\xff", "!UTF-8"},
		{"json", json.Number("1.50"), hexOf("1.5")},
		{"json", nil, hexOf("null")},
		{"jpeg", image.NewRGBA(image.Rectangle{}), "!0 x 0"},
		{"list[jpeg]", []any{"x"}, "!element 0"},
	} {
		e, err := ParseEncoding(c.encoding)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Append(nil, c.value)
		if message, refused := strings.CutPrefix(c.want, "!"); refused {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s <- %v: got %x, error %v, want %q", c.encoding, c.value, got, err, message)
			}
		} else if err != nil || fmt.Sprintf("%x", got) != c.want {
			t.Errorf("%s <- %v: got %x (%s), error %v, want %s", c.encoding, c.value, got, got, err, c.want)
		}
	}
}

func hexOf(s string) string { return fmt.Sprintf("%x", s) }

func TestFloat16(t *testing.T) {
	for bits := range 1 << 16 { // every half goes to float32 and back
		h := Float16(bits)
		f := h.Float32()
		back := Float16Of(float64(f))
		if f != f {
			if back&0x7e00 != 0x7e00 {
				t.Fatalf("%#04x: NaN becomes %#04x", bits, back)
			}
		} else if back != h {
			t.Fatalf("%#04x = %g becomes %#04x", bits, f, back)
		}
	}
	for f, want := range map[float64]Float16{
		65519.99: 0x7bff, 65520: 0x7c00, 1e300: 0x7c00, -1e300: 0xfc00, 0x1p-25: 0, 0x1.0000001p-25: 1, 0x1p-24: 1, 0x1.8p-24: 2,
		1 + 0x1p-11: 0x3c00, 1 + 0x1.0001p-11: 0x3c01, 1 + 0x3p-11: 0x3c02, 5e-324: 0, 2047.5: 0x67ff + 1,
	} {
		if got := Float16Of(f); got != want {
			t.Errorf("Float16Of(%g) = %#04x, want %#04x", f, got, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "123": 123, "123b": 123, "100kb": 102400, " 1.5MB ": 1572864, "1gb": 1 << 30, "2tb": 2 << 40, "1eb": 1 << 60, "0.001zb": 1180591620717411328, "0yb": 0,
		Bytes(64 << 20): 64 << 20, Bytes(uint64(7)): 7,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "b", "kb", "1k", "1.5", "1.5b", "10xb", "0x1kb", "nankb", "16eb", "1zb", "1e3"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestHashesOfNothingAndSome(t *testing.T) {
	// from the xxHash specification's own test vectors and Python's hashlib
	for text, want := range map[string]map[string]string{
		"":    {"xxh32": "02cc5d05", "xxh64": "ef46db3751d8e999", "xxh3_64": "2d06800538d394c2", "xxh128": "99aa06d3014798d86001c324468d497f", "md5": "d41d8cd98f00b204e9800998ecf8427e"},
		"abc": {"xxh32": "32d153ff", "xxh64": "44bc2cf5ad770999", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d"},
	} {
		for name, digest := range want {
			d := newDigests([]string{name})
			for i := range text { // in pieces
				d.Write([]byte(text[i : i+1]))
			}
			if got := d.hex()[name]; got != digest {
				t.Errorf("%s of %q: got %s, want %s", name, text, got, digest)
			}
		}
	}
}
