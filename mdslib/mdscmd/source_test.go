package mdscmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local/arrowipc"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/mdslib/store"
)

// set writes a data set of n samples from the first on, in a format.
func textSet(t *testing.T, out, format string, first, n int) {
	t.Helper()
	score := "float"
	if format == "mds" {
		score = "float64"
	}
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: out, Format: format, Separator: map[string]string{"xsv": "|"}[format], Columns: mdslib.Columns{"id": "int", "name": "str", "score": score}})
	for i := first; i < first+n && err == nil; i++ {
		err = w.Write(mdslib.Sample{"id": i, "name": fmt.Sprint("n", i), "score": float64(i)})
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestMixedFormats: a data set merged of shards of every format is one data set.
func TestMixedFormats(t *testing.T) {
	root := t.TempDir()
	formats := []string{"json", "mds", "csv", "tsv", "xsv"}
	for i, format := range formats {
		textSet(t, filepath.Join(root, fmt.Sprint(i)), format, 10*i, 10)
	}
	run(t, OK, "merge", root)
	out, _ := run(t, OK, "inspect", root)
	wants(t, "inspect", out, "50 samples in 5 shards (json, mds, csv, tsv, xsv)")
	run(t, OK, "verify", root)
	out, _ = run(t, OK, "stats", root)
	wants(t, "stats", out, "score (float64)", "values 0 to 49, mean 24.5")
	plain, whole := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "whole")
	run(t, OK, "convert", root, plain)
	textSet(t, whole, "mds", 0, 50)
	run(t, OK, "diff", plain, whole)
	out, _ = run(t, OK, "diff", root, whole)
	wants(t, "diff", out, "equal: 50 samples and 50")
	a, err := os.ReadFile(filepath.Join(plain, "shard.00000.mds"))
	b, err2 := os.ReadFile(filepath.Join(whole, "shard.00000.mds"))
	if err := errors.Join(err, err2); err != nil || !bytes.Contains(a, []byte(`"size_limit": null`)) || len(a) != len(b)-len("67108864")+len("null") {
		t.Errorf("the converted shard differs: %v, %d and %d bytes", err, len(a), len(b))
	}
}

// TestVerifyPickles: a damaged pickle is found, one that names other things than plain data is not damage.
func TestVerifyPickles(t *testing.T) {
	for text, status := range map[string]int{
		"\x80\x04N.":                      OK,
		"\x80\x04cmy.module\nThing\n)R.":  OK, // names a class
		"\x80\x04K":                       Failed,
		"\x80\x04\x8c\x05abc":             Failed,
		"":                                Failed,
		"\x80\x04]\x94(K\x01K\x02e.":      OK,
		"\x80\x04]\x94(K\x01K\x02e":       Failed,
		"\x80\x04}\x94(K\x01K\x02K\x03u.": Failed,
	} {
		out := filepath.Join(t.TempDir(), "set")
		w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"x": "pkl"}})
		if err == nil {
			err = errors.Join(w.Write(mdslib.Sample{"x": []byte("\x80\x04N.")}), w.Write(mdslib.Sample{"x": []byte(text)}), w.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		said, _ := run(t, status, "verify", out)
		if status == Failed {
			wants(t, "verify", said, `shard 0 (shard.00000.mds): sample 1: column "x": pickle`)
		}
	}
}

// TestConvertSources: tables of every kind, in files, folders and partition folders, and images.
func TestConvertSources(t *testing.T) {
	tables := t.TempDir()
	file := func(name, text string) {
		t.Helper()
		path := filepath.Join(tables, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	file("a.tsv", "n\ts\n1\tx,y\n2\tz\n")
	session, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	frame := session.Read().Format("csv").Option("header", "true").Option("sep", "\t").Option("inferSchema", "true").Load(filepath.Join(tables, "a.tsv"))
	for _, format := range []string{"parquet", "arrow", "csv", "json"} {
		w := frame.Write().Format(format)
		if format == "csv" {
			w = w.Option("header", "true")
		}
		if err := w.Save(t.Context(), filepath.Join(tables, format)); err != nil {
			t.Fatal(err)
		}
	}
	file("nested/1/a.csv", "n,s\n1,\"x,y\"\n")
	file("nested/2/3/b.csv", "n,s\n2,z\n")
	file("nested/_ignored/c.parquet", "no table")
	want := "{\"n\": 1, \"s\": \"x,y\"}\n{\"n\": 2, \"s\": \"z\"}\n"
	for _, source := range []string{"a.tsv", "parquet", "arrow", "csv", "json", "nested"} {
		out := filepath.Join(t.TempDir(), "out")
		said, _ := run(t, OK, "convert", filepath.Join(tables, source), out, "--columns", "n=int64,s=str", "--json")
		wants(t, source, said, `"samples":2`)
		if got, _ := run(t, OK, "cat", out, "--json"); got != want {
			t.Errorf("%s: %s", source, got)
		}
	}
	file("keyed/k=a/a.csv", "n\n1\n")
	file("keyed/k=b/b.csv", "n\n2\n")
	out := filepath.Join(t.TempDir(), "out")
	run(t, OK, "convert", filepath.Join(tables, "keyed"), out)
	said, _ := run(t, OK, "cat", out, "--json")
	wants(t, "partition folders", said, `{"k": "a", "n": 1}`, `{"k": "b", "n": 2}`)

	images := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 3, 2))
	for i, name := range []string{"daisy/1.png", "rose/2.PNG", "rose/3.jpg"} {
		var b bytes.Buffer
		err := png.Encode(&b, picture)
		if strings.HasSuffix(name, ".jpg") {
			b.Reset()
			err = jpeg.Encode(&b, picture, nil)
		}
		path := filepath.Join(images, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		run(t, OK, "convert", images, out)
		said, _ := run(t, OK, "inspect", out)
		wants(t, "images", said, fmt.Sprintf("%d samples", i+1), "image: "+[]string{"png", "png", "jpeg"}[i])
	}
	out = filepath.Join(t.TempDir(), "out")
	run(t, OK, "convert", images, out, "--columns", "image=bytes,label=str")
	said, _ = run(t, OK, "inspect", out)
	wants(t, "columns", said, "image: bytes", "label: str")
	if strings.Contains(said, "path") {
		t.Errorf("a column that wasn't asked for: %s", said)
	}
}

// TestJSONOfAll: every command's --json is JSON, one value a line.
func TestJSONOfAll(t *testing.T) {
	root := t.TempDir()
	dir := write(t, 20, mdslib.MDSOptions{Out: filepath.Join(root, "a")})
	for _, args := range [][]string{
		{"convert", dir, filepath.Join(t.TempDir(), "out")}, {"inspect", dir}, {"cat", dir}, {"head", dir}, {"verify", dir}, {"merge", root},
		{"rebuild-index", dir}, {"stats", dir}, {"diff", dir, dir},
	} {
		out, _ := run(t, OK, append(args, "--json")...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if want := map[string]int{"cat": 20, "head": 10}[args[0]]; len(lines) != max(want, 1) {
			t.Errorf("%s: %d lines", args[0], len(lines))
		}
		for _, line := range lines {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil || len(v) == 0 {
				t.Errorf("%s: %v: %s", args[0], err, line)
			}
		}
	}
}

// TestRemoteCommands: every command takes a URL, and those that write one write there.
func TestRemoteCommands(t *testing.T) {
	root := t.TempDir()
	scheme := fmt.Sprintf("mdscmdremote%d", time.Now().UnixNano())
	url := scheme + "://me:hush@data" // the password is to be in no message
	store.Register(scheme, func(ctx context.Context, place string) (store.Store, error) {
		return store.Open(ctx, filepath.Join(root, strings.TrimPrefix(place, url)))
	})
	dir := write(t, 30, mdslib.MDSOptions{Compression: "zstd", Hashes: []string{"sha1"}})
	for _, args := range [][]string{{"convert", dir, url + "/00000", "--compression", "gz", "--size-limit", "1kb"}, {"convert", url + "/00000", url + "/00001"}} {
		out, said := run(t, OK, args...)
		silent(t, args, out+said)
	}
	for _, args := range [][]string{{"inspect", url + "/00000"}, {"head", url + "/00001"}, {"cat", url + "/00001"}, {"verify", url + "/00000"}, {"stats", url + "/00001"}, {"diff", dir, url + "/00000"}, {"merge", url}, {"verify", url}} {
		for _, args := range [][]string{args, append(args, "--json")} {
			out, said := run(t, OK, args...)
			silent(t, args, out+said)
		}
	}
	for _, args := range [][]string{
		{"convert", dir, url + "/00002", "--columns", "zz=int"}, {"convert", url + "/00000", url + "/00002", "--columns", "zz=int"}, {"convert", dir, url + "/00000"},
		{"convert", url + "/a.csv", dir}, {"merge", url + "/nothing"}, {"verify", url + "/nothing"}, {"rebuild-index", url + "/nothing"},
	} {
		out, said := run(t, Failed, args...)
		silent(t, args, out+said)
	}
	index := filepath.Join(root, "00000", mdslib.IndexName)
	before, err := os.ReadFile(index)
	if err := errors.Join(err, os.Remove(index)); err != nil {
		t.Fatal(err)
	}
	run(t, Failed, "verify", url+"/00000")
	out, _ := run(t, OK, "rebuild-index", url+"/00000")
	wants(t, "rebuild-index", out, "30 samples", scheme+"://me:…@data/00000/index.json")
	if after, err := os.ReadFile(index); err != nil || len(after) == 0 || bytes.Contains(after, []byte("_attempt")) || len(before) == 0 {
		t.Errorf("rebuilt: %v\n%s", err, after)
	}
	run(t, OK, "diff", dir, url+"/00000")
}

// TestRemoteSources: convert takes tables and images at a URL as it takes them here, and leaves no file of theirs behind.
func TestRemoteSources(t *testing.T) {
	root, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	scheme := fmt.Sprintf("mdscmdsource%d", time.Now().UnixNano())
	url := scheme + "://me:hush@data"
	store.Register(scheme, func(ctx context.Context, place string) (store.Store, error) {
		return store.Open(ctx, filepath.Join(root, strings.TrimPrefix(place, url)))
	})
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.csv": "n,s\n1,x\n2,y\n", "spark.csv/part-0.csv": "n\n1\n", "spark.csv/part-1.csv": "n\n2\n3\n", "spark.csv/_SUCCESS": "", "spark.csv/.part-0.csv.crc": "?",
		"days/day=1/a.jsonl": `{"n": 1}`, "days/day=2/a.jsonl": `{"n": 2}`, "flowers/rose/1.png": picture.String(), "flowers/tulip/1.png": picture.String(), "flowers/notes.txt": "?", "none/x.txt": "?",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []string{"a.csv", "spark.csv", "spark.csv/", "days", "flowers", "flowers/rose"} {
		local, remote := filepath.Join(t.TempDir(), "local"), filepath.Join(t.TempDir(), "remote")
		run(t, OK, "convert", filepath.Join(root, from), local)
		out, said := run(t, OK, "convert", url+"/"+from, remote)
		silent(t, []string{from}, out+said)
		run(t, OK, "diff", local, remote)
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", from, left, err)
		}
	}
	for from, want := range map[string]string{"none": " holds no index.json, no Parquet", "missing": " holds no index.json, no Parquet", "missing.parquet": ": there is no such file or folder"} {
		_, said := run(t, Failed, "convert", url+"/"+from, filepath.Join(t.TempDir(), "out"))
		wants(t, from, said, from+want)
		silent(t, []string{from}, said)
	}
}

// silent fails the test if what a command said shows the password of its URL.
func silent(t *testing.T, args []string, said string) {
	t.Helper()
	if strings.Contains(said, "hush") {
		t.Errorf("%q shows a password:\n%s", args, said)
	}
}
