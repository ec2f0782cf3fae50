package parquet_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	arrowparquet "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	_ "gomosaic/mdslib/local/parquet"
)

// write makes a Parquet file of three rows, in two row groups, with a null in each nullable column.
func write(t *testing.T, path string) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "score", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "image", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	b.Field(1).(*array.Float32Builder).AppendValues([]float32{0.5, 0, 2}, []bool{true, false, true})
	b.Field(2).(*array.StringBuilder).AppendValues([]string{"ä", "", "c"}, []bool{true, true, false})
	b.Field(3).(*array.BinaryBuilder).AppendValues([][]byte{{0xff, 0xd8}, nil, {}}, []bool{true, false, true})
	tags := b.Field(4).(*array.ListBuilder)
	tags.Append(true)
	tags.ValueBuilder().(*array.StringBuilder).AppendValues([]string{"x", "y"}, nil)
	tags.AppendNull()
	tags.Append(true)
	record := b.NewRecord()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, arrowparquet.NewWriterProperties(arrowparquet.WithMaxRowGroupLength(2)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestParquet(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "part-0.parquet"))
	write(t, filepath.Join(dir, "part-1.parquet"))
	spark, err := mdslib.Connect(context.Background(), "local")
	if err != nil {
		t.Fatal(err)
	}
	d := spark.Read().Format("parquet").Load(dir)
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(schema.Names(), " "); got != "id score name image tags" {
		t.Errorf("columns: %s", got)
	}
	rows, err := d.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []mdslib.Sample{
		{"id": int64(1), "score": float32(0.5), "name": "ä", "image": []byte{0xff, 0xd8}, "tags": []any{"x", "y"}},
		{"id": int64(2), "score": nil, "name": "", "image": nil, "tags": nil},
		{"id": int64(3), "score": float32(2), "name": nil, "image": []byte{}, "tags": []any{}},
	}
	for i, row := range rows {
		for name, value := range want[i%3] {
			if got := row[name]; fmt.Sprint(got) != fmt.Sprint(value) || (got == nil) != (value == nil) {
				t.Errorf("row %d: %s is %v, want %v", i, name, got, value)
			}
		}
	}
	if len(rows) != 6 {
		t.Errorf("%d rows, want 6", len(rows))
	}
	if n, err := d.Filter("id > 1").Count(t.Context()); err != nil || n != 4 {
		t.Errorf("Count = %d, %v", n, err)
	}
	report, err := mdslib.DataFrameToMDS(t.Context(), d.Select("id", "get(tags, 0) AS tag").Filter("tag IS NOT NULL"), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out")})
	if err != nil || report.Samples != 2 {
		t.Errorf("report = %v, %v", report, err)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broken.parquet")
	if err := os.WriteFile(path, []byte("PAR1 but nothing else PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	spark, err := mdslib.Connect(context.Background(), "local")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spark.Read().Format("parquet").Load(path).Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "broken.parquet") {
		t.Errorf("err = %v, want one that names the file", err)
	}
}
