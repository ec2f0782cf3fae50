package local

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// partition produces its rows, in order, by calling yield until that returns an error, which it returns. It may be run
// once only, and beside other partitions.
type partition func(ctx context.Context, yield func(Row) error) error

// relation is a plan made ready to run once: its columns and its partitions, whose rows one after the other are the
// plan's rows. Columns that nobody needs are nil in the rows.
type relation struct {
	schema     plan.Schema
	partitions []partition

	// rows gives all rows where they are in memory anyway, the partitions being runs of them; nil elsewhere.
	rows func(ctx context.Context) ([]Row, error)
}

// need is the set of columns, by lower-case name, that the steps above read; nil is all of them.
type need map[string]bool

func (n need) has(name string) bool { return n == nil || n[strings.ToLower(name)] }

// with returns the set and the columns that expressions read as well.
func (n need) with(texts ...string) need {
	if n == nil {
		return nil
	}
	out := need{}
	for k := range n {
		out[k] = true
	}
	for _, text := range texts {
		e, err := plan.Parse(text)
		if err != nil {
			return nil // the binder will say so
		}
		names, star := plan.ColumnsOf(e)
		for _, name := range names {
			out[strings.ToLower(name)] = true
		}
		if star && !isCountStar(e) {
			return nil
		}
	}
	return out
}

// isCountStar tells the star of count(*), which reads no column, from the others.
func isCountStar(e plan.Expr) bool {
	if c, ok := e.(*plan.Call); ok && c.Name == "count" {
		return true
	}
	if _, ok := e.(*plan.Star); ok {
		return false
	}
	for _, c := range plan.Children(e) {
		if _, star := plan.ColumnsOf(c); star && !isCountStar(c) {
			return false
		}
	}
	return true
}

// build makes a plan ready to run. It opens the sources, and checks every expression against the columns below it. Where the
// rows of a step are kept, it goes no further down.
func (e *engine) build(ctx context.Context, n plan.Node, want need) (*relation, error) {
	if k := e.cache.of(n); k != nil {
		return e.keep(ctx, n, k)
	}
	return e.step(ctx, n, want)
}

func (e *engine) step(ctx context.Context, n plan.Node, want need) (*relation, error) {
	switch n := n.(type) {
	case *plan.Read:
		return e.read(ctx, n, want)
	case *plan.Range:
		return e.numbers(n)
	case *plan.Table, *plan.SQL, *plan.Rows:
		return nil, fmt.Errorf("local: this engine has no catalogue and no SQL: read files with Read().Format(…).Load(…), or connect to Spark (sc://host:port)")
	case *plan.Values:
		return e.values(n)
	case *plan.Project:
		return e.project(ctx, n, want)
	case *plan.WithColumns:
		return e.withColumns(ctx, n, want)
	case *plan.WithColumnRenamed:
		return e.rename(ctx, n, want)
	case *plan.Drop:
		return e.drop(ctx, n, want)
	case *plan.Filter:
		return e.filter(ctx, n, want)
	case *plan.Sample:
		return e.sample(ctx, n, want)
	case *plan.MapRows:
		return e.mapRows(ctx, n)
	case *plan.Union:
		return e.union(ctx, n)
	case *plan.Limit:
		return e.limit(ctx, n, want)
	case *plan.Offset:
		return e.offset(ctx, n, want)
	case *plan.Tail:
		return e.tail(ctx, n, want)
	case *plan.Sort:
		return e.sort(ctx, n, want)
	case *plan.Distinct:
		return e.distinct(ctx, n, want)
	case *plan.Repartition:
		return e.repartition(ctx, n, want)
	case *plan.RepartitionBy:
		return e.repartitionBy(ctx, n, want)
	case *plan.Coalesce:
		return e.coalesce(ctx, n, want)
	case *plan.Join:
		return e.join(ctx, n, want)
	case *plan.SubqueryAlias:
		return e.alias(ctx, n, want)
	case *plan.SetOp:
		return e.setOp(ctx, n)
	case *plan.Aggregate:
		return e.aggregate(ctx, n)
	case *plan.Pivot:
		return e.pivot(ctx, n)
	case *plan.Unpivot:
		return e.unpivot(ctx, n)
	case *plan.ToDF:
		return e.toDF(ctx, n)
	case *plan.FillNA:
		return e.fillNA(ctx, n, want)
	case *plan.DropNA:
		return e.dropNA(ctx, n, want)
	case *plan.Describe:
		return e.describe(ctx, n)
	case *plan.Refused:
		return nil, n.Err
	case nil:
		return nil, fmt.Errorf("local: the plan is empty")
	}
	return nil, fmt.Errorf("local: the plan has a step %T, which this engine doesn't know", n)
}

func (e *engine) read(ctx context.Context, n *plan.Read, want need) (*relation, error) {
	src, err := openSource(ctx, n, SourceOptions{Workers: e.workers})
	if err != nil {
		return nil, err
	}
	r := &relation{schema: src.Schema()}
	columns := make([]bool, len(r.schema.Fields))
	for i, f := range r.schema.Fields {
		columns[i] = want.has(f.Name)
	}
	for split := range src.Splits() {
		r.partitions = append(r.partitions, func(ctx context.Context, yield func(Row) error) error {
			return src.Scan(ctx, split, columns, yield)
		})
	}
	return r, nil
}

// each makes a relation whose partitions are in's with fn applied to every row: it calls yield for each row it makes.
func (in *relation) each(schema plan.Schema, fn func(row Row, yield func(Row) error) error) *relation {
	out := &relation{schema: schema}
	for _, p := range in.partitions {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			return p(ctx, func(row Row) error { return fn(row, yield) })
		})
	}
	return out
}

// eval computes an expression for a row; an expression that is a column passes its value on unread.
func eval(b *expr.Bound, row Row) (any, error) {
	if c := b.Column(); c >= 0 {
		return row.Values[c], nil
	}
	v, err := b.Eval(row.Values)
	if err != nil {
		return nil, &RowError{row.Origin, err}
	}
	return v, nil
}

// force reads a value that was put off.
func force(v any, origin Origin) (any, error) {
	l, ok := v.(expr.Lazy)
	if !ok {
		return v, nil
	}
	v, err := l.Load()
	if err != nil {
		return nil, &RowError{origin, err}
	}
	return v, nil
}

func (e *engine) project(ctx context.Context, n *plan.Project, want need) (*relation, error) {
	if slices.ContainsFunc(n.Exprs, expr.HasAggregate) { // Select("count(*)") is an aggregate of all rows
		return e.aggregate(ctx, &plan.Aggregate{Input: n.Input, Aggs: n.Exprs})
	}
	in, err := e.build(ctx, n.Input, need{}.with(n.Exprs...))
	if err != nil {
		return nil, err
	}
	exprs, err := expr.BindAll(n.Exprs, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: Select: %w", err)
	}
	var schema plan.Schema
	for _, b := range exprs {
		schema.Fields = append(schema.Fields, b.Field)
	}
	return in.each(schema, func(row Row, yield func(Row) error) error {
		values := make([]any, len(exprs))
		for i, b := range exprs {
			if !want.has(b.Field.Name) {
				continue
			}
			var err error
			if values[i], err = eval(b, row); err != nil {
				return err
			}
		}
		return yield(Row{values, row.Origin})
	}), nil
}

func (e *engine) withColumns(ctx context.Context, n *plan.WithColumns, want need) (*relation, error) {
	below := want
	if want != nil {
		below = need{}
		for name := range want {
			if !slices.ContainsFunc(n.Columns, func(c plan.NamedExpr) bool { return strings.EqualFold(c.Name, name) }) {
				below[name] = true
			}
		}
		for _, c := range n.Columns {
			if want.has(c.Name) {
				below = below.with(c.Expr)
			}
		}
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	return e.columnsOver(in, n.Columns, want)
}

// columnsOver adds columns to a relation, or replaces those of the same name.
func (e *engine) columnsOver(in *relation, columns []plan.NamedExpr, want need) (*relation, error) {
	schema := plan.Schema{Fields: slices.Clone(in.schema.Fields)}
	var exprs []*expr.Bound
	var at []int
	for _, c := range columns {
		b, err := expr.Bind(c.Expr, in.schema, e.env)
		if err != nil {
			return nil, fmt.Errorf("local: WithColumn %q: %w", c.Name, err)
		}
		f := b.Field
		f.Name = c.Name
		replaced := false
		for i, old := range in.schema.Fields {
			if strings.EqualFold(old.Name, c.Name) {
				schema.Fields[i] = f
				exprs, at, replaced = append(exprs, b), append(at, i), true
			}
		}
		if !replaced {
			exprs, at = append(exprs, b), append(at, len(schema.Fields))
			schema.Fields = append(schema.Fields, f)
		}
	}
	return in.each(schema, func(row Row, yield func(Row) error) error {
		values := make([]any, len(schema.Fields))
		copy(values, row.Values)
		for i, b := range exprs {
			if !want.has(schema.Fields[at[i]].Name) {
				values[at[i]] = nil
				continue
			}
			var err error
			if values[at[i]], err = eval(b, row); err != nil {
				return err
			}
		}
		return yield(Row{values, row.Origin})
	}), nil
}

func (e *engine) rename(ctx context.Context, n *plan.WithColumnRenamed, want need) (*relation, error) {
	below := want
	if want != nil && want.has(n.To) {
		below = want.with(plan.QuoteName(n.From))
	}
	in, err := e.build(ctx, n.Input, below)
	if err != nil {
		return nil, err
	}
	fields := slices.Clone(in.schema.Fields)
	for i := range fields {
		if strings.EqualFold(fields[i].Name, n.From) {
			fields[i].Name = n.To
		}
	}
	in.schema.Fields = fields
	return in, nil
}

func (e *engine) drop(ctx context.Context, n *plan.Drop, want need) (*relation, error) {
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	var schema plan.Schema
	var keep []int
	for i, f := range in.schema.Fields {
		if !slices.ContainsFunc(n.Columns, func(c string) bool { return strings.EqualFold(c, f.Name) }) {
			schema.Fields = append(schema.Fields, f)
			keep = append(keep, i)
		}
	}
	return in.each(schema, func(row Row, yield func(Row) error) error {
		values := make([]any, len(keep))
		for i, k := range keep {
			values[i] = row.Values[k]
		}
		return yield(Row{values, row.Origin})
	}), nil
}

func (e *engine) filter(ctx context.Context, n *plan.Filter, want need) (*relation, error) {
	in, err := e.build(ctx, n.Input, want.with(n.Condition))
	if err != nil {
		return nil, err
	}
	cond, err := expr.Bind(n.Condition, in.schema, e.env)
	if err != nil {
		return nil, fmt.Errorf("local: Filter: %w", err)
	}
	if k := cond.Field.Type.Kind; k != plan.Boolean && k != plan.Null {
		return nil, fmt.Errorf("local: Filter: the condition %q is %s, want boolean", n.Condition, cond.Field.Type)
	}
	return in.each(in.schema, func(row Row, yield func(Row) error) error {
		v, err := cond.Eval(row.Values)
		if err != nil {
			return &RowError{row.Origin, err}
		}
		if v != true {
			return nil
		}
		return yield(row)
	}), nil
}
