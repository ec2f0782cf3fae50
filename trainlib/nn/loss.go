package nn

import "gomosaic/trainlib/torch"

// Reduction says how a loss is taken over the batch.
type Reduction int

// The reductions of torch.nn's losses; the zero value is their default.
const (
	Mean Reduction = iota
	Sum
	None // one value per sample
)

// number is at::Reduction.
func (r Reduction) number() int {
	switch r {
	case Sum:
		return 2
	case None:
		return 0
	}
	return 1
}

// CrossEntropyOptions are the further arguments of torch.nn.functional.cross_entropy; the zero value is its default.
type CrossEntropyOptions struct {
	Weight         *torch.Tensor // [classes]: of each class
	LabelSmoothing float64       // 0 … 1: how much of each target is spread over all classes
	IgnoreIndex    *int          // a label that does not count; default -100
	Reduction      Reduction
}

func (o CrossEntropyOptions) ignored() int {
	if o.IgnoreIndex != nil {
		return *o.IgnoreIndex
	}
	return -100
}

// CrossEntropy is torch.nn.functional.cross_entropy: logits [batch, classes] against labels [batch] int64, or against
// probabilities [batch, classes].
func CrossEntropy(logits, labels *torch.Tensor, opts ...CrossEntropyOptions) *torch.Tensor {
	o := option("CrossEntropy", opts)
	return logits.CrossEntropyLoss(labels, o.Weight, o.Reduction.number(), o.ignored(), o.LabelSmoothing)
}

// NLL is torch.nn.functional.nll_loss: logarithms of probabilities [batch, classes] against labels [batch] int64. Label
// smoothing does not apply.
func NLL(logProbabilities, labels *torch.Tensor, opts ...CrossEntropyOptions) *torch.Tensor {
	o := option("NLL", opts)
	return logProbabilities.NllLoss(labels, o.Weight, o.Reduction.number(), o.ignored())
}

// MSE is torch.nn.functional.mse_loss: the squared error.
func MSE(x, target *torch.Tensor, reduction ...Reduction) *torch.Tensor {
	return x.MseLoss(target, option("MSE", reduction).number())
}

// L1 is torch.nn.functional.l1_loss: the absolute error.
func L1(x, target *torch.Tensor, reduction ...Reduction) *torch.Tensor {
	return x.L1Loss(target, option("L1", reduction).number())
}

// BCEWithLogits is torch.nn.functional.binary_cross_entropy_with_logits.
func BCEWithLogits(x, target *torch.Tensor, reduction ...Reduction) *torch.Tensor {
	return x.BceWithLogits(target, nil, nil, option("BCEWithLogits", reduction).number())
}
