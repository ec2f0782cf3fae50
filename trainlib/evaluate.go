package trainlib

import (
	"cmp"
	"context"
	"fmt"

	"gomosaic/trainlib/feed"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch"
)

// Columns names the columns of a batch that a classifier is trained on; the zero value is image and label.
type Columns struct {
	Input string // [samples, …]; default "image"
	Label string // [samples] int64; default "label"
}

func (c Columns) input() string { return cmp.Or(c.Input, "image") }
func (c Columns) label() string { return cmp.Or(c.Label, "label") }

// Evaluate runs the model over one epoch of the loader, in evaluation mode and without gradients, and leaves it in the mode
// it was in. A model of dist.DDP is evaluated by its Module, each rank its own part; add the ranks' metrics up.
func Evaluate(ctx context.Context, model nn.Module, loader feed.Loader, device torch.Device, columns ...Columns) (Metrics, error) {
	var c Columns
	if len(columns) > 0 {
		c = columns[0]
	}
	if model.IsTraining() {
		model.Eval()
		defer model.Train()
	}
	var all Metrics
	for batch, err := range feed.Batches(ctx, loader, device) {
		if err != nil {
			return all, fmt.Errorf("trainlib: evaluate: %w", err)
		}
		torch.NoGrad(func() {
			labels := batch.Tensor(c.label())
			logits := model.Forward(batch.Tensor(c.input()))
			all = all.Plus(score(logits, labels))
		})
	}
	return all, nil
}

// score is the metrics of one batch: logits [samples, classes], labels [samples].
func score(logits, labels *torch.Tensor) Metrics {
	return Metrics{
		Samples: labels.Numel(),
		Right:   int(logits.Argmax(1, false).Eq(labels).Sum().Item()),
		Loss:    nn.CrossEntropy(logits, labels).Item(),
	}
}
