// Package trainlib trains classifiers: [Fit] is the loop that a notebook would else spell out, [Evaluate] the validation.
package trainlib

import (
	"context"
	"fmt"
	"math"

	"gomosaic/trainlib/feed"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
)

// FitOptions says how long and how to train. The zero value trains one epoch on the CPU without validation.
type FitOptions struct {
	Epochs         int            // 0 means 1
	Device         torch.Device   // where the model is
	Columns        Columns        //
	Schedule       optim.Schedule // advanced after every step; nil: the learning rate stays
	Validation     feed.Loader    // evaluated after every epoch; nil: not
	LabelSmoothing float64        // of the cross-entropy, 0 … 1

	OnStep  func(Step) error  // called after every step; an error ends the training
	OnEpoch func(Epoch) error // called after every epoch and its validation; an error ends the training
}

// Step is one step of training.
type Step struct {
	Step  int // 0, 1, … over all epochs
	Epoch int
	Train Metrics // of this step's batch, before the step
	LR    float64 // that the step was made with
}

// Epoch is one epoch of training.
type Epoch struct {
	Epoch      int
	Train      Metrics // over the epoch, as the model learnt
	Validation Metrics // after the epoch; empty without a validation loader
}

// Fit trains the model on cross-entropy over the loader's epochs, and returns what each of them came to. It ends early, with
// the epochs that are whole, when ctx ends, a callback fails, data cannot be had or the loss is no longer finite.
func Fit(ctx context.Context, model nn.Module, opt optim.Optimizer, loader feed.Loader, o FitOptions) ([]Epoch, error) {
	var epochs []Epoch
	steps := 0
	for e := range max(1, o.Epochs) {
		epoch := Epoch{Epoch: e}
		model.Train()
		for batch, err := range feed.Batches(ctx, loader, o.Device) {
			if err != nil {
				return epochs, fmt.Errorf("trainlib: epoch %d: %w", e, err)
			}
			step := Step{Step: steps, Epoch: e, LR: optim.LR(opt)}
			step.Train = trainStep(model, opt, batch, o)
			if math.IsNaN(step.Train.Loss) || math.IsInf(step.Train.Loss, 0) {
				return epochs, fmt.Errorf("trainlib: epoch %d, step %d: the loss is %v at a learning rate of %v", e, steps, step.Train.Loss, step.LR)
			}
			if o.Schedule != nil {
				o.Schedule.Step()
			}
			epoch.Train = epoch.Train.Plus(step.Train)
			steps++
			if o.OnStep != nil {
				if err := o.OnStep(step); err != nil {
					return epochs, err
				}
			}
			if err := ctx.Err(); err != nil {
				return epochs, context.Cause(ctx)
			}
		}
		if o.Validation != nil {
			var err error
			if epoch.Validation, err = Evaluate(ctx, model, o.Validation, o.Device, o.Columns); err != nil {
				return epochs, err
			}
		}
		epochs = append(epochs, epoch)
		if o.OnEpoch != nil {
			if err := o.OnEpoch(epoch); err != nil {
				return epochs, err
			}
		}
	}
	return epochs, nil
}

// trainStep makes one step and returns the batch's metrics before it.
func trainStep(model nn.Module, opt optim.Optimizer, batch *feed.Batch, o FitOptions) Metrics {
	labels := batch.Tensor(o.Columns.label())
	logits := model.Forward(batch.Tensor(o.Columns.input()))
	loss := nn.CrossEntropy(logits, labels, nn.CrossEntropyOptions{LabelSmoothing: o.LabelSmoothing})
	opt.ZeroGrad()
	loss.Backward()
	opt.Step()
	m := Metrics{Samples: labels.Numel(), Loss: loss.Item()}
	torch.NoGrad(func() { m.Right = int(logits.Argmax(1, false).Eq(labels).Sum().Item()) })
	return m
}
