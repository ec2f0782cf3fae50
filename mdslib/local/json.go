package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("json", openJSON) }

// jsonSource reads JSON as Spark's json source does: one object a line, or with multiLine one object, or array of
// objects, a file. The schema is inferred from all files: whole numbers bigint, other numbers double, objects structs
// with their members sorted, arrays arrays, what differs string. Options: multiLine, mode, primitivesAsString.
// Difference: a malformed line is an error that names file and line unless mode is PERMISSIVE (then a row of NULLs) or
// DROPMALFORMED.
type jsonSource struct {
	files     *Files
	splits    []Split
	schema    plan.Schema
	own       int
	multiLine bool
	asText    bool
	mode      string
}

func openJSON(ctx context.Context, read *plan.Read, so SourceOptions) (Source, error) {
	opts := NewOptions(read)
	s := &jsonSource{}
	var err error
	if s.multiLine, err = opts.Bool("multiLine", false); err != nil {
		return nil, err
	}
	if s.asText, err = opts.Bool("primitivesAsString", false); err != nil {
		return nil, err
	}
	if s.mode, err = readMode(opts, nil); err != nil {
		return nil, err
	}
	if s.files, err = ListFiles(ctx, read, opts); err != nil {
		return nil, err
	}
	if err := opts.Unknown(); err != nil {
		return nil, err
	}
	s.splits = PackFiles(s.files.List)
	types := make([]plan.Type, len(s.files.List))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(so.Workers, 1))
	for i, f := range s.files.List {
		group.Go(func() error {
			return s.records(groupCtx, f.Path, func(_ int64, v map[string]any) error {
				types[i] = mergeJSON(types[i], s.typeOf(v))
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var t plan.Type
	for _, u := range types {
		t = mergeJSON(t, u)
	}
	s.schema.Fields = settle(t).Fields
	s.own = len(s.schema.Fields)
	s.schema.Fields = append(s.schema.Fields, s.files.Partitions...)
	return s, nil
}

// records calls fn for each object of a file.
func (s *jsonSource) records(ctx context.Context, path string, fn func(line int64, v map[string]any) error) error {
	f, err := openText(path)
	if err != nil {
		return err
	}
	defer f.Close()
	bad := func(line int64, err error) error {
		switch s.mode {
		case "PERMISSIVE":
			return fn(line, nil)
		case "DROPMALFORMED":
			return nil
		}
		return &RowError{Origin{path, line, "line"}, fmt.Errorf("malformed JSON: %w", err)}
	}
	if s.multiLine {
		text, err := io.ReadAll(f)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var v any
		if err := decodeJSON(text, &v); err != nil {
			return bad(1, err)
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for i, v := range list {
			object, ok := v.(map[string]any)
			if !ok {
				err = bad(int64(i+1), fmt.Errorf("want an object, got %T", v))
			} else {
				err = fn(int64(i+1), object)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	lines := &lineReader{r: f.(*textFile).Reader}
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", path, lines.line+1, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if lines.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var v map[string]any
		if err := decodeJSON(line, &v); err != nil {
			if err := bad(lines.line, err); err != nil {
				return err
			}
			continue
		}
		if err := fn(lines.line, v); err != nil {
			return err
		}
	}
}

func decodeJSON(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("the text ends early")
		}
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("text goes on after the value")
	}
	return nil
}

func (s *jsonSource) typeOf(v any) plan.Type {
	switch v := v.(type) {
	case map[string]any:
		t := plan.Type{Kind: plan.Struct}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			t.Fields = append(t.Fields, plan.Field{Name: k, Type: s.typeOf(v[k]), Nullable: true})
		}
		return t
	case []any:
		var elem plan.Type
		for _, e := range v {
			elem = mergeJSON(elem, s.typeOf(e))
		}
		return plan.ArrayOf(elem, true)
	case nil:
		return plan.Type{}
	case string:
		return plan.Of(plan.String)
	}
	if s.asText {
		return plan.Of(plan.String)
	}
	if _, ok := v.(bool); ok {
		return plan.Of(plan.Boolean)
	}
	n := v.(json.Number).String()
	if _, err := strconv.ParseInt(n, 10, 64); err == nil {
		return plan.Of(plan.Long)
	}
	return plan.Of(plan.Double)
}

// mergeJSON is the type of values of both types; void is that of nothing but null.
func mergeJSON(a, b plan.Type) plan.Type {
	switch {
	case a.Kind == plan.Null:
		return b
	case b.Kind == plan.Null || a.Equal(b) && a.Kind != plan.Array && a.Kind != plan.Struct:
		return a
	case a.Kind == plan.Array && b.Kind == plan.Array:
		return plan.ArrayOf(mergeJSON(*a.Elem, *b.Elem), true)
	case a.Kind == plan.Struct && b.Kind == plan.Struct:
		t := plan.Type{Kind: plan.Struct, Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			i := slices.IndexFunc(t.Fields, func(g plan.Field) bool { return g.Name == f.Name })
			if i < 0 {
				t.Fields = append(t.Fields, f)
			} else {
				t.Fields[i].Type = mergeJSON(t.Fields[i].Type, f.Type)
			}
		}
		slices.SortFunc(t.Fields, func(f, g plan.Field) int { return strings.Compare(f.Name, g.Name) })
		return t
	case a.Numeric() && b.Numeric():
		return plan.Of(plan.Double)
	}
	return plan.Of(plan.String)
}

// settle makes strings of what was null everywhere, and drops structs without members, as Spark does.
func settle(t plan.Type) plan.Type {
	switch t.Kind {
	case plan.Null:
		return plan.Of(plan.String)
	case plan.Array:
		return plan.ArrayOf(settle(*t.Elem), true)
	case plan.Struct:
		out := plan.Type{Kind: plan.Struct}
		for _, f := range t.Fields {
			if f.Type.Kind == plan.Struct && len(f.Type.Fields) == 0 {
				continue
			}
			f.Type = settle(f.Type)
			out.Fields = append(out.Fields, f)
		}
		return out
	}
	return t
}

func (s *jsonSource) Schema() plan.Schema { return s.schema }
func (s *jsonSource) Splits() int         { return len(s.splits) }

func (s *jsonSource) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	for _, f := range s.files.List[s.splits[split].First:s.splits[split].End] {
		err := s.records(ctx, f.Path, func(line int64, v map[string]any) error {
			values := make([]any, s.own, len(s.schema.Fields))
			for c, field := range s.schema.Fields[:s.own] {
				if want[c] {
					values[c] = jsonToValue(v[field.Name], field.Type)
				}
			}
			return yield(Row{append(values, f.Partitions...), Origin{f.Path, line, "line"}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// jsonToValue brings a value to the inferred type, which holds it.
func jsonToValue(v any, t plan.Type) any {
	switch v := v.(type) {
	case nil:
		return nil
	case json.Number:
		switch t.Kind {
		case plan.Long:
			if n, err := v.Int64(); err == nil {
				return n
			}
		case plan.Double:
			if f, err := v.Float64(); err == nil {
				return f
			}
		}
		return v.String()
	case bool:
		if t.Kind == plan.String {
			return strconv.FormatBool(v)
		}
		return v
	case []any:
		if t.Kind == plan.Array {
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = jsonToValue(e, *t.Elem)
			}
			return out
		}
	case map[string]any:
		if t.Kind == plan.Struct {
			out := make(plan.StructValue, len(t.Fields))
			for i, f := range t.Fields {
				out[i] = jsonToValue(v[f.Name], f.Type)
			}
			return out
		}
	case string:
		return v
	}
	text, err := json.Marshal(v) // an object or array among texts stays JSON
	if err != nil {
		return nil
	}
	return string(text)
}
