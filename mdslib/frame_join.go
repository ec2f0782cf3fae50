package mdslib

// Two tables and more as one: joins, unions, set operations. All of them belong to one session.

import (
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// Join pairs the rows of two tables that are equal in columns of these names, as Spark's join with a list of names. The result
// has each of them once, at the front, then the other columns of d and those of other. how is Spark's word: inner (or ""),
// left, right, full, left_semi, left_anti. NULL equals nothing, not even NULL. The rows come in no particular order. For a
// condition see [DataFrame.JoinOn].
func (d *DataFrame) Join(other *DataFrame, how string, columns ...string) *DataFrame {
	return d.meet("Join", &plan.Join{Left: d.node, Right: other.node, How: how, Using: slices.Clone(columns)}, other)
}

// JoinOn pairs the rows of two tables for which a condition is true. All columns of both are in the result. A name that both
// have needs its table's alias before it, in the condition and after it:
//
//	orders.Alias("o").JoinOn(clients.Alias("c"), "left", "o.client = c.id AND o.day >= c.since").Select("o.*", "c.name")
//
// how is as in [DataFrame.Join]; with cross, or without a condition, every row meets every row.
func (d *DataFrame) JoinOn(other *DataFrame, how, condition string) *DataFrame {
	return d.meet("Join", &plan.Join{Left: d.node, Right: other.node, How: how, Condition: condition}, other)
}

// CrossJoin pairs every row with every row of other.
func (d *DataFrame) CrossJoin(other *DataFrame) *DataFrame { return d.JoinOn(other, "cross", "") }

// Alias gives the table a name, which expressions may put before its columns: "o.id", "o.*".
func (d *DataFrame) Alias(name string) *DataFrame {
	return d.with(&plan.SubqueryAlias{Input: d.node, Name: name})
}

// Union appends the rows of others, columns matched by position.
func (d *DataFrame) Union(others ...*DataFrame) *DataFrame { return d.union(false, others) }

// UnionByName appends the rows of others, columns matched by name.
func (d *DataFrame) UnionByName(others ...*DataFrame) *DataFrame { return d.union(true, others) }

func (d *DataFrame) union(byName bool, others []*DataFrame) *DataFrame {
	all := []plan.Node{d.node}
	for _, o := range others {
		all = append(all, o.node)
	}
	return d.meet("Union", &plan.Union{All: all, ByName: byName}, others...)
}

// Intersect gives the rows that both tables have, once each, columns matched by position; NULL equals NULL. As in all set
// operations the rows come in no particular order.
func (d *DataFrame) Intersect(other *DataFrame) *DataFrame { return d.setOp("intersect", false, other) }

// IntersectAll gives the rows that both tables have, each as often as in both.
func (d *DataFrame) IntersectAll(other *DataFrame) *DataFrame {
	return d.setOp("intersect", true, other)
}

// Except gives the rows that other does not have, once each: PySpark's subtract.
func (d *DataFrame) Except(other *DataFrame) *DataFrame { return d.setOp("except", false, other) }

// ExceptAll takes the rows of other away, each as often as it is there.
func (d *DataFrame) ExceptAll(other *DataFrame) *DataFrame { return d.setOp("except", true, other) }

func (d *DataFrame) setOp(op string, all bool, other *DataFrame) *DataFrame {
	return d.meet(strings.ToUpper(op[:1])+op[1:], &plan.SetOp{Left: d.node, Right: other.node, Op: op, All: all}, other)
}

// meet is a step that takes the rows of other frames in. Those of another session are refused: the tables, views and rows that a
// plan names may be there alone, or be others here. Without a catalogue, as on the local engine, plans name none.
func (d *DataFrame) meet(step string, n plan.Node, others ...*DataFrame) *DataFrame {
	for _, o := range others {
		_, here := d.session.engine.(SQLEngine)
		_, there := o.session.engine.(SQLEngine)
		if o.session == d.session || !here && !there {
			continue
		}
		which := fmt.Sprintf("%s and %s", d.session, o.session)
		if d.session.url == o.session.url {
			which = fmt.Sprintf("%s, connected twice", d.session)
		}
		return d.with(&plan.Refused{Err: fmt.Errorf("mdslib: %s: the DataFrames are of two sessions (%s): make both in one", step, which)})
	}
	return d.with(n)
}
