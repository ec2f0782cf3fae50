//go:build spark

package spark

// DataFrameToMDS on Spark.

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// images makes a folder of files in folders of classes.
func images(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		class := []string{"daisy", "rose", "tulip"}[i%3]
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, 1000+r.IntN(200000))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		if err := os.WriteFile(filepath.Join(dir, class, fmt.Sprintf("%04d.jpg", i)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// split is the tutorial's: the same rows of the same files on any engine.
func split(t *testing.T, s *mdslib.Session, dir string) *mdslib.DataFrame {
	t.Helper()
	d := s.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.{jpg,jpeg}").Load(dir).
		WithColumn("label", "element_at(split(path, '/'), -2)")
	labels, err := mdslib.LabelsOf(t.Context(), d, "label")
	if err != nil {
		t.Fatal(err)
	}
	return d.WithColumn("label_index", labels.IndexExpr("label")).
		WithColumn("name", "regexp_extract(path, '[^/]+/[^/]+$', 0)").
		WithColumn("bucket", "pmod(xxhash64(name), 10000)").WithColumn("position", "xxhash64(name, 1)").
		Filter("bucket < 8000").OrderBy("position").Limit(40).Select("content AS image", "label_index AS label", "name")
}

// samples are those of a data set, their bytes as a hash.
func samples(t *testing.T, dir string) []string {
	t.Helper()
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []string
	for s, err := range d.All() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%v %v %x", s["name"], s["label"], sha256.Sum256(s["image"].([]byte))))
	}
	return all
}

// writersSay is all that a conversion may be told to take, and what its report then says.
var writersSay = map[string]string{"": "by TRANSFORM", "transform": "by TRANSFORM", "mapInArrow": "by mapInArrow", "driver": "the rows of Spark"}

// TestConversion: the data set made of Spark's rows, by whomever, has the local engine's samples, in the same order.
func TestConversion(t *testing.T) {
	dir, out := images(t), t.TempDir()
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	options := func(name string) mdslib.MDSOptions {
		return mdslib.MDSOptions{Out: filepath.Join(out, name), Columns: mdslib.Columns{"image": "bytes", "label": "int64", "name": "str"}, Hashes: []string{"sha1"}, SizeLimit: "1mb"}
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), split(t, here, dir), options("local")); err != nil {
		t.Fatal(err)
	}
	want := samples(t, options("local").Out)
	for way, says := range writersSay {
		t.Run("by "+way, func(t *testing.T) {
			opts := options("spark " + way)
			opts.SparkWriters = way
			report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), opts)
			if err != nil {
				t.Fatal(err)
			}
			if got := samples(t, opts.Out); !slices.Equal(got, want) || len(got) != 40 {
				t.Errorf("samples\nSpark %q\nlocal %q", got, want)
			}
			if report.Samples != 40 || report.Shards < 2 || !strings.Contains(report.Engine, says) || !strings.Contains(report.Engine, "Spark "+direct.version) {
				t.Errorf("report %+v", report)
			}
		})
	}

	odd := session.Range(0, 3).Repartition(1).Select("id AS `größe`", "id AS `a.b`", "id AS `c``d`", "id AS `1st`", "id AS `sp ace`", "id AS `date`")
	for way := range writersSay {
		opts := mdslib.MDSOptions{Out: filepath.Join(out, "odd names "+way), SparkWriters: way}
		if report, err := mdslib.DataFrameToMDS(t.Context(), odd, opts); err != nil || report.Samples != 3 || len(report.Columns) != 6 {
			t.Errorf("odd names, by %q: %v, %v", way, report, err)
		}
	}

	yielded := options("yielded")
	yielded.Columns = mdslib.Columns{"name": "str"}
	yielded.UDFIterable = func(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
		return func(yield func(mdslib.Sample, error) bool) {
			for row, err := range rows {
				if !yield(mdslib.Sample{"name": row["name"]}, err) || !yield(mdslib.Sample{"name": "again"}, err) {
					return
				}
			}
		}
	}
	if report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), yielded); err != nil || report.Samples != 80 || !strings.Contains(report.Engine, "UDFIterable") {
		t.Errorf("UDFIterable: %v, %v", report, err)
	}
}

// manyTypes is a row source with all that a column can be, in four partitions, one of them empty.
const manyTypes = `SELECT id, CAST(id % 100 - 50 AS TINYINT) AS ti, CAST(id * 3 AS SMALLINT) AS si, CAST(id AS INT) AS i, CAST(id / 7 AS FLOAT) AS f,
  IF(id = 5, double('NaN'), id / 7) AS d, CAST(id / 8 AS DECIMAL(20,6)) AS dec, id % 2 = 0 AS b,
  concat('tab\t newline\n ! E \\ \'', CAST(id AS STRING), 'ü🌷') AS s, IF(id = 3, '', repeat('x', 300)) AS long,
  unhex(sha2(CAST(id AS STRING), 256)) AS bin, IF(id = 4, X'', unhex(repeat(sha2(CAST(id AS STRING), 512), 20))) AS bins,
  DATE'1969-12-30' + CAST(id AS INT) AS day, timestamp_micros(id * 1000003 - 5) AS at, TIMESTAMP_NTZ'2024-02-29 23:59:59.999999' AS ntz,
  array(id, id + 1) AS longs, array(CAST(id AS FLOAT), float('Infinity')) AS floats, array(array(1.5D, 2D), array(3D, id)) AS matrix,
  named_struct('a', id, 'b', array('x\ty', NULL), 'c', CAST(NULL AS INT), 'at', timestamp_micros(id + 1), 'dec', 1.10BD) AS st,
  map('k', id, 'l', NULL) AS m, map(1, 'one') AS mi
  FROM range(0, 60, 1, 4) WHERE id < 15 OR id >= 30`

// TestConversionOfTypes: every type of column, whoever writes: the same shards from tasks and from the driver, which Python reads.
// A conversion asks for its source's files once, and the next one sees what has changed.
func TestConversionReadsOnce(t *testing.T) {
	dir := t.TempDir()
	for rows := range int64(2) {
		if err := session.Range(0, rows+1).Coalesce(1).Write().Mode("append").Parquet(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	frame, out := session.Read().Format("parquet").Load(dir), filepath.Join(t.TempDir(), "out")
	for _, want := range []int64{3, 8} {
		report, err := mdslib.DataFrameToMDS(t.Context(), frame, mdslib.MDSOptions{Out: out, ExistOK: true})
		if err != nil || report.Samples != want {
			t.Fatalf("%v rows, %v, want %d", report, err, want)
		}
		if err := session.Range(0, 5).Coalesce(1).Write().Mode("append").Parquet(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConversionOfTypes(t *testing.T) {
	rows, err := session.SQL(t.Context(), manyTypes)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	var want []string
	for _, way := range []string{"driver", "transform", "mapInArrow"} {
		opts := mdslib.MDSOptions{Out: filepath.Join(out, way), Compression: "none", SparkWriters: way, ProgressBar: true}
		report, err := mdslib.DataFrameToMDS(t.Context(), rows, opts)
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		if parts := len(report.Partitions); report.Samples != 45 || way != "driver" && parts != 3 {
			t.Errorf("%s: %d samples in %d partitions", way, report.Samples, parts)
		}
		d, err := mdslib.OpenDataset(opts.Out, mdslib.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for s, err := range d.All() {
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, name := range slices.Sorted(maps.Keys(s)) {
				text += fmt.Sprintf("%s=%v ", name, s[name])
			}
			got = append(got, text)
		}
		d.Close()
		if way == "driver" {
			want = got
			t.Log(got[5])
		}
		for i := range got {
			if i >= len(want) || got[i] != want[i] {
				t.Fatalf("%s: sample %d is\n%s, want\n%s", way, i, got[i], want[i])
			}
		}
	}
}

// TestConversionFailures: no failure leaves a data set, nor a query that runs on.
func TestConversionFailures(t *testing.T) {
	convert := func(ctx context.Context, d *mdslib.DataFrame) (string, error) {
		out := filepath.Join(t.TempDir(), "out")
		_, err := mdslib.DataFrameToMDS(ctx, d, mdslib.MDSOptions{Out: out, SizeLimit: "10kb", Compression: "none"})
		if entries, _ := os.ReadDir(out); len(entries) > 0 {
			t.Errorf("%s is left", entries[0].Name())
		}
		return out, err
	}
	rows := session.Range(0, 200000).Select("id", "repeat('x', 100) AS s")
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		says  string
	}{
		"null":    {rows.Select("nullif(id, 150000) AS n"), `column "n": it is NULL`},
		"task":    {rows.Select("10 div (id - 199999) AS n"), "DIVIDE_BY_ZERO"},
		"no rows": {rows.Filter("id < 0"), "the DataFrame has no rows"},
		"column":  {rows.Select("idd"), "UNRESOLVED_COLUMN"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := convert(t.Context(), test.frame); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
	t.Run("interrupt", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := convert(ctx, session.Range(0, 1<<40).Select("id", "repeat('x', 100) AS s"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the conversion was interrupted") {
			t.Errorf("error %v", err)
		}
		if n, err := session.Range(0, 10).Count(t.Context()); n != 10 || err != nil {
			t.Errorf("afterwards %d, %v", n, err)
		}
	})
}
