package feed_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/streamlib"
	"gomosaic/trainlib/feed"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// write makes a data set of n samples and returns its folder.
func write(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir() + "/data"
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"x": "float32", "label": "int64", "name": "str"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(mdslib.Sample{"x": float32(i) / 2, "label": int64(i), "name": fmt.Sprint("sample ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// loader streams the data set in dir in order.
func loader(t testing.TB, dir string, batchSize int) *streamlib.StreamingDataLoader {
	t.Helper()
	dataset, err := streamlib.NewStreamingDataset(context.Background(), streamlib.DatasetOptions{Local: dir, BatchSize: batchSize})
	if err != nil {
		t.Fatal(err)
	}
	return streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{})
}

func TestBatches(t *testing.T) {
	dir := write(t, 10)
	torchtest.Run(t, func() {
		seen := 0
		var kept, last *torch.Tensor
		before := torch.LiveTensors()
		for batch, err := range feed.Batches(t.Context(), loader(t, dir, 4), torch.CPU) {
			if err != nil {
				t.Fatal(err)
			}
			x, label := batch.Tensor("x"), batch.Tensor("label")
			if x.DType() != torch.Float32 || label.DType() != torch.Int64 || x.Size(0) != batch.Samples {
				t.Errorf("x is %v %v, label %v, of %d samples", x.DType(), x.Shape(), label.DType(), batch.Samples)
			}
			for i, v := range torch.ToSlice[int64](label) {
				if v != int64(seen+i) || torch.ToSlice[float32](x)[i] != float32(v)/2 || batch.Values["name"][i] != fmt.Sprint("sample ", v) {
					t.Errorf("sample %d: label %d, name %v", seen+i, v, batch.Values["name"][i])
				}
			}
			if seen == 0 {
				kept = torch.Keep(x.Mul(x))
			}
			last = x.Add(x)
			seen += batch.Samples
		}
		if seen != 10 {
			t.Errorf("%d samples, want 10", seen)
		}
		if kept.Freed() || !last.Freed() || torch.LiveTensors() != before+1 {
			t.Errorf("after the loop: kept freed %v, other freed %v, %d tensors more than before, want 1", kept.Freed(), last.Freed(), torch.LiveTensors()-before)
		}
		kept.Free()
	})
}

func TestWrongColumn(t *testing.T) {
	dir := write(t, 2)
	torchtest.Run(t, func() {
		for batch, err := range feed.Batches(t.Context(), loader(t, dir, 2), torch.CPU) {
			if err != nil {
				t.Fatal(err)
			}
			for column, want := range map[string]string{"image": "label, x", "name": "string"} {
				func() {
					defer func() {
						if p := fmt.Sprint(recover()); !strings.Contains(p, column) || !strings.Contains(p, want) {
							t.Errorf("Tensor(%q) panics with %q, want %q in it", column, p, want)
						}
					}()
					batch.Tensor(column)
				}()
			}
		}
	})
}

// broken is a loader that fails after its first batch.
type broken struct{ err error }

func (b broken) Batches(context.Context) iter.Seq2[*streamlib.Batch, error] {
	return func(yield func(*streamlib.Batch, error) bool) {
		if yield(&streamlib.Batch{Samples: 1, Columns: map[string]streamlib.Column{"x": {Shape: []int{1}, Data: []int64{1}}}}, nil) {
			yield(nil, b.err)
		}
	}
}

func TestLoaderError(t *testing.T) {
	want := errors.New("shard.00003.mds is damaged")
	torchtest.Run(t, func() {
		batches := 0
		var got error
		for _, err := range feed.Batches(t.Context(), broken{want}, torch.CPU) {
			if err != nil {
				got = err
				continue
			}
			batches++
		}
		if batches != 1 || !errors.Is(got, want) {
			t.Errorf("%d batches, then %v; want 1, then %v", batches, got, want)
		}
	})
}
