package local

// Joins. One side is kept in memory by its keys, file contents not among them; the rows of the other pass by, partition by
// partition.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// join is a join whose columns and keys are settled.
type join struct {
	kind        plan.JoinType
	left, right *relation
	keys        []joinKey
	rest        *expr.Bound // what else must be true of a pair, over the columns of both; nil for nothing
	columns     []joinColumn
	schema      plan.Schema
}

// joinKey is a value that a left and a right row must have in common.
type joinKey struct {
	left, right func(Row) (any, error)
	nullSafe    bool // <=>: NULL equals NULL
}

// joinColumn is a column of the result, from the left, from the right, or from the left unless that is NULL.
type joinColumn struct {
	left, right         int                    // positions, -1 for none
	castLeft, castRight func(any) (any, error) // nil where the type is the column's
}

func (e *engine) join(ctx context.Context, n *plan.Join, want need) (*relation, error) {
	kind, err := plan.ParseJoinType(n.How)
	if err != nil {
		return nil, fmt.Errorf("local: Join: %w", err)
	}
	if kind == plan.CrossJoin && (len(n.Using) > 0 || n.Condition != "") {
		return nil, errors.New("local: Join: a cross join has neither columns nor a condition: want inner")
	}
	asked := make([]string, 0, len(n.Using)+1)
	for _, c := range n.Using {
		asked = append(asked, plan.QuoteName(c))
	}
	if n.Condition != "" {
		asked = append(asked, n.Condition)
	}
	j := &join{kind: kind}
	if j.left, err = e.build(ctx, n.Left, want.with(asked...)); err != nil {
		return nil, err
	}
	wantRight := want
	if kind == plan.LeftSemiJoin || kind == plan.LeftAntiJoin {
		wantRight = need{}
	}
	if j.right, err = e.build(ctx, n.Right, wantRight.with(asked...)); err != nil {
		return nil, err
	}
	if len(n.Using) > 0 {
		err = j.using(n.Using, e.env)
	} else {
		err = j.on(n.Condition, e.env)
	}
	if err != nil {
		return nil, fmt.Errorf("local: Join: %w", err)
	}
	return j.relation(e), nil
}

// using joins on columns that both sides have: each is one column of the result, before the others.
func (j *join) using(columns []string, env expr.Env) error {
	ls, rs := j.left.schema, j.right.schema
	find := func(s plan.Schema, side, name string) (int, error) {
		i, unique := s.Index(name)
		if i < 0 {
			return 0, fmt.Errorf("[UNRESOLVED_USING_COLUMN_FOR_JOIN] the %s table has no column %q, only %s", side, name, strings.Join(s.Names(), ", "))
		}
		if !unique {
			return 0, fmt.Errorf("[AMBIGUOUS_REFERENCE] column %q could be either of two columns of the %s table", name, side)
		}
		return i, nil
	}
	var keysLeft, keysRight []int
	for _, name := range columns {
		l, err := find(ls, "left", name)
		if err != nil {
			return err
		}
		r, err := find(rs, "right", name)
		if err != nil {
			return err
		}
		lf, rf := ls.Fields[l], rs.Fields[r]
		key, castLeft, castRight, t, err := columnKey(l, r, lf, rf, env)
		if err != nil {
			return err
		}
		j.keys, keysLeft, keysRight = append(j.keys, key), append(keysLeft, l), append(keysRight, r)
		switch j.kind {
		case plan.RightOuterJoin:
			j.add(rf, joinColumn{left: -1, right: r})
		case plan.FullOuterJoin:
			j.add(plan.Field{Name: lf.Name, Type: t, Nullable: lf.Nullable && rf.Nullable}, joinColumn{l, r, castLeft, castRight})
		default:
			j.add(lf, joinColumn{left: l, right: -1})
		}
	}
	j.others(keysLeft, keysRight)
	return nil
}

// columnKey is the key of two columns, compared in the type that both become, and the casts to it.
func columnKey(l, r int, lf, rf plan.Field, env expr.Env) (key joinKey, castLeft, castRight func(any) (any, error), t plan.Type, err error) {
	t, ok := expr.Widest(lf.Type, rf.Type)
	if ok && !lf.Type.Equal(t) {
		castLeft, ok = expr.Converter(lf.Type, t, env)
	}
	if ok && !rf.Type.Equal(t) {
		castRight, ok = expr.Converter(rf.Type, t, env)
	}
	if !ok || !orderable(t) {
		return key, nil, nil, t, fmt.Errorf("[DATATYPE_MISMATCH] column %q is %s in the left table and %s in the right one", lf.Name, lf.Type, rf.Type)
	}
	return joinKey{left: columnValue(l, castLeft), right: columnValue(r, castRight)}, castLeft, castRight, t, nil
}

// columnValue reads a column of a row and casts it.
func columnValue(i int, cast func(any) (any, error)) func(Row) (any, error) {
	return func(row Row) (any, error) {
		v, err := force(row.Values[i], row.Origin)
		if err != nil || v == nil || cast == nil {
			return v, err
		}
		if v, err = cast(v); err != nil {
			return nil, &RowError{row.Origin, err}
		}
		return v, nil
	}
}

// on joins by a condition, whose equalities of a left and a right value become keys.
func (j *join) on(condition string, env expr.Env) error {
	j.others(nil, nil)
	if condition == "" {
		return nil
	}
	parsed, err := plan.Parse(condition)
	if err != nil {
		return err
	}
	both := plan.Schema{Fields: slices.Concat(j.left.schema.Fields, j.right.schema.Fields)}
	whole, err := expr.BindParsed(condition, parsed, both, env)
	if err != nil {
		return err
	}
	if k := whole.Field.Type.Kind; k != plan.Boolean && k != plan.Null {
		return fmt.Errorf("[JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE] the condition %q is %s, want boolean", condition, whole.Field.Type)
	}
	var rest plan.Expr
	for _, part := range conjuncts(parsed) {
		if key, ok := j.key(condition, part, both, env); ok {
			j.keys = append(j.keys, key)
			continue
		}
		if rest == nil {
			rest = part
		} else {
			rest = &plan.BinaryOp{At: part.Pos(), Op: "AND", L: rest, R: part}
		}
	}
	if rest != nil {
		j.rest, err = expr.BindParsed(condition, rest, both, env)
	}
	return err
}

// conjuncts are the parts of a condition that must all be true.
func conjuncts(e plan.Expr) []plan.Expr {
	if op, ok := e.(*plan.BinaryOp); ok && op.Op == "AND" {
		return append(conjuncts(op.L), conjuncts(op.R)...)
	}
	return []plan.Expr{e}
}

// key makes a key of an equality between a value of left columns and one of right columns.
func (j *join) key(text string, e plan.Expr, both plan.Schema, env expr.Env) (joinKey, bool) {
	op, ok := e.(*plan.BinaryOp)
	if !ok || op.Op != "=" && op.Op != "<=>" {
		return joinKey{}, false
	}
	l, r := op.L, op.R
	if j.side(l, both) == rightSide && j.side(r, both) == leftSide {
		l, r = r, l
	}
	if j.side(l, both) != leftSide || j.side(r, both) != rightSide {
		return joinKey{}, false
	}
	left, err := expr.BindParsed(text, l, j.left.schema, env)
	if err != nil {
		return joinKey{}, false
	}
	right, err := expr.BindParsed(text, r, j.right.schema, env)
	if err != nil {
		return joinKey{}, false
	}
	if !left.Field.Type.Equal(right.Field.Type) || !orderable(left.Field.Type) { // casts are left to the comparison itself
		return joinKey{}, false
	}
	value := func(b *expr.Bound) func(Row) (any, error) {
		return func(row Row) (any, error) {
			v, err := eval(b, row)
			if err != nil {
				return nil, err
			}
			return force(v, row.Origin)
		}
	}
	return joinKey{value(left), value(right), op.Op == "<=>"}, true
}

const (
	leftSide  = 1
	rightSide = 2
)

// side tells which tables the columns of an expression are of: leftSide, rightSide, both added up, or 0.
func (j *join) side(e plan.Expr, both plan.Schema) int {
	if c, ok := e.(*plan.Column); ok {
		if at, _, _ := both.Resolve(c.Parts); at < len(j.left.schema.Fields) {
			return leftSide
		}
		return rightSide
	}
	sides := 0
	for _, part := range plan.Children(e) {
		sides |= j.side(part, both)
	}
	return sides
}

// add adds a column to the result.
func (j *join) add(f plan.Field, c joinColumn) {
	j.schema.Fields, j.columns = append(j.schema.Fields, f), append(j.columns, c)
}

// others adds the columns that are no keys of Using.
func (j *join) others(keysLeft, keysRight []int) {
	for i, f := range j.left.schema.Fields {
		if !slices.Contains(keysLeft, i) {
			f.Nullable = f.Nullable || j.kind == plan.RightOuterJoin || j.kind == plan.FullOuterJoin
			f.Less = f.Less || len(keysLeft) > 0 && (j.kind == plan.RightOuterJoin || j.kind == plan.FullOuterJoin)
			j.add(f, joinColumn{left: i, right: -1})
		}
	}
	if j.kind == plan.LeftSemiJoin || j.kind == plan.LeftAntiJoin {
		return
	}
	for i, f := range j.right.schema.Fields {
		if !slices.Contains(keysRight, i) {
			f.Nullable = f.Nullable || j.kind == plan.LeftOuterJoin || j.kind == plan.FullOuterJoin
			f.Less = f.Less || len(keysRight) > 0 && j.kind != plan.RightOuterJoin
			j.add(f, joinColumn{left: -1, right: i})
		}
	}
}

// relation is the join's rows: those of the side that passes by, in its order and partitions, each with its partners.
func (j *join) relation(e *engine) *relation {
	passing, kept := j.left, j.right
	if j.kind == plan.RightOuterJoin {
		passing, kept = j.right, j.left
	}
	var once sync.Once
	var t *joinTable
	var err error
	table := func(ctx context.Context) (*joinTable, error) {
		once.Do(func() { t, err = j.table(ctx, e, kept) })
		return t, err
	}
	out := &relation{schema: j.schema}
	for _, p := range passing.partitions {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			t, err := table(ctx)
			if err != nil {
				return err
			}
			return p(ctx, func(row Row) error { return j.probe(ctx, t, row, yield) })
		})
	}
	if j.kind != plan.FullOuterJoin {
		return out
	}
	// The rows of the kept side that found no partner are known when all others have passed.
	pairs := &relation{schema: j.schema, partitions: out.partitions}
	return shared(j.schema, len(pairs.partitions), func(ctx context.Context) ([]Row, error) {
		lists, err := e.gather(ctx, pairs)
		if err != nil {
			return nil, err
		}
		rows := slices.Concat(lists...)
		t, err := table(ctx)
		if err != nil {
			return nil, err
		}
		for i := range t.rows {
			if !t.paired[i].Load() {
				row, err := j.row(nil, &t.rows[i])
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
		}
		return rows, nil
	})
}

// joinTable is the side that is kept.
type joinTable struct {
	rows   []Row
	byKey  map[string][]int
	paired []atomic.Bool // of a full outer join
}

func (j *join) table(ctx context.Context, e *engine, kept *relation) (*joinTable, error) {
	lists, err := e.gather(ctx, kept)
	if err != nil {
		return nil, err
	}
	t := &joinTable{rows: slices.Concat(lists...), byKey: map[string][]int{}}
	t.paired = make([]atomic.Bool, len(t.rows))
	for i, row := range t.rows {
		key, ok, err := j.keyOf(row, j.kind != plan.RightOuterJoin)
		if err != nil {
			return nil, err
		}
		if ok {
			t.byKey[string(key)] = append(t.byKey[string(key)], i)
		}
	}
	return t, nil
}

// keyOf is a row's key; ok is false where a NULL keeps it from having partners.
func (j *join) keyOf(row Row, right bool) (key []byte, ok bool, err error) {
	for _, k := range j.keys {
		value := k.left
		if right {
			value = k.right
		}
		v, err := value(row)
		if err != nil {
			return nil, false, err
		}
		if v == nil && !k.nullSafe {
			return nil, false, nil
		}
		key = expr.AppendKey(key, v)
	}
	return key, true, nil
}

// probe yields what the join makes of one row that passes by.
func (j *join) probe(ctx context.Context, t *joinTable, row Row, yield func(Row) error) error {
	swapped := j.kind == plan.RightOuterJoin
	key, ok, err := j.keyOf(row, swapped)
	if err != nil {
		return err
	}
	found := false
	if ok {
		for _, i := range t.byKey[string(key)] {
			if err := ctx.Err(); err != nil {
				return err
			}
			left, right := &row, &t.rows[i]
			if swapped {
				left, right = right, left
			}
			if match, err := j.match(left, right); err != nil {
				return err
			} else if !match {
				continue
			}
			found = true
			t.paired[i].Store(true)
			if j.kind == plan.LeftSemiJoin || j.kind == plan.LeftAntiJoin {
				break
			}
			pair, err := j.row(left, right)
			if err != nil {
				return err
			}
			if err := yield(pair); err != nil {
				return err
			}
		}
	}
	switch j.kind {
	case plan.LeftSemiJoin:
		if !found {
			return nil
		}
	case plan.LeftAntiJoin, plan.LeftOuterJoin, plan.RightOuterJoin, plan.FullOuterJoin:
		if found {
			return nil
		}
	default:
		return nil
	}
	left, right := &row, (*Row)(nil)
	if swapped {
		left, right = right, left
	}
	alone, err := j.row(left, right)
	if err != nil {
		return err
	}
	return yield(alone)
}

// match tells whether the rest of the condition is true of a pair.
func (j *join) match(left, right *Row) (bool, error) {
	if j.rest == nil {
		return true, nil
	}
	v, err := j.rest.Eval(slices.Concat(left.Values, right.Values))
	if err != nil {
		return false, &RowError{left.Origin, err}
	}
	return v == true, nil
}

// row is a row of the result; a side that is nil is NULL.
func (j *join) row(left, right *Row) (Row, error) {
	values := make([]any, len(j.columns))
	for i, c := range j.columns {
		for _, from := range []struct {
			row  *Row
			at   int
			cast func(any) (any, error)
		}{{left, c.left, c.castLeft}, {right, c.right, c.castRight}} {
			if from.row == nil || from.at < 0 || values[i] != nil {
				continue
			}
			if from.cast == nil {
				values[i] = from.row.Values[from.at]
				continue
			}
			var err error
			if values[i], err = columnValue(from.at, from.cast)(*from.row); err != nil {
				return Row{}, err
			}
		}
	}
	if left == nil {
		left = right
	}
	return Row{values, left.Origin}, nil
}

// alias names the table of the columns.
func (e *engine) alias(ctx context.Context, n *plan.SubqueryAlias, want need) (*relation, error) {
	if n.Name == "" {
		return nil, errors.New("local: Alias: the name is empty")
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	fields := slices.Clone(in.schema.Fields)
	for i := range fields {
		fields[i].Table = n.Name
	}
	in.schema.Fields = fields
	return in, nil
}
