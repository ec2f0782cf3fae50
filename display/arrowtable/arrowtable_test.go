package arrowtable

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"gomosaic/display"
)

func record(rows int) arrow.Record {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "xs", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64)},
		{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_s},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%2 == 1 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append("<b>")
		}
		xs := b.Field(2).(*array.ListBuilder)
		xs.Append(true)
		xs.ValueBuilder().(*array.Float64Builder).AppendValues([]float64{1, 2.5}, nil)
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	return b.NewRecord()
}

func squeeze(v any) string { return strings.Join(strings.Fields(v.(string)), " ") }

func resultText(v any) string {
	d, _ := display.RenderResult(v)
	return squeeze(d.Data[display.MIMETypeText])
}

func TestRecord(t *testing.T) {
	r := record(2)
	defer r.Release()
	d, _ := display.RenderResult(r)
	for _, want := range []string{"id name xs at", "0 <b> [1 2.5] 1970-01-01 00:00:00Z", "1 null [1 2.5] 1970-01-01 00:00:01Z", "2 rows × 4 columns"} {
		if text := squeeze(d.Data[display.MIMETypeText]); !strings.Contains(text, want) {
			t.Errorf("%q misses %q", text, want)
		}
	}
	if html := d.Data[display.MIMETypeHTML].(string); !strings.Contains(html, "<table") || !strings.Contains(html, "&lt;b&gt;") || strings.Contains(html, "<b>") {
		t.Error(html)
	}
}

// TestLong: of what is long the ends are read, and no more.
func TestLong(t *testing.T) {
	b := array.NewInt32Builder(memory.DefaultAllocator)
	b.AppendValues(make([]int32, 5_000_000), nil)
	b.Append(7)
	a := b.NewArray()
	defer a.Release()
	chunked := arrow.NewChunked(a.DataType(), []arrow.Array{a, a})
	defer chunked.Release()
	for _, test := range []struct {
		value any
		want  string
	}{{a, "array · 20 of 5 000 001 rows × 1 column"}, {chunked, "chunked array · 20 of 10 000 002 rows × 1 column"}} {
		took := time.Hour
		for tries := 0; tries < 20 && took > time.Second; tries++ { // a busy machine may be late many times, but not always
			began := time.Now()
			text := resultText(test.value)
			took = time.Since(began)
			if !strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), test.want) || !strings.Contains(text, "7") || len(text) > 2000 {
				t.Errorf("%q, want %q", text, test.want)
			}
		}
		if took > time.Second {
			t.Errorf("took %v", took)
		}
	}
}

func TestTableAndEmpty(t *testing.T) {
	r := record(3)
	defer r.Release()
	table := array.NewTableFromRecords(r.Schema(), []arrow.Record{r, r})
	defer table.Release()
	if text := resultText(table); !strings.Contains(text, "6 rows × 4 columns") {
		t.Error(text)
	}
	empty := record(0)
	defer empty.Release()
	if text := resultText(empty); !strings.Contains(text, "0 rows × 4 columns") {
		t.Error(text)
	}
}
