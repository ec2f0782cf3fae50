package streamlib

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// alone is the world of one process, whatever the environment of the test says.
var alone = &World{Size: 1, LocalSize: 1}

// writeData writes a data set of n samples {id: int64, text: str, blob: bytes} and returns its folder. Shards hold `shard`
// samples each.
func writeData(t testing.TB, n, shard int, opts mdslib.MDSOptions) string {
	t.Helper()
	if opts.Out == "" {
		opts.Out = filepath.Join(t.TempDir(), "data")
	}
	opts.Columns = mdslib.Columns{"id": "int64", "text": "str", "blob": "bytes"}
	// Each sample takes as many bytes as any other, so that the size limit is a number of samples.
	one := len(blobOf(0)) + len(textOf(0)) + 8 + 2*4 + 4
	header := len(`{"column_encodings": ["bytes", "int64", "str"], "column_names": ["blob", "id", "text"], "column_sizes": [null, 8, null], `+
		`"compression": null, "format": "mds", "hashes": [], "size_limit": 0000, "version": 2}`) + 8
	opts.SizeLimit = fmt.Sprint(header + one*shard + one/2)
	if opts.Compression != "" || len(opts.Hashes) > 0 {
		opts.SizeLimit = fmt.Sprint(header + 60 + one*shard)
	}
	w, err := mdslib.NewMDSWriter(opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(mdslib.Sample{"id": int64(i), "text": textOf(i), "blob": blobOf(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return opts.Out
}

func textOf(i int) string { return fmt.Sprintf("sample %06d", i) }

func blobOf(i int) []byte {
	blob := make([]byte, 100)
	for k := range blob {
		blob[k] = byte(i*31 + k)
	}
	return blob
}

func open(t testing.TB, opts DatasetOptions) *StreamingDataset {
	t.Helper()
	if opts.World == nil {
		opts.World = alone
	}
	d, err := NewStreamingDataset(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// idsOf runs a loop to its end and returns the ids of its batches, having checked the other columns.
func idsOf(t testing.TB, l *StreamingDataLoader) [][]int64 {
	t.Helper()
	var all [][]int64
	for b, err := range l.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, checkBatch(t, b))
	}
	return all
}

func checkBatch(t testing.TB, b *Batch) []int64 {
	t.Helper()
	ids, ok := b.Columns["id"].Data.([]int64)
	if !ok || len(ids) != b.Samples || len(b.IDs) != b.Samples {
		t.Fatalf("batch of %d samples: ids %v, IDs %v", b.Samples, b.Columns["id"], b.IDs)
	}
	for i, id := range ids {
		if b.Values["text"][i] != textOf(int(id)) || string(b.Values["blob"][i].([]byte)) != string(blobOf(int(id))) {
			t.Fatalf("sample %d: text %q, blob %x", id, b.Values["text"][i], b.Values["blob"][i])
		}
	}
	return ids
}

func shardNames(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "shard.*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flip(data []byte) []byte { data[len(data)/2] ^= 1; return data }

func TestGet(t *testing.T) {
	for _, c := range []struct {
		name string
		opts mdslib.MDSOptions
	}{{"raw", mdslib.MDSOptions{}}, {"hashes", mdslib.MDSOptions{Hashes: []string{"sha1", "xxh64"}}}, {"zstd", mdslib.MDSOptions{Compression: "zstd", Hashes: []string{"xxh64"}}}} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeData(t, 100, 30, c.opts)
			if n := len(shardNames(t, dir)); n != 4 {
				t.Fatalf("%d shards, want 4", n)
			}
			for _, opts := range []DatasetOptions{{Local: dir}, {Remote: dir, Local: t.TempDir()}, {Remote: "file://" + dir, Local: t.TempDir()}} {
				d := open(t, opts)
				if d.Size() != 100 || d.Len() != 100 {
					t.Errorf("size %d, len %d", d.Size(), d.Len())
				}
				for _, i := range []int{99, 0, 31, 29, 30, -1, -100} {
					s, err := d.Get(i)
					if err != nil {
						t.Fatal(err)
					}
					if want := (i + 100) % 100; s["id"] != int64(want) || s["text"] != textOf(want) || string(s["blob"].([]byte)) != string(blobOf(want)) {
						t.Errorf("sample %d: %v", i, s)
					}
				}
				for _, i := range []int{100, -101} {
					if _, err := d.Get(i); err == nil {
						t.Errorf("sample %d of 100 is there", i)
					}
				}
			}
		})
	}
}

// TestTextFormats: shards of two files each are brought and read like others, raw and compressed, and a pickle where that
// was allowed.
func TestTextFormats(t *testing.T) {
	for _, write := range []mdslib.MDSOptions{
		{Format: "json"}, {Format: "csv", Compression: "zstd", Hashes: []string{"xxh64"}}, {Format: "tsv", Newline: "\r\n"}, {Format: "xsv", Separator: " | "},
	} {
		write.Out = filepath.Join(t.TempDir(), "data")
		write.SizeLimit = "200"
		write.Columns = mdslib.Columns{"id": "int", "text": "str", "half": "float"}
		w, err := mdslib.NewMDSWriter(write)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if err := w.Write(mdslib.Sample{"id": i, "text": textOf(i), "half": float64(i) / 2}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, opts := range []DatasetOptions{{Local: write.Out}, {Remote: write.Out, Local: t.TempDir()}} {
			d := open(t, opts)
			for i := range 50 {
				s, err := d.Get(i)
				if err != nil || s["id"] != int64(i) || s["text"] != textOf(i) || s["half"] != float64(i)/2 {
					t.Fatalf("%s: sample %d: %v, %v", write.Format, i, s, err)
				}
			}
		}
	}
	pickled := filepath.Join(t.TempDir(), "pickled")
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: pickled, Columns: mdslib.Columns{"x": "pkl"}})
	if err == nil {
		err = errors.Join(w.Write(mdslib.Sample{"x": []any{1}}), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewStreamingDataset(t.Context(), DatasetOptions{Local: pickled, World: alone}); err == nil || !strings.Contains(err.Error(), "unsafe type: pkl") {
		t.Errorf("pkl without AllowUnsafeTypes: %v", err)
	}
	if s, err := open(t, DatasetOptions{Local: pickled, AllowUnsafeTypes: true}).Get(0); err != nil || len(s["x"].([]any)) != 1 {
		t.Errorf("pkl: %v, %v", s, err)
	}
}
