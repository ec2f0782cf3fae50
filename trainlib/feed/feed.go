// Package feed moves a loader's batches to the device that trains: host columns become tensors, step by step.
package feed

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"gomosaic/streamlib"
	"gomosaic/trainlib/torch"
)

// Loader is what batches come from: a *streamlib.StreamingDataLoader.
type Loader interface {
	// Batches iterates one epoch; an error ends it.
	Batches(ctx context.Context) iter.Seq2[*streamlib.Batch, error]
}

// Batch is a loader's batch on a device.
type Batch struct {
	*streamlib.Batch // the batch on the host: sample count, ids, columns that cannot be stacked
	tensors          map[string]*torch.Tensor
}

// Tensor is a column as a tensor, [samples, …]; it lives until the loop's next batch, unless given to torch.Keep. It panics
// for a column that is not there or has no shape of its own, such as strings.
func (b *Batch) Tensor(column string) *torch.Tensor {
	t, ok := b.tensors[column]
	if !ok {
		if values, ok := b.Values[column]; ok && len(values) > 0 {
			panic(fmt.Errorf("feed: column %q holds values of type %T, which make no tensor: convert them in a transform", column, values[0]))
		}
		panic(fmt.Errorf("feed: no column %q: the batch has %s", column, strings.Join(slices.Sorted(maps.Keys(b.tensors)), ", ")))
	}
	return t
}

// Batches iterates one epoch of the loader with the columns as tensors on the device. All tensors that the loop body makes
// are freed when it asks for the next batch, but for those given to torch.Keep and those made before the loop: a training
// loop runs in constant memory. To a GPU the columns go through page-locked memory; from a StreamingDataLoader they are
// copied ahead, while the GPU computes (see ahead.go).
func Batches(ctx context.Context, loader Loader, device torch.Device) iter.Seq2[*Batch, error] {
	if l, ok := loader.(aheadLoader); ok && device != torch.CPU {
		return batchesAhead(ctx, l, device)
	}
	return func(yield func(*Batch, error) bool) {
		for host, err := range loader.Batches(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !step(host, device, yield) {
				return
			}
		}
	}
}

// step hands one batch to the loop body, in a scope of its own.
func step(host *streamlib.Batch, device torch.Device, yield func(*Batch, error) bool) bool {
	scope := torch.OpenScope()
	defer scope.Close()
	tensors, err := tensorsOf(host, device)
	if err != nil {
		yield(nil, err)
		return false
	}
	return yield(&Batch{Batch: host, tensors: tensors}, nil)
}

// tensorsOf copies the columns to the device.
func tensorsOf(host *streamlib.Batch, device torch.Device) (map[string]*torch.Tensor, error) {
	tensors := make(map[string]*torch.Tensor, len(host.Columns))
	for name, column := range host.Columns {
		t, err := tensorOf(column, device)
		if err != nil {
			return nil, fmt.Errorf("feed: column %q: %w", name, err)
		}
		tensors[name] = t
	}
	return tensors, nil
}

// tensorOf copies a column to the device.
func tensorOf(c streamlib.Column, device torch.Device) (t *torch.Tensor, err error) {
	switch data := c.Data.(type) {
	case []float32:
		t = move(data, c.Shape, device)
	case []float64:
		t = move(data, c.Shape, device)
	case []int64:
		t = move(data, c.Shape, device)
	case []int32:
		t = move(data, c.Shape, device)
	case []int16:
		t = move(data, c.Shape, device)
	case []int8:
		t = move(data, c.Shape, device)
	case []uint8:
		t = move(data, c.Shape, device)
	case []bool:
		t = move(data, c.Shape, device)
	default:
		return nil, fmt.Errorf("%T of shape %v makes no tensor", c.Data, c.Shape)
	}
	return t, nil
}

// move makes a tensor of host data.
func move[T torch.Element](data []T, shape []int, device torch.Device) *torch.Tensor {
	if device.Kind() == torch.KindCPU {
		return torch.FromSlice(data, shape...)
	}
	return torch.FromSlicePinned(data, shape...).ToNonBlocking(device)
}
