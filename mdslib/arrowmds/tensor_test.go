package arrowmds

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/mdslib"
)

// marked is a field of an extension type, as Arrow's other implementations write it to files.
func marked(name string, t arrow.DataType, extension, meta string) arrow.Field {
	return arrow.Field{Name: name, Type: t, Metadata: arrow.NewMetadata([]string{extensionName, extensionMetadata}, []string{extension, meta})}
}

// TestTensors: tensors as other programs write them become arrays, and are read as such again.
func TestTensors(t *testing.T) {
	half := arrow.FixedWidthTypes.Float16
	schema := arrow.NewSchema([]arrow.Field{
		marked("fixed", arrow.FixedSizeListOf(6, arrow.PrimitiveTypes.Int16), "arrow.fixed_shape_tensor", `{"shape":[2,3],"dim_names":["y","x"]}`),
		marked("variable", arrow.StructOf(arrow.Field{Name: "data", Type: arrow.ListOf(half)}, arrow.Field{Name: "shape", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32)}), "arrow.variable_shape_tensor", ""),
		{Name: "halves", Type: arrow.ListOf(half)},
		{Name: "nothing", Type: arrow.BinaryTypes.Binary},
	}, nil)
	const rows = `[{"fixed": [1,2,3,4,5,6], "variable": {"data": [0.5, 1, 1.5], "shape": [3, 1]}, "halves": [2.5], "nothing": ""}]`
	in, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	out := filepath.Join(t.TempDir(), "out")
	w, err := NewWriter(schema, mdslib.MDSOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRecord(in), w.Close()); err != nil {
		t.Fatal(err)
	}
	want := mdslib.Columns{"fixed": "ndarray:int16:2,3", "variable": "ndarray:float16", "halves": "ndarray:float16", "nothing": "bytes"}
	for name, encoding := range w.Index().Shards[0].Columns() {
		if encoding != want[name] {
			t.Errorf("column %s is %s, want %s", name, encoding, want[name])
		}
	}
	got := records(t, out, 10)[0]
	text, err := got.MarshalJSON()
	const again = `[{"fixed":[1,2,3,4,5,6],"halves":[2.5],"nothing":null,"variable":{"data":[0.5,1,1.5],"shape":[3,1]}}` // Arrow's JSON has no empty bytes
	if err != nil || !strings.HasPrefix(string(text), again) || got.Column(2).NullN() != 0 {
		t.Errorf("read again: %s (%v)", text, err)
	}
	field, _ := got.Schema().FieldsByName("fixed")
	if meta, _ := field[0].Metadata.GetValue(extensionMetadata); meta != `{"shape":[2,3]}` {
		t.Errorf("the fixed tensor's metadata is %q", meta)
	}
	if _, err := Columns(arrow.NewSchema([]arrow.Field{marked("x", arrow.FixedSizeListOf(6, half), "arrow.fixed_shape_tensor", `{"shape":[2,3],"permutation":[1,0]}`)}, nil)); err == nil || !strings.Contains(err.Error(), `column "x": arrow.fixed_shape_tensor of the permutation [1 0]`) {
		t.Errorf("a permuted tensor: %v", err)
	}
}
