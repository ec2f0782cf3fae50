package mdslib

import (
	"context"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"

	"gomosaic/display"
	"gomosaic/mdslib/plan"
)

const (
	previewRows    = 20
	previewText    = 80 // characters of a cell that are shown
	previewTimeout = 10 * time.Minute
)

// Preview is the first rows of a DataFrame as text. It prints as Spark's show does and renders as a table in a notebook.
type Preview struct {
	Columns []string
	Right   []bool // columns set flush right: numbers
	Cells   [][]string
	More    bool // there are more rows
}

// preview runs the plan for n rows and one more, to see whether there are more.
func (d *DataFrame) preview(ctx context.Context, n int) (*Preview, error) {
	limited := d.Limit(n + 1)
	schema, err := limited.Schema(ctx)
	if err != nil {
		return nil, err
	}
	p := &Preview{Columns: schema.Names()}
	for _, f := range schema.Fields {
		p.Right = append(p.Right, f.Type.Numeric())
	}
	for b, err := range limited.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range b.Rows {
			if len(p.Cells) == n {
				p.More = true
				return p, nil
			}
			cells := make([]string, len(b.Columns))
			for c := range b.Columns {
				v := b.Columns[c].Value(i)
				if t, ok := v.(plan.TimestampValue); ok && schema.Fields[c].Type.Kind == plan.Timestamp {
					cells[c] = t.In(time.Local) // as Spark shows it in a session of this machine's time zone
					continue
				}
				cells[c] = cellText(v)
			}
			p.Cells = append(p.Cells, cells)
		}
	}
	return p, nil
}

// cellText shows a value: binary as its size, text cut to a bounded length.
func cellText(v any) string {
	s := ""
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("[%s B]", grouped(int64(len(v))))
	case float64:
		return plan.JavaDouble(v)
	case float32:
		return plan.JavaFloat(v)
	case []any:
		parts := make([]string, 0, min(len(v), previewText))
		for _, e := range v[:min(len(v), previewText)] {
			parts = append(parts, cellText(e))
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case plan.StructValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = cellText(e)
		}
		s = "{" + strings.Join(parts, ", ") + "}"
	case plan.MapValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = cellText(e.Key) + " -> " + cellText(e.Value)
		}
		s = "{" + strings.Join(parts, ", ") + "}"
	default:
		s = fmt.Sprint(v)
	}
	if utf8.RuneCountInString(s) > previewText {
		s = string([]rune(s)[:previewText-1]) + "…"
	}
	return s
}

// grouped writes 1234567 as 1 234 567.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// String draws the table with lines of + - |, as Spark's show does.
func (p *Preview) String() string {
	widths := make([]int, len(p.Columns))
	lines := append([][]string{p.Columns}, p.Cells...)
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], 3, utf8.RuneCountInString(oneLine(cell)))
		}
	}
	var b strings.Builder
	rule := func() {
		for _, w := range widths {
			b.WriteString("+" + strings.Repeat("-", w))
		}
		b.WriteString("+\n")
	}
	rule()
	for n, line := range lines {
		for i, cell := range line {
			cell = oneLine(cell)
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if p.Right[i] {
				b.WriteString("|" + fill + cell)
			} else {
				b.WriteString("|" + cell + fill)
			}
		}
		b.WriteString("|\n")
		if n == 0 {
			rule()
		}
	}
	rule()
	if p.More {
		fmt.Fprintf(&b, "only showing top %d rows\n", len(p.Cells))
	}
	return b.String()
}

func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

// HTML draws the table for a notebook.
func (p *Preview) HTML() string {
	var b strings.Builder
	align := func(column int) string {
		if p.Right[column] {
			return "right"
		}
		return "left"
	}
	b.WriteString(`<table class="dataframe"><thead><tr>`)
	for i, c := range p.Columns {
		b.WriteString(`<th style="text-align:` + align(i) + `">` + html.EscapeString(c) + `</th>`)
	}
	b.WriteString("</tr></thead><tbody>\n")
	for _, row := range p.Cells {
		b.WriteString("<tr>")
		for i, cell := range row {
			b.WriteString(`<td style="text-align:` + align(i) + `">` + html.EscapeString(cell) + `</td>`)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>")
	if p.More {
		fmt.Fprintf(&b, "<p>only the first %d rows are shown</p>", len(p.Cells))
	}
	return b.String()
}

// show runs the preview for a value that is shown without a context of its own.
func (d *DataFrame) show() (*Preview, error) {
	ctx, cancel := context.WithTimeout(display.Context(), previewTimeout)
	defer cancel()
	return d.preview(ctx, previewRows)
}

// TryRender runs the plan for its first 20 rows, as a table and as text. A notebook calls it for a DataFrame that stands last
// in a cell, which fails with its error.
func (d *DataFrame) TryRender() (display.Data, error) {
	p, err := d.show()
	if err != nil {
		return display.Data{}, err
	}
	return display.MakeData3(display.MIMETypeHTML, p.String(), p.HTML()), nil
}

// String runs the plan for its first 20 rows and draws them as text, or the error.
func (d *DataFrame) String() string {
	p, err := d.show()
	if err != nil {
		return err.Error()
	}
	return p.String()
}
