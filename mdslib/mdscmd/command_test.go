package mdscmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	"gomosaic/mdslib/store"
)

// write makes a data set of n samples and returns its folder.
func write(t *testing.T, n int, opts mdslib.MDSOptions) string {
	t.Helper()
	if opts.Out == "" {
		opts.Out = filepath.Join(t.TempDir(), "set")
	}
	opts.Columns = mdslib.Columns{"id": "int64", "text": "str", "score": "float32", "x": "ndarray:int16", "data": "bytes", "any": "pkl", "meta": "json"}
	opts.SizeLimit = "1kb"
	w, err := mdslib.NewMDSWriter(opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		err := w.Write(mdslib.Sample{
			"id": i, "text": fmt.Sprint("text ", i), "score": float32(i) / 2, "x": []int16{int16(i), -1}, "data": []byte{byte(i), 255},
			"any": mdslib.PyTuple{i, nil}, "meta": map[string]any{"k": i},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return opts.Out
}

// run executes a command line, whose status must be the one given, and returns its output.
func run(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := Run(t.Context(), args, &out, &err); got != status {
		t.Fatalf("%v: status %d, want %d\n%s%s", args, got, status, out.String(), err.String())
	}
	return out.String(), err.String()
}

func wants(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%s: %q is missing in\n%s", what, part, got)
		}
	}
}

func TestShow(t *testing.T) {
	dir := write(t, 30, mdslib.MDSOptions{Compression: "zstd:7", Hashes: []string{"sha1"}})
	out, _ := run(t, OK, "inspect", dir)
	wants(t, "inspect", out, "30 samples in", "(mds)", "compression zstd:7, hashes sha1, size limit 1.0 kB", "id: int64 (8 bytes)", "x: ndarray:int16\n")
	out, _ = run(t, OK, "inspect", dir, "--json")
	var in inspected
	if err := json.Unmarshal([]byte(out), &in); err != nil || in.Samples != 30 || len(in.Columns) != 7 || *in.SizeLimit != 1024 || in.Hashes[0] != "sha1" {
		t.Errorf("inspect --json: %+v, %v", in, err)
	}
	out, _ = run(t, OK, "head", dir)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 10 {
		t.Errorf("head prints %d lines", len(lines))
	}
	wants(t, "head", out, "3: any=<pkl, ", "data=<bytes, 2 B>", "id=3", `meta={"k": 3}`, "score=1.5", `text="text 3"`, "x=<int16 [2]>")
	out, _ = run(t, OK, "cat", "--skip", "25", dir, "--columns", "id,any,x,data", "--json", "--allow-unsafe-types")
	wants(t, "cat", out, `{"id": 25, "any": [25, null], "x": [25, -1], "data": {"encoding": "bytes", "bytes": 2, "base64": "Gf8="}}`)
	if n := strings.Count(out, "\n"); n != 5 {
		t.Errorf("cat prints %d lines", n)
	}
	out, _ = run(t, OK, "cat", dir, "--limit", "2", "--skip=29")
	if n := strings.Count(out, "\n"); n != 1 {
		t.Errorf("cat at the end prints %d lines", n)
	}
	_, err := run(t, Failed, "cat", dir, "--columns", "nope")
	wants(t, "cat", err, `no column "nope"`)
	out, _ = run(t, OK, "stats", dir)
	wants(t, "stats", out, "30 samples", "id (int64): 8 B each", "values 0 to 29, mean 14.5", "score (float32)", "values 0 to 14.5, mean 7.25", "text (str): 6 B to 7 B")
	out, _ = run(t, OK, "stats", dir, "--json")
	wants(t, "stats --json", out, `"values":{"count":30,"min":0,"mean":14.5,"max":29}`, `"values":null`)
}

func TestCheck(t *testing.T) {
	root := t.TempDir()
	for _, part := range []string{"a", "b"} {
		write(t, 20, mdslib.MDSOptions{Out: filepath.Join(root, part), Hashes: []string{"sha1"}})
	}
	out, _ := run(t, OK, "merge", root)
	wants(t, "merge", out, "40 samples")
	out, _ = run(t, OK, "merge", root, filepath.Join(root, "b"), "--json")
	wants(t, "merge of one", out, `"samples":20`)
	run(t, OK, "merge", root)
	out, _ = run(t, OK, "verify", root)
	wants(t, "verify", out, "sound;", "40 samples")
	index := filepath.Join(root, "index.json")
	before, err := os.ReadFile(index)
	if err := errors.Join(err, os.Remove(index)); err != nil {
		t.Fatal(err)
	}
	run(t, OK, "rebuild-index", root)
	if after, err := os.ReadFile(index); err != nil || len(after) != len(before) {
		t.Errorf("rebuilt: %v\n%s\n%s", err, after, before)
	}
	damaged := filepath.Join(root, "b", "shard.00001.mds")
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(damaged, data, 0o666); err != nil {
		t.Fatal(err)
	}
	out, _ = run(t, Failed, "verify", root)
	wants(t, "verify", out, "damaged: shard", "b/shard.00001.mds", "checksum mismatch")
	out, _ = run(t, Failed, "verify", "--json", root)
	var v verified
	if err := json.Unmarshal([]byte(out), &v); err != nil || len(v.Problems) != 1 || v.Problems[0].Basename != "b/shard.00001.mds" || v.Problems[0].Sample != nil {
		t.Errorf("verify --json: %+v, %v", v, err)
	}
	if err := os.Truncate(damaged, 100); err != nil {
		t.Fatal(err)
	}
	_, text := run(t, Failed, "rebuild-index", root)
	wants(t, "rebuild-index", text, "shard.00001.mds")
	run(t, OK, "rebuild-index", root, "--skip-damaged")
	out, _ = run(t, OK, "verify", root)
	wants(t, "verify", out, "sound;")
}

func TestConvertAndDiff(t *testing.T) {
	dir := write(t, 30, mdslib.MDSOptions{Compression: "gz", Hashes: []string{"sha1"}})
	plain := filepath.Join(t.TempDir(), "plain")
	out, _ := run(t, OK, "convert", dir, plain)
	wants(t, "convert", out, "30 samples in 1 shard,")
	index, err := os.ReadFile(filepath.Join(plain, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "no flags", string(index), `"compression": null`, `"hashes": []`, `"size_limit": null`)
	out, _ = run(t, OK, "diff", dir, plain)
	wants(t, "diff", out, "equal: 30 samples and 30")
	_, text := run(t, Failed, "convert", dir, plain)
	wants(t, "convert onto another", text, "not empty")
	out, _ = run(t, OK, "convert", dir, plain, "--exist-ok", "--columns", "id=int16,text=str,any=pkl", "--compression", "zstd:3", "--hashes", "md5,xxh64", "--size-limit", "300", "--json")
	var c converted
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.Samples != 30 || c.Shards < 2 || c.Columns["id"] != "int16" {
		t.Errorf("convert --json: %+v, %v", c, err)
	}
	out, _ = run(t, Failed, "diff", dir, plain)
	wants(t, "diff", out, `column "data": only in `, `column "id": encoded as int64 and int16`, "different: 30 samples and 30")
	other := write(t, 29, mdslib.MDSOptions{})
	out, _ = run(t, Failed, "diff", dir, other, "--json")
	wants(t, "diff", out, `"equal":false`, `30 samples and 29`)
	changed := filepath.Join(t.TempDir(), "changed")
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: changed, Columns: mdslib.Columns{"id": "int16", "text": "str", "any": "pkl"}})
	for i := range 30 {
		if err == nil {
			err = w.Write(mdslib.Sample{"id": i + i/29, "text": fmt.Sprint("text ", i), "any": mdslib.PyTuple{i, nil}})
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	out, _ = run(t, Failed, "diff", plain, changed)
	wants(t, "diff", out, `sample 29: column "id": 29 and 30`)
}

func TestConvertTables(t *testing.T) {
	folder := t.TempDir()
	csv := filepath.Join(folder, "rows.csv")
	if err := os.WriteFile(csv, []byte("name,n,f\nrose,1,0.5\ntulip,2,1.5\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	run(t, OK, "convert", csv, out)
	text, _ := run(t, OK, "cat", out, "--json")
	wants(t, "csv", text, `{"f": 0.5, "n": 1, "name": "rose"}`, `{"f": 1.5, "n": 2, "name": "tulip"}`)
	lines := filepath.Join(folder, "rows.jsonl")
	if err := os.WriteFile(lines, []byte("{\"a\": 1}\n{\"a\": 2}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, OK, "convert", lines, out, "--exist-ok", "--columns", "a=int8")
	text, _ = run(t, OK, "cat", out, "--json")
	wants(t, "json lines", text, `{"a": 1}`, `{"a": 2}`)
	_, text = run(t, Failed, "convert", folder, filepath.Join(t.TempDir(), "x"))
	wants(t, "a mixed folder", text, "holds both csv and json")

	images := t.TempDir()
	for _, label := range []string{"daisy", "rose"} {
		var b bytes.Buffer
		if err := errors.Join(os.Mkdir(filepath.Join(images, label), 0o777), png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2)))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, label, "1.png"), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run(t, OK, "convert", images, out, "--exist-ok", "--size-limit", "1mb")
	text, _ = run(t, OK, "cat", out)
	wants(t, "images", text, "image=<png 3×2, ", `label="daisy" path="1.png"`, `label="rose"`)
}

// TestRemote: a data set of a URL is brought when it is read.
func TestRemote(t *testing.T) {
	dir := write(t, 30, mdslib.MDSOptions{Compression: "zstd"})
	scheme := fmt.Sprintf("mdscmdtest%d", time.Now().UnixNano())
	url := scheme + "://data"
	store.Register(scheme, func(ctx context.Context, place string) (store.Store, error) {
		return store.Open(ctx, filepath.Join(dir, strings.TrimPrefix(place, url)))
	})
	out, _ := run(t, OK, "head", url, "-n", "1", "--columns", "id")
	wants(t, "head", out, "0: id=0\n")
	out, _ = run(t, OK, "verify", url)
	wants(t, "verify", out, "sound;", "30 samples")
	run(t, OK, "diff", dir, url)
	run(t, OK, "inspect", url)
	_, text := run(t, Failed, "verify", url+"/nothing")
	wants(t, "nothing there", text, "index.json")
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{{}, {"nonsense"}, {"verify"}, {"verify", "a", "b"}, {"verify", "--nope", "x"}, {"diff", "a"}, {"convert", "a", "b", "--columns", "x"}, {"merge"},
		{"convert", "a", "b", "--compression", "lz4"}, {"convert", "a", "b", "--hashes", "sha2"}, {"convert", "a", "b", "--size-limit", "5xb"}} {
		if _, text := run(t, Misused, args...); text == "" {
			t.Errorf("%v: nothing was said", args)
		}
	}
	out, _ := run(t, OK, "help")
	wants(t, "help", out, "convert SRC OUT", "Exit status")
	run(t, OK, "verify", "-h")
	for _, args := range [][]string{{"verify", "/nonexistent"}, {"convert", "/nonexistent", "/tmp/x"}, {"rebuild-index", "s3://bucket/x"}, {"merge", t.TempDir()}} {
		if _, text := run(t, Failed, args...); !strings.Contains(text, "gomosaic mds "+args[0]) {
			t.Errorf("%v: %s", args, text)
		}
	}
	dir := write(t, 3, mdslib.MDSOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out2 := filepath.Join(t.TempDir(), "out")
	var b bytes.Buffer
	if status := Run(ctx, []string{"convert", dir, out2}, &b, &b); status != Failed {
		t.Errorf("an interrupted convert: status %d", status)
	}
	if _, err := os.Stat(out2); err == nil {
		t.Error("an interrupted convert left its folder")
	}
}
