package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("csv", openCSV) }

// csvSource reads CSV as Spark's csv source does, by its options sep (delimiter), header, inferSchema, quote, escape,
// nullValue, comment, multiLine, mode, ignoreLeadingWhiteSpace, ignoreTrailingWhiteSpace. Rows with too few fields end in
// NULLs. Differences: a value that isn't of its column's type is an error that names file and line unless mode is
// PERMISSIVE (then NULL, Spark's default) or DROPMALFORMED; encoding is UTF-8.
type csvSource struct {
	csvFormat
	files  *Files
	splits []Split
	schema plan.Schema
	own    int // columns from the file, before the partition columns
	parse  []func(string) (any, error)
}

type csvFormat struct {
	sep                    string
	quote, escape, comment byte // 0 for none
	header, multiLine      bool
	null                   string
	trimLeft, trimRight    bool
	mode                   string
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
	if err := opts.Unknown(); err != nil {
		return nil, err
	}
	s.splits = PackFiles(s.files.List)
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		s.schema.Fields = append(s.schema.Fields, plan.Field{Name: n, Type: plan.Of(plan.String), Nullable: true})
	}
	s.own = len(names)
	if infer {
		if err := s.infer(ctx, so.Workers); err != nil {
			return nil, err
		}
	}
	for _, f := range s.schema.Fields {
		p, err := expr.FromText(f.Type, expr.Env{Location: time.Local})
		if err != nil {
			return nil, err
		}
		s.parse = append(s.parse, p)
	}
	s.schema.Fields = append(s.schema.Fields, s.files.Partitions...)
	return s, nil
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
	s.null = opts.Text("nullValue", "")
	if e := strings.ToUpper(opts.Text("encoding", opts.Text("charset", "UTF-8"))); e != "UTF-8" && e != "UTF8" && err == nil {
		err = fmt.Errorf("option encoding is %s: only UTF-8 is read", e)
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

// names takes the columns' names from the first file with a line: its header, or _c0, _c1, … for as many fields.
func (s *csvSource) names() ([]string, error) {
	for _, f := range s.files.List {
		var first []csvField
		err := s.records(f.Path, false, func(_ int64, fields []csvField) error {
			first = slices.Clone(fields)
			return io.EOF
		})
		if err != nil && err != io.EOF {
			return nil, err
		}
		if first == nil {
			continue
		}
		names := make([]string, len(first))
		for i, v := range first {
			names[i] = fmt.Sprintf("_c%d", i)
			if s.header && v.text != "" {
				names[i] = strings.TrimPrefix(v.text, "\ufeff")
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

// records calls fn for each record of a file with its line, the header left out if skipHeader is set.
func (s *csvSource) records(path string, skipHeader bool, fn func(line int64, fields []csvField) error) error {
	f, err := openText(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := &lineReader{r: f.(*textFile).Reader}
	var fields []csvField
	var record []byte
	for first := true; ; {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", path, lines.line+1, err)
		}
		start := lines.line
		if s.comment != 0 && len(line) > 0 && line[0] == s.comment || len(line) == 0 {
			continue
		}
		record = append(record[:0], line...)
		for {
			var open bool
			if fields, open = s.split(fields[:0], record); !open {
				break
			}
			more, err := lines.next()
			if !s.multiLine || err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("%s, line %d: %w", path, lines.line+1, err)
			}
			record = append(append(record, '\n'), more...)
		}
		if first && skipHeader && s.header {
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
		rest = rest[i:]
		fields = append(fields, csvField{string(text), true})
		if !closed {
			return fields, true
		}
		n := bytes.Index(rest, []byte(f.sep))
		if n < 0 {
			return fields, false
		}
		rest = rest[n+len(f.sep):]
	}
}

// value returns the text of a field, false for NULL.
func (f *csvFormat) value(field csvField) (string, bool) {
	if field.text == f.null && !(field.quoted && f.null == "") {
		return "", false
	}
	return field.text, true
}

// inferKinds are tried in order, as Spark's CSVInferSchema does.
var inferKinds = []plan.Kind{plan.Int, plan.Long, plan.Double, plan.Date, plan.Timestamp, plan.Boolean}

// infer reads all files and gives each column the narrowest type that takes all its values; string where there is none
// and where there are no values.
func (s *csvSource) infer(ctx context.Context, workers int) error {
	parse := make([]func(string) (any, error), len(inferKinds))
	for i, k := range inferKinds {
		var err error
		if parse[i], err = expr.FromText(plan.Of(k), expr.Env{Location: time.Local}); err != nil {
			return err
		}
	}
	takes := func(i int, text string) bool {
		switch inferKinds[i] { // the casts take more than inference does
		case plan.Date:
			if len(text) != 10 || text[4] != '-' {
				return false
			}
		case plan.Timestamp:
			if len(text) < 10 || text[4] != '-' {
				return false
			}
		case plan.Boolean:
			return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
		}
		_, err := parse[i](text)
		return err == nil
	}
	kinds := make([][]plan.Kind, len(s.files.List))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(workers, 1))
	for i, f := range s.files.List {
		group.Go(func() error {
			have := make([]plan.Kind, s.own)
			kinds[i] = have
			return s.records(f.Path, true, func(_ int64, fields []csvField) error {
				for c := range min(len(fields), s.own) {
					text, ok := s.value(fields[c])
					if !ok || have[c] == plan.String {
						continue
					}
					if k := slices.Index(inferKinds, have[c]); k >= 0 && takes(k, text) {
						continue
					}
					kind := plan.String
					for k := range inferKinds {
						if takes(k, text) {
							kind = inferKinds[k]
							break
						}
					}
					have[c] = widerKind(have[c], kind)
				}
				return ctx.Err()
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for c := range s.own {
		kind := plan.Null
		for _, have := range kinds {
			kind = widerKind(kind, have[c])
		}
		if kind == plan.Null {
			kind = plan.String
		}
		s.schema.Fields[c].Type = plan.Of(kind)
	}
	return nil
}

// widerKind is the kind that holds the values of both.
func widerKind(a, b plan.Kind) plan.Kind {
	if a > b {
		a, b = b, a
	}
	switch {
	case a == b, a == plan.Null:
		return b
	case a >= plan.Int && b <= plan.Double, a == plan.Date && b == plan.Timestamp:
		return b
	}
	return plan.String
}

func (s *csvSource) Schema() plan.Schema { return s.schema }
func (s *csvSource) Splits() int         { return len(s.splits) }

func (s *csvSource) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	for _, f := range s.files.List[s.splits[split].First:s.splits[split].End] {
		err := s.records(f.Path, true, func(line int64, fields []csvField) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			values := make([]any, s.own, len(s.schema.Fields))
			for c := range min(len(fields), s.own) {
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
					return &RowError{Origin{f.Path, line, "line"}, fmt.Errorf("column %q: %q is no %s", s.schema.Fields[c].Name, clip(text), s.schema.Fields[c].Type)}
				}
				values[c] = v
			}
			return yield(Row{append(values, f.Partitions...), Origin{f.Path, line, "line"}})
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
