package mdslib

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIndexOutside: an index whose shard would lie outside its folder is refused before a file is opened, and names the
// shard.
func TestIndexOutside(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: rowColumns, SizeLimit: "20kb"}, rows(100))
	index, err := os.ReadFile(filepath.Join(out, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../shard.00001.mds", "/etc/passwd", "a/../../shard.00001.mds", "..", "", `..\\shard.00001.mds`} {
		damaged := bytes.Replace(index, []byte(`"shard.00001.mds"`), []byte(`"`+name+`"`), 1)
		if err := os.WriteFile(filepath.Join(out, IndexName), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := OpenDataset(out, ReadOptions{})
		if !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), "shard 1") {
			t.Errorf("basename %q: %v", name, err)
		}
	}
}

// TestEveryNameInside: the same of each of the names that an entry has, of files that are compressed and not, and of their
// offsets.
func TestEveryNameInside(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: textColumns, Format: "csv", Compression: "gz"}, textRows(t))
	index, err := os.ReadFile(filepath.Join(out, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shard.00000.csv", "shard.00000.csv.meta", "shard.00000.csv.gz", "shard.00000.csv.meta.gz"} {
		damaged := bytes.Replace(index, []byte(`"`+name+`"`), []byte(`"../`+name+`"`), 1)
		if _, err := ParseIndex(damaged); !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), "shard 0") || !strings.Contains(fmt.Sprint(err), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyColumns: telling whether names are repeated takes no quadratic time.
func TestManyColumns(t *testing.T) {
	const n = 300_000
	s := ShardInfo{Format: "csv"}
	for i := range n {
		s.ColumnNames, s.ColumnEncodings = append(s.ColumnNames, fmt.Sprint(n-i)), append(s.ColumnEncodings, "int")
	}
	if err := s.checkColumns(); err != nil {
		t.Error(err)
	}
	s.ColumnNames[0] = "7"
	if err := s.checkColumns(); err == nil || !strings.Contains(err.Error(), `column "7" twice`) {
		t.Errorf("got %v", err)
	}
}
