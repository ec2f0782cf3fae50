package display

// Table: rows and columns as plain data. Made by data frames and reports; renders as HTML
// with the class that notebooks style, and as aligned text.

import (
	"fmt"
	"html"
	"image"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
)

// What a table shows at most; the rest is counted.
const (
	tableRows    = 60 // more than that: the first and last ten
	tableEnds    = 10
	tableColumns = 20
	cellRunes    = 80
)

// Table is rows to show. Rows may be only the first of more: Total then says how many there
// are, and nothing else is ever asked for. Rendering keeps nothing of the rows.
type Table struct {
	Caption string // before "3 of 60 000 rows × 4 columns"
	Columns []Column
	// Rows hold one value per column: nil is null, []byte is shown as its length, an
	// image.Image and encoded bytes of an Image column as thumbnails, all else as printed.
	Rows [][]any
	// Tail holds the last rows where Rows are only the first ones.
	Tail [][]any
	// Total is the number of all rows; 0 means that Rows and Tail are all, −1 that it is not
	// known how many follow.
	Total int
	// NoIndex leaves out the rows' numbers, and their count after the caption: for a list of
	// things that are not rows of data.
	NoIndex bool
}

// Column is one column of a table.
type Column struct {
	Name     string
	Type     string // as its frame calls it, "int64"; drawn under the name
	Nullable bool
	Image    bool // cells are encoded images
}

// total is the number of all rows, or −1 where it is not known.
func (t Table) total() int {
	if t.Total != 0 {
		return t.Total
	}
	return len(t.Rows) + len(t.Tail)
}

// parts are the rows that are shown: the first ones, and the last ones after a gap. The rows
// of tail are numbered from tailFrom.
func (t Table) parts() (head, tail [][]any, tailFrom int) {
	head, tail = t.Rows, t.Tail
	if len(head)+len(tail) > tableRows {
		if len(tail) == 0 && t.Total != -1 && t.total() <= len(head) {
			tail = head[len(head)-tableEnds:]
		}
		head = head[:min(len(head), tableEnds)]
		tail = tail[len(tail)-min(len(tail), tableEnds):]
	}
	tailFrom = len(t.Rows)
	if n := t.total(); n > 0 {
		tailFrom = n - len(tail)
	}
	return head, tail, tailFrom
}

func (t Table) caption() string {
	shown := ""
	head, tail, _ := t.parts()
	n, all := len(head)+len(tail), t.total()
	switch {
	case all < 0:
		shown = fmt.Sprintf("first %s rows × %d %s", groupDigits(n), len(t.Columns), plural(len(t.Columns), "column"))
	case n < all:
		shown = fmt.Sprintf("%s of %s rows × %d %s", groupDigits(n), groupDigits(all), len(t.Columns), plural(len(t.Columns), "column"))
	default:
		shown = fmt.Sprintf("%s %s × %d %s", groupDigits(all), plural(all, "row"), len(t.Columns), plural(len(t.Columns), "column"))
	}
	switch {
	case t.Caption == "":
		return shown
	case t.NoIndex && n == all:
		return t.Caption
	}
	return t.Caption + " · " + shown
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// cell is one value as it is shown.
type cell struct {
	text  string
	full  string // the whole of what text leaves out, or ""
	null  bool
	right bool
	img   string // an <img>, or ""
}

func newCell(v any, c Column) cell {
	if isNil(v) {
		return cell{text: "null", null: true}
	}
	right := false
	text := ""
	switch x := v.(type) {
	case []byte:
		if c.Image {
			if img, err := thumbnailHTML(Tile{Encoded: x}, 64, c.Name); err == nil {
				return cell{text: fmt.Sprintf("[image, %s\u00a0B]", groupDigits(len(x))), img: img}
			}
		}
		return cell{text: fmt.Sprintf("[%s\u00a0B]", groupDigits(len(x)))}
	case image.Image:
		b := x.Bounds()
		text := fmt.Sprintf("[image %d×%d]", b.Dx(), b.Dy())
		if img, err := thumbnailHTML(Tile{Image: x}, 64, c.Name); err == nil {
			return cell{text: text, img: img}
		}
		return cell{text: text}
	case float64:
		text, right = number(x, 64), true
	case float32:
		text, right = number(float64(x), 32), true
	case string:
		text = x
	case error:
		text = x.Error()
	case fmt.Stringer:
		text = x.String()
	default:
		switch reflect.ValueOf(v).Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
			right = true
		}
		text = fmt.Sprint(v)
	}
	if !utf8.ValidString(text) {
		text = fmt.Sprintf("%q", text)
	}
	if short := shorten(text, cellRunes); short != text {
		return cell{text: short, full: shorten(text, 2000), right: right}
	}
	return cell{text: text, right: right}
}

// number writes a float with all the digits that tell it apart, up to six decimals.
func number(v float64, bits int) string {
	if !finite(v) {
		return shortNumber(v)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e15) {
		return fmt.Sprintf("%.6g", v)
	}
	s := strings.TrimRight(fmt.Sprintf("%.6f", v), "0")
	if bits == 32 {
		s = strings.TrimRight(fmt.Sprintf("%.5f", v), "0")
	}
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}

// shownColumns leaves out the columns after the twentieth.
func (t Table) shownColumns() (columns []Column, more int) {
	if len(t.Columns) > tableColumns {
		return t.Columns[:tableColumns], len(t.Columns) - tableColumns
	}
	return t.Columns, 0
}

// HTML is the table as HTML of the class dataframe.
func (t Table) HTML() string {
	var b strings.Builder
	columns, more := t.shownColumns()
	head, tail, tailFrom := t.parts()
	right := t.rightColumns(columns, head, tail)
	align := func(i int) string {
		if right[i] {
			return "text-align:right"
		}
		return "text-align:left"
	}
	b.WriteString(`<div style="max-height:420px;overflow:auto"><table class="dataframe" border="0">`)
	fmt.Fprintf(&b, `<caption style="text-align:left;caption-side:top">%s</caption><thead><tr>`, html.EscapeString(t.caption()))
	index := func(attributes, text string) {
		if !t.NoIndex {
			b.WriteString("<th" + attributes + ">" + text + "</th>")
		}
	}
	index("", "")
	typed := false
	for i, c := range columns {
		typed = typed || c.Type != ""
		fmt.Fprintf(&b, `<th scope="col" style="%s">%s</th>`, align(i), html.EscapeString(shorten(c.Name, cellRunes)))
	}
	if more > 0 {
		fmt.Fprintf(&b, `<th>… %d more</th>`, more)
	}
	b.WriteString(`</tr>`)
	if typed {
		b.WriteString(`<tr style="opacity:.65">`)
		index("", "")
		for i, c := range columns {
			null := ""
			if c.Nullable {
				null = "?"
			}
			fmt.Fprintf(&b, `<td style="%s;font-size:90%%">%s</td>`, align(i), html.EscapeString(shorten(c.Type, cellRunes)+null))
		}
		if more > 0 {
			b.WriteString(`<td></td>`)
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</thead><tbody>`)
	row := func(n int, values []any) {
		b.WriteString(`<tr>`)
		index(` scope="row"`, groupDigits(n))
		for i, c := range columns {
			var v any
			if i < len(values) {
				v = values[i]
			}
			cell := newCell(v, c)
			title := ""
			if cell.full != "" {
				title = fmt.Sprintf(` title="%s"`, html.EscapeString(cell.full))
			}
			switch {
			case cell.null:
				fmt.Fprintf(&b, `<td style="%s"><i style="opacity:.6">null</i></td>`, align(i))
			case cell.img != "":
				fmt.Fprintf(&b, `<td style="%s">%s</td>`, align(i), cell.img)
			default:
				wrap := ""
				if !right[i] {
					wrap = ";white-space:pre-wrap"
				}
				fmt.Fprintf(&b, `<td style="%s%s"%s>%s</td>`, align(i), wrap, title, html.EscapeString(cell.text))
			}
		}
		if more > 0 {
			b.WriteString(`<td>…</td>`)
		}
		b.WriteString(`</tr>`)
	}
	for i, values := range head {
		row(i, values)
	}
	if len(head) > 0 && (len(tail) > 0 && tailFrom > len(head) || t.total() < 0 || len(head)+len(tail) < t.total()) {
		b.WriteString(`<tr>`)
		index("", "⋮")
		for i := range columns {
			fmt.Fprintf(&b, `<td style="%s">⋮</td>`, align(i))
		}
		if more > 0 {
			b.WriteString(`<td></td>`)
		}
		b.WriteString(`</tr>`)
	}
	for i, values := range tail {
		row(tailFrom+i, values)
	}
	b.WriteString(`</tbody></table></div>`)
	return b.String()
}

// rightColumns tells the columns whose values are all numbers or null.
func (t Table) rightColumns(columns []Column, parts ...[][]any) []bool {
	right := make([]bool, len(columns))
	for i, c := range columns {
		numbers, others := 0, 0
		for _, part := range parts {
			for _, values := range part {
				if i >= len(values) || isNil(values[i]) {
					continue
				}
				if _, bytes := values[i].([]byte); !bytes && newCell(values[i], c).right {
					numbers++
				} else {
					others++
				}
			}
		}
		right[i] = numbers > 0 && others == 0
	}
	return right
}

// label begins a line of the table's text: with the row's number, or with nothing.
func (t Table) label(index string) []string {
	if t.NoIndex {
		return nil
	}
	return []string{index}
}

// String is the table in aligned text, at most 100 columns wide.
func (t Table) String() string {
	columns, more := t.shownColumns()
	head, tail, tailFrom := t.parts()
	right := t.rightColumns(columns, head, tail)
	lines := [][]string{t.label("")}
	for _, c := range columns {
		lines[0] = append(lines[0], oneLine(shorten(c.Name, 30)))
	}
	add := func(label string, values []any) {
		line := t.label(label)
		for i, c := range columns {
			var v any
			if i < len(values) {
				v = values[i]
			}
			line = append(line, shorten(oneLine(newCell(v, Column{Name: c.Name}).text), 30))
		}
		lines = append(lines, line)
	}
	for i, values := range head {
		add(groupDigits(i), values)
	}
	if len(tail) > 0 && tailFrom > len(head) {
		lines = append(lines, []string{"⋮"})
	}
	for i, values := range tail {
		add(groupDigits(tailFrom+i), values)
	}
	widths := make([]int, len(columns)+1)
	for _, line := range lines {
		for i, s := range line {
			widths[i] = max(widths[i], columnsOf(s))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var out strings.Builder
		used := 0
		for i, s := range line {
			if used+widths[i] > 100 && i < len(line)-1 {
				out.WriteString(" …")
				break
			}
			pad := strings.Repeat(" ", widths[i]-columnsOf(s))
			if i > 0 {
				out.WriteString("  ")
			}
			if c := i - len(t.label("")); c >= 0 && right[c] {
				out.WriteString(pad + s)
			} else {
				out.WriteString(s + pad)
			}
			used += widths[i] + 2
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
	caption := t.caption()
	if more > 0 {
		caption += fmt.Sprintf(", %d not shown", more)
	}
	return b.String() + "(" + caption + ")"
}

func oneLine(s string) string {
	return strings.NewReplacer("\n", "⏎", "\r", "", "\t", " ").Replace(s)
}

// columnsOf is the width of s on a terminal.
func columnsOf(s string) (n int) {
	for _, r := range s {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}
