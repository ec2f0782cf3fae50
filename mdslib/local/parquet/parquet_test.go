package parquet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"gomosaic/mdslib"
)

func read(t testing.TB, paths ...string) *mdslib.DataFrame {
	t.Helper()
	s, err := mdslib.Connect(context.Background(), "local")
	if err != nil {
		t.Fatal(err)
	}
	return s.Read().Format("parquet").Load(paths...)
}

// TestMain runs the tests in UTC, as testdata was made.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// types.parquet was written by Spark; types.json is what Spark reads from it.
func TestSparkTypes(t *testing.T) {
	text, err := os.ReadFile("testdata/types.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Schema [][2]string
		Rows   [][]*string
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	d := read(t, "testdata/types.parquet")
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var exprs []string
	scalars := 0
	for i, f := range schema.Fields {
		if f.Name != want.Schema[i][0] || f.Type.String() != want.Schema[i][1] {
			t.Errorf("column %d is %s %s, Spark has %v", i, f.Name, f.Type, want.Schema[i])
		}
		switch {
		case f.Name == "bin":
			exprs = append(exprs, "hex(bin)")
		case f.Type.Atomic():
			exprs = append(exprs, "CAST("+f.Name+" AS STRING)")
		default:
			continue
		}
		scalars++
	}
	r := 0
	for b, err := range d.Select(exprs...).Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			for c, v := range b.Row(i) {
				if w := want.Rows[r][c]; (v == nil) != (w == nil) || v != nil && v != *w {
					t.Errorf("row %d, %s: %v, Spark has %v", r, exprs[c], v, w)
				}
			}
			r++
		}
	}
	if r != len(want.Rows) || scalars != 14 {
		t.Errorf("%d rows, %d scalars", r, scalars)
	}
	nested, err := d.Select("arr", "nested", "st", "m", "st.y[1] AS q", "m['k'] AS k").Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"map[arr:[1 <nil> 3] k:1 m:[{k 1} {l <nil>}] nested:[[a] []] q:q st:[{x 1} {y [p q]}]]",
		"map[arr:<nil> k:<nil> m:<nil> nested:<nil> q:<nil> st:<nil>]",
		"map[arr:[] k:<nil> m:[] nested:<nil> q:<nil> st:[{x <nil>} {y <nil>}]]",
	} {
		if got := fmt.Sprint(nested[i]); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
}

// dictionary.parquet was written by pyarrow, with Arrow's own schema in it.
func TestPyarrowTypes(t *testing.T) {
	d := read(t, "testdata/dictionary.parquet")
	rows, err := d.WithColumn("types", "concat_ws(' ', typeof(word), typeof(u8), typeof(u64), typeof(t), typeof(fixed), typeof(h))").
		WithColumn("t", "CAST(t AS STRING)").Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows[1]); got != "map[fixed:[99 100] h:2.5 t:1970-01-01 00:00:00 types:string smallint decimal(20,0) timestamp binary float u64:18446744073709551615 u8:255 word:b]" {
		t.Error(got)
	}
	if len(rows) != 4 || rows[2]["word"] != nil || rows[3]["word"] != "a" {
		t.Errorf("%v", rows)
	}
}

// writeRows writes a file of so many rows in row groups of 100.
func writeRows(t testing.TB, path string, first, count int) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "data", Type: arrow.BinaryTypes.Binary}}, nil)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, pq.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	for group := 0; group < count; group += 100 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range min(100, count-group) {
			id := first + group + i
			b.Field(0).(*array.Int64Builder).Append(int64(id))
			b.Field(1).(*array.BinaryBuilder).Append([]byte(strings.Repeat(string(rune('a'+id%26)), 1000)))
		}
		err = errors.Join(err, w.Write(b.NewRecord()))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		writeRows(t, filepath.Join(dir, fmt.Sprintf("day=%d", i%2), fmt.Sprintf("part-%d.parquet", i)), i*1000, 950)
	}
	d := read(t, dir)
	if n, err := d.Count(t.Context()); n != 5*950 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	counts, err := d.GroupBy("day").Agg("count(*) AS n", "min(id) AS least").OrderBy("day").Collect(t.Context())
	if err != nil || fmt.Sprint(counts) != "[map[day:0 least:0 n:2850] map[day:1 least:1000 n:1900]]" {
		t.Errorf("%v, %v", counts, err)
	}
	_, err = d.Filter("id = 3333").Select("1 / 0").Collect(t.Context())
	if want := filepath.Join("day=1", "part-3.parquet, row 334: expression"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("an error in a row: %v, want %q", err, want)
	}

	out := filepath.Join(t.TempDir(), "out")
	r, err := mdslib.DataFrameToMDS(t.Context(), d.Select("id", "data"), mdslib.MDSOptions{Out: out})
	if err != nil || r.Samples != 5*950 {
		t.Fatal(r, err)
	}
	ds, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	var ids []int
	for s, err := range ds.All() {
		if err != nil {
			t.Fatal(err)
		}
		id := int(s["id"].(int64))
		if string(s["data"].([]byte)) != strings.Repeat(string(rune('a'+id%26)), 1000) {
			t.Fatalf("row %d holds other data", id)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 5*950 {
		t.Error("rows are lost or doubled")
	}

	// one truncated file is an error with its name
	bad := filepath.Join(dir, "day=1", "part-1.parquet")
	if err := os.Truncate(bad, 5000); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Count(t.Context()); err == nil || !strings.Contains(err.Error(), "part-1.parquet") {
		t.Errorf("a truncated file: %v", err)
	}
}

// Damaged files are errors or other values, never a panic.
func TestDamagedFiles(t *testing.T) {
	good, err := os.ReadFile("testdata/types.parquet")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	failed := 0
	for range 300 {
		bad := slices.Clone(good)
		for range 1 + rng.IntN(4) {
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		}
		path := filepath.Join(t.TempDir(), "bad.parquet")
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := read(t, path).Collect(t.Context()); err != nil {
			failed++
		}
	}
	if failed < 100 {
		t.Errorf("only %d of 300 damaged files are errors", failed)
	}
}
