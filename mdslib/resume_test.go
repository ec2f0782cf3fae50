package mdslib

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// resumeOptions write small shards, compressed and hashed.
func resumeOptions(out string) MDSOptions {
	return MDSOptions{Out: out, Columns: rowColumns, SizeLimit: "2kb", Compression: "zstd", Hashes: []string{"sha1"}}
}

// goOn writes the rest of the samples with Resume.
func goOn(t *testing.T, opts MDSOptions, samples []Sample) *MDSWriter {
	t.Helper()
	opts.Resume = true
	w, err := NewMDSWriter(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples[w.Resumed():] {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestResumeAppends: new shards follow those of a whole data set, which stays readable as it was until the end.
func TestResumeAppends(t *testing.T) {
	samples := rows(120)
	for _, remote := range []bool{false, true} {
		out := filepath.Join(t.TempDir(), "out")
		opts := resumeOptions(out)
		data := out
		if remote {
			data = filepath.Join(t.TempDir(), "remote")
			opts.Remote = data
		}
		writeAll(t, opts, samples[:50])
		before, err := ReadIndex(data)
		if err != nil {
			t.Fatal(err)
		}
		opts.Resume = true
		w, err := NewMDSWriter(opts)
		if err != nil {
			t.Fatal(err)
		}
		if w.Resumed() != 50 {
			t.Errorf("resumed at %d", w.Resumed())
		}
		for _, s := range samples[50:100] {
			if err := w.Write(s); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Abort(); err != nil {
			t.Fatal(err)
		}
		if after, err := ReadIndex(data); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("an aborted writer changed the data set: %v", err)
		}
		checkRows(t, readAll(t, data), samples[:50])
		opts.Resume = false
		stale := filepath.Join(out, "shard.00099.mds.zstd") // left by one that died while it appended
		if !remote {
			if err := os.WriteFile(stale, []byte("torn"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		w = goOn(t, opts, samples)
		checkRows(t, readAll(t, data), samples)
		if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a stale shard stayed: %v", err)
		}
		if !reflect.DeepEqual(w.Index().Shards[:len(before.Shards)], before.Shards) {
			t.Error("the earlier shards' entries changed")
		}
		if report, err := Verify(t.Context(), data, VerifyOptions{}); err != nil || report.Err() != nil {
			t.Errorf("%v %v", err, report.Err())
		}
	}
}

// TestResumeAfterDeath: without an index.json the sound shards up to the first torn or missing one stay, and the result is
// the data set that one uninterrupted writer makes.
func TestResumeAfterDeath(t *testing.T) {
	samples := rows(120)
	want := writeAll(t, resumeOptions(filepath.Join(t.TempDir(), "whole")), samples)
	wantText, err := os.ReadFile(filepath.Join(want, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	index, err := ReadIndex(want)
	if err != nil || len(index.Shards) < 6 {
		t.Fatal(len(index.Shards), err)
	}
	for name, harm := range map[string]func(dir string) error{
		"torn":    func(dir string) error { return os.Truncate(filepath.Join(dir, "shard.00003.mds.zstd"), 100) },
		"missing": func(dir string) error { return os.Remove(filepath.Join(dir, "shard.00003.mds.zstd")) },
		"all":     func(dir string) error { return os.Truncate(filepath.Join(dir, "shard.00000.mds.zstd"), 0) },
		"none":    func(string) error { return nil },
		"empty": func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o777))
		},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		if err := errors.Join(os.CopyFS(dir, os.DirFS(want)), os.Remove(filepath.Join(dir, IndexName)), harm(dir)); err != nil {
			t.Fatal(err)
		}
		w := goOn(t, resumeOptions(dir), samples)
		begin := map[string]int{"torn": 3, "missing": 3, "none": len(index.Shards)}[name]
		if got := len(w.earlier); got != begin {
			t.Errorf("%s: %d shards stayed, want %d", name, got, begin)
		}
		if text, err := os.ReadFile(filepath.Join(dir, IndexName)); err != nil || string(text) != string(wantText) {
			t.Errorf("%s: the index differs from the one of an uninterrupted writer: %v", name, err)
		}
		checkRows(t, readAll(t, dir), samples)
	}
}

func TestResumeRefuses(t *testing.T) {
	out := writeAll(t, resumeOptions(filepath.Join(t.TempDir(), "out")), rows(10))
	for _, c := range []struct {
		change func(*MDSOptions)
		want   string
	}{
		{func(o *MDSOptions) { o.ExistOK = true }, "set one of them"},
		{func(o *MDSOptions) { o.Columns = Columns{"n": "int32"} }, "with columns"},
		{func(o *MDSOptions) { o.Columns, o.Format = Columns{"n": "int"}, "csv" }, "the options say csv"},
		{func(o *MDSOptions) { o.Remote = filepath.Join(t.TempDir(), "remote") }, "the remote has no index.json"},
	} {
		opts := resumeOptions(out)
		opts.Resume = true
		c.change(&opts)
		if _, err := NewMDSWriter(opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	checkRows(t, readAll(t, out), rows(10))
}

func TestRebuildIndex(t *testing.T) {
	golden := []string{"limit_1", "limit_1000", "limit_None", "level_br_0", "level_gz_6", "level_zstd_19", "json_crlf", "csv", "csv_zstd", "tsv", "xsv"}
	for _, name := range golden {
		reference := filepath.Join("testdata/golden/writers", name)
		dir := filepath.Join(t.TempDir(), name)
		want, err := os.ReadFile(filepath.Join(reference, IndexName))
		if err := errors.Join(err, os.CopyFS(dir, os.DirFS(reference)), os.Remove(filepath.Join(dir, IndexName))); err != nil {
			t.Fatal(err)
		}
		if _, err := RebuildIndex(t.Context(), dir, RebuildOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dir, IndexName)); err != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, want)
		}
	}
	// partitions, of which the merged index names the files
	dir := filepath.Join(t.TempDir(), "merged")
	if err := os.CopyFS(dir, os.DirFS("testdata/golden/writers/merged")); err != nil {
		t.Fatal(err)
	}
	want, err := ReadIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, IndexName))
	got, err := RebuildIndex(t.Context(), dir, RebuildOptions{})
	if err != nil || !reflect.DeepEqual(got.Shards, want.Shards) {
		t.Errorf("merged: %v", err)
	}
	// damage
	for name, want := range map[string]string{"0/shard.00001.mds": "shard.00001.mds", "2/shard.00001.mds.zstd": "shard.00001.mds"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		os.Remove(filepath.Join(dir, IndexName))
		if err := os.Truncate(file, 30); err != nil {
			t.Fatal(err)
		}
		if _, err := RebuildIndex(t.Context(), dir, RebuildOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s cut: %v", name, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "1", "shard.00000.mds")); err != nil {
		t.Fatal(err)
	}
	_, err = RebuildIndex(t.Context(), dir, RebuildOptions{})
	if err == nil || !strings.Contains(err.Error(), "shard 0 of "+filepath.Join(dir, "1")+" is missing") || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("three problems: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, IndexName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused rebuild wrote an index: %v", err)
	}
	if x, err := RebuildIndex(t.Context(), dir, RebuildOptions{SkipDamaged: true}); err != nil || len(x.Shards) != len(want.Shards)-3 {
		t.Errorf("skipping: %v", err)
	}
	if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || report.Err() != nil {
		t.Errorf("Verify: %v, %v", err, report.Err())
	}
	if _, err := RebuildIndex(t.Context(), t.TempDir(), RebuildOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestNullAs(t *testing.T) {
	columns := Columns{"n": "int", "f": "float32", "s": "str", "x": "json"}
	samples := []Sample{{"n": 1, "f": 0.5, "s": "a", "x": nil}, {"n": nil, "f": nil, "s": nil, "x": 1}}
	dir := writeAll(t, MDSOptions{Columns: columns, NullAs: map[string]any{"n": -1.0, "f": 0, "s": ""}}, samples)
	want := []Sample{{"n": int64(1), "f": float32(0.5), "s": "a", "x": nil}, {"n": int64(-1), "f": float32(0), "s": "", "x": int64(1)}}
	if got := readAll(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// What tasks are told is the same after its way as JSON.
	columns = Columns{"n": "int", "f": "float32", "s": "str", "x": "json", "b": "bytes", "a": "ndarray:int16", "d": "str_decimal"}
	nulls := map[string]any{"n": -1, "f": float32(2.5), "s": "none", "x": []any{int64(1), "two"}, "b": []byte{0, 255}, "d": "1.50", "a": Array{Shape: []int{2}, Data: []int16{3, -4}}}
	null := Sample{}
	for name := range columns {
		null[name] = nil
	}
	travelling, err := columns.travelling(nulls)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(MDSOptions{NullAs: travelling})
	var opts MDSOptions
	if err = errors.Join(err, json.Unmarshal(text, &opts)); err != nil {
		t.Fatal(err)
	}
	here := readAll(t, writeAll(t, MDSOptions{Columns: columns, NullAs: nulls}, []Sample{null}))
	there := readAll(t, writeAll(t, MDSOptions{Columns: columns, NullAs: opts.NullAs}, []Sample{null}))
	if !reflect.DeepEqual(here, there) || len(here) != 1 {
		t.Errorf("here %v, in a task %v", here, there)
	}
	if _, err := columns.travelling(map[string]any{"n": "x"}); err == nil || !strings.Contains(err.Error(), `column "n": want an integer`) {
		t.Error(err)
	}
	columns = Columns{"n": "int", "f": "float32", "s": "str", "x": "json"}
	for _, c := range []struct {
		nulls map[string]any
		want  string
	}{
		{map[string]any{"m": 1}, `no column "m"`}, {map[string]any{"n": "x"}, `column "n": want an integer`}, {map[string]any{"n": nil}, "a null in place of nulls"},
		{map[string]any{"f": 0}, `sample 1: column "n": want an integer, got a null`},
	} {
		w, err := NewMDSWriter(MDSOptions{Out: filepath.Join(t.TempDir(), "out"), Columns: columns, NullAs: c.nulls})
		for _, s := range samples {
			if err == nil {
				err = w.Write(s)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.nulls, err, c.want)
		}
	}
}
