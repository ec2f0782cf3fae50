package plan

// Steps that make columns of rows, rows of columns, and other names.

// Pivot is an Aggregate whose Aggs are computed for each value of the expression By apart: after the groups' columns, each value has
// a column for each of Aggs, named by the value where there is one, by both where there are more. Without Values they are those
// that there are, in order. A group without rows of a value has NULL there. It is Spark's.
type Pivot struct {
	Input   Node       `json:"-"`
	GroupBy []string   `json:"group_by"`
	By      string     `json:"by"`
	Values  []Constant `json:"values,omitempty"`
	Aggs    []string   `json:"aggs"`
}

// Unpivot makes a row of each of Columns in every row: the columns IDs, then the column's name (Variable) and its value (Value), of
// the type that holds all. Without Columns they are all but the IDs. It is Spark's.
type Unpivot struct {
	Input    Node     `json:"-"`
	IDs      []string `json:"ids"`
	Columns  []string `json:"columns,omitempty"`
	Variable string   `json:"variable"`
	Value    string   `json:"value"`
}

// ToDF gives all columns new names, in their order.
type ToDF struct {
	Input Node     `json:"-"`
	Names []string `json:"names"`
}

func (n *Pivot) Inputs() []Node   { return []Node{n.Input} }
func (n *Unpivot) Inputs() []Node { return []Node{n.Input} }
func (n *ToDF) Inputs() []Node    { return []Node{n.Input} }

func (*Pivot) op() string   { return "pivot" }
func (*Unpivot) op() string { return "unpivot" }
func (*ToDF) op() string    { return "to_df" }

func (n Pivot) withInputs(in []Node) Node   { n.Input = in[0]; return &n }
func (n Unpivot) withInputs(in []Node) Node { n.Input = in[0]; return &n }
func (n ToDF) withInputs(in []Node) Node    { n.Input = in[0]; return &n }
