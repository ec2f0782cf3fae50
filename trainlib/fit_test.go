package trainlib_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gomosaic/streamlib"
	"gomosaic/trainlib"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// points is a loader of labelled points in the plane: label 1 above the diagonal.
type points struct {
	batches, size int
	scale         float32
}

func (p points) Batches(ctx context.Context) iter.Seq2[*streamlib.Batch, error] {
	return func(yield func(*streamlib.Batch, error) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		for range p.batches {
			var xy []float32
			var labels []int64
			for range p.size {
				x, y := random.Float32()*p.scale, random.Float32()*p.scale
				label := int64(0)
				if y > x {
					label = 1
				}
				xy, labels = append(xy, x, y), append(labels, label)
			}
			b := &streamlib.Batch{Samples: p.size, Columns: map[string]streamlib.Column{
				"image": {Shape: []int{p.size, 2}, Data: xy}, "label": {Shape: []int{p.size}, Data: labels}}}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func TestFitLearns(t *testing.T) {
	torchtest.Run(t, func() {
		torch.ManualSeed(1)
		model := nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
		opt := optim.Adam(model.Parameters(), optim.AdamOptions{LR: 0.02})
		var steps []trainlib.Step
		epochs, err := trainlib.Fit(t.Context(), model, opt, points{20, 32, 1}, trainlib.FitOptions{
			Epochs: 5, Validation: points{4, 32, 1},
			OnStep: func(s trainlib.Step) error { steps = append(steps, s); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(epochs) != 5 || len(steps) != 100 || steps[99].Epoch != 4 || steps[99].Step != 99 {
			t.Errorf("%d epochs, %d steps", len(epochs), len(steps))
		}
		first, last := epochs[0], epochs[4]
		if last.Validation.Accuracy() < 0.9 || last.Train.Loss >= first.Train.Loss || last.Validation.Samples != 128 || last.Train.Samples != 640 {
			t.Errorf("it did not learn: %+v … %+v", first, last)
		}
		if !model.IsTraining() {
			t.Error("validation left the model in evaluation mode")
		}
	})
}

func TestFitStops(t *testing.T) {
	torchtest.Run(t, func() {
		model := nn.Sequential(nn.Linear(2, 2))
		opt := optim.SGD(model.Parameters(), optim.SGDOptions{LR: 0.1})
		enough := errors.New("enough")
		_, err := trainlib.Fit(t.Context(), model, opt, points{3, 4, 1}, trainlib.FitOptions{OnStep: func(s trainlib.Step) error {
			if s.Step == 1 {
				return enough
			}
			return nil
		}})
		if !errors.Is(err, enough) {
			t.Errorf("err = %v, want the callback's", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := trainlib.Fit(ctx, model, opt, points{3, 4, 1}, trainlib.FitOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want the context's", err)
		}
		_, err = trainlib.Fit(t.Context(), model, opt, points{3, 4, float32(math.Inf(1))}, trainlib.FitOptions{})
		if err == nil || !strings.Contains(err.Error(), "step 0") || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("err = %v, want one that tells of the loss", err)
		}
	})
}

func TestMetrics(t *testing.T) {
	sum := trainlib.Metrics{Samples: 3, Right: 1, Loss: 2}.Plus(trainlib.Metrics{Samples: 1, Right: 1, Loss: 6})
	if want := (trainlib.Metrics{Samples: 4, Right: 2, Loss: 3}); sum != want || sum.Accuracy() != 0.5 {
		t.Errorf("sum = %+v, want %+v", sum, want)
	}
	if none := (trainlib.Metrics{}); none.Accuracy() != 0 || none.Plus(none) != none {
		t.Error("empty metrics do not add up to empty ones")
	}
}
