//go:build spark

package spark

// DataFrameToMDS on Spark.

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
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

// TestConversion: the data set made of Spark's rows has the local engine's samples, in the same order.
func TestConversion(t *testing.T) {
	dir, out := images(t), t.TempDir()
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	options := func(name string) mdslib.MDSOptions {
		return mdslib.MDSOptions{Out: filepath.Join(out, name), Columns: mdslib.Columns{"image": "bytes", "label": "int64", "name": "str"}, Hashes: []string{"sha1"}, SizeLimit: "1mb"}
	}
	report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), options("spark"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), split(t, here, dir), options("local")); err != nil {
		t.Fatal(err)
	}
	if got, want := samples(t, options("spark").Out), samples(t, options("local").Out); !slices.Equal(got, want) || len(got) != 40 {
		t.Errorf("samples\nSpark %q\nlocal %q", got, want)
	}
	if report.Samples != 40 || report.Shards < 2 || !strings.Contains(report.Engine, "the rows of Spark "+direct.version) {
		t.Errorf("report %+v", report)
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
	if report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), yielded); err != nil || report.Samples != 80 {
		t.Errorf("UDFIterable: %v, %v", report, err)
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
		"null":    {rows.Select("nullif(id, 150000) AS n"), `spark: row 150000 of the DataFrame: column "n": it is NULL`},
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
