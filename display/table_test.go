package display

import (
	"encoding/xml"
	"errors"
	"image"
	"io"
	"strings"
	"testing"
	"time"
)

func TestGoldenTable(t *testing.T) {
	table := Table{
		Caption: "flowers",
		Columns: []Column{{Name: "path", Type: "string"}, {Name: "label_index", Type: "int64"}, {Name: "score", Type: "float32", Nullable: true}, {Name: "content", Type: "binary"}},
		Rows: [][]any{
			{"a/<script>alert(1)</script>.jpg", 0, float32(0.25), make([]byte, 48213)},
			{"日本語 & more\nsecond line", 12, nil, []byte(nil)},
			{"", 3, float32(1), nil},
		},
		Total: 60000,
	}
	golden(t, "table.html", table.HTML())
	golden(t, "table.txt", table.String())
}

func TestTableShowsBothEnds(t *testing.T) {
	table := Table{Columns: []Column{{Name: "n"}}}
	for i := range 1000 {
		table.Rows = append(table.Rows, []any{i})
	}
	text := table.String()
	for _, want := range []string{"\n9      9\n⋮\n990  990\n", "\n999  999\n(20 of 1000 rows × 1 column)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if n := strings.Count(table.HTML(), `<th scope="row">`); n != 20 {
		t.Errorf("%d rows in HTML, want 20", n)
	}
	first := Table{Columns: []Column{{Name: "n"}}, Rows: [][]any{{1}, {2}}, Tail: [][]any{{9}}, Total: 9}
	if got := first.String(); !strings.Contains(got, "\n⋮\n8  9\n(3 of 9 rows") {
		t.Errorf("head and tail:\n%s", got)
	}
	unknown := Table{Columns: []Column{{Name: "n"}}, Rows: [][]any{{1}, {2}}, Total: -1}
	if got := unknown.String(); !strings.HasSuffix(got, "(first 2 rows × 1 column)") {
		t.Errorf("unknown total:\n%s", got)
	}
}

func TestTableWithoutIndex(t *testing.T) {
	table := Table{Caption: "Inputs", NoIndex: true, Columns: []Column{{Name: "input"}, {Name: "value"}}, Rows: [][]any{{"size", 96}, {"epochs", 10}}}
	if got, want := table.String(), "input   value\nsize       96\nepochs     10\n(Inputs)"; got != want {
		t.Errorf("text:\n%s\nwant:\n%s", got, want)
	}
	if got := table.HTML(); strings.Contains(got, `scope="row"`) || strings.Count(got, "<th ") != 2 || strings.Count(got, "<td") != 4 {
		t.Errorf("HTML: %s", got)
	}
}

func TestTableOfManyColumns(t *testing.T) {
	var table Table
	var row []any
	for i := range 30 {
		table.Columns = append(table.Columns, Column{Name: strings.Repeat("x", i)})
		row = append(row, i)
	}
	table.Rows = [][]any{row}
	if h := table.HTML(); !strings.Contains(h, "… 10 more") {
		t.Errorf("HTML does not count the rest: %s", h)
	}
	for _, line := range strings.Split(table.String(), "\n") {
		if columnsOf(line) > 110 {
			t.Errorf("a line of %d columns: %s", columnsOf(line), line)
		}
	}
}

func TestTableCells(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "null"}, {(*int)(nil), "null"}, {"", ""}, {"\xff", `"\xff"`}, {true, "true"}, {int8(-3), "-3"}, {1.5, "1.5"}, {3.0, "3.0"},
		{float32(0.1), "0.1"}, {1e-9, "1e-09"}, {time.Duration(1500) * time.Millisecond, "1.5s"}, {errors.New("e"), "e"},
		{[]int{1, 2}, "[1 2]"}, {[]byte{}, "[0\u00a0B]"}, {image.NewGray(image.Rect(0, 0, 3, 2)), "[image 3×2]"}, {strings.Repeat("é", 81), strings.Repeat("é", 79) + "…"},
	} {
		if got := newCell(c.v, Column{}).text; got != c.want {
			t.Errorf("%#v is shown as %q, want %q", c.v, got, c.want)
		}
	}
	short := Table{Columns: []Column{{Name: "a"}, {Name: "b"}}, Rows: [][]any{{1}}}
	if got := short.String(); !strings.Contains(got, "null") {
		t.Errorf("a short row:\n%s", got)
	}
}

// wellFormed parses the HTML of a value, whose void elements are images alone, strictly.
func wellFormed(t *testing.T, page string) map[string]int {
	t.Helper()
	count := map[string]int{}
	d := xml.NewDecoder(strings.NewReader("<page>" + page + "</page>"))
	d.AutoClose, d.Strict = []string{"img"}, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatalf("%v in %.500s", err, page)
		}
		if e, is := token.(xml.StartElement); is {
			count[e.Name.Local]++
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func TestHTMLOfValuesIsEscaped(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	table := Table{Caption: evil, Columns: []Column{{Name: evil, Type: evil}}, Rows: [][]any{{evil}, {strings.Repeat("a", 90) + evil}}}
	grid := Grid{Caption: evil, Tiles: []Tile{{Image: image.NewGray(image.Rect(0, 0, 4, 4)), Label: evil, Predicted: evil + "2", Hover: evil}, {Encoded: []byte(evil), Label: evil}}}
	r := record(t)
	b := Progress(ProgressOptions{Desc: evil, Unit: evil})
	b.Note(evil, evil)
	b.Fail(errors.New(evil))
	for name, c := range map[string]struct {
		page   string
		images int
	}{"table": {table.HTML(), 0}, "grid": {grid.HTML(), 1}, "progress": {r.last(t).html(), 0}} {
		if count := wellFormed(t, c.page); count["script"] != 0 || count["img"] != c.images {
			t.Errorf("%s: elements %v", name, count)
		}
	}
}
