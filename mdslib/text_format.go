package mdslib

// The text formats json, csv, tsv and xsv: a sample is a line, and a shard is two files.
//
//	shard.00000.csv        header line (the column names; none in json), then one line a sample
//	shard.00000.csv.meta   uint32 N, N+1 offsets of the lines in the other file, the configuration
//
// Columns are str, int or float. The formats quote nothing: a csv, tsv or xsv value that holds the separator or the newline
// is refused.

import (
	"fmt"
	"slices"
	"strings"
)

// textFormat is what the lines of a text format share; a nil one stands for mds.
type textFormat struct {
	name      string // "json", "csv", "tsv" or "xsv"
	separator string // between the values; "" for json
	newline   string // at the end of each line
}

// formats are the names of the shard formats, and whether they are text.
var formats = map[string]bool{"mds": false, "json": true, "csv": true, "tsv": true, "xsv": true}

// newTextFormat resolves a format's name, newline ("" for "\n") and separator (of xsv alone); nil for mds.
func newTextFormat(name, newline, separator string) (*textFormat, error) {
	text, known := formats[name]
	if !known {
		return nil, fmt.Errorf("unknown format %q: want mds, json, csv, tsv or xsv", name)
	}
	if name != "xsv" && separator != "" {
		return nil, fmt.Errorf("format %s takes no separator, only xsv does", name)
	}
	if !text {
		if newline != "" {
			return nil, fmt.Errorf("format mds takes no newline: json, csv, tsv and xsv do")
		}
		return nil, nil
	}
	f := &textFormat{name: name, separator: separator, newline: newline}
	if newline == "" {
		f.newline = "\n"
	}
	switch name {
	case "json":
		if strings.Trim(f.newline, " \t\r\n") != "" {
			return nil, fmt.Errorf("newline %q: JSON allows white space alone", newline)
		}
		return f, nil
	case "csv":
		f.separator = ","
	case "tsv":
		f.separator = "\t"
	}
	if f.separator == "" || strings.Contains(f.newline, f.separator) || strings.Contains(f.separator, f.newline) {
		return nil, fmt.Errorf("separator %q with newline %q: want two texts of which none holds the other", f.separator, f.newline)
	}
	return f, nil
}

// textEncodings are the columns of csv, tsv and xsv, jsonEncodings those of json, whose bytes are JSON texts.
var (
	textEncodings = map[string]*Encoding{
		"str":   {name: "str", append: appendStr, decode: decodeStr},
		"int":   {name: "int", append: appendStrInt, decode: decodeStrInt},
		"float": {name: "float", append: appendStrFloat, decode: decodeStrFloat},
	}
	jsonEncodings = map[string]*Encoding{
		"str":   {name: "str", append: checked(appendStr), decode: decodeJSON},
		"int":   {name: "int", append: checked(appendStrInt), decode: decodeJSON},
		"float": {name: "float", append: checked(appendStrFloat), decode: decodeJSON},
	}
)

// checked writes what an encoding takes as JSON.
func checked(take func([]byte, any) ([]byte, error)) func([]byte, any) ([]byte, error) {
	return func(dst []byte, v any) ([]byte, error) {
		var few [64]byte
		if _, err := take(few[:0], v); err != nil {
			return nil, err
		}
		return appendPyJSON(dst, v)
	}
}

// schema resolves the columns of a text format.
func (f *textFormat) schema(names, encodings []string) (*schema, error) {
	s := &schema{names: names, encodings: make([]*Encoding, len(names)), variable: len(names), text: f}
	known := textEncodings
	if f.name == "json" {
		known = jsonEncodings
	}
	for i, name := range names {
		e, ok := known[encodings[i]]
		if !ok {
			return nil, fmt.Errorf("mdslib: column %q: format %s has no encoding %q: want str, int or float", name, f.name, encodings[i])
		}
		s.encodings[i] = e
		if err := f.checkText(name); err != nil {
			return nil, fmt.Errorf("mdslib: column %q: its name %w", name, err)
		}
	}
	return s, nil
}

// checkText refuses what would be read back as something else.
func (f *textFormat) checkText(text string) error {
	switch {
	case f.name == "json":
	case strings.Contains(text, f.separator):
		return fmt.Errorf("holds the separator %q, and %s has no quotes", f.separator, f.name)
	case strings.Contains(text, f.newline):
		return fmt.Errorf("holds the newline %q, and %s has no quotes", f.newline, f.name)
	}
	return nil
}

// metaSuffix is what the name of a text shard's second file has behind that of the first.
const metaSuffix = ".meta"

// headerLine is the line before the first sample; the formats that have none have an empty one.
func (f *textFormat) headerLine(names []string) string {
	if f == nil || f.name == "json" {
		return ""
	}
	return strings.Join(names, f.separator) + f.newline
}

// appendLine appends a sample's line. On error dst is returned unchanged in length.
func (f *textFormat) appendLine(dst []byte, s *schema, sample Sample) ([]byte, error) {
	start := len(dst)
	var few [16]int
	lengths := few[:0] // of the values
	if f.name == "json" {
		dst = append(dst, '{')
	}
	for i, name := range s.names {
		value, ok := sample[name]
		if value == nil && ok && s.nulls != nil {
			value = s.nulls[i]
		}
		if !ok {
			return dst[:start], &SampleError{Sample: -1, Column: name, Err: missingColumn(sample)}
		}
		var err error
		if f.name != "json" {
			if i > 0 {
				dst = append(dst, f.separator...)
			}
		} else {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if dst, err = appendPyString(dst, name); err != nil {
				return dst[:start], &SampleError{Sample: -1, Column: name, Err: err}
			}
			dst = append(dst, ": "...)
		}
		before := len(dst)
		out, err := s.encodings[i].append(dst, value) // not Append, which would take bytes as they are
		if err == nil {
			err = f.checkText(string(out[before:]))
		}
		if err != nil {
			return dst[:start], &SampleError{Sample: -1, Column: name, Err: err}
		}
		dst = out
		lengths = append(lengths, len(dst)-before)
	}
	if f.name == "json" {
		dst = append(dst, '}')
	}
	dst = append(dst, f.newline...)
	if len(f.separator) > 1 { // a value may end with a part of it
		fields, err := f.fields(nil, s, dst[start:])
		for i := range fields {
			if err == nil && len(fields[i]) != lengths[i] {
				err = fmt.Errorf("the line %s could not be split at its separators again", quote(dst[start:]))
			}
		}
		if err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// fields splits a sample's line into its columns' bytes, appended to dst; they alias line.
func (f *textFormat) fields(dst [][]byte, s *schema, line []byte) ([][]byte, error) {
	if f.name == "json" {
		return f.members(dst, s, line)
	}
	rest, ok := strings.CutSuffix(string(line), f.newline)
	if !ok {
		return dst, fmt.Errorf("%w: a line that does not end with %q", ErrFormat, f.newline)
	}
	parts := strings.Split(rest, f.separator)
	if len(parts) != len(s.names) {
		return dst, fmt.Errorf("%w: a line of %d values for %d columns", ErrFormat, len(parts), len(s.names))
	}
	at := 0
	for _, part := range parts {
		end := at + len(part)
		dst = append(dst, line[at:end:end])
		at = end + len(f.separator)
	}
	return dst, nil
}

// members finds the columns' values in a JSON object. Other members are ignored; of equal names the last one counts.
func (f *textFormat) members(dst [][]byte, s *schema, line []byte) ([][]byte, error) {
	first := len(dst)
	dst = append(dst, make([][]byte, len(s.names))...)
	scanner := jsonScanner{data: line}
	err := scanner.object(func(name string) error {
		scanner.space()
		from := scanner.pos
		if _, err := scanner.value(); err != nil {
			return err
		}
		if i := slices.Index(s.names, name); i >= 0 {
			dst[first+i] = line[from:scanner.pos:scanner.pos]
		}
		return nil
	})
	if err == nil {
		err = scanner.end()
	}
	if err != nil {
		return dst[:first], fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for i, name := range s.names {
		if dst[first+i] == nil {
			return dst[:first], &SampleError{Sample: -1, Column: name, Err: fmt.Errorf("%w: the line has no such member", ErrFormat)}
		}
	}
	return dst, nil
}
