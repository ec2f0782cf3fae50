package local

// Missing values filled or left out, and the description of a table.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// columnsAt are the places of columns by their names; of all where none is named.
func columnsAt(step string, schema plan.Schema, names []string) ([]int, error) {
	var at []int
	for i := range schema.Fields {
		if len(names) == 0 {
			at = append(at, i)
		}
	}
	for _, name := range names {
		i, _ := schema.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("local: %s: no column %q (%s)", step, name, plan.Nearest(name, schema.Names()))
		}
		at = append(at, i)
	}
	return at, nil
}

func (e *engine) fillNA(ctx context.Context, n *plan.FillNA, want need) (*relation, error) {
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	at, err := columnsAt("FillNA", in.schema, n.Columns)
	if err != nil {
		return nil, err
	}
	var columns []plan.NamedExpr
	for _, i := range at {
		f := in.schema.Fields[i]
		if !n.Kin(f.Type) || !want.has(f.Name) {
			continue
		}
		old := plan.QuoteName(f.Name)
		if k := f.Type.Kind; k == plan.Float || k == plan.Double {
			old = fmt.Sprintf("IF(isnan(%s), NULL, %[1]s)", old)
		}
		columns = append(columns, plan.NamedExpr{Name: f.Name, Expr: fmt.Sprintf("coalesce(%s, CAST(%s AS %s))", old, n.Expr(), f.Type)})
	}
	out, err := e.columnsOver(in, columns, want)
	if err != nil {
		return nil, fmt.Errorf("local: FillNA: %w", err)
	}
	return out, nil
}

func (e *engine) dropNA(ctx context.Context, n *plan.DropNA, want need) (*relation, error) {
	below := want
	for _, name := range n.Columns {
		below = below.with(plan.QuoteName(name))
	}
	if len(n.Columns) == 0 {
		below = nil
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	at, err := columnsAt("DropNA", in.schema, n.Columns)
	if err != nil {
		return nil, err
	}
	least := n.Least
	if least == 0 {
		least = len(at)
	}
	return in.each(in.schema, func(row Row, yield func(Row) error) error {
		there := 0
		for _, i := range at {
			if !missing(row.Values[i]) {
				there++
			}
		}
		if there < least {
			return nil
		}
		return yield(row)
	}), nil
}

// missing tells NULL and NaN from values.
func missing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case float32:
		return v != v
	case float64:
		return math.IsNaN(v)
	}
	return false
}

// statistics are the rows of a description, each as an expression of a column, which is text for mean and stddev of text.
var statistics = []struct{ name, numbers, text string }{
	{"count", "count(%s)", "count(%s)"},
	{"mean", "avg(%s)", "avg(try_cast(%s AS DOUBLE))"},
	{"stddev", "stddev(%s)", "stddev(try_cast(%s AS DOUBLE))"},
	{"min", "min(%s)", "min(%s)"},
	{"max", "max(%s)", "max(%s)"},
}

func (e *engine) describe(ctx context.Context, n *plan.Describe) (*relation, error) {
	var below need
	if len(n.Columns) > 0 {
		below = need{}
		for _, name := range n.Columns {
			below[strings.ToLower(name)] = true
		}
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	at, err := columnsAt("Describe", in.schema, n.Columns)
	if err != nil {
		return nil, err
	}
	at = slices.DeleteFunc(at, func(i int) bool {
		t := in.schema.Fields[i].Type
		return !t.Numeric() && t.Kind != plan.String
	})
	text := plan.Of(plan.String)
	schema := plan.Schema{Fields: []plan.Field{{Name: "summary", Type: text, Nullable: true}}}
	var aggs []string
	for _, i := range at {
		f := in.schema.Fields[i]
		schema.Fields = append(schema.Fields, plan.Field{Name: f.Name, Type: text, Nullable: true})
		for _, s := range statistics {
			form := s.numbers
			if f.Type.Kind == plan.String {
				form = s.text
			}
			aggs = append(aggs, fmt.Sprintf("CAST("+form+" AS STRING)", plan.QuoteName(f.Name)))
		}
	}
	all, err := e.aggregateOf(in, &plan.Aggregate{Aggs: aggs})
	if err != nil {
		return nil, err
	}
	return shared(schema, 1, func(ctx context.Context) ([]Row, error) {
		rows, err := all.rows(ctx)
		if err != nil {
			return nil, err
		}
		out := make([]Row, len(statistics))
		for i, s := range statistics {
			out[i].Values = []any{s.name}
			for c := range at {
				out[i].Values = append(out[i].Values, rows[0].Values[c*len(statistics)+i])
			}
		}
		return out, nil
	}), nil
}
