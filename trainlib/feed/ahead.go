package feed

import (
	"context"
	"fmt"
	"iter"

	"gomosaic/streamlib"
	"gomosaic/trainlib/torch"
)

// aheadLoader is a loader that has batches prepared before the loop wants them: a *streamlib.StreamingDataLoader.
type aheadLoader interface {
	BatchesAhead(ctx context.Context, n int, prepare func(*streamlib.Batch) error) iter.Seq2[*streamlib.Batch, error]
}

// batchesReady is how many batches are on the GPU, or on their way, before the loop asks for them.
const batchesReady = 2

// copied is a batch on its way to a GPU.
type copied struct {
	tensors map[string]*torch.Tensor
	done    *torch.Event // recorded behind the copies
}

// batchesAhead is [Batches] for a GPU: a goroutine of the loader's moves each column into page-locked memory and queues its
// copy on a stream of its own, so that the copies run beside the kernels of the batches before, and the loop's stream waits
// for nothing but the end of a copy that has long been made.
func batchesAhead(ctx context.Context, loader aheadLoader, device torch.Device) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		copies := torch.NewStream(device)
		defer copies.Close()
		ready := make(chan copied, batchesReady+2) // all that prepare may be called for before the loop gets one
		defer func() {
			close(ready)
			for c := range ready { // the loop was left
				c.free()
			}
		}()
		prepare := func(host *streamlib.Batch) error {
			c, err := copyTo(device, copies, host)
			if err == nil {
				ready <- c
			}
			return err
		}
		for host, err := range loader.BatchesAhead(ctx, batchesReady, prepare) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !stepCopied(<-ready, host, device, yield) {
				return
			}
		}
	}
}

// copyTo queues the copies of a batch's columns on a stream.
func copyTo(device torch.Device, stream *torch.Stream, host *streamlib.Batch) (c copied, err error) {
	failed := torch.Try(func() {
		torch.Step(func() { // frees the page-locked tensors, whose memory the allocator keeps until they are copied
			torch.WithStream(stream, func() {
				if c.tensors, err = tensorsOf(host, device); err != nil {
					return
				}
				for _, t := range c.tensors {
					torch.Keep(t)
				}
				c.done = torch.NewEvent(device)
				c.done.Record(stream)
			})
		})
	})
	if failed != nil {
		return copied{}, fmt.Errorf("feed: copying a batch to %v: %w", device, failed)
	}
	return c, err
}

// stepCopied hands one batch to the loop body, in a scope of its own that owns the batch's tensors.
func stepCopied(c copied, host *streamlib.Batch, device torch.Device, yield func(*Batch, error) bool) bool {
	scope := torch.OpenScope()
	defer scope.Close()
	stream := torch.CurrentStream(device)
	defer stream.Close()
	stream.Wait(c.done)
	c.done.Close()
	for _, t := range c.tensors {
		t.RecordStream(stream)
		scope.Own(t)
	}
	return yield(&Batch{Batch: host, tensors: c.tensors}, nil)
}

func (c copied) free() {
	for _, t := range c.tensors {
		t.Free()
	}
	c.done.Close()
}
