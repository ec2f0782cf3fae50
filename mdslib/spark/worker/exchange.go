package worker

// An exchange by the tasks themselves: some read the files and deal the rows out to files of their own, others write each
// partition from those. What does it is package exchange, apart from this one because it needs Apache Arrow.

import "gomosaic/mdslib/plan"

// Exchange is the part of a job that says how the rows of Parquet files come to their partitions without Spark's memory.
type Exchange struct {
	// Sources are the names in the files of the columns of the job's schema, "" for those that the shards don't have.
	Sources []string `json:"sources"`
	// Partitions is how many the rows are dealt to, in turn.
	Partitions int `json:"partitions"`
	// SplitBytes is how much of a file one row of a dealing task stands for: a row group belongs to the split that its middle
	// lies in, as in Spark.
	SplitBytes int64 `json:"split_bytes"`
	// Dealt are the files of rows, in the order that partitions have them; none while they are being written.
	Dealt []DealtFile `json:"dealt,omitempty"`
}

// Rows is how many rows were dealt out.
func (x *Exchange) Rows() (rows int64) {
	for _, f := range x.Dealt {
		rows += f.Rows
	}
	return rows
}

// DealtPrefix begins the names of files of dealt rows.
const DealtPrefix = "dealt-"

// DealtFile is a file of the rows of one split.
type DealtFile struct {
	Name       string `json:"name,omitempty"` // below the job's Out; "" where the split has no rows
	Source     string `json:"source"`
	Split      int64  `json:"split"` // of Source, from 0
	Rows       int64  `json:"rows"`
	SourceRows int64  `json:"source_rows"` // of the whole file
}

// Dealt is what a task that deals rows out reports: one JSON object in a line.
type Dealt struct {
	Files []DealtFile `json:"files"`
	// Unable says why the task can't read the files as Spark does, where it can't: nothing is wrong then, and Spark is to read them.
	Unable string `json:"unable,omitempty"`
}

// Splits is the job of a task that deals rows out as far as its own input goes: rows of a file's path and a split's number.
func Splits() *Job {
	return &Job{
		Schema: plan.Schema{Fields: []plan.Field{{Name: "path", Type: plan.Of(plan.String)}, {Name: "split", Type: plan.Of(plan.Long)}}},
		Texts:  []Text{TextBase64, TextPlain},
	}
}
