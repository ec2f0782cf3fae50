package mdslib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestDatasetConcurrent(t *testing.T) {
	samples := rows(500)
	for _, compression := range []string{"none", "zstd"} {
		d, err := OpenDataset(writeAll(t, MDSOptions{Columns: rowColumns, SizeLimit: "20kb", Compression: compression}, samples), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 0))
				for range 500 {
					i := random.IntN(len(samples))
					if got, err := d.Get(i); err != nil || got["id"] != int64(i) || !bytes.Equal(got["data"].([]byte), samples[i]["data"].([]byte)) {
						t.Errorf("sample %d: %v, %v", i, got, err)
						return
					}
				}
			})
		}
		group.Wait()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := d.Get(0); !errors.Is(err, ErrClosed) {
			t.Errorf("Get after Close: %v", err)
		}
		for _, i := range []int{-1, len(samples)} {
			if _, err := d.Get(i); err == nil || !strings.Contains(err.Error(), fmt.Sprint("no sample ", i)) {
				t.Errorf("Get(%d): %v", i, err)
			}
		}
	}
}

// TestShardCloseWhileReading closes and removes a shard under its readers: each read gives the sample or ErrClosed.
func TestShardCloseWhileReading(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: rowColumns}, rows(200))
	path := filepath.Join(out, "shard.00000.mds")
	for range 20 {
		s, err := OpenShard(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for i := range s.Len() {
					got, err := s.Get(i)
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil || got["id"] != int64(i) {
						t.Errorf("sample %d: %v, %v", i, got, err)
						return
					}
				}
			})
		}
		s.Close()
		group.Wait()
		s.Close()
	}
}

// TestShardTruncatedWhileOpen cuts the file under the mapping: reads become errors, not a crash.
func TestShardTruncatedWhileOpen(t *testing.T) {
	path := filepath.Join(writeAll(t, MDSOptions{Columns: Columns{"data": "bytes"}}, []Sample{{"data": make([]byte, 1<<20)}, {"data": make([]byte, 1<<20)}}), "shard.00000.mds")
	s, err := OpenShard(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(1); !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), "shard.00000.mds: sample 1") {
		t.Errorf("got %v", err)
	}
}

// damage applies change to a copy of a raw shard file and returns its path.
func damage(t *testing.T, shard []byte, change func([]byte) []byte) string {
	path := filepath.Join(t.TempDir(), "shard.00000.mds")
	if err := os.WriteFile(path, change(bytes.Clone(shard)), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShardDamaged(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: rowColumns}, rows(10))
	shard, err := os.ReadFile(filepath.Join(out, "shard.00000.mds"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
	}
	first := getUint32(shard[4:])
	second := getUint32(shard[8:])
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		open   bool   // whether the shard opens
		want   string // of the error, on opening or reading sample 1
	}{
		{"empty", func([]byte) []byte { return nil }, false, "0 bytes is no shard"},
		{"seven bytes", func(b []byte) []byte { return b[:7] }, false, "no shard"},
		{"truncated", func(b []byte) []byte { return b[:len(b)-1] }, false, "in a file of"},
		{"longer", func(b []byte) []byte { return append(b, 0) }, false, "in a file of"},
		{"four billion samples", put(0, 0xffffffff), false, "4294967295 samples do not fit"},
		{"fewer samples", put(0, 9), false, "malformed"},
		{"first offset in the table", put(4, 8), false, "malformed"},
		{"first offset beyond the end", put(4, 0xfffffff0), false, "malformed"},
		{"configuration", func(b []byte) []byte { b[first-1] = ']'; return b }, false, "malformed header: JSON at byte"},
		{"column size", func(b []byte) []byte {
			return bytes.Replace(b, []byte("[null, 8, null]"), []byte("[null, 4, null]"), 1)
		}, false, `column "id" of encoding "int64" has size 4 instead of 8`},
		{"version", func(b []byte) []byte { return bytes.Replace(b, []byte(`"version": 2`), []byte(`"version": 3`), 1) }, false, "version 3"},
		{"offset before the samples", put(8, 4), true, "it lies from byte"},
		{"offset beyond the end", put(12, 0xffffffff), true, "it lies from byte"},
		{"offsets crossed", put(12, second-1), true, "it lies from byte"},
		{"length of 4 GB", put(int(second), 0xffffffff), true, `column "data": malformed: value of 4294967295 bytes, but only`},
		{"lengths too short", put(int(second), 0), true, "left over"},
	} {
		s, err := OpenShard(damage(t, shard, c.change), nil)
		if (err == nil) != c.open {
			t.Errorf("%s: opening: %v", c.name, err)
			continue
		}
		if c.open {
			_, err = s.Get(1)
			if _, err := s.Get(9); err != nil {
				t.Errorf("%s: a sample that is sound: %v", c.name, err)
			}
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "shard.00000.mds") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	info := &ShardInfo{Format: "mds", Samples: 10, RawData: FileInfo{Bytes: int64(len(shard))}, ColumnNames: []string{"a"}, ColumnEncodings: []string{"int"}}
	if _, err := OpenShard(filepath.Join(out, "shard.00000.mds"), info); err == nil || !strings.Contains(err.Error(), "the index says") {
		t.Errorf("columns unlike the index's: %v", err)
	}
	info.RawData.Bytes++
	if _, err := OpenShard(filepath.Join(out, "shard.00000.mds"), info); !errors.Is(err, ErrChecksum) {
		t.Errorf("size unlike the index's: %v", err)
	}
}

func TestVerifyNamesTheDamage(t *testing.T) {
	samples := rows(300)
	for _, compression := range []string{"", "zstd"} {
		out := writeAll(t, MDSOptions{Columns: rowColumns, SizeLimit: "20kb", Hashes: []string{"sha1"}, Compression: compression}, samples)
		index, err := ReadIndex(out)
		if err != nil {
			t.Fatal(err)
		}
		flip := func(shard int) {
			path := filepath.Join(out, index.Shards[shard].Files()[0].Basename)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)-3] ^= 1
			os.WriteFile(path, data, 0o666)
		}
		flip(1)
		os.Remove(filepath.Join(out, index.Shards[2].Files()[0].Basename))
		report, err := Verify(t.Context(), out, VerifyOptions{})
		if err != nil || len(report.Problems) != 2 || report.Problems[0].Shard != 1 || report.Problems[1].Shard != 2 ||
			!errors.Is(report.Problems[0], ErrChecksum) || !errors.Is(report.Problems[1], fs.ErrNotExist) {
			t.Errorf("%q: %+v, %v", compression, report, err)
		}
		if _, err := OpenDataset(out, ReadOptions{VerifyHashes: true}); err != nil {
			t.Error(err)
		}
	}
	// the sample is named, too, and without hashes it alone gives the damage away
	for _, hashes := range [][]string{nil, {"sha1"}} {
		out := writeAll(t, MDSOptions{Columns: rowColumns, Hashes: hashes}, samples)
		path := filepath.Join(out, "shard.00000.mds")
		data, _ := os.ReadFile(path)
		spoil := func(sample int) {
			at := getUint32(data[4+4*sample:])
			binary.LittleEndian.PutUint32(data[at:], 0x7fffffff)
			os.WriteFile(path, data, 0o666)
		}
		spoil(7)
		report, err := Verify(t.Context(), out, VerifyOptions{})
		if err != nil || len(report.Problems) != 1+len(hashes) || report.Problems[len(hashes)].Sample != 7 || report.Samples != 299 {
			t.Fatalf("%+v, %v", report, err)
		}
		if msg := report.Err().Error(); !strings.Contains(msg, `sample 7: column "data": malformed: value of 2147483647 bytes`) {
			t.Errorf("got %s", msg)
		}
		for i := range 300 {
			spoil(i)
		}
		report, err = Verify(t.Context(), out, VerifyOptions{})
		if err != nil || len(report.Problems) != mostProblems+1 || !strings.Contains(report.Err().Error(), fmt.Sprintf("the last %d were not looked at", 200+len(hashes))) {
			t.Errorf("%d problems, %v\n%v", len(report.Problems), err, report.Err())
		}
	}
}

func TestDecompressBombs(t *testing.T) {
	dir := t.TempDir()
	for _, algo := range []string{"zstd", "gz", "br:3", "bz2", "snappy"} {
		c, err := parseCompression(algo)
		if err != nil {
			t.Fatal(err)
		}
		zip, raw := filepath.Join(dir, "zip"), filepath.Join(dir, "raw")
		f, err := os.Create(zip)
		if err != nil {
			t.Fatal(err)
		}
		const size = 5 << 20
		z, err := c.compressor(f, size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		for _, bytes := range []int64{1000, size - 1, size + 1} {
			if err := Decompress(t.Context(), raw, zip, algo, bytes); !errors.Is(err, ErrChecksum) {
				t.Errorf("%s: %d bytes where %d are: %v", algo, bytes, size, err)
			}
		}
		if got := names(t, dir); len(got) != 1 {
			t.Errorf("%s: left %v", algo, got)
		}
		if err := Decompress(t.Context(), raw, zip, algo, size); err != nil {
			t.Errorf("%s: %v", algo, err)
		}
		os.Remove(raw)
		packed, _ := os.ReadFile(zip)
		os.WriteFile(zip, packed[:len(packed)/2], 0o666)
		if err := Decompress(t.Context(), raw, zip, algo, size); err == nil {
			t.Errorf("%s: half a file: no error", algo)
		}
		os.Remove(zip)
		os.Remove(raw)
	}
	// a snappy block that claims 4 GB costs nothing
	lie := filepath.Join(dir, "lie")
	os.WriteFile(lie, binary.AppendUvarint(nil, 0xfffffff0), 0o666)
	for bytes, want := range map[int64]string{-1: "snappy block after 0 of 4294967280 bytes", 0xfffffff0: "snappy block after 0 of 4294967280 bytes", 1000: "holds 4294967280 bytes, the index says 1000"} {
		var err error
		used := allocated(func() { err = Decompress(t.Context(), lie+".raw", lie, "snappy", bytes) })
		if err == nil || !strings.Contains(err.Error(), want) || used > 1<<20 {
			t.Errorf("got %v, %d bytes of memory, want %q", err, used, want)
		}
	}
}

// TestSnappyPieces compresses more than one piece, the last one short.
func TestSnappyPieces(t *testing.T) {
	want := make([]byte, 2*snappyPiece+12345)
	for i := range want {
		want[i] = byte(i % 251 * i >> 9)
	}
	samples := []Sample{{"data": want}}
	out := writeAll(t, MDSOptions{Columns: Columns{"data": "bytes"}, Compression: "snappy"}, samples)
	if got := readAll(t, out); !bytes.Equal(got[0]["data"].([]byte), want) {
		t.Error("the sample differs")
	}
}

func benchmarkDataset(b *testing.B, bytes, samples int) *Dataset {
	rows := make([]Sample, samples)
	for i := range rows {
		data := make([]byte, bytes)
		for j := range data {
			data[j] = byte(i * j)
		}
		rows[i] = Sample{"data": data, "label": i}
	}
	d, err := OpenDataset(writeAll(b, MDSOptions{Columns: Columns{"data": "bytes", "label": "int64"}}, rows), ReadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d
}

func BenchmarkReadSequential1KB(b *testing.B) {
	d := benchmarkDataset(b, 1024, 50_000)
	s, err := d.Shard(0)
	if err != nil {
		b.Fatal(err)
	}
	var raw []byte
	var fields [][]byte
	var sum uint32
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if raw, err = s.AppendRaw(raw[:0], i); err != nil {
			b.Fatal(err)
		}
		if fields, err = s.Fields(fields[:0], raw); err != nil {
			b.Fatal(err)
		}
		sum = crc32.Update(sum, crc32.IEEETable, fields[0])
		if i++; i == s.Len() {
			i = 0
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}

func BenchmarkGet1KB(b *testing.B)        { benchmarkGet(b, 1024, false) }
func BenchmarkGet10KB(b *testing.B)       { benchmarkGet(b, 10240, false) }
func BenchmarkGetRandom10KB(b *testing.B) { benchmarkGet(b, 10240, true) }

func benchmarkGet(b *testing.B, bytes int, random bool) {
	d := benchmarkDataset(b, bytes, 20_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := d.Get(i); err != nil {
			b.Fatal(err)
		}
		if i = (i + 1) % d.NumSamples(); random {
			i = rand.IntN(d.NumSamples())
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}
