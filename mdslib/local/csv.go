package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("csv", openCSV) }

// csvSource reads CSV as Spark's csv source does, by its options sep (delimiter), header, inferSchema, quote, escape,
// nullValue, emptyValue, nanValue, positiveInf, negativeInf, comment, multiLine, lineSep, dateFormat, timestampFormat, mode,
// ignoreLeadingWhiteSpace, ignoreTrailingWhiteSpace. Rows with too few fields end in NULLs. Differences: a value that isn't
// of its column's type is an error that names file and line unless mode is PERMISSIVE (then NULL, Spark's default) or
// DROPMALFORMED; a doubled quote in quotes is one quote, as RFC 4180 has it, whatever escape is; multiLine takes \r\n for a
// line's end; there is no column of corrupt records; encoding is UTF-8.
type csvSource struct {
	csvFormat
	files  *Files
	chunks []textChunk
	splits []Split // of chunks
	schema plan.Schema
	own    plan.Schema // the files' columns
	into   func(row []any, f *File) []any
	parse  []func(string) (any, error)
}

type csvFormat struct {
	sep, end               string
	quote, escape, comment byte // 0 for none
	header, multiLine      bool
	null, empty            string
	nan, inf, minusInf     string
	trimLeft, trimRight    bool
	mode                   string
	dates                  datePatterns
}

func openCSV(ctx context.Context, read *plan.Read, so SourceOptions) (Source, error) {
	opts := NewOptions(read)
	s := &csvSource{}
	infer, err := s.options(opts)
	if err != nil {
		return nil, err
	}
	if s.files, err = ListFiles(ctx, read, opts); err != nil {
		return nil, err
	}
	if err := opts.NotHere("enforceSchema", "charToEscapeQuoteEscaping", "unescapedQuoteHandling", "columnNameOfCorruptRecord", "timeZone", "locale"); err != nil {
		return nil, err
	}
	if err := opts.Unknown(); err != nil {
		return nil, err
	}
	s.chunks, s.splits = textChunks(s.files.List, so.ChunkBytes, !s.multiLine && s.end == "")
	if read.Schema != "" {
		if s.own, err = plan.ParseSchema(read.Schema); err == nil {
			s.own, err = s.files.Given(s.own)
		}
	} else {
		err = s.inferred(ctx, infer, so.Workers)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range s.own.Fields {
		p, err := s.parser(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		s.parse = append(s.parse, p)
	}
	s.schema, s.into = s.files.Joined(s.own)
	return s, nil
}

// inferred takes the columns from the files: their names, and their types if infer is set.
func (s *csvSource) inferred(ctx context.Context, infer bool, workers int) error {
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	for _, n := range names {
		s.own.Fields = append(s.own.Fields, plan.Field{Name: n, Type: plan.Of(plan.String), Nullable: true})
	}
	if !infer {
		return nil
	}
	return s.infer(ctx, workers)
}

func (s *csvSource) options(opts *Options) (infer bool, err error) {
	s.sep = opts.Text("sep", opts.Text("delimiter", ","))
	if s.sep == `\t` {
		s.sep = "\t"
	}
	if s.sep == "" {
		return false, errors.New("option sep is empty")
	}
	one := func(name, otherwise string) byte {
		v := opts.Text(name, otherwise)
		if len(v) > 1 && err == nil {
			err = fmt.Errorf("option %s is %q, want one character", name, v)
		}
		if v == "" {
			return 0
		}
		return v[0]
	}
	flag := func(name string) bool {
		v, e := opts.Bool(name, false)
		if err == nil {
			err = e
		}
		return v
	}
	s.quote, s.escape, s.comment = one("quote", `"`), one("escape", `\`), one("comment", "")
	s.header, s.multiLine, infer = flag("header"), flag("multiLine"), flag("inferSchema")
	s.trimLeft, s.trimRight = flag("ignoreLeadingWhiteSpace"), flag("ignoreTrailingWhiteSpace")
	s.null, s.empty, s.end = opts.Text("nullValue", ""), opts.Text("emptyValue", ""), opts.Text("lineSep", "")
	s.nan, s.inf, s.minusInf = opts.Text("nanValue", "NaN"), opts.Text("positiveInf", "Inf"), opts.Text("negativeInf", "-Inf")
	opts.NoEffect("samplingRatio", "maxColumns", "maxCharsPerColumn", "preferDate") // all rows are looked at, of any length
	if e := strings.ToUpper(opts.Text("encoding", opts.Text("charset", "UTF-8"))); e != "UTF-8" && e != "UTF8" && err == nil {
		err = fmt.Errorf("option encoding is %s: only UTF-8 is read", e)
	}
	if err == nil {
		s.dates, err = datePatternsOf(opts)
	}
	s.mode, err = readMode(opts, err)
	return infer, err
}

// readMode reads the option mode of csv and json.
func readMode(opts *Options, err error) (string, error) {
	mode := strings.ToUpper(opts.Text("mode", "FAILFAST"))
	if err == nil && mode != "FAILFAST" && mode != "PERMISSIVE" && mode != "DROPMALFORMED" {
		err = fmt.Errorf("option mode is %q, want FAILFAST, PERMISSIVE or DROPMALFORMED", mode)
	}
	return mode, err
}

// names takes the columns' names from the first file with a line: its header, or _c0, _c1, … for as many fields. Names that
// occur twice get their position, as in Spark.
func (s *csvSource) names(ctx context.Context) ([]string, error) {
	for i := range s.files.List {
		var first []csvField
		err := s.records(ctx, textChunk{file: &s.files.List[i]}, false, func(_ int64, fields []csvField) error {
			first = slices.Clone(fields)
			return io.EOF
		})
		if err != nil && err != io.EOF {
			return nil, err
		}
		if first == nil {
			continue
		}
		times := map[string]int{}
		for _, v := range first {
			times[strings.ToLower(v.text)]++
		}
		names := make([]string, len(first))
		for i, v := range first {
			switch {
			case !s.header || v.text == "" || v.text == s.null:
				names[i] = fmt.Sprintf("_c%d", i)
			case times[strings.ToLower(v.text)] > 1:
				names[i] = fmt.Sprint(v.text, i)
			default:
				names[i] = v.text
			}
		}
		return names, nil
	}
	return nil, nil
}

type csvField struct {
	text   string
	quoted bool
}

// records calls fn for each record of a chunk with its line, the header left out if skipHeader is set.
func (s *csvSource) records(ctx context.Context, c textChunk, skipHeader bool, fn func(line int64, fields []csvField) error) error {
	f, lines, err := c.open(ctx, s.end)
	if err != nil {
		return err
	}
	defer f.Close()
	var fields []csvField
	var record []byte
	for first := true; ; {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.origin(lines.line+1), err)
		}
		start := lines.line
		if start == 1 && c.from == 0 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if s.comment != 0 && len(line) > 0 && line[0] == s.comment || len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		record = append(record[:0], line...)
		for {
			var open bool
			if fields, open = s.split(fields[:0], record); !open || !s.multiLine {
				break
			}
			ended := lines.ended
			more, err := lines.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.origin(lines.line+1), err)
			}
			record = append(append(record, ended...), more...)
		}
		if first && skipHeader && s.header && c.from == 0 {
			first = false
			continue
		}
		first = false
		if err := fn(start, fields); err != nil {
			return err
		}
	}
}

// split cuts a record into fields; open says that a quoted field doesn't end in it.
func (f *csvFormat) split(fields []csvField, record []byte) (_ []csvField, open bool) {
	rest := record
	for {
		if f.trimLeft {
			rest = bytes.TrimLeft(rest, " \t")
		}
		if f.quote == 0 || len(rest) == 0 || rest[0] != f.quote {
			i := bytes.Index(rest, []byte(f.sep))
			text := rest
			if i >= 0 {
				text = rest[:i]
			}
			if f.trimRight {
				text = bytes.TrimRight(text, " \t")
			}
			fields = append(fields, csvField{text: string(text)})
			if i < 0 {
				return fields, false
			}
			rest = rest[i+len(f.sep):]
			continue
		}
		var text []byte
		i := 1
		closed := false
		for i < len(rest) {
			c := rest[i]
			switch {
			case f.escape != 0 && c == f.escape && i+1 < len(rest) && (rest[i+1] == f.quote || rest[i+1] == f.escape):
				text = append(text, rest[i+1])
				i += 2
				continue
			case c == f.quote && i+1 < len(rest) && rest[i+1] == f.quote:
				text = append(text, c)
				i += 2
				continue
			case c == f.quote:
				closed = true
			default:
				text = append(text, c)
			}
			i++
			if closed {
				break
			}
		}
		whole := rest
		rest = rest[i:]
		if !closed {
			return append(fields, csvField{string(text), true}), true
		}
		n := bytes.Index(rest, []byte(f.sep))
		behind := rest
		if n >= 0 {
			behind = rest[:n]
		}
		field := csvField{string(text), true}
		if len(bytes.TrimSpace(behind)) > 0 { // "x"y isn't quoted
			field = csvField{string(whole[:i+len(behind)]), false}
		}
		fields = append(fields, field)
		if n < 0 {
			return fields, false
		}
		rest = rest[n+len(f.sep):]
	}
}

// value returns the text of a field, false for NULL.
func (f *csvFormat) value(field csvField) (string, bool) {
	text := field.text
	if text == "" && field.quoted {
		text = f.empty
	}
	return text, text != f.null && (text != "" || field.quoted)
}

// parser returns what makes a value of a field's text: as a cast does, but stricter, as Spark's UnivocityParser is.
func (f *csvFormat) parser(t plan.Type) (func(string) (any, error), error) {
	if !t.Atomic() || t.Kind == plan.Binary {
		return nil, fmt.Errorf("csv can't hold %s", t)
	}
	cast, err := f.dates.parser(t)
	if err != nil {
		return nil, err
	}
	malformed := errors.New("malformed")
	switch t.Kind {
	case plan.Byte, plan.Short, plan.Int, plan.Long:
		return func(text string) (any, error) {
			if strings.Trim(text, "+-0123456789") != "" {
				return nil, malformed
			}
			return cast(text)
		}, nil
	case plan.Decimal:
		return func(text string) (any, error) {
			if strings.ContainsAny(text, " \t") {
				return nil, malformed
			}
			return cast(text)
		}, nil
	case plan.Float, plan.Double:
		return func(text string) (any, error) {
			switch text {
			case f.nan:
				text = "NaN"
			case f.inf:
				text = "Infinity"
			case f.minusInf:
				text = "-Infinity"
			default:
				if strings.ContainsAny(text, "nN") && text != "NaN" && strings.TrimLeft(text, "+-") != "Infinity" {
					return nil, malformed
				}
			}
			return cast(text)
		}, nil
	case plan.Boolean:
		return func(text string) (any, error) {
			if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
				return nil, malformed
			}
			return cast(text)
		}, nil
	}
	return cast, nil
}

func (s *csvSource) Schema() plan.Schema { return s.schema }
func (s *csvSource) Splits() int         { return len(s.splits) }

func (s *csvSource) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	for _, chunk := range s.chunks[s.splits[split].First:s.splits[split].End] {
		err := s.records(ctx, chunk, true, func(line int64, fields []csvField) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			values := make([]any, len(s.own.Fields), len(s.schema.Fields))
			for c := range min(len(fields), len(values)) {
				text, ok := s.value(fields[c])
				if !ok || !want[c] {
					continue
				}
				v, err := s.parse[c](text)
				if err != nil {
					switch s.mode {
					case "PERMISSIVE":
						continue
					case "DROPMALFORMED":
						return nil
					}
					return &RowError{chunk.origin(line), fmt.Errorf("column %q: %q is no %s", s.own.Fields[c].Name, clip(text), s.own.Fields[c].Type)}
				}
				values[c] = v
			}
			return yield(Row{s.into(values, chunk.file), chunk.origin(line)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clip cuts text for an error message.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	end := 60
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
