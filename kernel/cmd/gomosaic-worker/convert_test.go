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
	_ "gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

// TestConvertPartByPart does what a driver does with workers: it asks how many partitions a plan has, has each written
// by itself, merges the indexes and finds all rows in the data set.
func TestConvertPartByPart(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "a data set")
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("flower %02d.bin", i)), bytes.Repeat([]byte{byte(i)}, 1000+i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	session, err := mdslib.Connect(t.Context(), "local[2]")
	if err != nil {
		t.Fatal(err)
	}
	node, err := plan.Marshal(session.Read().Format("binaryFile").Load(in).Repartition(3).Select("content", "length").Plan())
	if err != nil {
		t.Fatal(err)
	}
	do := func(command string, j map[string]any, result any) {
		t.Helper()
		b, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{command}, bytes.NewReader(b), &stdout, &stderr); status != 0 {
			t.Fatalf("%s: status %d: %s", command, status, &stderr)
		}
		if err := json.Unmarshal(stdout.Bytes(), result); err != nil {
			t.Fatal(err)
		}
	}
	var count struct{ Partitions int }
	do("partitions", map[string]any{"plan": json.RawMessage(node)}, &count)
	if count.Partitions < 2 {
		t.Fatalf("%d partitions", count.Partitions)
	}
	var indexes []string
	samples := int64(0)
	for i := range count.Partitions {
		var report mdslib.PartitionReport
		dir := filepath.Join(out, fmt.Sprintf("%05d", i))
		do("convert", map[string]any{"plan": json.RawMessage(node), "partition": i, "options": mdslib.MDSOptions{Out: dir,
			Columns: mdslib.Columns{"content": "bytes", "length": "int64"}, Compression: "zstd", Hashes: []string{"sha1"}, SizeLimit: "8kb"}}, &report)
		if report.Partition != i || report.Samples == 0 || report.Shards == 0 || report.RawBytes <= report.ZipBytes {
			t.Errorf("report %+v", report)
		}
		samples += report.Samples
		indexes = append(indexes, filepath.Join(dir, mdslib.IndexName))
	}
	if samples != 40 {
		t.Errorf("%d samples in all", samples)
	}
	if err := mdslib.MergeIndexFiles(t.Context(), indexes, out, mdslib.MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"verify", "-samples", "1", out}, nil, &stdout, &stderr); status != 0 || !strings.Contains(stdout.String(), " 40 samples") {
		t.Errorf("status %d: %s%s", status, &stdout, &stderr)
	}
	d, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	seen := map[byte]bool{}
	for s, err := range d.All() {
		if err != nil {
			t.Fatal(err)
		}
		content := s["content"].([]byte)
		if seen[content[0]] || int64(len(content)) != s["length"] || len(content) != 1000+int(content[0]) {
			t.Errorf("row %d of %d bytes, length %v", content[0], len(content), s["length"])
		}
		seen[content[0]] = true
	}
}

func TestConvertRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "reading the job"},
		{"{}", `no "plan"`},
		{`{"plan":{},"partition":0,"speed":9}`, "speed"},
		{`{"plan":{"op":"nonsense"},"partition":0}`, "nonsense"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"convert"}, strings.NewReader(c.in), &stdout, &stderr); status != 1 || !strings.Contains(stderr.String(), c.want) || stdout.Len() != 0 {
			t.Errorf("%s: status %d: %s, want %q", c.in, status, &stderr, c.want)
		}
	}
}
