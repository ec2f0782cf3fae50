package expr

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"gomosaic/mdslib/plan"
)

// Aggregation is the Agg part of a GroupBy: what each group keeps while its rows pass, and the columns made of it.
type Aggregation struct {
	Fields  []plan.Field // the columns after the groups' own
	calls   []*aggregate
	results []*Bound // over the groups' columns and then the calls' results
}

// aggregate is one call such as sum(x).
type aggregate struct {
	text     string
	name     string
	arg      *Bound // nil for count(*)
	distinct bool
	typ      plan.Type
	nullable bool
}

// BindAggregates checks aggregate expressions over the schema of the input. groups are the grouping expressions, whose
// columns an aggregate expression may name.
func BindAggregates(texts []string, groups []*Bound, schema plan.Schema, env Env) (*Aggregation, error) {
	a := &Aggregation{}
	after := plan.Schema{}
	for _, g := range groups {
		after.Fields = append(after.Fields, g.Field)
	}
	var parsed []plan.Expr
	for _, text := range texts {
		e, err := plan.Parse(text)
		if err != nil {
			return nil, err
		}
		name := plan.NameOf(e)
		e, err = a.extract(text, e, groups, schema, env)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, &plan.Alias{At: e.Pos(), X: e, Name: name})
	}
	for i, c := range a.calls {
		after.Fields = append(after.Fields, plan.Field{Name: callColumn(i), Type: c.typ, Nullable: c.nullable})
	}
	for i, e := range parsed {
		b, err := BindParsed(texts[i], e, after, env)
		if err != nil {
			if x, ok := err.(*Error); ok && x.Class == "UNRESOLVED_COLUMN" {
				if x.Class = "MISSING_AGGREGATION"; len(groups) == 0 {
					x.Class = "MISSING_GROUP_BY"
				}
				x.Hint = "group by the column too, or take an aggregate of it such as max"
			}
			return nil, err
		}
		a.results = append(a.results, b)
		a.Fields = append(a.Fields, b.Field)
	}
	return a, nil
}

// HasAggregate reports whether an expression calls an aggregate.
func HasAggregate(text string) bool {
	e, err := plan.Parse(text)
	return err == nil && calls(e)
}

func calls(e plan.Expr) bool {
	if c, ok := e.(*plan.Call); ok && slices.Contains(aggregates, c.Name) {
		return true
	}
	return slices.ContainsFunc(plan.Children(e), calls)
}

// callColumn is the name under which an expression sees the result of call i; no source column is called that.
func callColumn(i int) string { return fmt.Sprintf("\x00aggregate %d", i) }

// extract replaces the aggregate calls in e by columns.
func (a *Aggregation) extract(text string, e plan.Expr, groups []*Bound, schema plan.Schema, env Env) (plan.Expr, error) {
	c, ok := e.(*plan.Call)
	if !ok || !slices.Contains(aggregates, c.Name) {
		return plan.MapChildren(e, func(x plan.Expr) (plan.Expr, error) { return a.extract(text, x, groups, schema, env) })
	}
	call, err := bindAggregate(text, c, schema, env)
	if err != nil {
		if x, ok := err.(*Error); ok && x.Text == "" {
			x.Text = text
			placed(x, c.At)
		}
		return nil, err
	}
	a.calls = append(a.calls, call)
	return &plan.Column{At: c.At, Parts: []string{callColumn(len(a.calls) - 1)}}, nil
}

func bindAggregate(text string, c *plan.Call, schema plan.Schema, env Env) (*aggregate, error) {
	call := &aggregate{text: text, name: c.Name, distinct: c.Distinct}
	if plain, ok := synonyms[c.Name]; ok {
		call.name = plain
	}
	if len(c.Args) != 1 {
		return nil, fail("WRONG_NUM_ARGS", "%s takes 1 argument, got %d", c.Name, len(c.Args))
	}
	if _, star := c.Args[0].(*plan.Star); star && c.Name == "count" && !c.Distinct {
		call.typ = plan.Of(plan.Long)
		return call, nil
	}
	arg, err := BindParsed(text, c.Args[0], schema, env)
	if err != nil {
		return nil, err
	}
	t := arg.Field.Type
	call.nullable = true
	switch call.name {
	case "count", "count_if":
		call.typ, call.nullable = plan.Of(plan.Long), false
		if call.name == "count_if" && t.Kind != plan.Boolean {
			return nil, mismatch("a boolean for count_if", arg.node)
		}
	case "sum", "avg", "variance", "var_pop", "stddev", "stddev_pop":
		if t.Kind == plan.String || t.Kind == plan.Null {
			b := &binder{text, schema, env}
			if arg.node, err = b.implicit(arg.node, plan.Of(plan.Double)); err != nil {
				return nil, err
			}
			t = plan.Of(plan.Double)
		}
		switch {
		case t.Numeric() && call.spread():
			call.typ = plan.Of(plan.Double)
		case t.Kind == plan.Decimal && call.name == "sum":
			call.typ = plan.DecimalOf(min(t.Precision+10, plan.MaxPrecision), t.Scale)
		case t.Kind == plan.Decimal:
			call.typ = adjustPrecision(t.Precision+4, t.Scale+4)
		case t.Integral() && call.name == "sum":
			call.typ = plan.Of(plan.Long)
		case t.Numeric():
			call.typ = plan.Of(plan.Double)
		default:
			return nil, mismatch("a number for "+call.name, arg.node)
		}
	case "collect_list":
		call.typ, call.nullable = plan.ArrayOf(t, false), false
	default: // min, max, first, any_value
		call.typ = t
	}
	arg.Field.Type = t
	call.arg = arg
	return call, nil
}

// synonyms are the other names of aggregates.
var synonyms = map[string]string{"mean": "avg", "stddev_samp": "stddev", "std": "stddev", "var_samp": "variance"}

// spread tells the aggregates about how far values lie from their mean.
func (c *aggregate) spread() bool {
	return c.name == "variance" || c.name == "var_pop" || c.name == "stddev" || c.name == "stddev_pop"
}

// moments are the mean of values and the sum of the squares of their distances from it, kept as Spark's CentralMomentAgg does.
type moments struct{ mean, squares float64 }

// take adds a value, the count-th.
func (m *moments) take(v float64, count int64) {
	delta := v - m.mean
	step := delta / float64(count)
	m.mean += step
	m.squares += delta * (delta - step)
}

// merge adds n other values to count ones.
func (m *moments) merge(count int64, other moments, n int64) {
	if n == 0 {
		return
	}
	delta := other.mean - m.mean
	step := delta / float64(count+n)
	m.mean += step * float64(n)
	m.squares += other.squares + delta*step*float64(count)*float64(n)
}

// Group is what is kept of one group: a state for each aggregate.
type Group struct{ states []state }

type state struct {
	count int64
	value any // sum so far, least, greatest or first value
	sum   *big.Int
	about moments
	list  []any
	seen  map[string]bool
}

// NewGroup starts a group.
func (a *Aggregation) NewGroup() *Group { return &Group{make([]state, len(a.calls))} }

// Add takes one row into the group.
func (a *Aggregation) Add(g *Group, row []any) error {
	for i, c := range a.calls {
		s := &g.states[i]
		if c.arg == nil {
			s.count++
			continue
		}
		v, err := c.arg.Eval(row)
		if err != nil {
			return err
		}
		if v == nil && c.name != "first" {
			continue
		}
		if c.distinct {
			k := string(AppendKey(nil, v))
			if s.seen[k] {
				continue
			}
			if s.seen == nil {
				s.seen = map[string]bool{}
			}
			s.seen[k] = true
			if s.list = append(s.list, v); c.name != "collect_list" {
				continue // counted at the end, when groups of other partitions have been merged
			}
		}
		if err := c.add(s, v); err != nil {
			return err
		}
	}
	return nil
}

func (c *aggregate) add(s *state, v any) error {
	switch c.name {
	case "count":
		s.count++
	case "count_if":
		if v == true {
			s.count++
		}
	case "sum", "avg":
		s.count++
		switch v := v.(type) {
		case plan.DecimalValue:
			if s.sum == nil {
				s.sum = new(big.Int)
			}
			s.sum.Add(s.sum, v.Unscaled)
		case float32, float64:
			old, _ := s.value.(float64)
			s.value = old + toFloat64(v)
		default:
			if c.name == "avg" {
				old, _ := s.value.(float64)
				s.value = old + toFloat64(v)
				return nil
			}
			old, _ := s.value.(int64)
			sum, err := intOp("+", plan.Long, old, toInt64(v))
			if err != nil {
				return err
			}
			s.value = sum
		}
	case "variance", "var_pop", "stddev", "stddev_pop":
		s.count++
		s.about.take(toFloat64(v), s.count)
	case "min":
		if s.value == nil || Compare(v, s.value) < 0 {
			s.value = v
		}
	case "max":
		if s.value == nil || Compare(v, s.value) > 0 {
			s.value = v
		}
	case "first", "any_value":
		if s.count == 0 {
			s.value = v
		}
		s.count++
	case "collect_list":
		if !c.distinct {
			s.list = append(s.list, v)
		}
	}
	return nil
}

// Merge adds group b, of rows that come after those of g, to g. b is not used afterwards.
func (a *Aggregation) Merge(g, b *Group) error {
	for i, c := range a.calls {
		x, y := &g.states[i], &b.states[i]
		if c.distinct {
			for _, v := range y.list {
				k := string(AppendKey(nil, v))
				if !x.seen[k] {
					if x.seen == nil {
						x.seen = map[string]bool{}
					}
					x.seen[k] = true
					x.list = append(x.list, v)
				}
			}
			continue
		}
		switch c.name {
		case "min", "max":
			if y.value != nil {
				if err := c.add(x, y.value); err != nil {
					return err
				}
			}
		case "first", "any_value":
			if x.count == 0 {
				*x = *y
			}
		case "collect_list":
			x.list = append(x.list, y.list...)
		default:
			x.about.merge(x.count, y.about, y.count)
			x.count += y.count
			if y.sum != nil {
				if x.sum == nil {
					x.sum = new(big.Int)
				}
				x.sum.Add(x.sum, y.sum)
			}
			switch v := y.value.(type) {
			case float64:
				old, _ := x.value.(float64)
				x.value = old + v
			case int64:
				old, _ := x.value.(int64)
				sum, err := intOp("+", plan.Long, old, v)
				if err != nil {
					return err
				}
				x.value = sum
			}
		}
	}
	return nil
}

// Result computes the aggregate columns of a group whose own columns are keys.
func (a *Aggregation) Result(keys []any, g *Group) ([]any, error) {
	row := append(make([]any, 0, len(keys)+len(a.calls)), keys...)
	for i, c := range a.calls {
		v, err := c.result(&g.states[i])
		if err != nil {
			if e, ok := err.(*Error); ok && e.Text == "" {
				e.Text = c.text
			}
			return nil, err
		}
		row = append(row, v)
	}
	out := make([]any, len(a.results))
	for i, b := range a.results {
		var err error
		if out[i], err = b.Eval(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *aggregate) result(s *state) (any, error) {
	if c.distinct && c.name != "collect_list" {
		all := *s
		*s = state{}
		for _, v := range all.list {
			if err := c.add(s, v); err != nil {
				return nil, err
			}
		}
	}
	switch c.name {
	case "count", "count_if":
		return s.count, nil
	case "collect_list":
		if s.list == nil {
			return []any{}, nil
		}
		return s.list, nil
	case "variance", "stddev", "var_pop", "stddev_pop":
		n := s.count
		if c.name == "variance" || c.name == "stddev" { // of a sample
			n--
		}
		if n <= 0 {
			return nil, nil
		}
		spread := s.about.squares / float64(n)
		if c.name == "stddev" || c.name == "stddev_pop" {
			spread = math.Sqrt(spread)
		}
		return spread, nil
	case "sum", "avg":
		if s.count == 0 {
			return nil, nil
		}
		if s.sum != nil {
			d := plan.DecimalValue{Unscaled: s.sum, Scale: c.arg.Field.Type.Scale}
			if c.name == "avg" {
				n := plan.DecimalValue{Unscaled: big.NewInt(s.count)}
				return decimalOp("/", d, n, c.typ)
			}
			r, ok := fit(d, c.typ)
			if !ok {
				return nil, overflow(plan.Decimal)
			}
			return r, nil
		}
		if c.name == "avg" {
			return s.value.(float64) / float64(s.count), nil
		}
	}
	return s.value, nil
}
