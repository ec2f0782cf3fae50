package mdslib

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gomosaic/mdslib/jpeg"
)

func goldenFiles(f *testing.F, patterns ...string) [][]byte {
	var out [][]byte
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, data)
		}
	}
	return out
}

// FuzzParseIndex: what parses is written and parsed again to the same text.
func FuzzParseIndex(f *testing.F) {
	for _, data := range goldenFiles(f, "testdata/golden/writers/*/index.json", "testdata/golden/formats/*/none/index.json") {
		f.Add(data)
	}
	f.Add([]byte(`{"shards": [], "version": 2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseIndex(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		text, err := x.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		y, err := ParseIndex(text)
		if err != nil {
			t.Fatalf("%v of %s", err, text)
		}
		again, err := y.AppendJSON(nil)
		if err != nil || !bytes.Equal(text, again) {
			t.Fatalf("%v:\n%s\n%s", err, text, again)
		}
	})
}

// FuzzShard: any file opens or does not, and each sample reads or does not, without a crash and with bounded memory.
func FuzzShard(f *testing.F) {
	for _, data := range goldenFiles(f, "testdata/golden/formats/*/none/shard.00000.mds", "testdata/golden/writers/limit_300/shard.0000[01].mds") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if manyPixels(data) {
			return
		}
		path := filepath.Join(t.TempDir(), "shard.00000.mds")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := OpenShard(path, nil)
		if err != nil {
			return
		}
		defer s.Close()
		for i := range min(s.Len(), 100) {
			s.Get(i)
		}
		guard(s.checkOffsets)
	})
}

// FuzzDecode: every encoding's decoder on any bytes; what decodes and can be encoded again keeps its value.
func FuzzDecode(f *testing.F) {
	names := append(EncodingNames(), "ndarray:float32", "ndarray:int64:2,3", "ndarray:uint8:4")
	for i, name := range names {
		for _, s := range goldenEncodings(f)[name].Samples {
			f.Add(uint8(i), unhex(f, s.Hex))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		e, err := ParseEncoding(names[int(which)%len(names)])
		if err != nil {
			t.Fatal(err)
		}
		if manyPixels(data) {
			return
		}
		value, err := e.Decode(bytes.Clone(data))
		if err != nil {
			return
		}
		switch e.Name() {
		case "jpeg", "png", "list[jpeg]", "list[png]", "list[pil]", "jpeg_array", "jpegarray", "pil", "str_int", "str_float", "str_decimal", "pkl":
			return // several spellings or lossy
		case "json":
			first, err := e.Append(nil, value)
			if err != nil {
				t.Fatalf("%v is not written: %v", value, err)
			}
			again, err := e.Decode(first)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := e.Append(nil, again); err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%s becomes %s, %v", first, second, err)
			}
			return
		case "float16":
			if math.IsNaN(float64(value.(float32))) {
				return // payloads differ
			}
		case "ndarray":
			if data[1]&3 != 0 {
				return // dimensions wider than need be
			}
		case "ndarray:float32":
			if data[0]&3 != 0 {
				return
			}
		}
		if got, err := e.Append(nil, value); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%s: %x becomes %x, %v", e.Name(), data, got, err)
		}
	})
}

// manyPixels tells whether data holds a file of a large image: a few bytes may rightly be 80 million pixels, which take longer
// to decode than the fuzzer waits.
func manyPixels(data []byte) bool {
	const most = 1 << 21
	for i := range data {
		if bytes.HasPrefix(data[i:], []byte("\xff\xd8")) {
			if h, err := jpeg.DecodeHeader(data[i:]); err == nil && h.Width*h.Height > most {
				return true
			}
		}
		if bytes.HasPrefix(data[i:], []byte("\x89PNG")) {
			if c, err := png.DecodeConfig(bytes.NewReader(data[i:])); err == nil && c.Width > most/max(1, c.Height) {
				return true
			}
		}
	}
	return false
}

// FuzzJSON: parsing and writing JSON reach a fixed point.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"b": 1, "a": [1.0, null, true, "h\u00e9 \ud83d\ude00"]}`, `-0`, `1E400`, `[NaN, -Infinity]`, `"\ud800"`, `123456789012345678901234567890`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parsePyJSON(data)
		if err != nil {
			return
		}
		first, err := appendPyJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		w, err := parsePyJSON(first)
		if err != nil {
			t.Fatalf("%v of %s", err, first)
		}
		if second, err := appendPyJSON(nil, w); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s becomes %s, %v", first, second, err)
		}
	})
}

// FuzzParseDecimal: the normal form is its own normal form.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1.10", "-1E+50", "0.000", "1e-7", "NaN12", "-inf", ".5", "5."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if err != nil {
			return
		}
		if again, err := ParseDecimal(string(d)); err != nil || again != d {
			t.Fatalf("%q becomes %q, then %q, %v", s, d, again, err)
		}
	})
}
