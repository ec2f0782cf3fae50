// Package transforms turns decoded or encoded sample columns into training inputs: decode, resize, crop, flip,
// normalise. It is a leaf; streamlib's loader applies a [Transform] in its worker goroutines.
package transforms

// Draw identifies the random draws of one sample: equal Draws give equal augmentations whatever the number of workers,
// so a resumed epoch sees the same pixels.
type Draw struct {
	Seed   uint64
	Epoch  int
	Sample int64 // index of the sample in its data set
}

// Transform rewrites the columns of one sample in place. Implementations must be safe for concurrent use; an error names
// the column and the value.
type Transform interface {
	Apply(sample map[string]any, draw Draw) error
}

// Func is a [Transform] made of a function.
type Func func(sample map[string]any, draw Draw) error

// Apply calls f.
func (f Func) Apply(sample map[string]any, draw Draw) error { return f(sample, draw) }

// Array is a dense value that a transform leaves in a sample, for example an image as [3, height, width] float32. The
// loader stacks equal-shaped Arrays of a batch.
type Array struct {
	Shape []int
	Data  []float32
}
