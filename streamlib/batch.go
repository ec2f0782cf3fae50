package streamlib

// Column is one column of a batch, stacked over its samples.
type Column struct {
	Shape []int // [samples, …]
	Data  any   // []float32, []float64, []int64, []int32, []int16, []int8, []uint8, []bool …, row-major, len = product of Shape
}

// Batch is what a loader yields: dense columns stacked over the samples, and the values of the columns that cannot be
// stacked (strings, bytes, images of differing sizes). A Batch is owned by its receiver.
type Batch struct {
	Samples int
	Columns map[string]Column
	Values  map[string][]any // one value per sample
	IDs     []int64          // position of each sample in the data set
}
