package arrowmds

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib"
)

// flowers is a record of three rows with every kind of column that has an encoding by itself.
func flowers(t *testing.T, withNull bool) arrow.Record {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "small", Type: arrow.PrimitiveTypes.Uint8}, {Name: "big", Type: arrow.PrimitiveTypes.Uint64}, {Name: "short", Type: arrow.PrimitiveTypes.Int16},
		{Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "name", Type: arrow.BinaryTypes.String}, {Name: "file", Type: arrow.BinaryTypes.Binary},
		{Name: "box", Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32)}, {Name: "good", Type: arrow.FixedWidthTypes.Boolean},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range 3 {
		b.Field(0).(*array.Uint8Builder).Append(uint8(255 - i))
		b.Field(1).(*array.Uint64Builder).Append(1<<64 - 1 - uint64(i))
		b.Field(2).(*array.Int16Builder).Append(int16(-i))
		if withNull && i == 2 {
			b.Field(3).AppendNull()
		} else {
			b.Field(3).(*array.Float64Builder).Append(float64(i) / 2)
		}
		b.Field(4).(*array.StringBuilder).Append("flower" + string(rune('0'+i)))
		b.Field(5).(*array.BinaryBuilder).Append([]byte{byte(i), 0})
		l := b.Field(6).(*array.ListBuilder)
		l.Append(true)
		l.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{1, float32(i)}, nil)
		b.Field(7).(*array.BooleanBuilder).Append(i == 1)
	}
	return b.NewRecord()
}

// records reads a data set and returns its records, released when the test ends.
func records(t *testing.T, dir string, rows int) []arrow.Record {
	t.Helper()
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{AllowUnsafeTypes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []arrow.Record
	for r, err := range Records(d, rows) {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Release)
		all = append(all, r)
	}
	return all
}

func TestRecords(t *testing.T) {
	in := flowers(t, false)
	defer in.Release()
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewWriter(in.Schema(), mdslib.MDSOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRecord(in), w.WriteRecord(in), w.Close()); err != nil {
		t.Fatal(err)
	}
	want := mdslib.Columns{"small": "uint8", "big": "uint64", "short": "int16", "score": "float64", "name": "str", "file": "bytes", "box": "ndarray:float32", "good": "uint8"}
	got := w.Index().Shards[0].Columns()
	for name, encoding := range want {
		if got[name] != encoding {
			t.Errorf("column %s is %s, want %s", name, got[name], encoding)
		}
	}
	all := records(t, out, 4)
	if len(all) != 2 || all[0].NumRows() != 4 || all[1].NumRows() != 2 {
		t.Fatalf("%d records", len(all))
	}
	for _, name := range []string{"small", "big", "short", "score", "name", "file", "box"} {
		column := func(r arrow.Record) arrow.Array { return r.Column(r.Schema().FieldIndices(name)[0]) }
		if have := array.NewSlice(column(all[0]), 0, 3); !array.Equal(have, column(in)) {
			t.Errorf("column %s: %v, want %v", name, have, column(in))
		}
	}
	if good := all[0].Column(all[0].Schema().FieldIndices("good")[0]).(*array.Uint8); good.Value(0) != 0 || good.Value(1) != 1 {
		t.Errorf("bools: %v", good)
	}
}

// TestRecordsAgain: whatever encodings a data set has, writing its records gives its shards again, byte for byte.
func TestRecordsAgain(t *testing.T) {
	folders, err := os.ReadDir("../testdata/golden/formats")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		name := folder.Name()
		reference := filepath.Join("../testdata/golden/formats", name, "none")
		all := records(t, reference, 2)
		index, err := mdslib.ReadIndex(reference)
		if err != nil {
			t.Fatal(err)
		}
		for _, encoding := range index.Shards[0].ColumnEncodings {
			seen[encoding] = true
		}
		out := filepath.Join(t.TempDir(), "out")
		w, err := NewWriter(all[0].Schema(), mdslib.MDSOptions{Out: out, Hashes: index.Shards[0].Hashes, SizeLimit: "1mb"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, r := range all {
			err = errors.Join(err, w.WriteRecord(r))
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err1 := os.ReadFile(filepath.Join(out, "shard.00000.mds"))
		want, err2 := os.ReadFile(filepath.Join(reference, "shard.00000.mds"))
		if err := errors.Join(err1, err2); err != nil || string(got) != string(want) {
			t.Errorf("%s: the shard differs (%v)", name, err)
		}
	}
	for _, encoding := range append(mdslib.EncodingNames(), "ndarray:float32", "ndarray:int64:2,3", "ndarray:uint8:4") {
		if !seen[encoding] {
			t.Errorf("no data set with a column of %s", encoding)
		}
	}
}

func TestRefused(t *testing.T) {
	in := flowers(t, true)
	defer in.Release()
	w, err := NewWriter(in.Schema(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteRecord(in); err == nil || !strings.Contains(err.Error(), `row 2: `) || !strings.Contains(err.Error(), `column "score"`) {
		t.Errorf("a null: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	w, err = NewWriter(in.Schema(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "b"), NullAs: map[string]any{"score": -1.0}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRecord(in), w.Close()); err != nil {
		t.Errorf("a null with a value for it: %v", err)
	}
	if _, err := NewWriter(in.Schema(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "c"), Columns: mdslib.Columns{"nope": "int"}}); err == nil {
		t.Error("a column that is no field: no error")
	}
	other := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int8}}, nil)
	if w, err = NewWriter(other, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "d")}); err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.WriteRecord(in); err == nil || !strings.Contains(err.Error(), "schema") {
		t.Errorf("a record of another schema: %v", err)
	}
}
