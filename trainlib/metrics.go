package trainlib

import "fmt"

// Metrics is how a model does on a set of labelled samples.
type Metrics struct {
	Samples int
	Right   int     // samples whose largest logit is at the label
	Loss    float64 // mean cross-entropy of a sample
}

// Accuracy is the share of right answers, 0 … 1; 0 without samples.
func (m Metrics) Accuracy() float64 {
	if m.Samples == 0 {
		return 0
	}
	return float64(m.Right) / float64(m.Samples)
}

// String is the metrics in one line.
func (m Metrics) String() string {
	return fmt.Sprintf("%d of %d right (%.1f %%), loss %.3f", m.Right, m.Samples, 100*m.Accuracy(), m.Loss)
}

// Plus is the metrics of both sets together: of the batches of an epoch, of the ranks of a job.
func (m Metrics) Plus(o Metrics) Metrics {
	sum := Metrics{Samples: m.Samples + o.Samples, Right: m.Right + o.Right}
	if sum.Samples > 0 {
		sum.Loss = (m.Loss*float64(m.Samples) + o.Loss*float64(o.Samples)) / float64(sum.Samples)
	}
	return sum
}
