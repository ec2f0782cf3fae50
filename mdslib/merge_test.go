package mdslib

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomosaic/mdslib/store"
)

func TestMergeNested(t *testing.T) {
	root := t.TempDir()
	samples := rows(40)
	for i, dir := range []string{"day=1/0", "day=1/1", "day=10/0", "day=2/0"} {
		writeAll(t, MDSOptions{Columns: rowColumns, Out: filepath.Join(root, dir), SizeLimit: "2kb"}, samples[10*i:10*i+10])
	}
	os.WriteFile(filepath.Join(root, "labels.json"), []byte("{}"), 0o666) // no index: left alone
	remote := filepath.Join(t.TempDir(), "remote")
	if err := MergeIndex(t.Context(), filepath.Join(root, "day=1"), MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // merging again replaces the merged index, and does not take day=1's own merge for a partition
		if err := MergeIndex(t.Context(), "file://"+root, MergeOptions{Remote: remote}); err != nil {
			t.Fatal(err)
		}
		checkRows(t, readAll(t, root), samples)
	}
	ours, _ := os.ReadFile(filepath.Join(root, IndexName))
	theirs, _ := os.ReadFile(filepath.Join(remote, IndexName))
	if len(ours) == 0 || string(ours) != string(theirs) {
		t.Error("the remote's index is not the merged one")
	}
	if err := MergeIndex(t.Context(), root, MergeOptions{Remote: remote, RemoveLocal: true}); err != nil {
		t.Fatal(err)
	}
	checkRows(t, readAll(t, filepath.Join(root, "day=1")), samples[:20])
}

func TestMergeRefuses(t *testing.T) {
	root := t.TempDir()
	part := writeAll(t, MDSOptions{Columns: rowColumns, Out: filepath.Join(root, "p")}, rows(2))
	elsewhere := writeAll(t, MDSOptions{Columns: rowColumns}, rows(2))
	for name, c := range map[string]struct {
		indexes []string
		want    string
	}{
		"nothing":       {nil, "no partition"},
		"missing":       {[]string{filepath.Join(root, "q", IndexName)}, "no such file"},
		"elsewhere":     {[]string{part, elsewhere}, "does not lie below"},
		"the root":      {[]string{root}, "does not lie below"},
		"a remote path": {[]string{"s3://bucket/index.json"}, "no local file"},
		"no such place": {[]string{filepath.Join(root, "nothing")}, "no such file"},
	} {
		err := MergeIndexFiles(t.Context(), c.indexes, root, MergeOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := MergeIndex(t.Context(), t.TempDir(), MergeOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty root: %v", err)
	}
	os.WriteFile(filepath.Join(part, IndexName), []byte(`{"shards": [{}], "version": 2}`), 0o666)
	if err := MergeIndex(t.Context(), root, MergeOptions{}); !errors.Is(err, ErrFormat) {
		t.Errorf("a broken partition: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, IndexName)); err == nil {
		t.Error("a failed merge left an index")
	}
}

// folderStore is a store of a scheme of its own, so that merging at a remote is tested without one.
type folderStore struct{ store.Store }

// TestMergeRemote: the partitions are read from a URL and the merged index is put there; with a local folder and a remote,
// partitions whose local files are gone come from the remote.
func TestMergeRemote(t *testing.T) {
	samples := rows(30)
	root := t.TempDir()
	for i := range 3 {
		writeAll(t, MDSOptions{Columns: rowColumns, Out: filepath.Join(root, fmt.Sprint("p", i)), SizeLimit: "2kb"}, samples[10*i:10*i+10])
	}
	scheme := fmt.Sprintf("mergetest%d", time.Now().UnixNano())
	data := scheme + "://data"
	store.Register(scheme, func(ctx context.Context, url string) (store.Store, error) {
		s, err := store.Open(ctx, filepath.Join(root, strings.TrimPrefix(url, data)))
		return folderStore{s}, err
	})
	if err := MergeIndex(t.Context(), data, MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	checkRows(t, readAll(t, root), samples)
	whole, _ := os.ReadFile(filepath.Join(root, IndexName))
	if err := MergeIndexFiles(t.Context(), []string{data + "/p2", data + "/p0/index.json", data + "/p2/"}, data+"/", MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	checkRows(t, readAll(t, root), append(append([]Sample{}, samples[20:]...), samples[:10]...))
	if err := MergeIndexFiles(t.Context(), []string{scheme + "://other/p2"}, data, MergeOptions{}); err == nil || !strings.Contains(err.Error(), "does not lie below") {
		t.Errorf("a partition elsewhere: %v", err)
	}
	local := t.TempDir()
	if err := os.CopyFS(filepath.Join(local, "p1"), os.DirFS(filepath.Join(root, "p1"))); err != nil {
		t.Fatal(err)
	}
	if err := MergeIndex(t.Context(), local, MergeOptions{Remote: data}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{local, root} {
		if got, err := os.ReadFile(filepath.Join(dir, IndexName)); err != nil || string(got) != string(whole) {
			t.Errorf("%s: the merged index differs: %v", dir, err)
		}
	}
}

// bigIndex is the index of a data set with n shards, some 400 bytes each.
func bigIndex(n int) *Index {
	x := &Index{}
	for i := range n {
		x.Shards = append(x.Shards, ShardInfo{
			Format: "mds", Hashes: []string{"sha1"}, Samples: 1000, SizeLimit: 1 << 26,
			ColumnNames: []string{"image", "label"}, ColumnEncodings: []string{"jpeg", "int64"}, ColumnSizes: []int{0, 8},
			RawData: FileInfo{Basename: fmt.Sprintf("shard.%05d.mds", i), Bytes: 67108864, Hashes: map[string]string{"sha1": fmt.Sprintf("%040x", i)}},
		})
	}
	return x
}

func TestMergeManyShards(t *testing.T) {
	root := t.TempDir()
	text, err := bigIndex(1000).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		dir := filepath.Join(root, fmt.Sprint(i))
		os.Mkdir(dir, 0o777)
		os.WriteFile(filepath.Join(dir, IndexName), text, 0o666)
	}
	started := time.Now()
	if err := MergeIndex(t.Context(), root, MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("100 partitions of 1000 shards merged in %v", time.Since(started))
	x, err := ReadIndex(root)
	if err != nil || len(x.Shards) != 100_000 || x.Shards[99_999].RawData.Basename != "99/shard.00999.mds" {
		t.Errorf("%v", err)
	}
}

// TestPartitionShards: entries are taken over as json.dumps would write them again, whatever form the text has.
func TestPartitionShards(t *testing.T) {
	const entry = `{"zip_data": {"hashes": {"sha1": "00"}, "basename": "%[1]s.zstd", "bytes": 5}, "column_encodings": ["str"], "column_names": ["naïve, \"x\": y"],` +
		` "column_sizes": [null], "compression": "zstd:3", "format": "mds", "hashes": ["sha1"], "raw_data": {"basename": "%[1]s", "bytes": 9, "hashes": {"sha1": "00"}}, "samples": 2, "size_limit": null, "version": 2}`
	ascii := strings.NewReplacer("naïve", "naive", `\"x\"`, "x").Replace(entry)
	escaped := strings.ReplaceAll(entry, "ï", `\u00ef`)
	index := func(entry string, names ...string) string {
		var entries []string
		for _, name := range names {
			entries = append(entries, fmt.Sprintf(entry, name))
		}
		return `{"shards": [` + strings.Join(entries, ", ") + `], "version": 2}`
	}
	compact := strings.NewReplacer(", ", ",", ": ", ":").Replace
	for name, c := range map[string]struct{ text, prefix, want string }{
		"as written":    {index(ascii, "a", "sub/b"), "p/0", fmt.Sprintf(ascii, "p/0/a") + ", " + fmt.Sprintf(ascii, "p/0/sub/b")},
		"one":           {index(ascii, "a"), "p", fmt.Sprintf(ascii, "p/a")},
		"none":          {index(ascii), "p", ""},
		"dots":          {index(ascii, "./a//b"), "p", fmt.Sprintf(ascii, "p/a/b")},
		"no spaces":     {compact(index(strings.ReplaceAll(ascii, ", x: y", ""), "a")), "p", strings.ReplaceAll(fmt.Sprintf(ascii, "p/a"), ", x: y", "")},
		"lines":         {strings.ReplaceAll(index(ascii, "a"), `, "samples"`, ",\n  \"samples\""), "p", fmt.Sprintf(ascii, "p/a")},
		"raw UTF-8":     {index(entry, "a"), "p", fmt.Sprintf(escaped, "p/a")},
		"escapes":       {index(escaped, "a"), "p", fmt.Sprintf(escaped, "p/a")},
		"UTF-8 prefix":  {index(ascii, "a"), "é", fmt.Sprintf(ascii, `\u00e9/a`)},
		"quoted prefix": {index(ascii, "a"), `"`, fmt.Sprintf(ascii, `\"/a`)},
	} {
		got, err := partitionShards([]byte(c.text), c.prefix)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
		if slow, err := rewrittenShards([]byte(c.text), c.prefix); err != nil || string(slow) != c.want {
			t.Errorf("%s, rewritten: %v\n%s\nwant\n%s", name, err, slow, c.want)
		}
	}
}

// BenchmarkMergeIndex merges 100,000 shards, each in a folder of its own or a thousand in one.
func BenchmarkMergeIndex(b *testing.B) {
	for _, folders := range []int{100_000, 100} {
		b.Run(fmt.Sprint("folders=", folders), func(b *testing.B) {
			root := b.TempDir()
			text, err := bigIndex(100_000 / folders).AppendJSON(nil)
			if err != nil {
				b.Fatal(err)
			}
			for i := range folders {
				dir := filepath.Join(root, fmt.Sprintf("hour=%d", i/1000), fmt.Sprint(i))
				if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, IndexName), text, 0o666), os.WriteFile(filepath.Join(dir, "shard.00000.mds"), nil, 0o666)); err != nil {
					b.Fatal(err)
				}
			}
			before := cpuSeconds(b)
			for b.Loop() {
				if err := MergeIndex(b.Context(), root, MergeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds(b)-before)/float64(b.N), "cpu-s/op")
		})
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkParseIndex20MB(b *testing.B) {
	text, err := bigIndex(50_000).AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseIndex(text); err != nil {
			b.Fatal(err)
		}
	}
}
