package mdslib

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

var textColumns = Columns{"num": "int", "word": "str", "val": "float"}

// textRows are the rows of lens.json, from which the golden text data sets were written.
func textRows(t testing.TB) []Sample {
	t.Helper()
	data, err := os.ReadFile("testdata/golden/writers/lens.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Rows []map[string]json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var rows []Sample
	for _, r := range file.Rows {
		num, err1 := strconv.ParseInt(string(r["num"]), 10, 64)
		val, err2 := strconv.ParseFloat(string(r["val"]), 64)
		var word string
		if err := errors.Join(err1, err2, json.Unmarshal(r["word"], &word)); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, Sample{"num": num, "word": word, "val": val})
	}
	return rows
}

// TestGoldenText writes the golden text data sets anew, byte for byte, and reads them.
func TestGoldenText(t *testing.T) {
	rows := textRows(t)
	if len(rows) < 10 {
		t.Fatal(len(rows), "rows")
	}
	for _, name := range []string{"json", "json_crlf", "csv", "csv_zstd", "tsv", "xsv"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata/golden/writers", name)
			index, err := ReadIndex(dir)
			if err != nil {
				t.Fatal(err)
			}
			first := index.Shards[0]
			opts := MDSOptions{
				Columns: textColumns, Format: first.Format, Separator: first.Separator, Compression: first.Compression, Hashes: first.Hashes,
				SizeLimit: strconv.FormatInt(first.SizeLimit, 10),
			}
			if first.Newline != "\n" {
				opts.Newline = first.Newline
			}
			compareWritten(t, dir, opts, rows)
			for _, cache := range []string{"", t.TempDir()} {
				d, err := OpenDataset(dir, ReadOptions{VerifyHashes: true, Cache: cache})
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range rows {
					if got, err := d.Get(i); err != nil || !reflect.DeepEqual(got, want) {
						t.Fatalf("sample %d: got %v, %v, want %v", i, got, err, want)
					}
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
			if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || report.Err() != nil || int(report.Samples) != len(rows) {
				t.Errorf("Verify: %+v, %v", report, err)
			}
		})
	}
}

func TestTextValues(t *testing.T) {
	big := bigInt("123456789012345678901234567890")
	samples := []Sample{
		{"num": big, "word": "", "val": math.Inf(-1)},
		{"num": uint8(7), "word": "\"quoted\" \\ , 世界\r", "val": float32(0.5)},
		{"num": int16(-1), "word": "x", "val": 1e22},
	}
	for _, opts := range []MDSOptions{{Format: "json"}, {Format: "xsv", Separator: "||", Newline: "\r\n"}, {Format: "tsv", Compression: "gz", Hashes: []string{"sha1"}}} {
		opts.Columns = textColumns
		dir := writeAll(t, opts, samples)
		got := readAll(t, dir)
		want := []Sample{
			{"num": big, "word": "", "val": math.Inf(-1)},
			{"num": int64(7), "word": "\"quoted\" \\ , 世界\r", "val": 0.5},
			{"num": int64(-1), "word": "x", "val": 1e22},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v", opts.Format, got)
		}
	}
	for _, c := range []struct {
		opts   MDSOptions
		sample Sample
		want   string
	}{
		{MDSOptions{Format: "csv"}, Sample{"num": 1, "word": "a,b", "val": 1.0}, `column "word": holds the separator ","`},
		{MDSOptions{Format: "csv"}, Sample{"num": 1, "word": "a\nb", "val": 1.0}, `holds the newline`},
		{MDSOptions{Format: "xsv", Separator: "||"}, Sample{"num": 1, "word": "a|", "val": 1.0}, ``}, // the last column
		{MDSOptions{Format: "xsv", Separator: "||", Columns: Columns{"a": "str", "b": "str"}}, Sample{"a": "x|", "b": "y"}, "could not be split"},
		{MDSOptions{Format: "csv"}, Sample{"num": 1, "word": "a"}, `no such column`},
		{MDSOptions{Format: "csv"}, Sample{"num": true, "word": "a", "val": 1.0}, `want an integer`},
		{MDSOptions{Format: "json"}, Sample{"num": 1, "word": "a", "val": 1}, `want a float`},
		{MDSOptions{Format: "json"}, Sample{"num": 1, "word": []byte("a"), "val": 1.0}, `want string`},
		{MDSOptions{Format: "csv"}, Sample{"num": 1, "word": nil, "val": 1.0}, `got a null`},
		{MDSOptions{Format: "csv", Columns: Columns{"x": "bytes"}}, nil, `no encoding "bytes"`},
		{MDSOptions{Format: "csv", Columns: Columns{"x,y": "str"}}, nil, `its name holds the separator`},
		{MDSOptions{Format: "csv", Separator: ";"}, nil, `takes no separator`},
		{MDSOptions{Format: "xsv"}, nil, `separator ""`},
		{MDSOptions{Format: "mds", Newline: "\n"}, nil, `takes no newline`},
		{MDSOptions{Format: "json", Newline: ";"}, nil, `white space`},
		{MDSOptions{Format: "parquet"}, nil, `unknown format "parquet"`},
	} {
		if c.opts.Columns == nil {
			c.opts.Columns = textColumns
		}
		c.opts.Out = filepath.Join(t.TempDir(), "out")
		w, err := NewMDSWriter(c.opts)
		if c.sample != nil && err == nil {
			err = w.Write(c.sample)
			w.Abort()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v <- %v: error %v, want %q", c.opts, c.sample, err, c.want)
		}
	}
}

// TestTextDamage: broken data and meta files are errors that say where.
func TestTextDamage(t *testing.T) {
	dir := writeAll(t, MDSOptions{Columns: textColumns, Format: "csv"}, textRows(t)[:3])
	index, err := ReadIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, meta := filepath.Join(dir, "shard.00000.csv"), filepath.Join(dir, "shard.00000.csv.meta")
	for _, c := range []struct {
		file   string
		change func([]byte) []byte
		want   error
	}{
		{data, func(b []byte) []byte { return b[1:] }, ErrChecksum},
		{meta, func(b []byte) []byte { return b[:len(b)-1] }, ErrChecksum},
		{data, func(b []byte) []byte { b[0] = 'N'; return b }, ErrFormat},
		{data, func(b []byte) []byte { return bytes.Replace(b, []byte(","), []byte(";"), 3) }, ErrFormat},
		{data, func(b []byte) []byte { b[len(b)-1] = ' '; return b }, ErrFormat},
		{meta, func(b []byte) []byte { b[0]++; return b }, ErrFormat},
		{meta, func(b []byte) []byte { b[4]++; return b }, ErrFormat},
		{meta, func(b []byte) []byte { b[9] = 0xff; return b }, ErrFormat},
	} {
		sound, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		broken := c.change(bytes.Clone(sound))
		if err := os.WriteFile(c.file, broken, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := OpenShard(data, &index.Shards[0])
		for i := 0; err == nil && i < s.Len(); i++ {
			_, err = s.Get(i)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.file, err, c.want)
		}
		if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || len(report.Problems) == 0 {
			t.Errorf("Verify found nothing wrong: %v", err)
		}
		if err := os.WriteFile(c.file, sound, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := OpenShard(data, nil); err != nil || s.Len() != 3 {
		t.Errorf("without an index: %v", err)
	}
}

// TestEmptyShardZstd: the empty file before the first sample that is larger than a shard is the frame that Python's
// zstd.compress(b"") makes; one that states no size is refused there.
func TestEmptyShardZstd(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: Columns{"a": "str"}, Format: "json", SizeLimit: "1", Compression: "zstd"}, []Sample{{"a": "b"}, {"a": "c"}})
	data, err := os.ReadFile(filepath.Join(out, "shard.00000.json.zstd"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(data); got != "28b52ffd2000010000" {
		t.Errorf("got %s", got)
	}
	if got := readAll(t, out); len(got) != 2 {
		t.Errorf("%d samples", len(got))
	}
}

// FuzzTextShard: whatever the bytes of the two files, opening and reading end in values or located errors.
func FuzzTextShard(f *testing.F) {
	for _, name := range []string{"json", "json_crlf", "csv", "tsv", "xsv"} {
		base := filepath.Join("testdata/golden/writers", name, "shard.00000."+strings.TrimSuffix(name, "_crlf"))
		data, err1 := os.ReadFile(base)
		meta, err2 := os.ReadFile(base + ".meta")
		if err := errors.Join(err1, err2); err != nil {
			f.Fatal(err)
		}
		f.Add(data, meta)
	}
	f.Fuzz(func(t *testing.T, data, meta []byte) {
		s := &Shard{name: "shard.00000.csv", data: data, meta: meta} // as OpenShard maps them, without the files
		s.users.Store(1)
		if meta == nil || s.readHead(nil) != nil {
			return
		}
		for i := range min(s.Len(), 100) {
			if sample, err := s.Get(i); err == nil && len(sample) != len(s.Columns()) {
				t.Fatalf("sample %d: %v", i, sample)
			}
		}
	})
}
