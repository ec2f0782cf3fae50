package plan

import (
	"math"
	"math/rand/v2"
	"strings"
)

// Node is one step of a lazy plan. Nodes are plain data: they travel as JSON ([Marshal], [Unmarshal]), and every engine
// reads the same ones. Expressions are kept as text, which is what Spark takes; the local engine parses it with [Parse].
// A node is never changed once made.
type Node interface {
	// Inputs are the nodes this one reads, none for a source.
	Inputs() []Node
	op() string
	withInputs([]Node) Node
}

// Read loads a source: Format, Options and Paths are Spark's (binaryFile, parquet, csv, json), and so is Schema, the columns
// as [ParseSchema] reads them; "" leaves them to the source.
type Read struct {
	Format  string            `json:"format"`
	Options map[string]string `json:"options,omitempty"`
	Schema  string            `json:"schema,omitempty"`
	Paths   []string          `json:"paths"`

	// Action is set by [Once]: reads with the same number, not 0, belong to one action, for which an engine may look at a
	// source's files once.
	Action int64 `json:"-"`
}

// Project is Select: each expression makes one column ("*" all of them).
type Project struct {
	Input Node     `json:"-"`
	Exprs []string `json:"exprs"`
}

// NamedExpr is an expression and the column it makes.
type NamedExpr struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

// WithColumns adds columns or replaces those of the same name (in any case) in place. All of them see the input only.
type WithColumns struct {
	Input   Node        `json:"-"`
	Columns []NamedExpr `json:"columns"`
}

// WithColumnRenamed gives column From the name To; a missing From is no error, as in Spark.
type WithColumnRenamed struct {
	Input Node   `json:"-"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Drop removes columns; missing ones are no error, as in Spark.
type Drop struct {
	Input   Node     `json:"-"`
	Columns []string `json:"columns"`
}

// Filter keeps the rows for which Condition is true (not those for which it is NULL).
type Filter struct {
	Input     Node   `json:"-"`
	Condition string `json:"condition"`
}

// Limit keeps the first N rows.
type Limit struct {
	Input Node  `json:"-"`
	N     int64 `json:"n"`
}

// Offset leaves the first N rows out.
type Offset struct {
	Input Node  `json:"-"`
	N     int64 `json:"n"`
}

// Tail keeps the last N rows.
type Tail struct {
	Input Node  `json:"-"`
	N     int64 `json:"n"`
}

// Sample keeps each row whose random number, a function of Seed, the row's partition and its place there, lies in
// [Lower, Upper). Samples of one input with one seed and touching ranges split it without overlap. Ordered sorts each
// partition by all its columns first, which is Spark's deterministic_order: the split then doesn't depend on the order in
// which a partition's rows come.
type Sample struct {
	Input   Node    `json:"-"`
	Lower   float64 `json:"lower"`
	Upper   float64 `json:"upper"`
	Seed    int64   `json:"seed"`
	Ordered bool    `json:"ordered,omitempty"`
}

// MapRows runs Bind's function on every row. It is the one step that is no plain data: a plan with it can't be marshalled.
type MapRows struct {
	Input Node `json:"-"`
	// Func is the user's func, for engines that make programs of it (package ship) and have other processes map the rows.
	Func any `json:"-"`
	// Bind is given the input's columns and returns those of the result and what makes its rows. Rows hold values as
	// described beside [DateValue]; the function must not keep or change the row it is given, and is called from many
	// goroutines.
	Bind func(in Schema) (out Schema, row func([]any) ([]any, error), err error) `json:"-"`
}

// SortOrder is one key of a Sort. By default NULL comes first ascending and last descending, as in Spark.
type SortOrder struct {
	Expr       string `json:"expr"`
	Descending bool   `json:"descending,omitempty"`
	NullsFirst *bool  `json:"nulls_first,omitempty"`
}

// Sort orders all rows; equal rows keep their order.
type Sort struct {
	Input  Node        `json:"-"`
	Orders []SortOrder `json:"orders"`
}

// Distinct keeps the first of the rows that are equal in Columns (all columns if there are none).
type Distinct struct {
	Input   Node     `json:"-"`
	Columns []string `json:"columns,omitempty"`
}

// Union appends the rows of the inputs, columns by position, or by name with ByName.
type Union struct {
	All    []Node `json:"-"`
	ByName bool   `json:"by_name,omitempty"`
}

// Repartition deals the rows out to Num partitions in turn.
type Repartition struct {
	Input Node `json:"-"`
	Num   int  `json:"num"`
}

// RepartitionBy deals the rows out to Num partitions by the hash of the expressions, Spark's hash(…) modulo Num, so that rows
// that are equal in them lie together. Num 0 leaves the number to the engine.
type RepartitionBy struct {
	Input Node     `json:"-"`
	Num   int      `json:"num,omitempty"`
	Exprs []string `json:"exprs"`
}

// Coalesce puts partitions together until there are at most Num, without dealing rows anew.
type Coalesce struct {
	Input Node `json:"-"`
	Num   int  `json:"num"`
}

// Aggregate groups by the GroupBy expressions (all rows are one group if there are none); its columns are the groups'
// and then the Aggs', expressions over count, sum, avg, min, max, ….
type Aggregate struct {
	Input   Node     `json:"-"`
	GroupBy []string `json:"group_by"`
	Aggs    []string `json:"aggs"`
}

// Refused is a step that can't be, such as a join with another session's table: whoever runs the plan gives the error.
type Refused struct {
	Err error `json:"-"`
}

func (*Read) Inputs() []Node                { return nil }
func (*Refused) Inputs() []Node             { return nil }
func (n *Project) Inputs() []Node           { return []Node{n.Input} }
func (n *WithColumns) Inputs() []Node       { return []Node{n.Input} }
func (n *WithColumnRenamed) Inputs() []Node { return []Node{n.Input} }
func (n *Drop) Inputs() []Node              { return []Node{n.Input} }
func (n *Filter) Inputs() []Node            { return []Node{n.Input} }
func (n *Limit) Inputs() []Node             { return []Node{n.Input} }
func (n *Offset) Inputs() []Node            { return []Node{n.Input} }
func (n *Tail) Inputs() []Node              { return []Node{n.Input} }
func (n *Sample) Inputs() []Node            { return []Node{n.Input} }
func (n *MapRows) Inputs() []Node           { return []Node{n.Input} }
func (n *Sort) Inputs() []Node              { return []Node{n.Input} }
func (n *Distinct) Inputs() []Node          { return []Node{n.Input} }
func (n *Union) Inputs() []Node             { return n.All }
func (n *Repartition) Inputs() []Node       { return []Node{n.Input} }
func (n *RepartitionBy) Inputs() []Node     { return []Node{n.Input} }
func (n *Coalesce) Inputs() []Node          { return []Node{n.Input} }
func (n *Aggregate) Inputs() []Node         { return []Node{n.Input} }

func (*Read) op() string              { return "read" }
func (*Refused) op() string           { return "refused" }
func (*Project) op() string           { return "project" }
func (*WithColumns) op() string       { return "with_columns" }
func (*WithColumnRenamed) op() string { return "with_column_renamed" }
func (*Drop) op() string              { return "drop" }
func (*Filter) op() string            { return "filter" }
func (*Limit) op() string             { return "limit" }
func (*Offset) op() string            { return "offset" }
func (*Tail) op() string              { return "tail" }
func (*Sample) op() string            { return "sample" }
func (*MapRows) op() string           { return "map" }
func (*Sort) op() string              { return "sort" }
func (*Distinct) op() string          { return "distinct" }
func (*Union) op() string             { return "union" }
func (*Repartition) op() string       { return "repartition" }
func (*RepartitionBy) op() string     { return "repartition_by" }
func (*Coalesce) op() string          { return "coalesce" }
func (*Aggregate) op() string         { return "aggregate" }

func (n Read) withInputs([]Node) Node                 { return &n }
func (n Refused) withInputs([]Node) Node              { return &n }
func (n Project) withInputs(in []Node) Node           { n.Input = in[0]; return &n }
func (n WithColumns) withInputs(in []Node) Node       { n.Input = in[0]; return &n }
func (n WithColumnRenamed) withInputs(in []Node) Node { n.Input = in[0]; return &n }
func (n Drop) withInputs(in []Node) Node              { n.Input = in[0]; return &n }
func (n Filter) withInputs(in []Node) Node            { n.Input = in[0]; return &n }
func (n Limit) withInputs(in []Node) Node             { n.Input = in[0]; return &n }
func (n Offset) withInputs(in []Node) Node            { n.Input = in[0]; return &n }
func (n Tail) withInputs(in []Node) Node              { n.Input = in[0]; return &n }
func (n Sample) withInputs(in []Node) Node            { n.Input = in[0]; return &n }
func (n MapRows) withInputs(in []Node) Node           { n.Input = in[0]; return &n }
func (n Sort) withInputs(in []Node) Node              { n.Input = in[0]; return &n }
func (n Distinct) withInputs(in []Node) Node          { n.Input = in[0]; return &n }
func (n Union) withInputs(in []Node) Node             { n.All = in; return &n }
func (n Repartition) withInputs(in []Node) Node       { n.Input = in[0]; return &n }
func (n RepartitionBy) withInputs(in []Node) Node     { n.Input = in[0]; return &n }
func (n Coalesce) withInputs(in []Node) Node          { n.Input = in[0]; return &n }
func (n Aggregate) withInputs(in []Node) Node         { n.Input = in[0]; return &n }

// Any tells whether a step of a plan is such.
func Any(n Node, such func(Node) bool) bool {
	if n == nil {
		return false
	}
	for _, in := range n.Inputs() {
		if Any(in, such) {
			return true
		}
	}
	return such(n)
}

// Once returns the same plan for one action, which may ask the engine several things: all of them see a source as it was at the
// first.
func Once(n Node) Node {
	return reread(n, 1+rand.Int64N(math.MaxInt64))
}

func reread(n Node, action int64) Node {
	if n == nil {
		return nil
	}
	if read, ok := n.(*Read); ok {
		again := *read
		again.Action = action
		return &again
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	again := make([]Node, len(inputs))
	for i, in := range inputs {
		again[i] = reread(in, action)
	}
	return n.withInputs(again)
}

// ParseSortOrder reads "expr [ASC|DESC] [NULLS FIRST|NULLS LAST]".
func ParseSortOrder(text string) SortOrder {
	o := SortOrder{Expr: strings.TrimSpace(text)}
	word := func(w string) bool {
		n := len(o.Expr) - len(w)
		if n <= 0 || !strings.EqualFold(o.Expr[n:], w) || !strings.ContainsRune(" \t\n)", rune(o.Expr[n-1])) {
			return false
		}
		o.Expr = strings.TrimSpace(o.Expr[:n])
		return true
	}
	for _, first := range []bool{true, false} {
		last := map[bool]string{true: "FIRST", false: "LAST"}[first]
		before := o.Expr
		if word(last) {
			if word("NULLS") {
				o.NullsFirst = &first
				break
			}
			o.Expr = before
		}
	}
	if o.Descending = word("DESC"); !o.Descending {
		word("ASC")
	}
	return o
}
