package local

// Columns of rows, rows of columns, and columns by other names.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// mostPivots is spark.sql.pivotMaxValues.
const mostPivots = 10_000

// pivot groups by the values, too, and then puts the groups of a value beside each other.
func (e *engine) pivot(ctx context.Context, n *plan.Pivot) (*relation, error) {
	in, err := e.build(ctx, n.Input, need{}.with(slices.Concat(n.GroupBy, n.Aggs, []string{n.By})...))
	if err != nil {
		return nil, err
	}
	by, err := expr.Bind(n.By, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: Pivot: %w", err)
	}
	if !orderable(by.Field.Type) {
		return nil, fmt.Errorf("local: Pivot: %q is or holds a map, which can't be compared", n.By)
	}
	for _, text := range n.Aggs {
		if !expr.HasAggregate(text) {
			return nil, fmt.Errorf("local: Pivot: %q takes no aggregate such as max or first", text)
		}
	}
	groups, err := e.aggregateOf(in, &plan.Aggregate{GroupBy: append(slices.Clone(n.GroupBy), n.By), Aggs: n.Aggs})
	if err != nil {
		return nil, err
	}
	at := len(groups.schema.Fields) - len(n.Aggs) - 1 // of the value
	values, names, err := e.pivots(ctx, n, by.Field.Type)
	if err != nil {
		return nil, err
	}
	schema := plan.Schema{Fields: slices.Clone(groups.schema.Fields[:at])}
	place := map[string]int{} // of a value's first column
	for i, name := range names {
		key := string(expr.AppendKey(nil, values[i]))
		if _, twice := place[key]; twice {
			return nil, fmt.Errorf("local: Pivot: the value %s is given twice", name)
		}
		place[key] = len(schema.Fields)
		for _, f := range groups.schema.Fields[at+1:] {
			if f.Nullable = true; len(n.Aggs) > 1 {
				f.Name = name + "_" + f.Name
			} else {
				f.Name = name
			}
			schema.Fields = append(schema.Fields, f)
		}
	}
	none, err := e.aggregatesOfNone(in, n, groups.schema.Fields[at+1:])
	if err != nil {
		return nil, err
	}
	return shared(schema, 1, func(ctx context.Context) ([]Row, error) {
		all, err := groups.rows(ctx)
		if err != nil {
			return nil, err
		}
		var rows []Row
		places := map[string]int{} // of the groups
		add := func(keys []any) error {
			row := append(make([]any, 0, len(schema.Fields)), keys...)
			for _, v := range values {
				nothing, err := none(append(slices.Clone(keys), v))
				if err != nil {
					return err
				}
				row = append(row, nothing...)
			}
			rows = append(rows, Row{Values: row})
			return nil
		}
		if at == 0 {
			if err := add(nil); err != nil {
				return nil, err
			}
			places[""] = 0
		}
		var key []byte
		for _, row := range all {
			key = key[:0]
			for _, v := range row.Values[:at] {
				key = expr.AppendKey(key, v)
			}
			i, seen := places[string(key)]
			if !seen {
				i = len(rows)
				places[string(key)] = i
				if err := add(row.Values[:at]); err != nil {
					return nil, err
				}
			}
			if first, wanted := place[string(expr.AppendKey(nil, row.Values[at]))]; wanted {
				copy(rows[i].Values[first:], row.Values[at+1:])
			}
		}
		return rows, nil
	}), nil
}

// aggregatesOfNone makes what a group has of a value of which it has no row: NULLs, but where an aggregate is no number and no
// bool the aggregates of no rows, so that a count beside a max of text is 0. So it is in Spark, whose PivotFirst knows no others.
func (e *engine) aggregatesOfNone(in *relation, n *plan.Pivot, columns []plan.Field) (func(keys []any) ([]any, error), error) {
	if !slices.ContainsFunc(columns, func(f plan.Field) bool { return !f.Type.Numeric() && f.Type.Kind != plan.Boolean }) {
		nulls := make([]any, len(columns))
		return func([]any) ([]any, error) { return nulls, nil }, nil
	}
	groups, err := expr.BindAll(append(slices.Clone(n.GroupBy), n.By), in.schema, e.env)
	if err != nil {
		return nil, err
	}
	aggs, err := expr.BindAggregates(n.Aggs, groups, in.schema, e.env)
	if err != nil {
		return nil, err
	}
	return func(keys []any) ([]any, error) { return aggs.Result(keys, aggs.NewGroup()) }, nil
}

// pivots are the values that get columns, and the names that the columns have of them. Those that there are take a run.
func (e *engine) pivots(ctx context.Context, n *plan.Pivot, t plan.Type) (values []any, names []string, err error) {
	read := func(text string) (any, error) {
		b, err := expr.Bind(text, plan.Schema{}, e.env)
		if err != nil {
			return nil, fmt.Errorf("local: Pivot: %w", err)
		}
		return b.Eval(nil)
	}
	for _, c := range n.Values {
		value, err := read(fmt.Sprintf("CAST(%s AS %s)", c.Expr(), t))
		if err != nil {
			return nil, nil, fmt.Errorf("local: Pivot: %w", err)
		}
		name, err := read(fmt.Sprintf("CAST(%s AS STRING)", c.Expr()))
		if err != nil {
			return nil, nil, err
		}
		values, names = append(values, value), append(names, name.(string))
	}
	if len(n.Values) > 0 {
		return values, names, nil
	}
	const value, name = "`value`", "`name`"
	in, err := e.build(ctx, &plan.Sort{Orders: []plan.SortOrder{{Expr: value}}, Input: &plan.Limit{N: mostPivots + 1, Input: &plan.Distinct{
		Input: &plan.Project{Input: n.Input, Exprs: []string{n.By + " AS " + value}},
	}}}, nil)
	if err != nil {
		return nil, nil, err
	}
	text, ok := expr.Converter(t, plan.Of(plan.String), e.env)
	if !ok {
		return nil, nil, fmt.Errorf("local: Pivot: %q is %s, which makes no names of columns", n.By, t)
	}
	for row, err := range e.inOrder(ctx, in) {
		if err != nil {
			return nil, nil, err
		}
		v, err := force(row.Values[0], row.Origin)
		if err != nil {
			return nil, nil, err
		}
		var name any = "null"
		if v != nil {
			if name, err = text(v); err != nil {
				return nil, nil, fmt.Errorf("local: Pivot: %w", err)
			}
		}
		values, names = append(values, v), append(names, name.(string))
	}
	if len(values) > mostPivots {
		return nil, nil, fmt.Errorf("local: Pivot: %q has more than %d values: name those that are to be columns", n.By, mostPivots)
	}
	return values, names, nil
}

func (e *engine) unpivot(ctx context.Context, n *plan.Unpivot) (*relation, error) {
	var below need
	if len(n.Columns) > 0 {
		below = need{}
		for _, name := range slices.Concat(n.IDs, n.Columns) {
			below[strings.ToLower(name)] = true
		}
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	var ids []int
	if len(n.IDs) > 0 {
		if ids, err = columnsAt("Unpivot", in.schema, n.IDs); err != nil {
			return nil, err
		}
	}
	columns, err := columnsAt("Unpivot", in.schema, n.Columns)
	if err != nil {
		return nil, err
	}
	if len(n.Columns) == 0 {
		columns = slices.DeleteFunc(columns, func(i int) bool { return slices.Contains(ids, i) })
	}
	if len(columns) == 0 {
		return nil, errors.New("local: Unpivot: all columns are ids: none is left to make rows of")
	}
	var schema plan.Schema
	for _, i := range ids {
		schema.Fields = append(schema.Fields, in.schema.Fields[i])
	}
	value := plan.Field{Name: n.Value, Type: in.schema.Fields[columns[0]].Type}
	for _, i := range columns {
		f := in.schema.Fields[i]
		widest, ok := commonType(value.Type, f.Type)
		if !ok {
			return nil, fmt.Errorf("local: Unpivot: column %q is %s and those before it %s: name columns of one kind, or cast them", f.Name, f.Type, value.Type)
		}
		value.Type, value.Nullable = widest, value.Nullable || f.Nullable
	}
	casts := make([]func(any) (any, error), len(columns))
	for c, i := range columns {
		if have := in.schema.Fields[i].Type; !have.Equal(value.Type) {
			var ok bool
			if casts[c], ok = expr.Converter(have, value.Type, e.env); !ok {
				return nil, fmt.Errorf("local: Unpivot: column %q: can't cast %s to %s", in.schema.Fields[i].Name, have, value.Type)
			}
		}
	}
	schema.Fields = append(schema.Fields, plan.Field{Name: n.Variable, Type: plan.Of(plan.String)}, value)
	return in.each(schema, func(row Row, yield func(Row) error) error {
		for c, i := range columns {
			values := make([]any, 0, len(schema.Fields))
			for _, id := range ids {
				values = append(values, row.Values[id])
			}
			v, err := converted(row.Values[i], row.Origin, casts[c], "Unpivot", in.schema.Fields[i].Name)
			if err != nil {
				return err
			}
			if err := yield(Row{append(values, in.schema.Fields[i].Name, v), row.Origin}); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

// commonType holds the values of both types as Spark's UNPIVOT has it: like a union's, but text is text alone, and float with whole
// numbers is float.
func commonType(a, b plan.Type) (plan.Type, bool) {
	whole := func(t plan.Type) bool {
		return t.Kind == plan.Byte || t.Kind == plan.Short || t.Kind == plan.Int || t.Kind == plan.Long
	}
	switch {
	case (a.Kind == plan.String) != (b.Kind == plan.String):
		return a, false
	case a.Kind == plan.Float && whole(b):
		return a, true
	case b.Kind == plan.Float && whole(a):
		return b, true
	}
	return expr.Widest(a, b)
}

func (e *engine) toDF(ctx context.Context, n *plan.ToDF) (*relation, error) {
	in, err := e.build(ctx, n.Input, nil) // which of its columns are needed depends on their names
	if err != nil {
		return nil, err
	}
	if len(n.Names) != len(in.schema.Fields) {
		return nil, fmt.Errorf("local: ToDF: %d names for %d columns (%s)", len(n.Names), len(in.schema.Fields), strings.Join(in.schema.Names(), ", "))
	}
	fields := slices.Clone(in.schema.Fields)
	for i, name := range n.Names {
		fields[i].Name = name
	}
	in.schema.Fields = fields
	return in, nil
}
