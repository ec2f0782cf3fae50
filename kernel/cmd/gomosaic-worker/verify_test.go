package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// dataset writes a data set of several compressed shards.
func dataset(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a data set")
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"name": "str", "image": "bytes", "label": "int64"},
		Compression: "zstd", Hashes: []string{"sha1", "xxh64"}, SizeLimit: "1kb"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := w.Write(mdslib.Sample{"name": fmt.Sprintf("sample\n%d", i), "image": bytes.Repeat([]byte{byte(i)}, 100), "label": int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestVerify(t *testing.T) {
	dir := dataset(t)
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"verify", "-samples", "2", dir}, nil, &stdout, &stderr); status != 0 {
		t.Fatalf("status %d: %s%s", status, &stdout, &stderr)
	}
	for _, want := range []string{" 20 samples", "sample 1\n  image: 100 bytes 01 01 01 01 01 01 01 01…\n  label: int64 1\n  name: string sample 1\n"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("want %q in\n%s", want, &stdout)
		}
	}
	if strings.Contains(stdout.String(), "sample 2\n") {
		t.Errorf("more than two samples:\n%s", &stdout)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	dir := dataset(t)
	shards, err := filepath.Glob(filepath.Join(dir, "shard.*"))
	if err != nil || len(shards) < 2 {
		t.Fatalf("%d shards, %v", len(shards), err)
	}
	b, err := os.ReadFile(shards[1])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(shards[1], b, 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"verify", "-json", dir}, nil, &stdout, &stderr); status != 1 {
		t.Errorf("status %d", status)
	}
	var result verified
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil || len(result.Problems) == 0 || !strings.Contains(result.Problems[0], filepath.Base(shards[1])) {
		t.Errorf("%v: %s%s", err, &stdout, &stderr)
	}
}
