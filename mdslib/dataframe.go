package mdslib

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"gomosaic/mdslib/plan"
)

// DataFrame is a lazy table: a plan and the engine to run it. Its methods follow Spark's DataFrame. Those that return a
// DataFrame only describe; expressions in them are text in the engine's SQL subset and are checked at the first action
// ([DataFrame.Schema], [DataFrame.Count], [DataFrame.Collect], [DataFrame.Show], [DataFrame.Batches], DataFrameToMDS, or
// being shown in a notebook), whose error names the expression. A DataFrame is never changed and may be used from many
// goroutines. Package mdslib/arrowmds has ToArrow, its rows as Arrow records.
type DataFrame struct {
	session *Session
	node    plan.Node
}

func (d *DataFrame) with(n plan.Node) *DataFrame { return &DataFrame{session: d.session, node: n} }

// Session is the session that the DataFrame is of.
func (d *DataFrame) Session() *Session { return d.session }

// Plan returns the plan, which must not be changed.
func (d *DataFrame) Plan() plan.Node { return d.node }

// Select makes a table of these columns: names, expressions, "expression AS name", or "*" for all.
func (d *DataFrame) Select(exprs ...string) *DataFrame {
	return d.with(&plan.Project{Input: d.node, Exprs: slices.Clone(exprs)})
}

// WithColumn adds a column, or replaces the one of that name.
func (d *DataFrame) WithColumn(name, expr string) *DataFrame {
	return d.with(&plan.WithColumns{Input: d.node, Columns: []plan.NamedExpr{{Name: name, Expr: expr}}})
}

// WithColumns adds the columns that expressions with a name make, "height / width AS ratio", or replaces those of these names. All
// see the columns that were there before.
func (d *DataFrame) WithColumns(exprs ...string) *DataFrame {
	columns := make([]plan.NamedExpr, len(exprs))
	for i, text := range exprs {
		var err error
		if columns[i], err = plan.ParseNamed(text); err != nil {
			return d.with(&plan.Refused{Err: fmt.Errorf("mdslib: WithColumns: %w", err)})
		}
	}
	return d.with(&plan.WithColumns{Input: d.node, Columns: columns})
}

// WithColumnRenamed renames a column; a missing one is no error, as in Spark.
func (d *DataFrame) WithColumnRenamed(from, to string) *DataFrame {
	return d.with(&plan.WithColumnRenamed{Input: d.node, From: from, To: to})
}

// ToDF gives all columns new names, in their order.
func (d *DataFrame) ToDF(names ...string) *DataFrame {
	return d.with(&plan.ToDF{Input: d.node, Names: slices.Clone(names)})
}

// Unpivot makes a row of each of the named columns in every row: the columns ids, then the column's name, in a column variable, and
// its value, in a column value. Without columns they are all but ids. It turns a wide table into a long one, as [Grouped.Pivot]
// does the other way, and is also called melt.
func (d *DataFrame) Unpivot(ids, columns []string, variable, value string) *DataFrame {
	return d.with(&plan.Unpivot{Input: d.node, IDs: slices.Clone(ids), Columns: slices.Clone(columns), Variable: variable, Value: value})
}

// Drop leaves columns out; missing ones are no error, as in Spark.
func (d *DataFrame) Drop(columns ...string) *DataFrame {
	return d.with(&plan.Drop{Input: d.node, Columns: slices.Clone(columns)})
}

// Filter keeps the rows for which the condition is true, neither false nor NULL.
func (d *DataFrame) Filter(condition string) *DataFrame {
	return d.with(&plan.Filter{Input: d.node, Condition: condition})
}

// Where is [DataFrame.Filter].
func (d *DataFrame) Where(condition string) *DataFrame { return d.Filter(condition) }

// Limit keeps the first n rows.
func (d *DataFrame) Limit(n int) *DataFrame { return d.with(&plan.Limit{Input: d.node, N: int64(n)}) }

// Offset leaves the first n rows out.
func (d *DataFrame) Offset(n int) *DataFrame { return d.with(&plan.Offset{Input: d.node, N: int64(n)}) }

// Sample keeps about this fraction of the rows, the same ones for the same seed and input. The numbers drawn are Spark's:
// where the partitions are the same, as those of one small file are, the rows are those of Spark's sample(fraction, seed).
func (d *DataFrame) Sample(fraction float64, seed int64) *DataFrame {
	return d.with(&plan.Sample{Input: d.node, Upper: fraction, Seed: seed})
}

// RandomSplit deals the rows out to tables in proportion to the weights, the same way for the same seed and input, as
// Spark's randomSplit does: each partition is sorted by all its columns, so that the order of its rows doesn't matter, and
// numbers are drawn as by [DataFrame.Sample]. A partition at a time must fit in memory. Seed 0 draws a seed. For a split
// that survives new files and other engines, filter on a hash of a key instead: "pmod(xxhash64(key), 10000) < 9000".
func (d *DataFrame) RandomSplit(weights []float64, seed int64) []*DataFrame {
	if seed == 0 {
		seed = rand.Int64()
	}
	total := 0.0
	for _, w := range weights {
		total += w
	}
	parts := make([]*DataFrame, len(weights))
	for i, w := range weights {
		if !(w >= 0 && total > 0 && !math.IsInf(total, 0)) {
			refused := d.with(&plan.Refused{Err: fmt.Errorf("mdslib: RandomSplit: weight %d is %v, and the sum of all is %v: want none below 0, and more than 0 in all", i, w, total)})
			return slices.Repeat([]*DataFrame{refused}, len(weights))
		}
	}
	lower := 0.0
	for i, w := range weights {
		upper := lower + w/total
		if i == len(weights)-1 {
			upper = 1
		}
		parts[i] = d.with(&plan.Sample{Input: d.node, Lower: lower, Upper: upper, Seed: seed, Ordered: true})
		lower = upper
	}
	return parts
}

// OrderBy sorts by expressions, each with an optional ASC or DESC and NULLS FIRST or NULLS LAST behind it. NULL comes
// first ascending and last descending unless said otherwise.
func (d *DataFrame) OrderBy(keys ...string) *DataFrame {
	orders := make([]plan.SortOrder, len(keys))
	for i, k := range keys {
		orders[i] = plan.ParseSortOrder(k)
	}
	return d.with(&plan.Sort{Input: d.node, Orders: orders})
}

// Distinct keeps the first of equal rows.
func (d *DataFrame) Distinct() *DataFrame { return d.with(&plan.Distinct{Input: d.node}) }

// DropDuplicates keeps the first of the rows that are equal in these columns.
func (d *DataFrame) DropDuplicates(columns ...string) *DataFrame {
	return d.with(&plan.Distinct{Input: d.node, Columns: slices.Clone(columns)})
}

// Repartition deals the rows out to n partitions in turn. Partitions are what runs in parallel and what DataFrameToMDS
// writes to a folder each.
func (d *DataFrame) Repartition(n int) *DataFrame {
	return d.with(&plan.Repartition{Input: d.node, Num: n})
}

// RepartitionBy deals the rows out to n partitions by a hash of the expressions: rows that are equal in them lie in one
// partition, the same on every engine. With n 0 Spark makes spark.sql.shuffle.partitions of them, the local engine one a core.
func (d *DataFrame) RepartitionBy(n int, exprs ...string) *DataFrame {
	return d.with(&plan.RepartitionBy{Input: d.node, Num: n, Exprs: slices.Clone(exprs)})
}

// Coalesce puts partitions together until there are at most n, without dealing the rows anew.
func (d *DataFrame) Coalesce(n int) *DataFrame {
	return d.with(&plan.Coalesce{Input: d.node, Num: n})
}

// Schema checks the plan and returns the columns.
func (d *DataFrame) Schema(ctx context.Context) (Schema, error) {
	return d.session.engine.Schema(ctx, d.node)
}

// Batches runs the plan and yields its rows; after an error it ends. Memory stays bounded.
func (d *DataFrame) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return d.session.engine.Batches(ctx, d.node)
}

// Rows runs the plan and yields its rows as samples; after an error it ends. Two columns of one name, as a join may give, are
// an error: a sample has room for one. Memory stays bounded.
func (d *DataFrame) Rows(ctx context.Context) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for b, err := range d.Batches(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if name, twice := duplicate(b.Schema); twice {
				yield(nil, fmt.Errorf("mdslib: two columns are called %q: rename one, or select one by its table's alias", name))
				return
			}
			for s := range b.Samples() {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// duplicate is a name that two columns have.
func duplicate(s Schema) (name string, twice bool) {
	for i, f := range s.Fields {
		for _, g := range s.Fields[:i] {
			if f.Name == g.Name {
				return f.Name, true
			}
		}
	}
	return "", false
}

// Collect runs the plan and returns all rows, which must fit in memory.
func (d *DataFrame) Collect(ctx context.Context) ([]Sample, error) {
	rows := []Sample{}
	for s, err := range d.Rows(ctx) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, s)
	}
	return rows, nil
}

// Take runs the plan for its first n rows.
func (d *DataFrame) Take(ctx context.Context, n int) ([]Sample, error) {
	return d.Limit(n).Collect(ctx)
}

// Tail runs the plan and returns its last n rows.
func (d *DataFrame) Tail(ctx context.Context, n int) ([]Sample, error) {
	return d.with(&plan.Tail{Input: d.node, N: int64(n)}).Collect(ctx)
}

// First returns the first row, or an error if there is none.
func (d *DataFrame) First(ctx context.Context) (Sample, error) {
	for s, err := range d.Limit(1).Rows(ctx) {
		return s, err
	}
	return nil, fmt.Errorf("mdslib: First: the DataFrame has no rows")
}

// Count runs the plan and counts the rows; columns that no condition needs aren't read.
func (d *DataFrame) Count(ctx context.Context) (int64, error) {
	for b, err := range d.GroupBy().Count().Batches(ctx) {
		if err != nil {
			return 0, err
		}
		if b.Rows > 0 {
			if n, ok := b.Columns[0].Value(0).(int64); ok {
				return n, nil
			}
		}
	}
	return 0, fmt.Errorf("mdslib: Count: the engine gave no count")
}

// Show runs the plan for its first n rows (20 if n is 0) and returns them as a table to be shown.
func (d *DataFrame) Show(ctx context.Context, n int) (*Preview, error) {
	if n <= 0 {
		n = previewRows
	}
	return d.preview(ctx, n)
}
