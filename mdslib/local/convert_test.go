package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// blobs makes a folder of files of random bytes in three classes.
func blobs(t testing.TB, files int) string {
	t.Helper()
	root := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range files {
		p := make([]byte, 500+rng.IntN(2000))
		for j := range p {
			p[j] = byte(rng.Uint32()) & 15
		}
		write(t, filepath.Join(root, fmt.Sprintf("class %d", i%3), fmt.Sprintf("%04d.bin", i)), string(p))
	}
	return root
}

func frame(t testing.TB, url, root string) *mdslib.DataFrame {
	return connect(t, url).Read().Format("binaryFile").Option("recursiveFileLookup", "true").Load(root).
		Select("content AS data", "CAST(right(element_at(split(path, '/'), -2), 1) AS BIGINT) AS label", "element_at(split(path, '/'), -1) AS name")
}

// files reads all files below a folder.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[rel] = string(data)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func checkBlobs(t testing.TB, dir, root string, count int) {
	t.Helper()
	ds, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{VerifyHashes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	seen := map[string]bool{}
	for s, err := range ds.All() {
		if err != nil {
			t.Fatal(err)
		}
		name := s["name"].(string)
		seen[name] = true
		want, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("class %d", s["label"]), name))
		if err != nil || !bytes.Equal(want, s["data"].([]byte)) {
			t.Fatalf("sample %s differs from its file (%v)", name, err)
		}
	}
	if len(seen) != count || ds.NumSamples() != count {
		t.Errorf("%d samples, %d different, want %d", ds.NumSamples(), len(seen), count)
	}
}

func TestConvert(t *testing.T) {
	root := blobs(t, 900)
	out := filepath.Join(t.TempDir(), "my data")
	opts := mdslib.MDSOptions{Out: out, Hashes: []string{"sha1", "xxh64"}, SizeLimit: "64kb"}
	var last mdslib.WriteProgress
	opts.Progress = func(p mdslib.WriteProgress) { last = p }
	r, err := mdslib.DataFrameToMDS(t.Context(), frame(t, "local", root), opts)
	if err != nil {
		t.Fatal(err)
	}
	checkBlobs(t, out, root, 900)
	if r.Samples != 900 || r.Shards < len(r.Partitions) || r.Compression != "zstd" || r.ZipBytes >= r.RawBytes || r.Replaced ||
		fmt.Sprint(r.Columns) != "map[data:bytes label:int64 name:str]" || last.Samples != 900 || last.Shards != r.Shards {
		t.Errorf("report %+v, progress %+v", r, last)
	}
	if !strings.Contains(r.String(), "samples     900") || !strings.Contains(r.HTML(), "<td style=\"text-align:left\">900</td>") {
		t.Errorf("report:\n%s\n%s", r, r.HTML())
	}

	verified, err := mdslib.Verify(t.Context(), out, mdslib.VerifyOptions{})
	if err != nil || verified.Err() != nil {
		t.Errorf("verify: %v, %v", err, verified)
	}

	// The same shards from any number of workers, index and all.
	want := files(t, out)
	for _, url := range []string{"local[1]", "local[8]"} {
		again := filepath.Join(t.TempDir(), "again")
		opts.Out = again
		if _, err := mdslib.DataFrameToMDS(t.Context(), frame(t, url, root), opts); err != nil {
			t.Fatal(err)
		}
		if got := files(t, again); !mapsEqual(got, want) {
			t.Errorf("%s wrote other files", url)
		}
	}

	// Not into a folder that holds something, but over an earlier data set if asked to.
	opts.Out = out
	few := frame(t, "local", root).Filter("label = 1")
	if _, err := mdslib.DataFrameToMDS(t.Context(), few, opts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder that isn't empty: %v", err)
	}
	opts.ExistOK = true
	if _, err := mdslib.DataFrameToMDS(t.Context(), few.WithColumn("label", "1 / 0"), opts); err == nil || !strings.Contains(err.Error(), "as it was") {
		t.Errorf("a failure over an earlier data set: %v", err)
	}
	if !mapsEqual(files(t, out), want) {
		t.Error("a failure changed the earlier data set")
	}
	if r, err = mdslib.DataFrameToMDS(t.Context(), few, opts); err != nil || !r.Replaced {
		t.Errorf("replace: %+v, %v", r, err)
	}
	checkBlobs(t, out, root, 300)
	write(t, filepath.Join(out, "notes.txt"), "mine")
	if _, err := mdslib.DataFrameToMDS(t.Context(), few, opts); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("a foreign file: %v", err)
	}
}

// OrderBy and Limit keep the partitions, so that what follows still runs in parallel.
func TestConvertOrderedSubset(t *testing.T) {
	root := blobs(t, 400)
	out := filepath.Join(t.TempDir(), "out")
	d := frame(t, "local", root).WithColumn("position", "xxhash64(name, 1)").OrderBy("position").Limit(300).Drop("position")
	r, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	checkBlobs(t, out, root, 300)
	n, err := Partitions(t.Context(), frame(t, "local", root).Plan())
	if err != nil || len(r.Partitions) != min(n, 300) {
		t.Errorf("%d partitions of %d, %v", len(r.Partitions), n, err)
	}
	want := table(t, d.Select("name"))
	ds, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	for i, name := range want {
		if s, err := ds.Get(i); err != nil || s["name"] != name {
			t.Fatalf("sample %d is %v, %v, want %s", i, s["name"], err, name)
		}
	}
}

func mapsEqual(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func TestConvertRemote(t *testing.T) {
	root := blobs(t, 60)
	remote := filepath.Join(t.TempDir(), "remote")
	for _, keep := range []bool{true, false} {
		out := filepath.Join(t.TempDir(), "local")
		opts := mdslib.MDSOptions{Out: out, Remote: remote, KeepLocal: keep, ExistOK: true}
		r, err := mdslib.DataFrameToMDS(t.Context(), frame(t, "local", root), opts)
		if err != nil || r.Remote != remote {
			t.Fatal(r, err)
		}
		checkBlobs(t, remote, root, 60)
		if keep {
			checkBlobs(t, out, root, 60)
		} else if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the local copy is still there: %v", err)
		}
	}
	// A smaller data set over the larger one leaves nothing of it.
	opts := mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "x"), Remote: remote, ExistOK: true}
	r, err := mdslib.DataFrameToMDS(t.Context(), frame(t, "local", root).Limit(5), opts)
	if err != nil {
		t.Fatal(err)
	}
	checkBlobs(t, remote, root, 5)
	if n := len(files(t, remote)); n != 1+2*len(r.Partitions) {
		t.Errorf("%d files at the remote: %v", n, slices.Collect(keys(files(t, remote))))
	}
	opts.ExistOK = false
	opts.Out = filepath.Join(t.TempDir(), "y")
	if _, err := mdslib.DataFrameToMDS(t.Context(), frame(t, "local", root), opts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a remote that holds a data set: %v", err)
	}
}

func keys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestConvertFailures(t *testing.T) {
	root := blobs(t, 200)
	ctx := t.Context()
	parent := t.TempDir()
	convert := func(ctx context.Context, d *mdslib.DataFrame, columns mdslib.Columns) error {
		t.Helper()
		out := filepath.Join(parent, "out")
		_, err := mdslib.DataFrameToMDS(ctx, d, mdslib.MDSOptions{Out: out, Columns: columns, SizeLimit: "16kb"})
		if left := files(t, parent); err != nil && len(left) != 0 {
			t.Errorf("a failed conversion leaves %v", slices.Collect(keys(left)))
		}
		if _, serr := os.Stat(out); err != nil && !errors.Is(serr, fs.ErrNotExist) {
			t.Errorf("a failed conversion leaves its folder: %v", serr)
		}
		return err
	}
	d := frame(t, "local[4]", root)
	for want, c := range map[string]struct {
		d       *mdslib.DataFrame
		columns mdslib.Columns
	}{
		// one bad row, far inside
		`0133.bin: expression, column 1: [CAST_INVALID_INPUT]`:   {d: d.Select("data", "CAST(if(name = '0133.bin', 'x', '1') AS INT) AS n")},
		`0133.bin: column "n": it is NULL`:                       {d: d.Select("data", "if(name = '0133.bin', NULL, 1) AS n")},
		`0133.bin: column "n": `:                                 {d: d.Select("data", "if(name = '0133.bin', -1, 1) AS n"), columns: mdslib.Columns{"n": "uint8"}},
		`no column "dta" (did you mean data?)`:                   {d: d, columns: mdslib.Columns{"dta": "bytes"}},
		`column "name" is string, which can't be written as int`: {d: d, columns: mdslib.Columns{"name": "int"}},
		`unknown encoding "jpg"`:                                 {d: d, columns: mdslib.Columns{"data": "jpg"}},
		`the DataFrame has no rows`:                              {d: d.Filter("label > 5")},
		`column "label" occurs twice`:                            {d: d.Select("label", "label")},
		`no column "nosuch"`:                                     {d: d.Select("nosuch")},
	} {
		err := convert(ctx, c.d, c.columns)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if err := convert(ctx, d.Select("data", "if(name = '0133.bin', NULL, 1) AS n"), nil); !strings.Contains(err.Error(), "were removed, nothing is left") {
		t.Errorf("the error doesn't say what was removed: %v", err)
	}

	// cancelled in the middle
	cancelled, cancel := context.WithCancel(ctx)
	opts := mdslib.MDSOptions{Out: filepath.Join(parent, "out"), SizeLimit: "4kb", Progress: func(p mdslib.WriteProgress) {
		if p.Samples > 50 {
			cancel()
		}
	}}
	if _, err := mdslib.DataFrameToMDS(cancelled, d, opts); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("cancelled: %v", err)
	}
	if left := files(t, parent); len(left) != 0 {
		t.Errorf("a cancelled conversion leaves %v", slices.Collect(keys(left)))
	}

	// the hook may leave bad rows out
	skipped := 0
	opts = mdslib.MDSOptions{Out: filepath.Join(parent, "out"), OnInvalid: func(error) error { skipped++; return nil }}
	r, err := mdslib.DataFrameToMDS(ctx, d.Select("data", "if(label = 1, NULL, label) AS label", "name"), opts)
	if err != nil || r.Samples+int64(skipped) != 200 || skipped == 0 {
		t.Errorf("skipped %d, %+v, %v", skipped, r, err)
	}

	// a value may stand for NULL
	out := filepath.Join(parent, "nulls")
	r, err = mdslib.DataFrameToMDS(ctx, d.Select("if(label = 1, NULL, label) AS label"), mdslib.MDSOptions{Out: out, NullAs: map[string]any{"label": -1}})
	if err != nil || r.Samples != 200 {
		t.Fatalf("%+v, %v", r, err)
	}
	set, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	replaced := 0
	for s, err := range set.All() {
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(s["label"]) == "-1" {
			replaced++
		}
	}
	if replaced != skipped {
		t.Errorf("%d rows with -1, want %d", replaced, skipped)
	}
}

func TestConvertTypes(t *testing.T) {
	d := csv(t, "x\n1\n", "header", "true", "inferSchema", "true").Select(
		"CAST(-1 AS TINYINT) AS by", "CAST(-300 AS SMALLINT) AS sh", "x AS i", "5L AS l", "CAST(1.5 AS FLOAT) AS f", "2.5D AS d", "1.10 AS dec",
		"'é' AS s", "X'00FF' AS bin", "true AS b", "DATE'2024-02-29' AS dt", "timestamp_micros(1500000000000001L) AS ts",
		"array(1, 2) AS ints", "array(1.5D) AS doubles", "split('a b', ' ') AS words")
	out := filepath.Join(t.TempDir(), "out")
	r, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: out, Compression: "none"})
	if err != nil {
		t.Fatal(err)
	}
	want := "map[b:uint8 bin:bytes by:int8 d:float64 dec:str_decimal doubles:ndarray:float64 dt:str f:float32 i:int32 ints:ndarray:int32 l:int64 s:str sh:int16 ts:int64 words:json]"
	if fmt.Sprint(r.Columns) != want || r.Compression != "" {
		t.Errorf("columns %v, compression %q", r.Columns, r.Compression)
	}
	ds, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	s, err := ds.Get(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"by": "int8 -1", "sh": "int16 -300", "i": "int32 1", "l": "int64 5", "f": "float32 1.5", "d": "float64 2.5", "dec": "mdslib.Decimal 1.10",
		"s": "string é", "bin": "[]uint8 [0 255]", "b": "uint8 1", "dt": "string 2024-02-29", "ts": "int64 1500000000000001",
		"ints": "mdslib.Array {[2] [1 2]}", "doubles": "mdslib.Array {[1] [1.5]}", "words": "[]interface {} [a b]",
	} {
		if got := fmt.Sprintf("%T %v", s[name], s[name]); got != want {
			t.Errorf("column %s: %s, want %s", name, got, want)
		}
	}
}

// A worker converts partitions one by one; together they are the whole.
func TestConvertPartition(t *testing.T) {
	root := blobs(t, 200)
	d := frame(t, "local", root)
	whole := filepath.Join(t.TempDir(), "whole")
	opts := mdslib.MDSOptions{Out: whole, Columns: mdslib.Columns{"data": "bytes", "label": "int64", "name": "str"}, Compression: "none"}
	r, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := plan.Marshal(d.Plan())
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Unmarshal(text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Partitions(t.Context(), p)
	if err != nil || n != len(r.Partitions) {
		t.Fatalf("%d partitions, want %d, %v", n, len(r.Partitions), err)
	}
	for i := range n {
		opts.Out = filepath.Join(t.TempDir(), "part")
		index, err := ConvertPartition(t.Context(), p, i, opts)
		if err != nil || int64(index.NumSamples()) != r.Partitions[i].Samples {
			t.Fatalf("partition %d: %v, %v", i, index, err)
		}
		if !mapsEqual(files(t, opts.Out), files(t, filepath.Join(whole, r.Partitions[i].Dir))) {
			t.Errorf("partition %d differs", i)
		}
	}
	if _, err := ConvertPartition(t.Context(), p, n, opts); err == nil {
		t.Error("a partition that isn't there is no error")
	}
}

func BenchmarkConvert(b *testing.B) {
	root := b.TempDir()
	p := make([]byte, 100<<10)
	for i := range 1000 {
		for j := range p {
			p[j] = byte(rand.Uint32())
		}
		write(b, filepath.Join(root, "c", fmt.Sprintf("%04d.bin", i)), string(p))
	}
	d := connect(b, "local").Read().Format("binaryFile").Option("recursiveFileLookup", "true").Load(root).Select("content", "path", "length")
	b.SetBytes(1000 * 100 << 10)
	for b.Loop() {
		out := filepath.Join(b.TempDir(), "out")
		if _, err := mdslib.DataFrameToMDS(b.Context(), d, mdslib.MDSOptions{Out: out, Compression: "none"}); err != nil {
			b.Fatal(err)
		}
		os.RemoveAll(out)
	}
}
