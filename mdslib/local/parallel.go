package local

import (
	"context"
	"errors"
	"iter"

	"golang.org/x/sync/errgroup"
)

// parallel runs every partition on the workers and hands its rows to consume, whose first argument is the partition's
// number. Rows of one partition come in order and from one goroutine.
func (e *engine) parallel(ctx context.Context, partitions []partition, consume func(ctx context.Context, i int, row Row) error) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.workers)
	for i, p := range partitions {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			return p(groupCtx, func(row Row) error { return consume(groupCtx, i, row) })
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx) // what was left out was left out because of it
}

// Rows travel between goroutines in chunks: small ones first, so that a consumer of few rows waits for few.
const (
	firstChunkRows = 16
	lastChunkRows  = 1024
	chunkBytes     = 8 << 20
	chunksAhead    = 2 // of each partition
)

var errStopped = errors.New("the consumer stopped")

// ordered yields the rows of all partitions one after the other, while the workers run up to so many partitions ahead of
// the consumer. pack turns a chunk of rows into what is yielded, on the worker. Memory is bounded by the chunks ahead.
func ordered[T any](ctx context.Context, e *engine, partitions []partition, pack func(rows []Row) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		group, groupCtx := errgroup.WithContext(ctx)
		defer group.Wait()
		defer cancel(errStopped)
		chunks := make([]chan T, len(partitions))
		for i := range chunks {
			chunks[i] = make(chan T, chunksAhead)
		}
		started := 0
		start := func() {
			if started == len(partitions) {
				return
			}
			p, out := partitions[started], chunks[started]
			started++
			group.Go(func() error {
				if err := pump(groupCtx, p, pack, out); err != nil {
					return err // the consumer sees it when the group's context ends
				}
				close(out)
				return nil
			})
		}
		for range e.workers {
			start()
		}
		var none T
		for i := range chunks {
			for open := true; open; {
				var chunk T
				select {
				case chunk, open = <-chunks[i]:
				case <-groupCtx.Done():
					// Chunks that were made before the failure come first if they are of this partition.
					select {
					case chunk, open = <-chunks[i]:
					default:
						cancel(errStopped)
						err := group.Wait()
						if err == nil {
							err = context.Cause(ctx)
						}
						yield(none, err)
						return
					}
				}
				if open && !yield(chunk, nil) {
					return
				}
			}
			start()
		}
	}
}

// pump runs one partition and sends its rows in chunks.
func pump[T any](ctx context.Context, p partition, pack func(rows []Row) (T, error), out chan<- T) error {
	limit, bytes := firstChunkRows, 0
	rows := make([]Row, 0, limit)
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		chunk, err := pack(rows)
		if err != nil {
			return err
		}
		rows, bytes = make([]Row, 0, min(2*limit, lastChunkRows)), 0
		limit = min(2*limit, lastChunkRows)
		select {
		case out <- chunk:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := p(ctx, func(row Row) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		for _, v := range row.Values {
			bytes += weight(v)
		}
		if rows = append(rows, row); len(rows) >= limit || bytes >= chunkBytes {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// weight is about the bytes a value takes once it is read.
func weight(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case *fileContent:
		return int(v.Bytes)
	case []any:
		return 24 * len(v)
	}
	return 8
}
