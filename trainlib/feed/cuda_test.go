package feed_test

import (
	"testing"

	"gomosaic/trainlib/feed"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// The batches on a GPU are those on the CPU, in order and in their values, although they are copied ahead; leaving the loop
// leaves no memory behind, and the loader's state counts what the loop got.
func TestBatchesOnGPU(t *testing.T) {
	gpu := torchtest.CUDA(t)
	dir := write(t, 103)
	torchtest.Run(t, func() {
		torch.Step(func() { torch.Ones(1).To(gpu) }) // CUDA's start
		before, tensors := torch.Memory(gpu).AllocatedBytes, torch.LiveTensors()
		for _, leaveAt := range []int{-1, 0, 5} {
			l := loader(t, dir, 4)
			seen := 0
			var kept *torch.Tensor
			for batch, err := range feed.Batches(t.Context(), l, gpu) {
				if err != nil {
					t.Fatal(err)
				}
				x, label := batch.Tensor("x"), batch.Tensor("label")
				if x.Device() != gpu || label.Device() != gpu || x.Size(0) != batch.Samples {
					t.Errorf("x is on %v, label on %v", x.Device(), label.Device())
				}
				for i, v := range torch.ToSlice[int64](label) {
					if v != int64(seen+i) || torch.ToSlice[float32](x)[i] != float32(v)/2 {
						t.Errorf("sample %d: label %d, x %v", seen+i, v, torch.ToSlice[float32](x)[i])
					}
				}
				if seen == 0 {
					kept = torch.Keep(x)
				}
				seen += batch.Samples
				if state := l.StateDict(); state.SampleInEpoch != seen {
					t.Errorf("the state is at sample %d, the loop at %d", state.SampleInEpoch, seen)
				}
				if leaveAt == seen/4-1 {
					break
				}
			}
			if want := map[int]int{-1: 103, 0: 4, 5: 24}[leaveAt]; seen != want {
				t.Errorf("%d samples, want %d", seen, want)
			}
			if kept.Freed() || kept.Float32s()[1] != 0.5 {
				t.Error("a batch's tensor that was kept is gone")
			}
			kept.Free()
			torch.Synchronize(gpu)
			if after := torch.Memory(gpu).AllocatedBytes; after != before || torch.LiveTensors() != tensors {
				t.Errorf("left at %d: %d bytes and %d tensors more than before", leaveAt, after-before, torch.LiveTensors()-tensors)
			}
		}
	})
}

// A loop on a stream of its own gets its batches in that stream's order.
func TestBatchesOnAStream(t *testing.T) {
	gpu := torchtest.CUDA(t)
	dir := write(t, 400)
	torchtest.Run(t, func() {
		stream := torch.NewStream(gpu)
		defer stream.Close()
		torch.WithStream(stream, func() {
			sum := torch.Keep(torch.Zeros(1).To(gpu))
			for batch, err := range feed.Batches(t.Context(), loader(t, dir, 8), gpu) {
				if err != nil {
					t.Fatal(err)
				}
				sum.AddInPlace(batch.Tensor("x").Sum())
			}
			if got := sum.Item(); got != 400*399/4 {
				t.Errorf("the samples add up to %v, want %v", got, 400*399/4)
			}
		})
	})
}
