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
