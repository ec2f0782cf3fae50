package storetest_test

// DataFrames of what lies at remotes: the rows are those of the same files here.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local/arrowipc"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/storetest/servers"
)

// tables reads files of every format at a URL through the local engine.
func tables(t *testing.T, url string) {
	t.Helper()
	ctx, here := t.Context(), t.TempDir()
	spark, err := mdslib.Connect(ctx, "local[2]")
	if err != nil {
		t.Fatal(err)
	}
	frame := spark.Range(0, 40).Select("id", "concat('row ', id) AS name", "id % 3 AS part")
	for _, format := range []string{"parquet", "arrow", "csv", "json"} {
		w := frame.Write().Format(format).PartitionBy("part")
		if format == "csv" {
			w = w.Option("header", "true")
		}
		if err := w.Save(ctx, filepath.Join(here, format)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		name := filepath.Join(here, "images", fmt.Sprint("class ", i%2), fmt.Sprintf("%02d.bin", i))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(content(i)), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mdslib.DataFrameToMDS(ctx, frame, mdslib.MDSOptions{Out: filepath.Join(here, "set"), SizeLimit: "1kb"}); err != nil {
		t.Fatal(err)
	}
	upload(t, ctx, here, url)
	reader := func(format string, options ...string) *mdslib.DataFrameReader {
		r := spark.Read().Format(format)
		for i := 0; i < len(options); i += 2 {
			r = r.Option(options[i], options[i+1])
		}
		return r
	}
	csv := []string{"header", "true", "inferSchema", "true"}
	for _, c := range []struct {
		format, path string
		rows         int
		options      []string
	}{
		{"parquet", "parquet", 40, nil}, {"arrow", "arrow", 40, nil}, {"csv", "csv", 40, csv}, {"json", "json", 40, nil}, {"mds", "set", 40, nil},
		{"csv", "csv/part={0,2}/*", 27, csv}, {"json", "js?n/part=1", 13, []string{"basePath", "json"}}, {"json", "json/_SUCCESS", 0, nil},
	} {
		rows := func(root string) []mdslib.Sample {
			options := append([]string{}, c.options...)
			if len(options) > 0 && options[0] == "basePath" {
				options[1] = root + "/json"
			}
			f := reader(c.format, options...).Load(root + "/" + c.path)
			got, err := f.Collect(ctx)
			if err != nil {
				t.Errorf("%s at %s: %v", c.format, root, err)
			}
			return got
		}
		if want, got := rows(here), rows(url); len(want) != c.rows || !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %s: got %v, want %v", c.format, c.path, got, want)
		}
	}
	images := reader("binaryFile", "recursiveFileLookup", "true").Load(url + "/images")
	if n, err := images.Filter("length > 0").Count(ctx); err != nil || n != 20 {
		t.Errorf("count of files: %d, %v", n, err)
	}
	rows, err := images.OrderBy("path").Collect(ctx)
	if err != nil || len(rows) != 20 {
		t.Fatalf("%d files, %v", len(rows), err)
	}
	root := url
	if strings.HasPrefix(url, "/") {
		root = "dbfs:" + url
	}
	for i, row := range rows {
		n := i%10*2 + i/10
		if want := fmt.Sprintf("%s/images/class %d/%02d.bin", root, n%2, n); row["path"] != want || string(row["content"].([]byte)) != content(n) || row["length"] != int64(len(content(n))) || row["modificationTime"] == nil {
			t.Errorf("row %d: got %.200v, want that of %s", i, row, want)
		}
	}
	if rows, err := reader("binaryFile").Load(url + "/images/class 1/03.bin").Collect(ctx); err != nil || len(rows) != 1 || string(rows[0]["content"].([]byte)) != content(3) {
		t.Errorf("one file: %v, %v", rows, err)
	}
	for _, missing := range []string{url + "/none.csv", url + "/non*/x.csv"} {
		if _, err := reader("csv").Load(missing).Count(ctx); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s: got error %v, want one that names it", missing, err)
		}
	}
	if _, err := reader("mds").Load(url + "/none").Count(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a data set that isn't there: %v", err)
	}
}

// upload copies a folder to a URL.
func upload(t *testing.T, ctx context.Context, folder, url string) {
	t.Helper()
	s, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(folder), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return s.Put(ctx, filepath.Join(folder, filepath.FromSlash(name)), path.Clean(name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpellings: a row's path is spelled as the URL is, without what is secret in it, and files on the web are read one by one.
func TestSpellings(t *testing.T) {
	server, err := servers.S3(t.Context(), t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for key, value := range map[string]string{"S3_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": servers.S3SecretKey} {
		t.Setenv(key, value)
	}
	here := t.TempDir()
	big := strings.Repeat("a line of some text\n", 600_000) // of 12 MB: read in chunks
	if err := errors.Join(os.WriteFile(filepath.Join(here, "a.bin"), []byte("a"), 0o666), os.WriteFile(filepath.Join(here, "big.csv"), []byte(big+"\"odd\n"), 0o666)); err != nil {
		t.Fatal(err)
	}
	upload(t, t.Context(), here, "s3://data/x y")
	spark, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"s3a://data/x y", "s3://data/x y"} {
		rows, err := spark.Read().Format("binaryFile").Load(root + "/*.bin").Collect(t.Context())
		if err != nil || len(rows) != 1 || rows[0]["path"] != root+"/a.bin" {
			t.Errorf("%s: %v, %v", root, rows, err)
		}
	}
	if n, err := spark.Read().Format("csv").Load("s3://data/x y/big.csv").Count(t.Context()); err != nil || n != 600_001 {
		t.Errorf("%d lines, %v", n, err)
	}
	_, err = spark.Read().Format("csv").Schema("n INT").Option("sep", ";").Load("s3://data/x y/big.csv").Count(t.Context())
	if err != nil { // nothing is asked for, so nothing is cast
		t.Error(err)
	}
	_, err = spark.Read().Format("csv").Schema("n STRING").Load("s3://data/x y/big.csv").Filter("CAST(substring(n, 1, 1) AS INT) = 1").Count(t.Context())
	if err == nil || !strings.Contains(err.Error(), "s3://data/x y/big.csv, ") {
		t.Errorf("got error %v, want one that locates", err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(here)))
	defer web.Close()
	address := strings.Replace(web.URL, "://", "://me:hush@", 1)
	for _, name := range []string{"a.bin", "big.csv"} { // at once, and in pieces
		rows, err := spark.Read().Format("binaryFile").Load(address + "/" + name + "?signature=hush").Collect(t.Context())
		if err != nil || len(rows) != 1 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		want, err := os.ReadFile(filepath.Join(here, name))
		if got := rows[0]; err != nil || string(got["content"].([]byte)) != string(want) || got["modificationTime"] != nil || strings.Contains(got["path"].(string), "hush") || !strings.HasSuffix(got["path"].(string), "/"+name) {
			t.Errorf("%s: path %v, time %v, %v", name, got["path"], got["modificationTime"], err)
		}
	}
	for _, path := range []string{"/", "/none.csv"} {
		if _, err := spark.Read().Format("csv").Load(address + path).Count(t.Context()); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got error %v", path, err)
		}
	}
}
