package cell

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"sort"
	"strings"
)

// fragment is a part of a cell that is parsed as a file of its own, and the text edits made to it. A fragment's prefix
// occupies whole lines, so that columns are the cell's own and lines differ by a constant.
type fragment struct {
	text   string // without prefix and suffix
	prefix int    // bytes before text in the parsed file
	lines  int    // lines of the prefix
	cell   int    // label of the cell that it was written in
	line   int    // line in that cell where text begins
	edits  []edit
	sorted int // edits that are in order
}

type edit struct {
	from, to int // bytes of text
	insert   string
}

// piece is kept source of a declaration, for types that get methods later.
type piece struct {
	text       string
	cell, line int
	means      map[int]types.Object // what the names at these bytes of text mean, wherever their cells declare them: names change hands
}

// parse parses prefix+text+suffix and remembers the fragment under the file's positions.
func (s *Session) parse(prefix, text, suffix string, cell, line int) (*ast.File, *fragment, []Diagnostic) {
	file, err := parser.ParseFile(s.fset, "cell", prefix+text+suffix, parser.ParseComments|parser.AllErrors)
	f := &fragment{text: text, prefix: len(prefix), lines: strings.Count(prefix, "\n"), cell: cell, line: line}
	if file == nil {
		return nil, f, []Diagnostic{{Cell: cell, Line: 1, Column: 1, Message: err.Error()}}
	}
	on := s.fset.File(file.FileStart)
	on.AddLineColumnInfo(len(prefix), fmt.Sprintf("cell[%d]", cell), line, 1) // for places that messages name in passing
	s.fragments[on] = f
	var found []Diagnostic
	if list, ok := err.(scanner.ErrorList); ok {
		last := strings.Count(text, "\n") + line
		for _, e := range list {
			d := Diagnostic{Cell: cell, Line: e.Pos.Line - f.lines + line - 1, Column: e.Pos.Column, Message: e.Msg}
			if d.Line > last { // met at the suffix: something is open at the end of the cell
				d.Line, d.Column = last, len(text)-strings.LastIndex(text, "\n")
				d.atEnd = true
			}
			found = append(found, d)
		}
	}
	return file, f, found
}

// fragmentAt finds the fragment that holds a position; nil for generated nodes.
func (s *Session) fragmentAt(p token.Pos) *fragment {
	if file := s.fset.File(p); file != nil {
		return s.fragments[file]
	}
	return nil
}

// locate gives the cell's label, line and column of a position.
func (s *Session) locate(p token.Pos) (cell, line, column int, ok bool) {
	f := s.fragmentAt(p)
	if f == nil {
		return 0, 0, 0, false
	}
	q := s.fset.File(p).PositionFor(p, false)
	return f.cell, q.Line - f.lines + f.line - 1, q.Column, true
}

// offset is p's byte in its fragment's text.
func (s *Session) offset(f *fragment, p token.Pos) int {
	return max(0, min(s.fset.File(p).Offset(p)-f.prefix, len(f.text)))
}

// edit replaces [from, to) of a fragment; positions outside of fragments are ignored.
func (s *Session) edit(from, to token.Pos, insert string) {
	if f := s.fragmentAt(from); f != nil {
		f.edits = append(f.edits, edit{s.offset(f, from), s.offset(f, to), insert})
	}
}

// source is the text of [from, to) as the user wrote it.
func (s *Session) source(from, to token.Pos) string {
	f := s.fragmentAt(from)
	return f.text[s.offset(f, from):s.offset(f, to)]
}

// render is the text of [from, to) with its edits applied. Insertions at the very end belong to the range when they
// close something that began in it.
func (s *Session) render(from, to token.Pos) string {
	f := s.fragmentAt(from)
	f.sort()
	begin, end := s.offset(f, from), s.offset(f, to)
	var b strings.Builder
	at := begin
	first := sort.Search(len(f.edits), func(i int) bool { return f.edits[i].from >= begin })
	for _, e := range f.edits[first:] {
		if e.from > end {
			break
		}
		if e.from < at || e.to > end {
			continue
		}
		if e.from == end && e.from != begin && !closing(e.insert) {
			continue
		}
		b.WriteString(f.text[at:e.from])
		b.WriteString(e.insert)
		at = e.to
	}
	b.WriteString(f.text[at:end])
	return b.String()
}

// sort brings the edits in the order of the text; insertions stand before what is replaced at the same place.
func (f *fragment) sort() {
	if f.sorted == len(f.edits) {
		return
	}
	slices.SortStableFunc(f.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(min(a.to-a.from, 1), min(b.to-b.from, 1)))
	})
	f.sorted = len(f.edits)
}

func closing(insert string) bool {
	return strings.HasPrefix(insert, ";") || insert == ")" || insert == "}"
}
