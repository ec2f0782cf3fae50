package local_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
)

// connect opens the local engine.
func connect(t testing.TB) *mdslib.Session {
	t.Helper()
	s, err := mdslib.Connect(context.Background(), "local")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write makes files below dir; names with slashes make folders.
func write(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// collect returns the rows of a frame.
func collect(t testing.TB, d *mdslib.DataFrame) []mdslib.Sample {
	t.Helper()
	rows, err := d.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// column returns one column of the rows.
func column(rows []mdslib.Sample, name string) []any {
	values := make([]any, len(rows))
	for i, r := range rows {
		values[i] = r[name]
	}
	return values
}

// pictures makes a folder of n files in three classes.
func pictures(t testing.TB, dir string, n int) string {
	files := map[string]string{"LICENSE.txt": "no picture"}
	for i := range n {
		files[fmt.Sprintf("%s/%d.jpg", []string{"daisy", "roses", "tulips"}[i%3], i)] = fmt.Sprint("content ", i)
	}
	return write(t, dir, files)
}

// images reads a folder of pictures as the tutorial does.
func images(t testing.TB, dir string) *mdslib.DataFrame {
	return connect(t).Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.jpg").Load(dir).
		WithColumn("label", "element_at(split(path, '/'), -2)").
		WithColumn("name", "regexp_extract(path, '[^/]+/[^/]+$', 0)").
		WithColumn("bucket", "pmod(xxhash64(name), 10000)")
}

func TestBinaryFile(t *testing.T) {
	dir := pictures(t, t.TempDir(), 9)
	d := images(t, dir)
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(schema.Names(), " "); got != "path modificationTime length content label name bucket" {
		t.Errorf("columns: %s", got)
	}
	rows := collect(t, d.OrderBy("name"))
	if len(rows) != 9 || rows[0]["path"] != "file:"+dir+"/daisy/0.jpg" || string(rows[0]["content"].([]byte)) != "content 0" || rows[0]["length"] != int64(9) {
		t.Errorf("%d rows, the first %v", len(rows), rows[0])
	}
	counts := collect(t, d.GroupBy("label").Count().OrderBy("label"))
	want := []mdslib.Sample{{"label": "daisy", "count": int64(3)}, {"label": "roses", "count": int64(3)}, {"label": "tulips", "count": int64(3)}}
	if !reflect.DeepEqual(counts, want) {
		t.Errorf("counts = %v", counts)
	}
}

// TestCountReadsNoContent: a file that cannot be read does not matter to who asks for its name only.
func TestCountReadsNoContent(t *testing.T) {
	dir := pictures(t, t.TempDir(), 3)
	d := images(t, dir).Select("label", "content")
	n, err := d.Count(t.Context())
	if err != nil || n != 3 {
		t.Fatalf("Count = %d, %v", n, err)
	}
	gone := images(t, dir).Select("content")
	next := gone.Rows(t.Context())
	os.Remove(filepath.Join(dir, "roses", "1.jpg"))
	os.Mkdir(filepath.Join(dir, "roses", "1.jpg"), 0o777) // a folder in a file's place is no picture
	for _, err := range next {
		if err != nil {
			t.Errorf("%v", err)
		}
	}
}

// TestSplitIsTheSameInAnyFolder: the split goes by class/file name, never by where the folder lies.
func TestSplitIsTheSameInAnyFolder(t *testing.T) {
	var splits [][]any
	for _, name := range []string{"plain", "with spaces & ünïcode", "100% sure #1 [x]?"} {
		dir := filepath.Join(t.TempDir(), name)
		rows := collect(t, images(t, pictures(t, dir, 300)).Filter("bucket < 9000").Select("name").OrderBy("name"))
		splits = append(splits, column(rows, "name"))
	}
	if n := len(splits[0]); n < 240 || n > 295 {
		t.Errorf("%d of 300 in the larger part, want about 270", n)
	}
	for _, s := range splits[1:] {
		if !reflect.DeepEqual(s, splits[0]) {
			t.Errorf("the split depends on the folder: %d and %d names", len(s), len(splits[0]))
		}
	}
}

func TestLabels(t *testing.T) {
	dir := pictures(t, t.TempDir(), 6)
	d := images(t, dir)
	labels, err := mdslib.LabelsOf(t.Context(), d, "label")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "labels.json")
	if err := labels.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := mdslib.LoadLabels(path)
	if err != nil || !reflect.DeepEqual(again.Labels, []string{"daisy", "roses", "tulips"}) {
		t.Errorf("labels = %v, %v", again, err)
	}
	for _, row := range collect(t, d.WithColumn("label_index", labels.IndexExpr("label"))) {
		if row["label_index"] != int64(labels.Index(row["label"].(string))) {
			t.Errorf("%v has index %v", row["label"], row["label_index"])
		}
	}
}

func TestCSV(t *testing.T) {
	dir := write(t, t.TempDir(), map[string]string{"a.csv": "id,name,score\n1,\"Ada, L.\",1.5\n2,,\n", "b.csv": "id,name,score\n3,Grace,2\n"})
	d := connect(t).Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(dir)
	rows := collect(t, d.OrderBy("id"))
	if got := column(rows, "name"); !reflect.DeepEqual(got, []any{"Ada, L.", nil, "Grace"}) {
		t.Errorf("names = %v", got)
	}
	if rows[0]["id"] != int32(1) || rows[0]["score"] != 1.5 || rows[1]["score"] != nil {
		t.Errorf("rows = %v", rows)
	}
}

func TestJSONLines(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprintln(w, `{"id": 3, "tags": ["z"]}`)
	w.Close()
	dir := write(t, t.TempDir(), map[string]string{"a.json": "{\"id\": 1, \"tags\": [\"x\", \"y\"]}\n\n{\"id\": 2}\n", "b.json.gz": packed.String()})
	rows := collect(t, connect(t).Read().Format("json").Load(dir).OrderBy("id").Select("id", "tags[0] AS first"))
	if want := []any{"x", nil, "z"}; !reflect.DeepEqual(column(rows, "first"), want) || rows[2]["id"] != int64(3) {
		t.Errorf("rows = %v", rows)
	}
}

// numbers is a frame of n rows in several files.
func numbers(t testing.TB, n int) *mdslib.DataFrame {
	files := map[string]string{}
	for f := range 4 {
		var b strings.Builder
		for i := f; i < n; i += 4 {
			fmt.Fprintf(&b, "{\"n\": %d, \"text\": \"row %d\"}\n", i, i)
		}
		files[fmt.Sprintf("part-%d.json", f)] = b.String()
	}
	return connect(t).Read().Format("json").Load(write(t, t.TempDir(), files))
}

func TestOperators(t *testing.T) {
	d := numbers(t, 100)
	tests := map[string]struct {
		frame *mdslib.DataFrame
		want  []any // of column n
	}{
		"filter, order":   {d.Filter("n % 25 = 0").OrderBy("n DESC"), []any{int64(75), int64(50), int64(25), int64(0)}},
		"limit":           {d.OrderBy("n").Limit(3), []any{int64(0), int64(1), int64(2)}},
		"union":           {d.Filter("n = 7").Union(d.Filter("n = 7")), []any{int64(7), int64(7)}},
		"distinct":        {d.Filter("n = 7").Union(d.Filter("n = 7")).Distinct(), []any{int64(7)}},
		"drop duplicates": {d.WithColumn("n", "n % 3").DropDuplicates("n").OrderBy("n"), []any{int64(0), int64(1), int64(2)}},
		"aggregate":       {d.GroupBy("n % 2 AS odd").Agg("sum(n) AS n").OrderBy("odd"), []any{int64(2450), int64(2500)}},
		"repartition":     {d.Repartition(7).Filter("n < 2").OrderBy("n"), []any{int64(0), int64(1)}},
		"rename, drop":    {d.Drop("text").WithColumnRenamed("n", "m").Select("m AS n").Filter("n = 5"), []any{int64(5)}},
	}
	for name, test := range tests {
		if got := column(collect(t, test.frame), "n"); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	parts := d.RandomSplit([]float64{0.8, 0.2}, 42)
	var all []any
	for _, part := range parts {
		again := column(collect(t, part), "n")
		if !reflect.DeepEqual(again, column(collect(t, part), "n")) {
			t.Error("RandomSplit differs from run to run")
		}
		all = append(all, again...)
	}
	slices.SortFunc(all, func(a, b any) int { return int(a.(int64) - b.(int64)) })
	if len(all) != 100 || all[99] != int64(99) {
		t.Errorf("the parts have %d rows together", len(all))
	}
}

func TestPreview(t *testing.T) {
	d := numbers(t, 30).OrderBy("n")
	if html := d.HTML(); !strings.Contains(html, "row 0") || !strings.Contains(html, "row 19") || strings.Contains(html, "row 25") {
		t.Errorf("preview: %.300s", html)
	}
	if text := connect(t).Read().Format("json").Load("/no/such/folder").String(); !strings.Contains(text, "/no/such/folder") {
		t.Errorf("a frame that cannot be read prints %q", text)
	}
}

func TestErrors(t *testing.T) {
	d := numbers(t, 8)
	bad := write(t, t.TempDir(), map[string]string{"x.json": "{\"n\": 1}\n{\"n\": oops}\n"})
	tests := map[string]struct {
		frame *mdslib.DataFrame
		want  []string
	}{
		"column":   {d.Select("m"), []string{`"m"`, "n"}},
		"function": {d.Filter("uper(text) = 'A'"), []string{"uper", "upper"}},
		"syntax":   {d.Filter("n <"), []string{"n <", "^"}},
		"row":      {d.Select("1 / (n - 3) AS x"), []string{"DIVIDE_BY_ZERO", ".json"}},
		"path":     {connect(t).Read().Format("csv").Load("/no/such/file.csv"), []string{"/no/such/file.csv"}},
		"format":   {connect(t).Read().Format("delta").Load(t.TempDir()), []string{"delta", "Spark"}},
		"bad json": {connect(t).Read().Format("json").Option("mode", "FAILFAST").Load(bad), []string{"x.json"}},
	}
	for name, test := range tests {
		_, err := test.frame.Collect(t.Context())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error lacks %q: %v", name, want, err)
			}
		}
	}
	if _, err := mdslib.Connect(t.Context(), "sc://host:15002"); err == nil || !strings.Contains(err.Error(), "Spark") {
		t.Errorf("sc://: %v", err)
	}
}

// converted writes a frame and returns the rows of the data set, in its order.
func converted(t testing.TB, d *mdslib.DataFrame, opts mdslib.MDSOptions) (*mdslib.Report, []mdslib.Sample) {
	t.Helper()
	report, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
	if err != nil {
		t.Fatal(err)
	}
	data, err := mdslib.OpenDataset(opts.Out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	var rows []mdslib.Sample
	for s, err := range data.All() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, s)
	}
	return report, rows
}

func TestDataFrameToMDS(t *testing.T) {
	d := numbers(t, 500)
	want := collect(t, d)
	for _, compression := range []string{"", "none", "zstd:7"} {
		out := filepath.Join(t.TempDir(), "a data set")
		report, rows := converted(t, d, mdslib.MDSOptions{Out: out, Compression: compression, Hashes: []string{"sha1", "xxh64"}, SizeLimit: "2kb"})
		if !reflect.DeepEqual(rows, want) {
			t.Errorf("compression %q: %d rows differ from the frame's %d", compression, len(rows), len(want))
		}
		if report.Samples != 500 || report.Shards < 4 || report.RawBytes == 0 || !strings.Contains(report.String(), "500") {
			t.Errorf("report: %v", report)
		}
		verified, err := mdslib.Verify(t.Context(), out)
		if err != nil || verified.Err() != nil {
			t.Errorf("verify: %v, %v", err, verified.Err())
		}
		// a data set that is there already is refused, and replaced when asked for
		again := mdslib.MDSOptions{Out: out, Compression: compression}
		if _, err := mdslib.DataFrameToMDS(t.Context(), d, again); err == nil {
			t.Error("a second data set was written over the first")
		}
		again.ExistOK = true
		if _, rows := converted(t, d.Limit(10), again); len(rows) != 10 {
			t.Errorf("after ExistOK there are %d rows", len(rows))
		}
	}
}

// TestPartitions: partitions are written side by side, and merged in their order.
func TestPartitions(t *testing.T) {
	d := numbers(t, 500).Repartition(5)
	want := collect(t, d)
	report, rows := converted(t, d, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), SizeLimit: "1kb"})
	if len(report.Partitions) != 5 || !reflect.DeepEqual(rows, want) {
		t.Errorf("%d partitions with %d rows, want 5 with the frame's %d in its order", len(report.Partitions), len(rows), len(want))
	}
}

func TestConversionToARemote(t *testing.T) {
	local, remote := filepath.Join(t.TempDir(), "local"), filepath.Join(t.TempDir(), "remote")
	d := numbers(t, 50)
	if _, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: local, Remote: remote, KeepLocal: true}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{local, remote} {
		if report, err := mdslib.Verify(t.Context(), dir); err != nil || report.Err() != nil {
			t.Errorf("%s: %v, %v", dir, err, report)
		}
	}
}

// TestFailedConversion: whatever fails, no index.json is left that makes a part look like the whole.
func TestFailedConversion(t *testing.T) {
	d := numbers(t, 200)
	tests := map[string]struct {
		frame *mdslib.DataFrame
		opts  mdslib.MDSOptions
		want  []string
	}{
		"bad row":       {d.WithColumn("x", "CAST(1 AS BIGINT) / (n - 137)").Select("x"), mdslib.MDSOptions{}, []string{"DIVIDE_BY_ZERO", "part-1.json"}},
		"null":          {d.WithColumn("text", "if(n = 55, NULL, text)"), mdslib.MDSOptions{}, []string{"text", "part-3.json"}},
		"no column":     {d, mdslib.MDSOptions{Columns: mdslib.Columns{"image": "jpeg"}}, []string{"image"}},
		"wrong type":    {d, mdslib.MDSOptions{Columns: mdslib.Columns{"text": "int64"}}, []string{"text", "int64"}},
		"wrong options": {d, mdslib.MDSOptions{Compression: "zip"}, []string{"zip"}},
	}
	for name, test := range tests {
		test.opts.Out = filepath.Join(t.TempDir(), "out")
		_, err := mdslib.DataFrameToMDS(t.Context(), test.frame, test.opts)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error lacks %q: %v", name, want, err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(test.opts.Out, "index.json")); left != nil {
			t.Errorf("%s: an index.json is left", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mdslib.DataFrameToMDS(ctx, d, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func ExampleDataFrameToMDS() {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.WriteFile(filepath.Join(dir, "numbers.json"), []byte("{\"n\": 1}\n{\"n\": 2}\n"), 0o666)

	ctx := context.Background()
	spark, err := mdslib.Connect(ctx, "local")
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := spark.Read().Format("json").Load(dir).WithColumn("square", "n * n")
	report, err := mdslib.DataFrameToMDS(ctx, frame, mdslib.MDSOptions{Out: filepath.Join(dir, "squares")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Samples, "samples,", report.Shards, "shard")
	// Output: 2 samples, 1 shard
}
