package arrowipc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib"
	"gomosaic/mdslib/arrowmds"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/mdslib/plan"
)

func session(t testing.TB) *mdslib.Session {
	t.Helper()
	s, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// everything is a frame of two rows with a column of every type, the second row NULL but for its number.
func everything(t testing.TB) *mdslib.DataFrame {
	t.Helper()
	file := filepath.Join(t.TempDir(), "i.csv")
	if err := os.WriteFile(file, []byte("1\n2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return session(t).Read().Format("csv").Schema("i INT").Load(file).Select("i",
		"if(i = 1, CAST(-1 AS TINYINT), NULL) AS by", "if(i = 1, CAST(-300 AS SMALLINT), NULL) AS sh", "if(i = 1, 5000000000L, NULL) AS l",
		"if(i = 1, CAST(1.5 AS FLOAT), NULL) AS f", "if(i = 1, 2.5D, NULL) AS d", "if(i = 1, -1.10, NULL) AS dec", "if(i = 1, 'é', NULL) AS s",
		"if(i = 1, X'00FF', NULL) AS bin", "if(i = 1, true, NULL) AS b", "if(i = 1, DATE'1969-02-28', NULL) AS dt",
		"if(i = 1, timestamp_micros(-1500000000000001L), NULL) AS ts", "if(i = 1, array(1, NULL), NULL) AS ints", "if(i = 1, split('a b', ' '), NULL) AS words").
		Map("i INT, by TINYINT, sh SMALLINT, l BIGINT, f FLOAT, d DOUBLE, dec DECIMAL(3,2), s STRING, bin BINARY, b BOOLEAN, dt DATE, ts TIMESTAMP, ints ARRAY<INT>, words ARRAY<STRING>, st STRUCT<a: INT, b: STRING>, m MAP<STRING, INT>",
			func(row mdslib.Sample) (mdslib.Sample, error) {
				row["st"], row["m"] = nil, nil
				if row["i"] == int32(1) {
					row["st"], row["m"] = mdslib.Object{{Name: "a", Value: 1}}, map[string]any{"x": 1, "y": nil}
				}
				return row, nil
			})
}

// rows are those of a frame as text, with its columns.
func rows(t testing.TB, d *mdslib.DataFrame) []string {
	t.Helper()
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{plan.Type{Kind: plan.Struct, Fields: schema.Fields}.String()}
	for b, err := range d.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			lines = append(lines, fmt.Sprintf("%#v", plainRow(b.Row(i))))
		}
	}
	return lines
}

func plainRow(row []any) []any {
	for i, v := range row {
		if d, ok := v.(plan.DecimalValue); ok {
			row[i] = d.String()
		}
	}
	return row
}

// TestWrite: each format of Arrow's gives back every type as it was.
func TestWrite(t *testing.T) {
	d := everything(t)
	want := rows(t, d)
	if len(want) != 3 {
		t.Fatal(want)
	}
	for _, c := range [][2]string{{"arrow", "none"}, {"arrow", "zstd"}, {"arrow", "lz4"}, {"parquet", "snappy"}, {"parquet", "none"}, {"parquet", "zstd"}, {"parquet", "gzip"}} {
		out := filepath.Join(t.TempDir(), "out")
		if err := d.Write().Format(c[0]).Option("compression", c[1]).Save(t.Context(), out); err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if got := rows(t, session(t).Read().Format(c[0]).Load(out)); !slices.Equal(got, want) {
			t.Errorf("%v:\ngot  %q\nwant %q", c, got, want)
		}
		if err := d.Filter("false").Write().Format(c[0]).Mode("overwrite").Save(t.Context(), out); err != nil {
			t.Error(err)
		}
		if got := rows(t, session(t).Read().Format(c[0]).Load(out)); len(got) != 1 || got[0] != want[0] {
			t.Errorf("%v without rows: %q", c, got)
		}
	}
	if err := d.Write().Option("compression", "rar").Parquet(t.Context(), filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("compression rar: no error")
	}
}

func TestToArrow(t *testing.T) {
	n := int64(0)
	for rec, err := range arrowmds.ToArrow(t.Context(), everything(t)) {
		if err != nil {
			t.Fatal(err)
		}
		n += rec.NumRows()
		if rec.Schema().Field(11).Type.String() != "timestamp[us, tz=UTC]" || rec.NumCols() != 16 {
			t.Errorf("schema %s", rec.Schema())
		}
		rec.Release()
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
	var failed error
	for _, err := range arrowmds.ToArrow(t.Context(), everything(t).Select("1 / (i - 2)")) {
		failed = errors.Join(failed, err)
	}
	if failed == nil || !strings.Contains(failed.Error(), "DIVIDE_BY_ZERO") {
		t.Errorf("an expression that fails: %v", failed)
	}
}

// batches writes record batches of numbers from the first on, so many rows each.
func batches(t testing.TB, path string, stream bool, first int, counts ...int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "label", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}}}, nil)
	var w interface {
		Write(arrow.Record) error
		Close() error
	}
	if stream {
		w = ipc.NewWriter(f, ipc.WithSchema(schema))
	} else if w, err = ipc.NewFileWriter(f, ipc.WithSchema(schema)); err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, n := range counts {
		for range n {
			b.Field(0).(*array.Int64Builder).Append(int64(first))
			if err := b.Field(1).(*array.BinaryDictionaryBuilder).AppendString([]string{"even", "odd"}[first%2]); err != nil {
				t.Fatal(err)
			}
			first++
		}
		rec := b.NewRecord()
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAndStreams(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "k=1"), 0o777), os.Mkdir(filepath.Join(dir, "k=2"), 0o777)); err != nil {
		t.Fatal(err)
	}
	batches(t, filepath.Join(dir, "k=1", "a.arrow"), false, 0, 3, 0, 2)
	batches(t, filepath.Join(dir, "k=2", "b.arrows"), true, 5, 4, 1)
	d := session(t).Read().Format("arrow").Load(dir)
	got, err := d.Select("n", "label", "k").Collect(t.Context())
	if err != nil || len(got) != 10 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, row := range got {
		if row["n"] != int64(i) || row["label"] != []string{"even", "odd"}[i%2] || row["k"] != int32(1+i/5) {
			t.Errorf("row %d is %v", i, row)
		}
	}
	if n, err := d.Count(t.Context()); n != 10 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	_, err = d.Select("1 / (n - 6) AS x").Collect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "b.arrows, record batch 0, row 2: ") {
		t.Errorf("an error in a row: %v", err)
	}
	file := filepath.Join(dir, "k=1", "a.arrow")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.arrow")
	for _, n := range []int{0, 3, 6, 10, 100, len(data) / 2, len(data) - 1} {
		if err := os.WriteFile(bad, data[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := session(t).Read().Format("arrow").Load(bad).Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "bad.arrow") {
			t.Errorf("a file cut at %d: %v", n, err)
		}
	}
	if _, err := session(t).Read().Format("arrow").Load(t.TempDir()).Schema(t.Context()); err == nil {
		t.Error("an empty folder: no error")
	}
}
