package local

// Tables one after the other, and what two of them have in common or not.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

func (e *engine) union(ctx context.Context, n *plan.Union) (*relation, error) {
	what := "Union"
	if n.ByName {
		what = "UnionByName"
	}
	schema, all, err := e.align(ctx, what, n.All, n.ByName)
	if err != nil {
		return nil, err
	}
	out := &relation{schema: schema}
	for _, in := range all {
		out.partitions = append(out.partitions, in.partitions...)
	}
	return out, nil
}

// setOp keeps the rows of the left table that the right one has, or has not. All columns are compared.
func (e *engine) setOp(ctx context.Context, n *plan.SetOp) (*relation, error) {
	what := map[string]string{"intersect": "Intersect", "except": "Except"}[n.Op]
	if what == "" {
		return nil, fmt.Errorf("local: the set operation %q: want intersect or except", n.Op)
	}
	if n.All {
		what += "All"
	}
	schema, all, err := e.align(ctx, what, []plan.Node{n.Left, n.Right}, false)
	if err != nil {
		return nil, err
	}
	for _, f := range schema.Fields {
		if !orderable(f.Type) {
			return nil, fmt.Errorf("local: %s: [UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE] column %q is %s: maps can't be compared", what, f.Name, f.Type)
		}
	}
	left, right := all[0], all[1]
	return shared(schema, len(left.partitions), func(ctx context.Context) ([]Row, error) {
		count := map[string]int{} // how often the right table has a row
		err := e.eachKey(ctx, right, func(_ Row, key string) { count[key]++ })
		if err != nil {
			return nil, err
		}
		var rows []Row
		seen := map[string]bool{}
		err = e.eachKey(ctx, left, func(row Row, key string) {
			there := count[key] > 0
			if n.All {
				count[key]--
			} else if seen[key] {
				return
			}
			if seen[key] = true; there == (n.Op == "intersect") {
				rows = append(rows, row)
			}
		})
		return rows, err
	}), nil
}

// eachKey runs a relation and hands on its rows in order, each with the bytes that equal rows share.
func (e *engine) eachKey(ctx context.Context, in *relation, consume func(row Row, key string)) error {
	var key []byte
	for row, err := range e.inOrder(ctx, in) {
		if err != nil {
			return err
		}
		key = key[:0]
		for _, v := range row.Values {
			if v, err = force(v, row.Origin); err != nil {
				return err
			}
			key = expr.AppendKey(key, v)
		}
		consume(row, string(key))
	}
	return nil
}

// align brings tables to the columns of the first, by position or by name, and to types that hold what all of them have.
func (e *engine) align(ctx context.Context, what string, inputs []plan.Node, byName bool) (schema plan.Schema, all []*relation, err error) {
	var order [][]int // for each input, where it has the result's columns
	for i, input := range inputs {
		in, err := e.build(ctx, input, nil) // by position: the names may differ
		if err != nil {
			return schema, nil, err
		}
		if i == 0 {
			schema.Fields = slices.Clone(in.schema.Fields)
		}
		if len(in.schema.Fields) != len(schema.Fields) {
			return schema, nil, fmt.Errorf("local: %s: table %d has %d columns, the first has %d", what, i+1, len(in.schema.Fields), len(schema.Fields))
		}
		at := make([]int, len(schema.Fields))
		for c, f := range schema.Fields {
			at[c] = c
			if byName {
				if at[c], _ = in.schema.Index(f.Name); at[c] < 0 {
					return schema, nil, fmt.Errorf("local: %s: table %d has no column %q (it has %s)", what, i+1, f.Name, strings.Join(in.schema.Names(), ", "))
				}
			}
			g := in.schema.Fields[at[c]]
			t, ok := expr.Widest(f.Type, g.Type)
			if !ok {
				return schema, nil, fmt.Errorf("local: %s: column %q is %s in table %d and %s before it", what, f.Name, g.Type, i+1, f.Type)
			}
			schema.Fields[c].Type = t
			schema.Fields[c].Nullable = f.Nullable || g.Nullable
		}
		all, order = append(all, in), append(order, at)
	}
	for i, in := range all {
		casts := make([]func(any) (any, error), len(order[i]))
		for c, from := range order[i] {
			have, to := in.schema.Fields[from].Type, schema.Fields[c].Type
			if have.Equal(to) {
				continue
			}
			var ok bool
			if casts[c], ok = expr.Converter(have, to, e.env); !ok {
				return schema, nil, fmt.Errorf("local: %s: column %q: can't cast %s to %s", what, schema.Fields[c].Name, have, to)
			}
		}
		all[i] = in.each(schema, func(row Row, yield func(Row) error) error {
			values := make([]any, len(casts))
			for c, from := range order[i] {
				var err error
				if values[c], err = converted(row.Values[from], row.Origin, casts[c], what, schema.Fields[c].Name); err != nil {
					return err
				}
			}
			return yield(Row{values, row.Origin})
		})
	}
	return schema, all, nil
}

// converted is a value as another type has it; without a cast it is passed on unread. what and column are for the error.
func converted(v any, origin Origin, cast func(any) (any, error), what, column string) (any, error) {
	if cast == nil || v == nil {
		return v, nil
	}
	v, err := force(v, origin)
	if err != nil || v == nil {
		return nil, err
	}
	if v, err = cast(v); err != nil {
		var e *expr.Error
		if errors.As(err, &e) {
			err = errors.New(e.Msg)
		}
		return nil, &RowError{origin, fmt.Errorf("%s: column %q: %w", what, column, err)}
	}
	return v, nil
}
