package plan

// Steps about values that are missing, NULL or NaN, and about what a table holds in all.

// FillNA puts a constant where a value is missing, in the Columns whose type is of its kind (all such columns where there are
// none). It is Spark's NAFill: numbers fill columns of every numeric type, cast to it.
type FillNA struct {
	Input   Node     `json:"-"`
	Columns []string `json:"columns,omitempty"`
	Constant
}

// DropNA keeps the rows with at least Least values that are not missing among Columns, or among all where there are none; Least
// 0 means all of them. It is Spark's NADrop.
type DropNA struct {
	Input   Node     `json:"-"`
	Columns []string `json:"columns,omitempty"`
	Least   int      `json:"least,omitempty"`
}

// Describe is five rows of text: count, mean, stddev, min and max, as the column summary names them, of each of Columns, or of
// all columns with numbers or text. It is Spark's StatDescribe.
type Describe struct {
	Input   Node     `json:"-"`
	Columns []string `json:"columns,omitempty"`
}

func (n *FillNA) Inputs() []Node   { return []Node{n.Input} }
func (n *DropNA) Inputs() []Node   { return []Node{n.Input} }
func (n *Describe) Inputs() []Node { return []Node{n.Input} }

func (*FillNA) op() string   { return "fill_na" }
func (*DropNA) op() string   { return "drop_na" }
func (*Describe) op() string { return "describe" }

func (n FillNA) withInputs(in []Node) Node   { n.Input = in[0]; return &n }
func (n DropNA) withInputs(in []Node) Node   { n.Input = in[0]; return &n }
func (n Describe) withInputs(in []Node) Node { n.Input = in[0]; return &n }
