package display

// Text: any value as text for people, in time and length that do not depend on the value's
// size. Used for results that do not render, and by %whos and inspection.

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// What Text shows at most.
const (
	textBytes    = 64 << 10 // of one string
	lineWidth    = 100      // columns of a line, indentation apart, before a value is broken into lines
	textNodes    = 2000     // values within the value
	textDepth    = 12       // levels
	textElements = 100      // elements of the outermost slice or map: more are shown by the first and last
	textInner    = 20       // elements of an inner one
)

// Text writes any value as text: numbers, strings, errors and values with a String method as
// fmt does; structs with the names of their type and fields, pointers by what they point to,
// maps sorted by key. What is long is shown by its first and last elements and its length,
// what leads back to itself as ↺, what lies deep as …; so it is fast for a slice of ten
// million elements too.
func Text(v any) string {
	if s, ok := v.(string); ok {
		return clip(s, textBytes)
	}
	d := &describer{left: textNodes, elements: textElements, above: map[visit]bool{}}
	var b strings.Builder
	d.describe(reflect.ValueOf(v), 0).write(&b, "", lineWidth)
	return b.String()
}

// Summary writes any value in one line of at most so many runes.
func Summary(v any, runes int) string {
	d := &describer{left: runes, elements: 10, above: map[visit]bool{}}
	return inOneLine(d.describe(reflect.ValueOf(v), 1).line(), runes)
}

// Glimpse writes a value that others may be changing, in one line of at most so many runes: it calls no method of the
// user's, which might change or stop something, and looks at no unexported field of a library's. Maps are read only if
// that is said to be safe, as Go ends a process that reads a map while it is written to.
func Glimpse(v reflect.Value, runes int, maps bool) string {
	d := &describer{left: runes, elements: textInner, above: map[visit]bool{}, aside: true, noMaps: !maps}
	return inOneLine(d.describe(v, 1).line(), runes)
}

func inOneLine(text string, runes int) string {
	return shorten(strings.Join(strings.Fields(clip(text, 4*runes)), " "), runes)
}

// clip cuts a text that is longer than n bytes and says how long it is.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := n
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + fmt.Sprintf("… (%s bytes)", groupDigits(len(s)))
}

// node is a value as text on its way to a layout: a leaf, or items between brackets.
type node struct {
	text        string // of a leaf
	label       string // before it: a field's or key's name with its colon
	open, close string // of a list
	note        string // behind it: "(10 000 000 elements)"
	items       []node
	leaves      bool // the items are leaves without labels: they share lines
}

// width is the node's length in one line, or a number above limit.
func (n node) width(limit int) int {
	w := utf8.RuneCountInString(n.label) + utf8.RuneCountInString(n.text) + utf8.RuneCountInString(n.open+n.close+n.note)
	if strings.Contains(n.text, "\n") {
		return limit + 1
	}
	for _, item := range n.items {
		if w > limit {
			return w
		}
		w += item.width(limit-w) + 1
	}
	return w
}

// line writes the node in one line.
func (n node) line() string {
	var b strings.Builder
	n.write(&b, "", 1<<30)
	return b.String()
}

// write writes the node, in one line if that is not longer than width. The further lines of a text within a list stand
// deeper than the list's items.
func (n node) write(b *strings.Builder, indent string, width int) {
	b.WriteString(n.label)
	further := indent
	if indent != "" {
		further += "    "
	}
	b.WriteString(strings.ReplaceAll(n.text, "\n", "\n"+further))
	b.WriteString(n.open)
	switch inner := indent + "    "; {
	case width == 1<<30 || n.width(width) <= width:
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(' ')
			}
			item.write(b, indent, 1<<30)
		}
	case n.leaves:
		used := width + 1
		for _, item := range n.items {
			text := item.line()
			w := utf8.RuneCountInString(text) + 1
			if used += w; used > width {
				b.WriteString("\n" + inner)
				used = w
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(text)
		}
		b.WriteString("\n" + indent)
	case len(n.items) > 0:
		for _, item := range n.items {
			b.WriteString("\n" + inner)
			item.write(b, inner, width)
		}
		b.WriteString("\n" + indent)
	}
	b.WriteString(n.close)
	if n.note != "" {
		b.WriteString(" " + n.note)
	}
}
