package mdslib

// Rows in groups, and what is computed of each.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// GroupBy groups the rows by expressions; without any, all rows are one group.
func (d *DataFrame) GroupBy(exprs ...string) *Grouped {
	return &Grouped{frame: d, by: slices.Clone(exprs)}
}

// Grouped is a DataFrame grouped by expressions, waiting for its aggregates.
type Grouped struct {
	frame  *DataFrame
	by     []string
	pivot  string // an expression whose values become columns, or nothing
	values []plan.Constant
	err    error
}

// String says how the rows are grouped, and what makes a DataFrame of the groups.
func (g *Grouped) String() string {
	by := "all rows"
	if len(g.by) > 0 {
		by = "by " + strings.Join(g.by, ", ")
	}
	if g.pivot != "" {
		by += ", columns by " + g.pivot
	}
	return "mdslib.Grouped(" + by + "): Count(), Agg(…), Sum, Avg, Min and Max make the DataFrame"
}

// Pivot has each value of an expression make columns of its own: GroupBy("split").Pivot("label").Count() is a row a split with a
// column a label. The columns are named by the value, and with more than one aggregate by value and aggregate (roses_max). Without
// values they are those that there are, in order, which takes a run each time that the frame is used, and at most 10 000; with
// values, which are numbers, text or bools, it is those. Where a group has no row of a value, NULL stands.
func (g *Grouped) Pivot(expr string, values ...any) *Grouped {
	p := *g
	p.pivot, p.values = expr, nil
	if g.pivot != "" {
		p.err = errors.New("mdslib: Pivot: there is one already, by " + g.pivot)
	}
	for _, v := range values {
		c, err := plan.ConstantOf(v)
		if err != nil {
			p.err = fmt.Errorf("mdslib: Pivot: %w", err)
		}
		p.values = append(p.values, c)
	}
	return &p
}

// Count counts the rows of each group in a column "count". Groups come in the order of their first rows.
func (g *Grouped) Count() *DataFrame { return g.Agg("count(1) AS count") }

// Agg computes aggregates of each group: count(*), count(x), count(DISTINCT x), sum, avg, min, max and the like, and
// expressions over them, with an alias if wanted: "sum(length) / count(*) AS mean".
func (g *Grouped) Agg(exprs ...string) *DataFrame {
	switch {
	case g.err != nil:
		return g.frame.with(&plan.Refused{Err: g.err})
	case g.pivot != "":
		return g.frame.with(&plan.Pivot{Input: g.frame.node, GroupBy: g.by, By: g.pivot, Values: g.values, Aggs: slices.Clone(exprs)})
	}
	return g.frame.with(&plan.Aggregate{Input: g.frame.node, GroupBy: g.by, Aggs: slices.Clone(exprs)})
}

// Sum adds up each column, in columns named like "sum(length)".
func (g *Grouped) Sum(columns ...string) *DataFrame { return g.each("sum", columns) }

// Avg is the mean of each column; see [Grouped.Sum].
func (g *Grouped) Avg(columns ...string) *DataFrame { return g.each("avg", columns) }

// Min is the least value of each column; see [Grouped.Sum].
func (g *Grouped) Min(columns ...string) *DataFrame { return g.each("min", columns) }

// Max is the greatest value of each column; see [Grouped.Sum].
func (g *Grouped) Max(columns ...string) *DataFrame { return g.each("max", columns) }

func (g *Grouped) each(function string, columns []string) *DataFrame {
	aggs := make([]string, len(columns))
	for i, c := range columns {
		aggs[i] = fmt.Sprintf("%s(%s)", function, plan.QuoteName(c))
	}
	return g.Agg(aggs...)
}
