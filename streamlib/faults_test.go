package streamlib

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
	"gomosaic/streamlib/transforms"
)

// loop iterates to the end or the error.
func loop(t *testing.T, l *StreamingDataLoader) (samples int, failed error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for b, err := range l.Batches(ctx) {
		if failed != nil {
			t.Fatalf("the loop goes on after %v", failed)
		}
		if err != nil {
			failed = err
			continue
		}
		checkBatch(t, b)
		samples += b.Samples
	}
	if errors.Is(failed, context.DeadlineExceeded) {
		t.Fatalf("the loop hangs: %v", failed)
	}
	return samples, failed
}

func TestDamagedShards(t *testing.T) {
	remove := func(path string) error { return os.Remove(path) }
	change := func(f func([]byte) []byte) func(string) error {
		return func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, f(data), 0o644)
		}
	}
	truncate := change(func(data []byte) []byte { return data[:len(data)/2] })
	garbage := change(func(data []byte) []byte { return bytes.Repeat([]byte("junk"), len(data)/4) })
	sameSize := change(func(data []byte) []byte { copy(data, bytes.Repeat([]byte{0xA5}, len(data))); return data })
	for _, c := range []struct {
		name   string
		write  mdslib.MDSOptions
		damage func(path string) error
		want   error
	}{
		{"missing", mdslib.MDSOptions{}, remove, fs.ErrNotExist},
		{"truncated", mdslib.MDSOptions{}, truncate, mdslib.ErrChecksum},
		{"garbage of the same size", mdslib.MDSOptions{}, sameSize, mdslib.ErrFormat},
		{"flipped bit", mdslib.MDSOptions{Hashes: []string{"sha1", "xxh64"}}, change(flip), mdslib.ErrChecksum},
		{"zstd: missing", mdslib.MDSOptions{Compression: "zstd"}, remove, fs.ErrNotExist},
		{"zstd: truncated", mdslib.MDSOptions{Compression: "zstd"}, truncate, mdslib.ErrChecksum},
		{"zstd: garbage", mdslib.MDSOptions{Compression: "zstd"}, garbage, nil},
		{"zstd: flipped bit", mdslib.MDSOptions{Compression: "zstd", Hashes: []string{"xxh64"}}, change(flip), mdslib.ErrChecksum},
	} {
		for _, workers := range []int{0, 2} {
			t.Run(c.name, func(t *testing.T) {
				dir := writeData(t, 100, 20, c.write)
				names := shardNames(t, dir)
				if err := c.damage(names[2]); err != nil {
					t.Fatal(err)
				}
				for _, opts := range []DatasetOptions{{Local: dir}, {Remote: dir, Local: t.TempDir()}} {
					opts.BatchSize = 10
					d := open(t, opts)
					samples, err := loop(t, NewStreamingDataLoader(d, LoaderOptions{NumWorkers: workers}))
					if err == nil || !strings.Contains(err.Error(), "shard.00002") || c.want != nil && !errors.Is(err, c.want) {
						t.Errorf("%+v: error %v, want one of shard.00002 that is %v", opts, err, c.want)
					}
					if samples != 40 {
						t.Errorf("%+v: %d samples before the error, want 40", opts, samples)
					}
					if _, err := d.Get(45); err == nil || !strings.Contains(err.Error(), "shard.00002") {
						t.Errorf("Get: error %v", err)
					}
					if s, err := d.Get(95); err != nil || s["id"] != int64(95) {
						t.Errorf("Get of a sound shard: %v %v", s, err)
					}
				}
			})
		}
	}
}

// A data set whose compression needs a codec that this program (these tests) does not link: the error says what to import.
func TestCodecNotLinked(t *testing.T) {
	const want = `compression "br:5" is not linked into this program: import _ "gomosaic/mdslib/codec/brotli"`
	if _, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: t.TempDir(), Columns: mdslib.Columns{"x": "int"}, Compression: "br:5"}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the writer: %v", err)
	}
	dir := writeData(t, 100, 20, mdslib.MDSOptions{Compression: "gz", Hashes: []string{"xxh64"}})
	edit(t, filepath.Join(dir, "index.json"), func(data []byte) []byte {
		return bytes.ReplaceAll(data, []byte(`"compression": "gz"`), []byte(`"compression": "br:5"`))
	})
	n, err := loop(t, NewStreamingDataLoader(open(t, DatasetOptions{Remote: dir, Local: t.TempDir(), BatchSize: 10}), LoaderOptions{}))
	if n != 0 || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the loader: %d samples, %v", n, err)
	}
}

// A damaged file in the cache is made anew from the remote, or from its compressed form.
func TestCacheHeals(t *testing.T) {
	for _, compression := range []string{"", "zstd"} {
		dir := writeData(t, 100, 20, mdslib.MDSOptions{Compression: compression, Hashes: []string{"xxh64"}})
		cache := t.TempDir()
		opts := DatasetOptions{Remote: dir, Local: cache, BatchSize: 10, KeepZip: true}
		if n, err := loop(t, NewStreamingDataLoader(open(t, opts), LoaderOptions{})); n != 100 || err != nil {
			t.Fatal(n, err)
		}
		edit(t, filepath.Join(cache, "shard.00001.mds"), flip)
		edit(t, filepath.Join(cache, "shard.00003.mds"), func(data []byte) []byte { return data[:30] })
		if compression != "" {
			edit(t, filepath.Join(cache, "shard.00003.mds.zstd"), flip)
			opts.Remote = dir
		}
		if n, err := loop(t, NewStreamingDataLoader(open(t, opts), LoaderOptions{})); n != 100 || err != nil {
			t.Errorf("compression %q: %d samples, %v", compression, n, err)
		}
	}
}

// Without hashes a file of the right size that is no shard is found when it is opened.
func TestCacheHealsWithoutHashes(t *testing.T) {
	dir := writeData(t, 100, 20, mdslib.MDSOptions{})
	cache := t.TempDir()
	opts := DatasetOptions{Remote: dir, Local: cache, BatchSize: 10}
	for range 2 {
		if n, err := loop(t, NewStreamingDataLoader(open(t, opts), LoaderOptions{})); n != 100 || err != nil {
			t.Fatal(n, err)
		}
		edit(t, filepath.Join(cache, "shard.00002.mds"), func(data []byte) []byte { return make([]byte, len(data)) })
	}
}

// A data set that was written anew at the same place is not mixed with what was cached of the old one.
func TestRemoteChanges(t *testing.T) {
	dir, cache := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for _, n := range []int{100, 60} {
		writeData(t, n, 20+n/10, mdslib.MDSOptions{Out: dir, ExistOK: true})
		for _, opts := range []DatasetOptions{{Remote: dir, Local: cache, BatchSize: 7}, {Remote: dir, BatchSize: 7}, {Local: dir, BatchSize: 7}} {
			if got, err := loop(t, NewStreamingDataLoader(open(t, opts), LoaderOptions{})); got != n || err != nil {
				t.Errorf("%d samples, %v, want %d", got, err, n)
			}
		}
	}
	// While the remote cannot be reached the cache goes on.
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if _, err := NewStreamingDataset(t.Context(), DatasetOptions{Remote: dir, Local: cache, World: alone}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a remote without an index: %v", err)
	}
}

func TestDecompressedBesideOrInCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := writeData(t, 50, 20, mdslib.MDSOptions{Compression: "zstd", Hashes: []string{"xxh64"}})
	// A remote folder that is read in place is left as it is.
	if n, err := loop(t, NewStreamingDataLoader(open(t, DatasetOptions{Remote: dir, BatchSize: 7}), LoaderOptions{})); n != 50 || err != nil {
		t.Fatal(n, err)
	}
	if names := shardNames(t, dir); len(names) != 3 {
		t.Errorf("the remote holds %v", names)
	}
	// A local one gets the raw files beside the compressed ones, which stay.
	if n, err := loop(t, NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, BatchSize: 7}), LoaderOptions{})); n != 50 || err != nil {
		t.Fatal(n, err)
	}
	if names := shardNames(t, dir); len(names) != 6 {
		t.Errorf("the folder holds %v", names)
	}
	for _, keep := range []bool{false, true} {
		cache := t.TempDir()
		if n, err := loop(t, NewStreamingDataLoader(open(t, DatasetOptions{Remote: dir, Local: cache, KeepZip: keep, BatchSize: 7}), LoaderOptions{})); n != 50 || err != nil {
			t.Fatal(n, err)
		}
		want := 3
		if keep {
			want = 6
		}
		if names := shardNames(t, cache); len(names) != want {
			t.Errorf("KeepZip %v: the cache holds %v", keep, names)
		}
	}
}

func TestCacheLimit(t *testing.T) {
	dir := writeData(t, 400, 20, mdslib.MDSOptions{Hashes: []string{"xxh64"}})
	stat, err := os.Stat(filepath.Join(dir, "shard.00000.mds"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.Stat(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	limit := index.Size() + 5*stat.Size()
	for _, opts := range []DatasetOptions{{Remote: dir}, {Remote: dir, Shuffle: true, ShuffleBlockSize: 60}} {
		cache := t.TempDir()
		opts.Local, opts.BatchSize, opts.CacheLimit = cache, 8, byteText(limit)
		l := NewStreamingDataLoader(open(t, opts), LoaderOptions{})
		for range 2 {
			n := 0
			for b, err := range l.Batches(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				checkBatch(t, b)
				n += b.Samples
				if used := usage(t, cache); used > limit {
					t.Fatalf("the cache takes %d bytes, the limit is %d", used, limit)
				}
			}
			if n != 400 {
				t.Errorf("%d samples, want 400", n)
			}
		}
	}
	// The only copy of a local data set is never removed.
	if n, err := loop(t, NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, BatchSize: 8, CacheLimit: byteText(limit)}), LoaderOptions{})); n != 400 || err != nil {
		t.Error(n, err)
	}
	if names := shardNames(t, dir); len(names) != 20 {
		t.Errorf("%d shards are left of 20", len(names))
	}
	for _, limit := range []string{"1b", byteText(3 * stat.Size()), "many", "-5"} {
		if _, err := NewStreamingDataset(t.Context(), DatasetOptions{Remote: dir, Local: t.TempDir(), CacheLimit: limit, World: alone}); err == nil || !strings.Contains(err.Error(), "CacheLimit") {
			t.Errorf("CacheLimit %s: error %v", limit, err)
		}
	}
}

func byteText(n int64) string { return string(appendInt(nil, n)) }

func appendInt(dst []byte, n int64) []byte {
	if n >= 10 {
		dst = appendInt(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}

func usage(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// settle waits until no more goroutines than before are left.
func settle(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if runtime.NumGoroutine() <= before {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := writeData(t, 400, 20, mdslib.MDSOptions{})
	before := runtime.NumGoroutine()
	for stop := range 12 {
		l := NewStreamingDataLoader(open(t, DatasetOptions{Remote: dir, Local: t.TempDir(), BatchSize: 8}), LoaderOptions{Parallel: 4})
		n := 0
		for _, err := range l.Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n > stop {
				break
			}
		}
		if got := runtime.NumGoroutine(); got > before {
			settle(t, before)
		}
		if stop%3 == 0 { // a panic in the loop's body is no different
			func() {
				defer func() { _ = recover() }()
				for range l.Batches(t.Context()) {
					panic("in the body")
				}
			}()
			settle(t, before)
		}
		if stop%3 == 1 { // and an end of ctx is an error
			ctx, cancel := context.WithCancel(t.Context())
			var last error
			for _, err := range l.Batches(ctx) {
				last = err
				cancel()
			}
			cancel()
			if !errors.Is(last, context.Canceled) {
				t.Errorf("after cancel: %v", last)
			}
			settle(t, before)
		}
	}
}

// TestCancelledIsNoEnd: an epoch that a ctx has ended never looks like one that was read to its end.
func TestCancelledIsNoEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &pipeline{ctx: ctx, batches: make(chan *making)}
	close(p.batches)
	for range 100 { // both are ready, and either may be taken
		if batch, err := p.next(); batch != nil || !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, %v", batch, err)
		}
	}
}

func TestOneLoopAtATime(t *testing.T) {
	l := NewStreamingDataLoader(open(t, DatasetOptions{Local: writeData(t, 40, 20, mdslib.MDSOptions{}), BatchSize: 8}), LoaderOptions{})
	for _, err := range l.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range l.Batches(t.Context()) {
			if err == nil {
				t.Error("a second loop runs inside the first")
			}
		}
		break
	}
	if n, err := loop(t, l); n != 40 || err != nil {
		t.Errorf("after that: %d samples, %v", n, err)
	}
}

func TestTransforms(t *testing.T) {
	dir := writeData(t, 60, 20, mdslib.MDSOptions{})
	var fail int64 = -1
	transform := transforms.Func(func(s map[string]any, draw transforms.Draw) error {
		id := s["id"].(int64)
		if id != draw.Sample {
			t.Errorf("draw %+v for sample %d", draw, id)
		}
		switch {
		case id == fail:
			return errors.New("cannot do it")
		case id == 1000+fail:
			panic("broken")
		}
		s["image"] = transforms.Array{Shape: []int{3, 1, 2}, Data: []float32{float32(id), 1, 2, 3, float32(draw.Epoch), float32(draw.Seed)}}
		s["ragged"] = transforms.Array{Shape: []int{int(id) + 1}, Data: make([]float32, id+1)}
		s["count"] = int(id)
		s["flag"] = id%2 == 0
		delete(s, "blob")
		return nil
	})
	d := open(t, DatasetOptions{Local: dir, Shuffle: true, BatchSize: 8, Transforms: transform})
	l := NewStreamingDataLoader(d, LoaderOptions{Parallel: 3})
	for epoch := range 2 {
		n := 0
		for b, err := range l.Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			image := b.Columns["image"]
			if got, want := image.Shape, []int{b.Samples, 3, 1, 2}; len(got) != 4 || got[0] != want[0] || got[1] != 3 || got[3] != 2 {
				t.Fatalf("shape %v, want %v", got, want)
			}
			for i, id := range b.IDs {
				row := image.Data.([]float32)[i*6:]
				if row[0] != float32(id) || row[4] != float32(epoch) || row[5] != 9176 {
					t.Fatalf("sample %d: image %v", id, row[:6])
				}
				if b.Columns["count"].Data.([]int64)[i] != id || b.Columns["flag"].Data.([]bool)[i] != (id%2 == 0) {
					t.Fatalf("sample %d: columns %v", id, b.Columns)
				}
			}
			if _, ok := b.Values["ragged"]; b.Samples > 1 && !ok {
				t.Error("arrays of differing shapes are not in Values")
			}
			n += b.Samples
		}
		if n != 60 {
			t.Errorf("%d samples", n)
		}
	}
	if s, err := d.Get(7); err != nil || s["count"] != 7 {
		t.Errorf("Get: %v %v", s, err)
	}
	for _, f := range []int64{33, 33 - 1000} {
		fail = f
		var last error
		for _, err := range l.Batches(t.Context()) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "shard.00001.mds: sample 13 (33 of the data set)") {
			t.Errorf("a transform that fails: %v", last)
		}
	}
}
