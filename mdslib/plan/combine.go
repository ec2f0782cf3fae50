package plan

// Steps that bring two tables together.

import (
	"fmt"
	"strings"
)

// Join pairs the rows of two tables, by columns that both have (Using) or by a condition over the columns of both, which
// aliases tell apart ([SubqueryAlias]); with neither every row meets every row. How is a join type, as [ParseJoinType] reads it.
type Join struct {
	Left      Node     `json:"-"`
	Right     Node     `json:"-"`
	How       string   `json:"how"`
	Using     []string `json:"using,omitempty"`
	Condition string   `json:"condition,omitempty"`
}

// SubqueryAlias gives a table a name that expressions above may put before its columns: "l.id". It is Spark's SubqueryAlias.
type SubqueryAlias struct {
	Input Node   `json:"-"`
	Name  string `json:"name"`
}

// SetOp is the rows of Left that are in Right too (Op "intersect") or are not (Op "except"), columns matched by position and
// NULL equal to NULL. Without All equal rows come once; with All as often as in both, or as often as Left has more of them.
type SetOp struct {
	Left  Node   `json:"-"`
	Right Node   `json:"-"`
	Op    string `json:"op"`
	All   bool   `json:"all,omitempty"`
}

func (n *Join) Inputs() []Node          { return []Node{n.Left, n.Right} }
func (n *SubqueryAlias) Inputs() []Node { return []Node{n.Input} }
func (n *SetOp) Inputs() []Node         { return []Node{n.Left, n.Right} }

func (*Join) op() string          { return "join" }
func (*SubqueryAlias) op() string { return "subquery_alias" }
func (*SetOp) op() string         { return "set_op" }

func (n Join) withInputs(in []Node) Node          { n.Left, n.Right = in[0], in[1]; return &n }
func (n SubqueryAlias) withInputs(in []Node) Node { n.Input = in[0]; return &n }
func (n SetOp) withInputs(in []Node) Node         { n.Left, n.Right = in[0], in[1]; return &n }

// JoinType says which rows a join gives.
type JoinType uint8

// The join types of Spark. Inner and Cross give the pairs; the outer ones also the rows of one side or both that have no
// partner, NULL in the other's columns; LeftSemi the left rows that have a partner, once each, LeftAnti those that have none.
const (
	InnerJoin JoinType = iota
	CrossJoin
	LeftOuterJoin
	RightOuterJoin
	FullOuterJoin
	LeftSemiJoin
	LeftAntiJoin
)

var joinTypes = map[string]JoinType{
	"": InnerJoin, "inner": InnerJoin, "cross": CrossJoin,
	"left": LeftOuterJoin, "leftouter": LeftOuterJoin, "right": RightOuterJoin, "rightouter": RightOuterJoin,
	"outer": FullOuterJoin, "full": FullOuterJoin, "fullouter": FullOuterJoin,
	"semi": LeftSemiJoin, "leftsemi": LeftSemiJoin, "anti": LeftAntiJoin, "leftanti": LeftAntiJoin,
}

// ParseJoinType reads a join type as Spark spells it, in any case and with or without "_": inner (or ""), cross, left,
// left_outer, right, right_outer, outer, full, full_outer, semi, left_semi, anti, left_anti.
func ParseJoinType(how string) (JoinType, error) {
	t, ok := joinTypes[strings.ToLower(strings.ReplaceAll(strings.TrimSpace(how), "_", ""))]
	if !ok {
		return 0, fmt.Errorf("join type %q: want inner, cross, left, right, full, left_semi or left_anti", how)
	}
	return t, nil
}
