package mdslib

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/mdslib/store"
)

// rows makes n samples of some hundred bytes.
func rows(n int) []Sample {
	random := rand.New(rand.NewPCG(1, 2))
	samples := make([]Sample, n)
	for i := range samples {
		data := make([]byte, random.IntN(600))
		for j := range data {
			data[j] = byte(random.IntN(7))
		}
		samples[i] = Sample{"data": data, "id": int64(i), "text": fmt.Sprintf("row %d", i), "ignored": i}
	}
	return samples
}

var rowColumns = Columns{"data": "bytes", "id": "int64", "text": "str"}

func checkRows(t *testing.T, got []Sample, want []Sample) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i]["data"].([]byte), want[i]["data"].([]byte)) || got[i]["id"] != want[i]["id"] || got[i]["text"] != want[i]["text"] || len(got[i]) != 3 {
			t.Fatalf("sample %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriterManyShards(t *testing.T) {
	samples := rows(2000)
	for _, compression := range []string{"", "zstd", "zstd:22", "gz", "snappy", "br:1", "bz2:1"} {
		var last WriteProgress
		out := writeAll(t, MDSOptions{
			Columns: rowColumns, Compression: compression, Hashes: []string{"sha1", "xxh64"}, SizeLimit: "20kb",
			Progress: func(p WriteProgress) { last = p },
		}, samples)
		checkRows(t, readAll(t, out), samples)
		index, err := ReadIndex(out)
		if err != nil || len(index.Shards) < 20 || last.Shards != len(index.Shards) || last.Samples != 2000 ||
			last.RawBytes != index.RawBytes() || last.StoredBytes != index.StoredBytes() {
			t.Errorf("%s: %d shards, progress %+v, %v", compression, len(index.Shards), last, err)
		}
	}
}

// TestWriterStraddlesChunks writes samples around the sizes of the writer's memory chunks.
func TestWriterStraddlesChunks(t *testing.T) {
	var samples []Sample
	smallChunk := newShardMemory(100 << 10).chunkBytes
	for i, n := range []int{0, smallChunk - 10, 7, smallChunk, 4 * smallChunk, largestChunk - 1, 3, 2*largestChunk + 5, 1, largestChunk} {
		samples = append(samples, Sample{"data": bytes.Repeat([]byte{byte(i + 1)}, n), "id": i, "text": strings.Repeat("x", i)})
	}
	for _, limit := range []string{"none", "3mb", "100kb"} {
		out := writeAll(t, MDSOptions{Columns: rowColumns, SizeLimit: limit, Hashes: []string{"md5"}}, append(samples, samples...))
		got := readAll(t, out)
		for i, s := range got {
			if want := samples[i%len(samples)]; !bytes.Equal(s["data"].([]byte), want["data"].([]byte)) || s["text"] != want["text"] {
				t.Fatalf("%s: sample %d differs", limit, i)
			}
		}
	}
}

func TestWriterStickyError(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns})
	if err != nil {
		t.Fatal(err)
	}
	good := rows(1)[0]
	if err := w.Write(good); err != nil {
		t.Fatal(err)
	}
	bad := maps.Clone(good)
	bad["id"] = "seven"
	err = w.Write(bad)
	if want := `mdslib: sample 1: column "id": want int64, got string "seven"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var located *SampleError
	if !errors.As(err, &located) || located.Column != "id" || located.Sample != 1 {
		t.Errorf("got %+v", located)
	}
	if again := w.Write(good); again != err {
		t.Errorf("the next Write: %v", again)
	}
	if closed := w.Close(); closed != err {
		t.Errorf("Close: %v", closed)
	}
	if _, err := OpenDataset(out, ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a failed writer left a data set: %v", err)
	}
	missing := maps.Clone(good)
	delete(missing, "text")
	if w, err = NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns, ExistOK: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(missing); err == nil || !strings.Contains(err.Error(), `column "text": the sample has no such column, only ["data" "id" "ignored"]`) {
		t.Errorf("got %v", err)
	}
	if err := w.Abort(); err != nil || len(names(t, out)) != 0 {
		t.Errorf("Abort left %v, %v", names(t, out), err)
	}
}

func TestWriterSkipsInvalid(t *testing.T) {
	samples := rows(10)
	samples[3] = maps.Clone(samples[3])
	samples[3]["id"] = 1.5
	var skipped []int64
	out := writeAll(t, MDSOptions{Columns: rowColumns, OnInvalid: func(err error) error {
		skipped = append(skipped, err.(*SampleError).Sample)
		return nil
	}}, samples)
	checkRows(t, readAll(t, out), slices.Delete(samples, 3, 4))
	if !slices.Equal(skipped, []int64{3}) {
		t.Errorf("skipped %v", skipped)
	}
}

func TestWriterOutFolder(t *testing.T) {
	samples := rows(300)
	opts := MDSOptions{Columns: rowColumns, SizeLimit: "20kb", Out: filepath.Join(t.TempDir(), "a b", "out")}
	writeAll(t, opts, samples)
	if _, err := NewMDSWriter(opts); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "ExistOK") {
		t.Errorf("a second writer into the same folder: %v", err)
	}
	opts.ExistOK, opts.Compression = true, "zstd"
	writeAll(t, opts, samples[:5])
	checkRows(t, readAll(t, opts.Out), samples[:5])
	if got := names(t, opts.Out); !slices.Equal(got, []string{"index.json", "shard.00000.mds.zstd"}) {
		t.Errorf("the folder holds %v", got)
	}
	// a folder with anything else in it is left alone
	foreign := filepath.Join(opts.Out, "sub", "thesis.txt")
	os.MkdirAll(filepath.Dir(foreign), 0o777)
	os.WriteFile(foreign, nil, 0o666)
	if _, err := NewMDSWriter(opts); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("got %v", err)
	}
	checkRows(t, readAll(t, opts.Out), samples[:5])
	if _, err := NewMDSWriter(MDSOptions{Columns: rowColumns, Out: foreign}); err == nil {
		t.Error("a file as out folder: no error")
	}
}

func TestWriterRemote(t *testing.T) {
	samples := rows(300)
	for _, keep := range []bool{false, true} {
		local, remote := filepath.Join(t.TempDir(), "local"), filepath.Join(t.TempDir(), "remote")
		opts := MDSOptions{Out: local, Remote: "file://" + remote, Columns: rowColumns, SizeLimit: "20kb", Hashes: []string{"sha1"}, KeepLocal: keep, MaxWorkers: 2}
		writeAll(t, opts, samples)
		checkRows(t, readAll(t, remote), samples)
		if keep {
			checkRows(t, readAll(t, local), samples)
		} else if got := names(t, local); got != nil {
			t.Errorf("the local folder still holds %v", got)
		}
		if _, err := NewMDSWriter(opts); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second writer to the remote: %v", err)
		}
		opts.ExistOK = true
		writeAll(t, opts, samples[:3])
		checkRows(t, readAll(t, remote), samples[:3])
		if got := names(t, remote); len(got) != 2 {
			t.Errorf("the remote holds %v", got)
		}
	}
}

// faulty is a store that fails, or stalls, on some keys.
type faulty struct {
	store.Store
	mu   sync.Mutex
	fail func(key string, attempt int) error
	puts map[string]int
}

func (f *faulty) Put(ctx context.Context, path, key string) error {
	f.mu.Lock()
	f.puts[key]++
	attempt := f.puts[key]
	f.mu.Unlock()
	if err := f.fail(key, attempt); err != nil {
		return err
	}
	return f.Store.Put(ctx, path, key)
}

func (f *faulty) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return f.Store.List(ctx, prefix)
}

func TestWriterUploadFails(t *testing.T) {
	samples := rows(300)
	broken := errors.New("the line is cut")
	for name, c := range map[string]struct {
		fail func(key string, attempt int) error
		want error
	}{
		"a shard, always": {func(key string, _ int) error {
			if key == "shard.00002.mds" {
				return broken
			}
			return nil
		}, broken},
		"the index": {func(key string, _ int) error {
			if key == IndexName {
				return fs.ErrPermission
			}
			return nil
		}, fs.ErrPermission},
		"a shard, once": {func(key string, attempt int) error {
			if key == "shard.00002.mds" && attempt == 1 {
				return broken
			}
			return nil
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "local")
			scheme := fmt.Sprintf("faulty%d", time.Now().UnixNano())
			store.Register(scheme, func(ctx context.Context, url string) (store.Store, error) {
				s, err := store.Open(ctx, dir)
				return &faulty{Store: s, fail: c.fail, puts: map[string]int{}}, err
			})
			w, err := NewMDSWriter(MDSOptions{Out: out, Remote: scheme + "://x", Columns: rowColumns, SizeLimit: "20kb", KeepLocal: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				if err = w.Write(s); err != nil {
					break
				}
			}
			if err = w.Close(); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want == nil {
				checkRows(t, readAll(t, dir), samples)
				checkRows(t, readAll(t, out), samples)
				return
			}
			for _, d := range []string{dir, out} {
				if _, err := OpenDataset(d, ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s reads as a data set: %v", d, err)
				}
			}
			if err := w.Abort(); err != nil || len(names(t, dir)) != 0 || len(names(t, out)) != 0 {
				t.Errorf("Abort: %v, left %v and %v", err, names(t, dir), names(t, out))
			}
		})
	}
}

// TestWriterDiskFails makes the out folder go away under the writer.
func TestWriterDiskFails(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns, SizeLimit: "20kb"})
	if err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(out)
	for _, s := range rows(1000) {
		if err = w.Write(s); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("no Write failed")
	}
	if closed := w.Close(); closed == nil || !errors.Is(closed, fs.ErrNotExist) {
		t.Errorf("Close: %v", closed)
	}
}

func TestWriterAfterClose(t *testing.T) {
	w, err := NewMDSWriter(MDSOptions{Out: t.TempDir(), Columns: rowColumns})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Abort()); err != nil {
		t.Error(err)
	}
	if err := w.Write(rows(1)[0]); err == nil {
		t.Error("Write after Close: no error")
	}
	if _, err := OpenDataset(w.Dir(), ReadOptions{}); err != nil {
		t.Error(err)
	}
}

func BenchmarkWriteRaw10KB(b *testing.B) { benchmarkWrite(b, MDSOptions{}) }
func BenchmarkWriteZstd(b *testing.B)    { benchmarkWrite(b, MDSOptions{Compression: "zstd:3"}) }
func BenchmarkWriteSHA1(b *testing.B)    { benchmarkWrite(b, MDSOptions{Hashes: []string{"sha1"}}) }

func benchmarkWrite(b *testing.B, opts MDSOptions) {
	opts.Columns, opts.ExistOK, opts.Out = Columns{"data": "bytes", "label": "int64"}, true, b.TempDir()
	data := make([]byte, 10240)
	for i := range data[:5120] {
		data[i] = byte(rand.Uint32())
	}
	sample := Sample{"data": data, "label": int64(0)}
	w, err := NewMDSWriter(opts)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%60_000 == 0 { // no more than 600 MB on disk
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			if w, err = NewMDSWriter(opts); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Write(sample); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// TestWriterMemory: a writer takes at most the memory of two shards, compressor and all, whatever is done with them, or of
// one and what the compressor is said to take.
func TestWriterMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	held := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	for _, c := range []struct {
		compression string
		limit       int
		bytes       int // of a sample
	}{
		{"", 16 << 20, 100_000}, {"", 16 << 20, 1}, {"", 4 << 20, 10_000}, {"gz:1", 16 << 20, 100_000}, {"snappy", 16 << 20, 100_000},
		{"zstd:3", 24 << 20, 100_000}, {"zstd:3", 24 << 20, 30}, {"zstd:3", 1 << 20, 10_000}, {"zstd:9", 4 << 20, 10_000}, {"zstd:9", 20 << 20, 100_000},
		{"zstd:12", 1 << 20, 10_000}, {"zstd:12", 16 << 20, 100_000}, {"zstd:19", 8 << 20, 100_000}, {"bz2:1", 4 << 20, 100_000}, {"bz2:9", 4 << 20, 100_000},
		{"br:3", 4 << 20, 100_000}, {"br:5", 8 << 20, 100_000}, {"br:6", 1 << 20, 10_000}, {"br:7", 4 << 20, 100_000}, {"br:9", 4 << 20, 100_000}, {"br:11", 1 << 18, 10_000}, {"br:10", 4 << 20, 100_000},
	} {
		opts := MDSOptions{Compression: c.compression, Hashes: []string{"sha1", "xxh64"}}
		opts.Out, opts.Columns, opts.SizeLimit = filepath.Join(t.TempDir(), "out"), Columns{"x": "bytes"}, strconv.Itoa(c.limit)
		runtime.GC()
		before, peak := held(), uint64(0)
		w, err := NewMDSWriter(opts)
		if err != nil {
			t.Fatal(err)
		}
		row := Sample{"x": make([]byte, c.bytes)}
		blob := row["x"].([]byte)
		for i := range 4 * c.limit / (c.bytes + 8) {
			for k := range c.bytes / 5 { // a fifth of it is noise
				blob[k] = byte(uint32(i*31+k) * 2654435761 >> 13)
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
			if i%max(1, 100_000/c.bytes) == 0 {
				peak = max(peak, held())
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		const waiting = 4 << 20 // for the collector: it is not held
		most := max(2*int64(c.limit), int64(c.limit+c.limit/32)+w.codec.memoryBytes(int64(c.limit)))
		if got := int64(peak - before); got > most+waiting {
			t.Errorf("%q, shards of %d bytes: %d bytes of memory at most, want %d", c.compression, c.limit, got, most)
		} else {
			t.Logf("%q, shards of %d bytes: %d bytes of memory at most, %d are allowed", c.compression, c.limit, got, most)
		}
		if shards := len(w.Index().Shards); shards < 4 {
			t.Errorf("%d shards", shards)
		}
		os.RemoveAll(opts.Out)
	}
}

// TestTaskMemory: a writer that has the memory of a shard and a quarter holds one shard and one compressor, in that; wrong texts
// are refused before anything is touched.
func TestTaskMemory(t *testing.T) {
	const limit = 64 << 20
	c := compression{name: "zstd", level: 3}
	if stored, chunks := writerMemory(limit, limit+limit/4, c); stored != 1 || chunks < limit || chunks+c.memoryBytes(limit) > limit+limit/4 {
		t.Errorf("%d stored at a time, %d bytes of chunks, %d of the compressor", stored, chunks, c.memoryBytes(limit))
	}
	for text, want := range map[string]int64{"": 2 * limit, "80mb": 80 << 20, "0": 0} {
		if got := (&MDSOptions{WriterMemory: text}).writerMemory(limit); got != want {
			t.Errorf("%q: %d bytes, want %d", text, got, want)
		}
	}
	for _, text := range []string{"much", "-1", "80 MiB"} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := NewMDSWriter(MDSOptions{Out: out, Columns: Columns{"x": "int"}, WriterMemory: text}); err == nil || !strings.Contains(err.Error(), "WriterMemory \""+text) {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: a folder was made", text)
		}
	}
	samples := []Sample{}
	for i := range 200 {
		samples = append(samples, Sample{"x": i})
	}
	if got := readAll(t, writeAll(t, MDSOptions{Columns: Columns{"x": "int"}, SizeLimit: "200", Compression: "zstd", WriterMemory: "1"}, samples)); len(got) != 200 {
		t.Errorf("%d samples of 200", len(got))
	}
}

// TestDefaultMemory: with shards of the default size no compression takes a writer beyond the memory of two.
func TestDefaultMemory(t *testing.T) {
	const limit = 64 << 20
	for name, a := range algorithms {
		for level := a.lowest; level <= a.highest; level++ {
			c := compression{name: name, level: level}
			if stored, chunks := writerMemory(limit, 2*limit, c); chunks+int64(stored)*c.memoryBytes(limit) > 2*limit {
				t.Errorf("%s:%d: %d bytes of chunks and %d times %d", name, level, chunks, stored, c.memoryBytes(limit))
			}
		}
	}
}

// TestShardMemory: chunks come back one by one, when all have read them, and what a reader that fails leaves comes back, too.
func TestShardMemory(t *testing.T) {
	m := newShardMemory(4 << 12)
	fill := func() *chunkList {
		l := &chunkList{memory: m}
		if err := l.append(t.Context(), make([]byte, 3<<12)); err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := fill()
	first.lend(2)
	second := &chunkList{memory: m}
	if err := second.append(t.Context(), make([]byte, 1<<12)); err != nil {
		t.Fatal(err)
	}
	if m.tryTake() != nil {
		t.Error("more than the limit")
	}
	stop := errors.New("stop")
	ignore := func([]byte) error { return nil }
	if err := first.drain(ignore); err != nil {
		t.Fatal(err)
	}
	if m.tryTake() != nil {
		t.Error("a chunk came back that one has not read")
	}
	n := 0
	if err := first.drain(func([]byte) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	}); err != stop {
		t.Fatal(err)
	}
	if c := m.tryTake(); c == nil || m.tryTake() != nil {
		t.Error("want the one chunk that both have read")
	}
	first.release()
	for range 2 {
		if c := m.tryTake(); c == nil {
			t.Error("what was left did not come back")
		}
	}
	// Nothing will come back now: a shard larger than the limit gets its memory all the same.
	if c := m.tryTake(); c == nil {
		t.Error("a large shard waits for ever")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	m.expect(1)
	cancel(stop)
	if _, err := m.take(ctx); err != stop {
		t.Errorf("%v, want the cause", err)
	}
}
