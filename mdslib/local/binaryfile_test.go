package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// The names and the spelling of paths are those that Spark 4.2 gave for the same files: nothing is escaped, names that
// start with _ or . are left out, folders of such names too.
func TestBinaryFilePaths(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a b")
	folders := []string{"rose's", "tulip é", "100%25 x", "_hid", ".dot", "k=v"}
	names := []string{"a.jpg", "b c.jpg", "ü#?.jpg", "x%20y.jpg", "p+q&r;.jpg", "_h.jpg", ".h.jpg", "B[1].JPG"}
	for _, f := range folders {
		for _, n := range names {
			write(t, filepath.Join(root, f, n), n+n+n)
		}
	}
	var want []string
	for _, f := range []string{"100%25 x", "k=v", "rose's", "tulip é"} {
		for _, n := range []string{"B[1].JPG|24", "a.jpg|15", "b c.jpg|21", "p+q&r;.jpg|30", "x%20y.jpg|27", "ü#?.jpg|24"} {
			want = append(want, "file:"+root+"/"+f+"/"+n)
		}
	}
	read := connect(t, "local").Read().Format("binaryFile")
	all := read.Option("recursiveFileLookup", "true")
	wantLines(t, "paths", table(t, all.Load(root).Select("path", "length")), want...)
	if n := len(table(t, all.Option("pathGlobFilter", "*.jpg").Load(root).Select("path"))); n != 20 {
		t.Errorf("*.jpg matches %d files, want 20", n)
	}
	if n := len(table(t, read.Load(root+"/*/*.{jpg,JPG}").Select("path"))); n != 24 {
		t.Errorf("a glob matches %d files, want 24", n)
	}
	if n := len(table(t, read.Load("file:"+strings.ReplaceAll(root, " ", "%20")+"/rose's", root+"/rose's").Select("path"))); n != 6 {
		t.Errorf("a folder given twice has %d files, want 6", n)
	}
	if n := len(table(t, read.Load(root+"/tulip é/B[1].JPG"))); n != 1 {
		t.Errorf("a file with brackets in its name: %d rows, want 1", n)
	}
	wantLines(t, "partition column", table(t, read.Option("basePath", root).Load(root+"/k=v").GroupBy("k").Count()), "v|6")
	if _, err := tryTable(read.Load(root)); err == nil || !strings.Contains(err.Error(), "no name of the form key=value") {
		t.Errorf("partition folders beside others: %v", err)
	}
}

func TestBinaryFile(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "x.bin"), "content\x00\xff")
	when := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	if err := os.Chtimes(file, when, when); err != nil {
		t.Fatal(err)
	}
	d := connect(t, "local").Read().Format("binaryFile").Load(dir)
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := "root\n |-- path: string (nullable = true)\n |-- modificationTime: timestamp (nullable = true)\n |-- length: long (nullable = true)\n |-- content: binary (nullable = true)\n"
	if schema.String() != want {
		t.Errorf("schema:\n%s", schema)
	}
	rows, err := d.Collect(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	r := rows[0]
	if r["path"] != "file:"+file || r["length"] != int64(9) || string(r["content"].([]byte)) != "content\x00\xff" || !r["modificationTime"].(time.Time).Equal(when.Truncate(time.Millisecond)) {
		t.Errorf("row: %v", r)
	}

	// What needs no content reads none: the file may be gone.
	gone := d.WithColumn("name", "lower(path)").Filter("length > 0").Repartition(3).OrderBy("path").Select("content AS image", "name")
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := gone.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	if os.Geteuid() != 0 { // root reads it all the same
		if _, err := gone.Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "x.bin: column content: ") {
			t.Errorf("a file that can't be read: %v", err)
		}
	}
}

// The split of the tutorial depends on class and file name alone.
func TestSplitIsTheSameInAnyFolder(t *testing.T) {
	temp := t.TempDir()
	roots := []string{filepath.Join(temp, "flowers"), filepath.Join(temp, "größer 50% & more", "bluehende blumen", "x=1 #2")}
	var splits [2][2][]string
	for i, root := range roots {
		for _, class := range []string{"daisy", "tulip é", "sun flower"} {
			for n := range 100 {
				write(t, filepath.Join(root, class, strings.Repeat("f", n%7)+" ü"+string(rune('a'+n%26))+strings.Repeat("1", n/26)+".jpg"), "x")
			}
		}
		flowers := connect(t, "local").Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.jpg").Load(root).
			WithColumn("label", "element_at(split(path, '/'), -2)")
		labels, err := mdslib.LabelsOf(t.Context(), flowers, "label")
		if err != nil || labels.String() != "0: daisy, 1: sun flower, 2: tulip é" {
			t.Fatalf("labels: %v, %v", labels, err)
		}
		flowers = flowers.WithColumn("label_index", labels.IndexExpr("label")).
			WithColumn("bucket", "pmod(xxhash64(regexp_extract(path, '[^/]+/[^/]+$', 0)), 10000)")
		for k, cond := range []string{"bucket < 9000", "bucket >= 9000"} {
			splits[i][k] = table(t, flowers.Filter(cond).Select("label", "label_index", "element_at(split(path, '/'), -1) AS name").OrderBy("label", "name"))
		}
	}
	for k, part := range []string{"train", "val"} {
		if len(splits[0][k]) == 0 {
			t.Errorf("%s is empty", part)
		}
		wantLines(t, part, splits[1][k], splits[0][k]...)
	}
	if n, m := len(splits[0][0]), len(splits[0][1]); n+m != 300 || n < 250 || n > 290 {
		t.Errorf("split into %d and %d of 300", n, m)
	}
}

func TestLabelsTravel(t *testing.T) {
	l := &mdslib.LabelIndex{Labels: []string{"a'b", `c\d`, "ü"}}
	path := filepath.Join(t.TempDir(), "new folder", "labels.json")
	if err := l.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := mdslib.LoadLabels(path)
	if err != nil || back.String() != l.String() || back.Index("ü") != 2 || back.Index("x") != -1 {
		t.Errorf("labels come back as %v, %v", back, err)
	}
	d := csv(t, "x\na'b\nc\\d\nü\nother\n", "header", "true").Select(l.IndexExpr("x")+" AS i", "typeof("+l.IndexExpr("x")+")")
	wantLines(t, "index", table(t, d), "0|bigint", "1|bigint", "2|bigint", "<nil>|bigint")
}

func TestPackFiles(t *testing.T) {
	files := make([]File, 1000)
	for i := range files {
		files[i].Bytes = int64(i * 1000)
	}
	splits := PackFiles(files)
	if len(splits) < splitsWanted || len(splits) > splitsWanted+2 {
		t.Errorf("%d splits", len(splits))
	}
	next := 0
	for _, s := range splits {
		if s.First != next || s.End <= s.First {
			t.Fatalf("splits %v leave files out", splits)
		}
		next = s.End
	}
	if next != len(files) || len(PackFiles(nil)) != 0 || len(PackFiles(files[:1])) != 1 {
		t.Errorf("splits %v", splits)
	}
}
