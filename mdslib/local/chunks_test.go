package local

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib/plan"
)

// TestChunks: however a file is split, its rows are the same ones, on the same lines.
func TestChunks(t *testing.T) {
	var csv, lines strings.Builder
	csv.WriteString("\ufeffn,s\r\n")
	for i := range 40 {
		fmt.Fprintf(&csv, "%d,%s\r\n", i, strings.Repeat("é", i%7))
		fmt.Fprintf(&lines, "{\"n\": %d, \"s\": %q}\n", i, strings.Repeat("x", i%9))
		if i%11 == 3 {
			csv.WriteString("\n")
			lines.WriteString("\n  \n")
		}
	}
	for name, c := range map[string]struct {
		open SourceDriver
		text string
	}{"a.csv": {openCSV, csv.String()}, "a.jsonl": {openJSON, strings.TrimSuffix(lines.String(), "\n")}, "no end.csv": {openCSV, "n,s\n1,a\n2,b"}} {
		path := write(t, filepath.Join(t.TempDir(), name), c.text)
		read := func(chunk int64) (rows []string, splits int) {
			t.Helper()
			options := map[string]string{}
			if strings.HasSuffix(name, ".csv") {
				options = map[string]string{"header": "true", "inferSchema": "true"}
			}
			s, err := c.open(t.Context(), &plan.Read{Options: options, Paths: []string{path}}, SourceOptions{Workers: 2, ChunkBytes: chunk})
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, s.Schema().String())
			for i := range s.Splits() {
				err := s.Scan(t.Context(), i, []bool{true, true}, func(r Row) error {
					rows = append(rows, fmt.Sprint(r.Values, r.Origin))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			return rows, len(chunksOf(s))
		}
		want, _ := read(1 << 20)
		for chunk := int64(1); chunk <= int64(len(c.text)); chunk += 1 + chunk/40 {
			got, n := read(chunk)
			if !slices.Equal(got, want) {
				t.Fatalf("%s in %d chunks of %d bytes:\n got %q\nwant %q", name, n, chunk, got, want)
			}
			if chunk == 1 && n != len(c.text) {
				t.Errorf("%d chunks of %d bytes", n, len(c.text))
			}
		}
	}
	big := []File{{Path: "a.csv", Bytes: 1 << 30}, {Path: "b.csv.gz", Bytes: 1 << 30}, {Path: "c.csv", Bytes: 100}}
	if chunks, _ := textChunks(big, 0, true); len(chunks) != 18 {
		t.Errorf("%d chunks of 1 GiB that may be split and 1 GiB that may not", len(chunks))
	}
	if chunks, _ := textChunks(big, 0, false); len(chunks) != 3 {
		t.Errorf("%d chunks of files that may not be split", len(chunks))
	}
}

func chunksOf(s Source) []textChunk {
	if s, ok := s.(*csvSource); ok {
		return s.chunks
	}
	return s.(*jsonSource).chunks
}
