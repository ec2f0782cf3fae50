// Package arrowtable shows Arrow's records, tables, columns and arrays as tables in notebooks. It registers itself with
// package display, in the manner of database/sql: the cell host links it, so that cells and package display need not link
// Arrow.
package arrowtable

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/display"
)

func init() { display.RegisterRenderer(render) }

// What is read of a record: a table shows no more, whatever it holds.
const (
	headRows = 60
	tailRows = 10
	maxList  = 20 // elements of a list, and bytes of a text in elements
)

// render makes a table of what Arrow knows as rows; ok is false for any other value.
func render(v any) (d display.Data, ok bool) {
	switch x := v.(type) {
	case arrow.Record:
		columns := make([]column, x.NumCols())
		for i := range columns {
			columns[i] = column{x.Schema().Field(i), []arrow.Array{x.Column(i)}}
		}
		return table("", columns, int(x.NumRows())), true
	case arrow.Table:
		columns := make([]column, x.NumCols())
		for i := range columns {
			columns[i] = column{x.Schema().Field(i), x.Column(i).Data().Chunks()}
		}
		return table("", columns, int(x.NumRows())), true
	case *arrow.Column:
		return table("", []column{{x.Field(), x.Data().Chunks()}}, x.Len()), true
	case *arrow.Chunked:
		return table("chunked array", []column{{arrow.Field{Name: "value", Type: x.DataType(), Nullable: x.NullN() > 0}, x.Chunks()}}, x.Len()), true
	case arrow.Array:
		return table("array", []column{{arrow.Field{Name: "value", Type: x.DataType(), Nullable: x.NullN() > 0}, []arrow.Array{x}}}, x.Len()), true
	}
	return display.Data{}, false
}

// column is one column in chunks.
type column struct {
	field  arrow.Field
	chunks []arrow.Array
}

// at is the value of a row, as package display shows it.
func (c column) at(row int) any {
	for _, chunk := range c.chunks {
		if row < chunk.Len() {
			return value(chunk, row)
		}
		row -= chunk.Len()
	}
	return nil
}

func table(caption string, columns []column, rows int) display.Data {
	t := display.Table{Caption: caption, Total: rows}
	for _, c := range columns {
		t.Columns = append(t.Columns, display.Column{Name: c.field.Name, Type: c.field.Type.String(), Nullable: c.field.Nullable})
	}
	row := func(i int) []any {
		values := make([]any, len(columns))
		for j, c := range columns {
			values[j] = c.at(i)
		}
		return values
	}
	head := min(rows, headRows)
	for i := range head {
		t.Rows = append(t.Rows, row(i))
	}
	if rows > head {
		for i := max(head, rows-tailRows); i < rows; i++ {
			t.Tail = append(t.Tail, row(i))
		}
	}
	return display.Data{Data: display.MIMEMap{display.MIMETypeHTML: t.HTML(), display.MIMETypeText: t.String()}}
}

// value is one element: a Go value where a table has a form for it, else text as Arrow writes it.
func value(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch x := a.(type) {
	case *array.Boolean:
		return x.Value(i)
	case *array.Int8:
		return x.Value(i)
	case *array.Int16:
		return x.Value(i)
	case *array.Int32:
		return x.Value(i)
	case *array.Int64:
		return x.Value(i)
	case *array.Uint8:
		return x.Value(i)
	case *array.Uint16:
		return x.Value(i)
	case *array.Uint32:
		return x.Value(i)
	case *array.Uint64:
		return x.Value(i)
	case *array.Float16:
		return x.Value(i).Float32()
	case *array.Float32:
		return x.Value(i)
	case *array.Float64:
		return x.Value(i)
	case *array.String:
		return x.Value(i)
	case *array.LargeString:
		return x.Value(i)
	case *array.Binary:
		return x.Value(i)
	case *array.LargeBinary:
		return x.Value(i)
	case *array.FixedSizeBinary:
		return x.Value(i)
	case *array.Dictionary:
		return value(x.Dictionary(), x.GetValueIndex(i))
	case array.ExtensionArray:
		return value(x.Storage(), i)
	case array.ListLike:
		from, to := x.ValueOffsets(i)
		return list(x.ListValues(), int(from), int(to))
	}
	return a.ValueStr(i)
}

// list writes the first elements of a list.
func list(values arrow.Array, from, to int) string {
	text := "["
	for i := from; i < to; i++ {
		if i > from {
			text += " "
		}
		if i-from == maxList {
			text += fmt.Sprintf("… (%d elements)", to-from)
			break
		}
		text += display.Summary(value(values, i), 4*maxList)
	}
	return text + "]"
}
