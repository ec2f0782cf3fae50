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

// Rows are given rows: an Arrow IPC stream, and the schema as text where the engine that made it gave one; or the hashes of
// such streams that the engine's session keeps. It is Spark's LocalRelation and ChunkedCachedLocalRelation.
type Rows struct {
	Arrow  []byte   `json:"arrow,omitempty"`
	Schema string   `json:"schema,omitempty"`
	Cached []string `json:"cached,omitempty"`
}

// Values are given rows, as values of this process. A plan with it can't be marshalled.
type Values struct {
	Schema Schema  `json:"schema"`
	Rows   [][]any `json:"-"`
}

func (*Range) Inputs() []Node { return nil }
func (*Table) Inputs() []Node { return nil }
func (*SQL) Inputs() []Node   { return nil }
func (*Rows) Inputs() []Node  { return nil }

func (*Values) Inputs() []Node          { return nil }
func (*Values) op() string              { return "values" }
func (n Values) withInputs([]Node) Node { return &n }

func (*Range) op() string { return "range" }
func (*Table) op() string { return "table" }
func (*SQL) op() string   { return "sql" }
func (*Rows) op() string  { return "rows" }

func (n Range) withInputs([]Node) Node { return &n }
func (n Table) withInputs([]Node) Node { return &n }
func (n SQL) withInputs([]Node) Node   { return &n }
func (n Rows) withInputs([]Node) Node  { return &n }
