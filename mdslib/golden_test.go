package mdslib

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// goldenEncoding is one encoding of testdata/golden/formats/expected.json.
type goldenEncoding struct {
	Dir     string
	Samples []struct {
		Hex     string
		Decoded json.RawMessage
	}
}

func goldenEncodings(t testing.TB) map[string]goldenEncoding {
	data, err := os.ReadFile("testdata/golden/formats/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Encodings map[string]goldenEncoding }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Encodings
}

func unhex(t testing.TB, s string) []byte {
	data, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func bigInt(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

func ones(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// goldenValues are the inputs of the golden data sets as natural Go values, sample by sample. Encodings that are missing
// are written from their bytes (images made by other encoders, pickles).
var goldenValues = map[string][]any{
	"bytes":             {[]byte{}, []byte{0, 1, 255}, []byte("hellohellohello")},
	"str":               {"", "héllo 世界 😀", "a\x00b"},
	"int":               {0, -1, int64(math.MaxInt64), int64(math.MinInt64), uint8(1)},
	"uint8":             {0, uint64(255), 7.0},
	"uint16":            {"0", 65535},
	"uint32":            {0, uint32(math.MaxUint32)},
	"uint64":            {0, uint64(math.MaxUint64)},
	"int8":              {-128, 127},
	"int16":             {int16(-32768), 32767},
	"int32":             {math.MinInt32, int64(math.MaxInt32)},
	"int64":             {math.MinInt64, math.MaxInt64},
	"float16":           {0, -1.5, float32(65504), math.Inf(1)},
	"float32":           {0.1, -3.4e38},
	"float64":           {"0.1", 5e-324, math.Copysign(0, -1)},
	"str_int":           {0, bigInt("-1000000000000000000000000000000"), uint64(12345678901234567890)},
	"str_float":         {0.1, 1e-300, 1e22, math.Inf(1), math.Copysign(0, -1), 1e16, 123456789.0},
	"str_decimal":       {Decimal("1.10"), "-1e50", Decimal("0.000")},
	"ndarray":           {[][]int16{{0, 1, 2}, {3, 4, 5}}, []float64{1}, Array{[]int{300, 1}, make([]uint8, 300)}, Array{[]int{2, 2, 1}, []Float16{0, 0x3c00, 0x4000, 0x4200}}},
	"ndarray:float32":   {[]float32{0, 1, 2}, Array{[]int{2, 256}, ones(512)}},
	"ndarray:int64:2,3": {[][]int{{0, 1, 2}, {3, 4, 5}}, [2][3]int64{{-1, -1, -1}, {-1, -1, -1}}},
	"ndarray:uint8:4":   {Array{[]int{4}, []uint8{0, 1, 2, 3}}},
	"json": {Object{{"b", 1}, {"a", []any{1.0, nil, true, "hé 😀"}}}, []any{}, "x", 3, 1e16,
		Array{[]int{3}, []int64{0, 1, 2}}, math.NaN()},
	"pkl": {map[string]any{"a": []any{1, 2.5, nil}}, "x", PyTuple{1, []byte("2")}},
}

func TestGoldenEncode(t *testing.T) {
	for name, golden := range goldenEncodings(t) {
		values := goldenValues[name]
		if values == nil {
			continue
		}
		if len(values) != len(golden.Samples) {
			t.Fatalf("%s: %d values for %d samples", name, len(values), len(golden.Samples))
		}
		e, err := ParseEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			got, err := e.Append([]byte("before"), value)
			if want := "before" + string(unhex(t, golden.Samples[i].Hex)); err != nil || string(got) != want {
				t.Errorf("%s: sample %d: %v encodes to %x (error %v), want %x", name, i, value, got, err, want)
			}
		}
	}
}

func TestGoldenDecode(t *testing.T) {
	for name, golden := range goldenEncodings(t) {
		e, err := ParseEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, sample := range golden.Samples {
			data := unhex(t, sample.Hex)
			value, err := e.Decode(bytes.Clone(data))
			if err != nil {
				t.Errorf("%s: sample %d: %v", name, i, err)
				continue
			}
			checkDecoded(t, fmt.Sprintf("%s: sample %d", name, i), name, value, sample.Decoded, data)
		}
	}
}

// checkDecoded compares a value with Python's view of it.
func checkDecoded(t *testing.T, where, encoding string, got any, decoded json.RawMessage, data []byte) {
	t.Helper()
	if images, ok := got.([]image.Image); ok {
		var views []json.RawMessage
		if json.Unmarshal(decoded, &views) != nil { // Python's repr of an empty list
			views = nil
		}
		if len(images) != len(views) {
			t.Errorf("%s: %d images, want %d", where, len(images), len(views))
			return
		}
		for i := range images {
			checkDecoded(t, fmt.Sprintf("%s: image %d", where, i), encoding, images[i], views[i], nil)
		}
		return
	}
	var view struct {
		Hex, Py, DType, Repr, Mode string
		Size, Shape                []int
		PixelsSHA1                 string `json:"pixels_sha1"`
	}
	if err := json.Unmarshal(decoded, &view); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	switch got := got.(type) {
	case []byte:
		if hex.EncodeToString(got) != view.Hex {
			t.Errorf("%s: got %x, want %s", where, got, view.Hex)
		}
	case Array:
		bytes, err := appendElements(nil, got.Data)
		if err != nil || hex.EncodeToString(bytes) != view.Hex || got.DType() != view.DType || !reflect.DeepEqual(got.Shape, view.Shape) {
			t.Errorf("%s: got %s %v %x (error %v), want %s", where, got.DType(), got.Shape, bytes, err, decoded)
		}
	case image.Image:
		checkImage(t, where, got, view.Mode, view.Size, view.PixelsSHA1)
	default:
		text := pythonRepr(got)
		if encoding == "float16" || encoding == "float32" { // Python shows them widened
			text = string(appendPyFloat(nil, float64(got.(float32)), "nan", "inf"))
		}
		want := view.Py + view.Repr
		if want == "{'b': 1, 'a': [1.0, None, True, 'hé 😀']}" {
			want = "{'a': [1.0, None, True, 'hé 😀'], 'b': 1}" // a Go map has no order
		}
		if text != want {
			t.Errorf("%s: got %s, want %s", where, text, want)
		}
	}
	if view.DType != "" && encoding == view.DType && encoding != "float16" {
		if name := reflect.TypeOf(got).String(); name != view.DType {
			t.Errorf("%s: a value of type %s, want %s", where, name, view.DType)
		}
	}
}

// checkImage compares an image with its mode, size and the hash of Pillow's pixels (for lossy ones the size alone).
func checkImage(t *testing.T, where string, img image.Image, mode string, size []int, pixels string) {
	t.Helper()
	if b := img.Bounds(); b.Dx() != size[0] || b.Dy() != size[1] {
		t.Errorf("%s: got %v, want %v", where, b, size)
	}
	pil, err := appendPIL(nil, img)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	p := 12 + getUint32(pil[8:])
	if got := string(pil[12:p]); got != mode {
		t.Errorf("%s: mode %q, want %q", where, got, mode)
	}
	if sum := fmt.Sprintf("%x", sha1.Sum(pil[p:])); pixels != "" && sum != pixels {
		t.Errorf("%s: pixels %s, want %s", where, sum, pixels)
	}
}

// pythonRepr writes a decoded value as Python's repr does.
func pythonRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return strings.ToUpper(fmt.Sprint(v)[:1]) + fmt.Sprint(v)[1:]
	case string:
		return "'" + strings.ReplaceAll(v, "\x00", `\x00`) + "'"
	case []byte:
		return "b'" + string(v) + "'"
	case Decimal:
		return "Decimal('" + string(v) + "')"
	case float64:
		return string(appendPyFloat(nil, v, "nan", "inf"))
	case *PyDict:
		var parts []string
		for k, e := range v.All() {
			parts = append(parts, pythonRepr(k)+": "+pythonRepr(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case PyTuple:
		return "(" + strings.Trim(pythonRepr([]any(v)), "[]") + ")"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = pythonRepr(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, name := range (Columns{"a": "", "b": ""}).Names() {
			parts = append(parts, "'"+name+"': "+pythonRepr(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// TestGoldenFormatsWrite writes every golden data set anew: raw shards and uncompressed indexes must be equal to the
// byte, compressed ones after decompression and but for what zip_data says of the file itself.
func TestGoldenFormatsWrite(t *testing.T) {
	for name, golden := range goldenEncodings(t) {
		for _, compression := range []string{"none", "br", "bz2", "gz", "snappy", "zstd"} {
			reference := filepath.Join("testdata/golden/formats", golden.Dir, compression)
			t.Run(golden.Dir+"/"+compression, func(t *testing.T) {
				var samples []Sample
				for i, s := range golden.Samples {
					value := any(unhex(t, s.Hex))
					if values := goldenValues[name]; values != nil {
						value = values[i]
					}
					samples = append(samples, Sample{"x": value, "id": i, "Z": fmt.Sprint("s", i)})
				}
				index, err := ReadIndex(reference)
				if err != nil {
					t.Fatal(err)
				}
				compareWritten(t, reference, MDSOptions{
					Columns: Columns{"x": name, "id": "int32", "Z": "str"}, Compression: compression, Hashes: index.Shards[0].Hashes, SizeLimit: "1mb",
				}, samples)
			})
		}
	}
}

func readAll(t testing.TB, dir string) []Sample {
	t.Helper()
	d, err := OpenDataset(dir, ReadOptions{VerifyHashes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var samples []Sample
	for s, err := range d.All() {
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, s)
	}
	return samples
}

// writeAll writes a data set and returns its folder.
func writeAll(t testing.TB, opts MDSOptions, samples []Sample) string {
	t.Helper()
	if opts.Out == "" {
		opts.Out = filepath.Join(t.TempDir(), "out")
	}
	w, err := NewMDSWriter(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return opts.Out
}

// compareWritten writes samples and compares the folder with a reference data set.
func compareWritten(t *testing.T, reference string, opts MDSOptions, samples []Sample) {
	t.Helper()
	out := writeAll(t, opts, samples)
	ours, err := ReadIndex(out)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ReadIndex(reference)
	if err != nil {
		t.Fatal(err)
	}
	if len(ours.Shards) != len(theirs.Shards) {
		t.Fatalf("%d shards, want %d", len(ours.Shards), len(theirs.Shards))
	}
	for i := range ours.Shards {
		a, b := ours.Shards[i].parts(), theirs.Shards[i].parts()
		if len(a) != len(b) {
			t.Fatalf("shard %d: %d files, want %d", i, len(a), len(b))
		}
		for k := range a {
			if got, want := partContents(t, out, ours.Shards[i].Compression, a[k]), partContents(t, reference, theirs.Shards[i].Compression, b[k]); !bytes.Equal(got, want) {
				t.Fatalf("shard %d: contents of %s differ\n got %q\nwant %q", i, a[k].raw.Basename, got, want)
			}
			if zip := a[k].zip; zip != nil {
				if err := VerifyFile(t.Context(), filepath.Join(out, zip.Basename), *zip); err != nil {
					t.Error(err)
				}
				if b[k].zip.Basename != zip.Basename {
					t.Errorf("file %s, want %s", zip.Basename, b[k].zip.Basename)
				}
				zip.Bytes, zip.Hashes = b[k].zip.Bytes, b[k].zip.Hashes
			}
		}
	}
	got, err := ours.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(reference, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("index differs\n got %s\nwant %s", got, want)
	}
	if ours.Shards[0].ZipData == nil { // and the file itself, not only our reading of it
		if got, _ := os.ReadFile(filepath.Join(out, IndexName)); !bytes.Equal(got, want) {
			t.Errorf("index.json differs\n got %s\nwant %s", got, want)
		}
	}
	if report, err := Verify(t.Context(), out, VerifyOptions{}); err != nil || report.Err() != nil || report.Samples != int64(len(samples)) {
		t.Errorf("Verify: %+v, %v", report, err)
	}
}

// partContents returns the raw bytes of one of a shard's files.
func partContents(t testing.TB, dir, compression string, part shardPart) []byte {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(part.raw.Basename))
	if part.zip != nil {
		zip := filepath.Join(dir, filepath.FromSlash(part.zip.Basename))
		path = filepath.Join(t.TempDir(), "raw")
		if err := Decompress(t.Context(), path, zip, compression, part.raw.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoldenFormatsRead(t *testing.T) {
	for name, golden := range goldenEncodings(t) {
		for _, compression := range []string{"none", "br", "bz2", "gz", "snappy", "zstd"} {
			dir := filepath.Join("testdata/golden/formats", golden.Dir, compression)
			d, err := OpenDataset(dir, ReadOptions{VerifyHashes: true, Cache: t.TempDir(), AllowUnsafeTypes: name == "pkl"})
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.Shard(0)
			if err != nil {
				t.Fatal(err)
			}
			if d.NumSamples() != len(golden.Samples) {
				t.Errorf("%s: %d samples, want %d", dir, d.NumSamples(), len(golden.Samples))
			}
			for i, want := range golden.Samples {
				raw, err := s.Raw(i)
				if err != nil {
					t.Fatal(err)
				}
				fields, err := s.Fields(nil, raw)
				if err != nil || len(fields) != 3 {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(fields[2]); got != want.Hex {
					t.Errorf("%s: sample %d: got %s, want %s", dir, i, got, want.Hex)
				}
				sample, err := d.Get(i)
				if err != nil || sample["id"] != int32(i) || sample["Z"] != fmt.Sprint("s", i) {
					t.Errorf("%s: sample %d: %v, %v", dir, i, sample, err)
					continue
				}
				checkDecoded(t, fmt.Sprintf("%s: sample %d", dir, i), name, sample["x"], want.Decoded, fields[2])
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || report.Err() != nil || int(report.Samples) != len(golden.Samples) {
				t.Errorf("%s: Verify: %+v, %v", dir, report, err)
			}
		}
	}
}

// TestGoldenIndexText parses every index of the reference and writes it again: the text must be the same.
func TestGoldenIndexText(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*/*/index.json")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("testdata/golden/*/*/*/index.json")
	if err != nil || len(deeper) < 100 {
		t.Fatal(len(deeper), err)
	}
	for _, file := range append(files, deeper...) {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := ParseIndex(want)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, err := x.AppendJSON(nil)
		if strings.Contains(file, "merged/index.json") { // merge_index writes "version" first
			got = append([]byte(`{"version": 2, "shards": `), bytes.TrimSuffix(bytes.TrimPrefix(got, []byte(`{"shards": `)), []byte(`, "version": 2}`))...)
			got = append(got, '}')
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: error %v\n got %s\nwant %s", file, err, got, want)
		}
	}
}
