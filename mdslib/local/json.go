package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("json", openJSON) }

// jsonSource reads JSON as Spark's json source does: one object a line, or with multiLine one object, or array of
// objects, a file; an array on a line is so many rows. The columns are those that are given, or are inferred from all files
// (json_infer.go). Options: multiLine, mode, primitivesAsString, prefersDecimal, dropFieldIfAllNull, lineSep, dateFormat,
// timestampFormat. Differences: a malformed line, or a value that isn't of its column's type, is an error that names file
// and line unless mode is PERMISSIVE (then NULL, Spark's default) or DROPMALFORMED; there is no column of corrupt records;
// JSON is as RFC 8259 has it, without Spark's single quotes; encoding is UTF-8.
type jsonSource struct {
	files     *Files
	chunks    []textChunk
	splits    []Split // of chunks
	schema    plan.Schema
	own       plan.Schema // the files' columns
	into      func(row []any, f *File) []any
	values    []jsonValue    // makes a column's value
	at        map[string]int // of each own column, by its exact name
	multiLine bool
	end       string
	mode      string
}

func openJSON(ctx context.Context, read *plan.Read, so SourceOptions) (Source, error) {
	opts := NewOptions(read)
	s := &jsonSource{}
	types, err := s.options(opts)
	if err != nil {
		return nil, err
	}
	dates, err := datePatternsOf(opts)
	if err != nil {
		return nil, err
	}
	if s.files, err = ListFiles(ctx, read, opts); err != nil {
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
		err = s.infer(ctx, types, so.Workers)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range s.own.Fields {
		v, err := jsonValueOf(f.Type, dates)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		s.values = append(s.values, v)
	}
	s.at = positions(s.own.Fields)
	s.schema, s.into = s.files.Joined(s.own)
	return s, nil
}

func (s *jsonSource) options(opts *Options) (types jsonTypes, err error) {
	for name, to := range map[string]*bool{"multiLine": &s.multiLine, "primitivesAsString": &types.asText, "prefersDecimal": &types.decimals, "dropFieldIfAllNull": &types.dropNull} {
		if *to, err = opts.Bool(name, false); err != nil {
			return types, err
		}
	}
	s.end = opts.Text("lineSep", "")
	if e := strings.ToUpper(opts.Text("encoding", opts.Text("charset", "UTF-8"))); e != "UTF-8" && e != "UTF8" {
		return types, fmt.Errorf("option encoding is %s: only UTF-8 is read", e)
	}
	opts.NoEffect("samplingRatio") // all rows are looked at
	if s.mode, err = readMode(opts, nil); err != nil {
		return types, err
	}
	return types, opts.NotHere("allowComments", "allowUnquotedFieldNames", "allowSingleQuotes", "allowNumericLeadingZeros", "allowBackslashEscapingAnyCharacter",
		"allowNonNumericNumbers", "allowUnquotedControlChars", "columnNameOfCorruptRecord", "timeZone", "locale")
}

// infer takes the columns from all files.
func (s *jsonSource) infer(ctx context.Context, types jsonTypes, workers int) error {
	found := make([]plan.Type, len(s.chunks))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(workers, 1))
	for i, chunk := range s.chunks {
		group.Go(func() error {
			return s.records(groupCtx, chunk, func(_ int64, object []byte) error {
				if object != nil {
					found[i] = mergeJSON(found[i], types.of(object))
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var t plan.Type
	for _, u := range found {
		t = mergeJSON(t, u)
	}
	s.own.Fields = types.settle(t).Fields
	for i, f := range s.own.Fields {
		if j := slices.IndexFunc(s.own.Fields[:i], func(g plan.Field) bool { return strings.EqualFold(f.Name, g.Name) }); j >= 0 {
			return fmt.Errorf("the names %q and %q differ in case only: give the columns with Schema", s.own.Fields[j].Name, f.Name)
		}
	}
	return nil
}

// records calls fn for the text of each object of a chunk, which is well formed and valid during the call, with its line, or
// with multiLine its number; nil is what PERMISSIVE makes of a malformed one.
func (s *jsonSource) records(ctx context.Context, c textChunk, fn func(line int64, object []byte) error) error {
	f, lines, err := c.open(ctx, s.end)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.multiLine {
		text, err := io.ReadAll(f)
		if err != nil {
			return fmt.Errorf("%s: %w", c.file.Path, err)
		}
		return s.objects(c, text, func(i int) int64 { return int64(i + 1) }, fn)
	}
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.origin(lines.line+1), err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := s.objects(c, line, func(int) int64 { return lines.line }, fn); err != nil {
			return err
		}
	}
}

// objects calls fn for the object that the text is, or for each object of the array that it is.
func (s *jsonSource) objects(c textChunk, text []byte, line func(i int) int64, fn func(line int64, object []byte) error) error {
	text = skipJSONSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	bad := func(i int, err error) error {
		switch s.mode {
		case "PERMISSIVE":
			return fn(line(i), nil)
		case "DROPMALFORMED":
			return nil
		}
		return &RowError{c.origin(line(i)), fmt.Errorf("malformed JSON: %w", err)}
	}
	if !json.Valid(text) {
		var v any
		return bad(0, json.Unmarshal(text, &v)) // which says what is wrong
	}
	object := func(i int, text []byte) error {
		if text[0] != '{' {
			return bad(i, fmt.Errorf("want an object, got %s", clip(string(text))))
		}
		return fn(line(i), text)
	}
	if text[0] != '[' {
		return object(0, text)
	}
	i := 0
	var err error
	eachElement(text, func(value []byte) {
		if err == nil {
			err = object(i, value)
		}
		i++
	})
	return err
}

func (s *jsonSource) Schema() plan.Schema { return s.schema }
func (s *jsonSource) Splits() int         { return len(s.splits) }

func (s *jsonSource) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	for _, chunk := range s.chunks[s.splits[split].First:s.splits[split].End] {
		texts := make([][]byte, len(s.own.Fields)) // of the columns' values
		err := s.records(ctx, chunk, func(line int64, object []byte) error {
			clear(texts)
			eachMember(object, func(name, value []byte) {
				if c, ok := s.at[string(name)]; ok {
					texts[c] = value
				}
			})
			values := make([]any, len(s.own.Fields), len(s.schema.Fields))
			for c, text := range texts {
				if !want[c] {
					continue
				}
				var err error
				if values[c], err = s.values[c](text); err != nil {
					switch s.mode {
					case "PERMISSIVE":
						continue
					case "DROPMALFORMED":
						return nil
					}
					return &RowError{chunk.origin(line), fmt.Errorf("column %q: %w", s.own.Fields[c].Name, err)}
				}
			}
			return yield(Row{s.into(values, chunk.file), chunk.origin(line)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// positions are those of the fields, by their names.
func positions(fields []plan.Field) map[string]int {
	at := map[string]int{}
	for i, f := range fields {
		at[f.Name] = i
	}
	return at
}
