package plan

// Sources that are no files.

// Range is the whole numbers from Start to End, without it, by Step, in a column id, a bigint.
type Range struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	Step  int64 `json:"step"`
	// Partitions is how many the rows are dealt to, in runs; 0 leaves it to the engine.
	Partitions int `json:"partitions,omitempty"`
}

// Table is a table or view of the engine's catalogue, its name perhaps in parts: "catalog.schema.table".
type Table struct {
	Name string `json:"name"`
}

// SQL is the rows of a query in the engine's own SQL.
type SQL struct {
	Query string `json:"query"`
}

// Rows are given rows: an Arrow IPC stream, and the schema as text where the engine that made it gave one. It is Spark's
// LocalRelation.
type Rows struct {
	Arrow  []byte `json:"arrow"`
	Schema string `json:"schema,omitempty"`
}

func (*Range) Inputs() []Node { return nil }
func (*Table) Inputs() []Node { return nil }
func (*SQL) Inputs() []Node   { return nil }
func (*Rows) Inputs() []Node  { return nil }

func (*Range) op() string { return "range" }
func (*Table) op() string { return "table" }
func (*SQL) op() string   { return "sql" }
func (*Rows) op() string  { return "rows" }

func (n Range) withInputs([]Node) Node { return &n }
func (n Table) withInputs([]Node) Node { return &n }
func (n SQL) withInputs([]Node) Node   { return &n }
func (n Rows) withInputs([]Node) Node  { return &n }
