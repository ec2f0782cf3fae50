package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// This file holds the steps for which rows of different partitions meet. They keep rows in memory, file contents not
// among them: those are read later, by whoever needs them.

// shared makes n partitions of rows that are computed together when the first of them is run: partition i gets the i-th
// of n equal runs.
func shared(schema plan.Schema, n int, compute func(ctx context.Context) ([]Row, error)) *relation {
	var once sync.Once
	var rows []Row
	var err error
	out := &relation{schema: schema, rows: func(ctx context.Context) ([]Row, error) {
		once.Do(func() { rows, err = compute(ctx) })
		return rows, err
	}}
	for i := range max(n, 1) {
		n := max(n, 1)
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			rows, err := out.rows(ctx)
			if err != nil {
				return err
			}
			for _, row := range rows[i*len(rows)/n : (i+1)*len(rows)/n] {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := yield(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out
}

// gather runs all partitions and returns their rows, one list each.
func (e *engine) gather(ctx context.Context, in *relation) ([][]Row, error) {
	lists := make([][]Row, len(in.partitions))
	err := e.parallel(ctx, in.partitions, func(_ context.Context, i int, row Row) error {
		lists[i] = append(lists[i], row)
		return nil
	})
	return lists, err
}

// sortKey is one bound key of a sort.
type sortKey struct {
	*expr.Bound
	descending, nullsFirst bool
}

func (e *engine) sort(ctx context.Context, n *plan.Sort, want need) (*relation, error) {
	below := want
	for _, o := range n.Orders {
		below = below.with(o.Expr)
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	keys := make([]sortKey, len(n.Orders))
	for i, o := range n.Orders {
		b, err := expr.Bind(o.Expr, in.schema, e.env)
		if err != nil {
			return nil, fmt.Errorf("local: OrderBy: %w", err)
		}
		if b.Field.Type.Kind == plan.Map {
			return nil, fmt.Errorf("local: OrderBy: %q is a map, which has no order", o.Expr)
		}
		keys[i] = sortKey{b, o.Descending, !o.Descending}
		if o.NullsFirst != nil {
			keys[i].nullsFirst = *o.NullsFirst
		}
	}
	type keyed struct {
		Row
		keys []any
	}
	return shared(in.schema, len(in.partitions), func(ctx context.Context) ([]Row, error) {
		lists := make([][]keyed, len(in.partitions))
		err := e.parallel(ctx, in.partitions, func(_ context.Context, i int, row Row) error {
			k := keyed{row, make([]any, len(keys))}
			for j, key := range keys {
				var err error
				if k.keys[j], err = key.Eval(row.Values); err != nil {
					return &RowError{row.Origin, err}
				}
			}
			lists[i] = append(lists[i], k)
			return nil
		})
		if err != nil {
			return nil, err
		}
		all := slices.Concat(lists...)
		slices.SortStableFunc(all, func(a, b keyed) int {
			for i, key := range keys {
				if c := key.compare(a.keys[i], b.keys[i]); c != 0 {
					return c
				}
			}
			return 0
		})
		rows := make([]Row, len(all))
		for i, k := range all {
			rows[i] = k.Row
		}
		return rows, nil
	}), nil
}

func (k sortKey) compare(a, b any) int {
	first := -1
	if !k.nullsFirst {
		first = 1
	}
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return first
	case b == nil:
		return -first
	case k.descending:
		return expr.Compare(b, a)
	}
	return expr.Compare(a, b)
}

func (e *engine) distinct(ctx context.Context, n *plan.Distinct, want need) (*relation, error) {
	below := want
	if len(n.Columns) == 0 {
		below = nil
	}
	for _, c := range n.Columns {
		below = below.with(plan.QuoteName(c))
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	var at []int
	for i := range in.schema.Fields {
		if len(n.Columns) == 0 {
			at = append(at, i)
		}
	}
	for _, c := range n.Columns {
		i, _ := in.schema.Index(c)
		if i < 0 {
			return nil, fmt.Errorf("local: DropDuplicates: no column %q (%s)", c, plan.Nearest(c, in.schema.Names()))
		}
		at = append(at, i)
	}
	for _, i := range at {
		if f := in.schema.Fields[i]; !orderable(f.Type) {
			return nil, fmt.Errorf("local: Distinct: [UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE] column %q is %s: maps can't be compared", f.Name, f.Type)
		}
	}
	type keyed struct {
		Row
		key string
	}
	return shared(in.schema, len(in.partitions), func(ctx context.Context) ([]Row, error) {
		lists := make([][]keyed, len(in.partitions))
		seen := make([]map[string]bool, len(in.partitions))
		err := e.parallel(ctx, in.partitions, func(_ context.Context, i int, row Row) error {
			var key []byte
			for _, c := range at {
				v, err := force(row.Values[c], row.Origin)
				if err != nil {
					return err
				}
				key = expr.AppendKey(key, v)
			}
			if seen[i] == nil {
				seen[i] = map[string]bool{}
			}
			if !seen[i][string(key)] {
				seen[i][string(key)] = true
				lists[i] = append(lists[i], keyed{row, string(key)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		var rows []Row
		all := map[string]bool{}
		for _, list := range lists {
			for _, k := range list {
				if !all[k.key] {
					all[k.key] = true
					rows = append(rows, k.Row)
				}
			}
		}
		return rows, nil
	}), nil
}

func (e *engine) aggregate(ctx context.Context, n *plan.Aggregate) (*relation, error) {
	in, err := e.build(ctx, n.Input, need{}.with(slices.Concat(n.GroupBy, n.Aggs)...))
	if err != nil {
		return nil, err
	}
	return e.aggregateOf(in, n)
}

// aggregateOf is the groups of a relation.
func (e *engine) aggregateOf(in *relation, n *plan.Aggregate) (*relation, error) {
	groups, err := expr.BindAll(n.GroupBy, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: GroupBy: %w", err)
	}
	aggs, err := expr.BindAggregates(n.Aggs, groups, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: Agg: %w", err)
	}
	var schema plan.Schema
	for _, g := range groups {
		if !orderable(g.Field.Type) {
			return nil, fmt.Errorf("local: GroupBy: %q is or holds a map, which can't be compared", g.Text)
		}
		schema.Fields = append(schema.Fields, g.Field)
	}
	schema.Fields = append(schema.Fields, aggs.Fields...)
	return shared(schema, 1, func(ctx context.Context) ([]Row, error) {
		parts := make([]grouping, len(in.partitions))
		err := e.parallel(ctx, in.partitions, func(_ context.Context, i int, row Row) error {
			return parts[i].add(groups, aggs, row)
		})
		if err != nil {
			return nil, err
		}
		var all grouping
		for _, p := range parts {
			if err := all.merge(aggs, p); err != nil {
				return nil, err
			}
		}
		if len(groups) == 0 && len(all.list) == 0 { // an aggregate of no rows is still one row
			all.list = append(all.list, &groupRows{Group: aggs.NewGroup()})
		}
		rows := make([]Row, len(all.list))
		for i, g := range all.list {
			values, err := aggs.Result(g.keys, g.Group)
			if err != nil {
				return nil, err
			}
			rows[i].Values = append(slices.Clone(g.keys), values...)
		}
		return rows, nil
	}), nil
}

// grouping is the groups of one partition, in the order of their first rows.
type grouping struct {
	byKey map[string]*groupRows
	list  []*groupRows
}

type groupRows struct {
	*expr.Group
	key  string
	keys []any
}

func (p *grouping) add(groups []*expr.Bound, aggs *expr.Aggregation, row Row) error {
	located := func(err error) error {
		var already *RowError
		if err == nil || errors.As(err, &already) {
			return err
		}
		return &RowError{row.Origin, err}
	}
	var few [4]any
	keys := few[:0]
	var bytes [64]byte
	key := bytes[:0]
	for _, g := range groups {
		v, err := g.Eval(row.Values)
		if err != nil {
			return located(err)
		}
		keys = append(keys, v)
		key = expr.AppendKey(key, v)
	}
	g := p.byKey[string(key)]
	if g == nil {
		if p.byKey == nil {
			p.byKey = map[string]*groupRows{}
		}
		g = &groupRows{aggs.NewGroup(), string(key), slices.Clone(keys)}
		p.byKey[g.key] = g
		p.list = append(p.list, g)
	}
	return located(aggs.Add(g.Group, row.Values))
}

func (p *grouping) merge(aggs *expr.Aggregation, q grouping) error {
	if p.byKey == nil {
		p.byKey = map[string]*groupRows{}
	}
	for _, g := range q.list {
		have := p.byKey[g.key]
		if have == nil {
			p.byKey[g.key] = g
			p.list = append(p.list, g)
		} else if err := aggs.Merge(have.Group, g.Group); err != nil {
			return err
		}
	}
	return nil
}
