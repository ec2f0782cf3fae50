package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// ConvertMDS implements mdslib.Engine: each partition is written by a worker to a folder of its own.
func (e *engine) ConvertMDS(ctx context.Context, p plan.Node, opts mdslib.MDSOptions) (*mdslib.Report, error) {
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	sampler, err := mdslib.NewSampler(r.schema, opts.Columns, opts.NullAs)
	if err != nil {
		return nil, err
	}
	c, err := mdslib.StartConversion(ctx, opts)
	if err != nil {
		return nil, err
	}
	reports := make([]mdslib.PartitionReport, len(r.partitions))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.workers)
	for i, part := range r.partitions {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			start := time.Now()
			index, err := writePartition(groupCtx, part, sampler, c.PartitionOptions(i))
			if err != nil {
				return err
			}
			reports[i] = c.Report(i, index, time.Since(start))
			return nil
		})
	}
	err = group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("local: the conversion was interrupted: %w", context.Cause(ctx))
		}
		return nil, c.Abort(err)
	}
	return c.Commit(ctx, fmt.Sprintf("the local engine, %d workers", e.workers), reports)
}

// Partitions returns how many partitions a plan has, which is how many [ConvertPartition] can be asked for. It is a
// function of the plan and its files.
func Partitions(ctx context.Context, p plan.Node) (int, error) {
	e := &engine{workers: 1, env: expr.Env{Location: time.Local}}
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return 0, err
	}
	return len(r.partitions), nil
}

// ConvertPartition runs one partition of a plan and writes its rows as a data set of its own at opts.Out, which a worker
// on another machine does for a driver that merges the indexes. opts.Columns and opts.Compression must be resolved, as
// DataFrameToMDS does. A partition without rows writes nothing and returns an index without shards.
func ConvertPartition(ctx context.Context, p plan.Node, partition int, opts mdslib.MDSOptions) (*mdslib.Index, error) {
	e := &engine{workers: 1, env: expr.Env{Location: time.Local}}
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	if partition < 0 || partition >= len(r.partitions) {
		return nil, fmt.Errorf("local: no partition %d: the plan has %d", partition, len(r.partitions))
	}
	sampler, err := mdslib.NewSampler(r.schema, opts.Columns, opts.NullAs)
	if err != nil {
		return nil, err
	}
	return writePartition(ctx, r.partitions[partition], sampler, opts)
}

// writePartition writes the rows of a partition. The writer is made with the first row: no rows, no folder.
func writePartition(ctx context.Context, part partition, sampler *mdslib.Sampler, opts mdslib.MDSOptions) (*mdslib.Index, error) {
	var w *mdslib.MDSWriter
	var buffers map[int][]byte // for file contents, one a column, used again for each row
	sample := mdslib.Sample{}
	err := part(ctx, func(row Row) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w == nil {
			var err error
			if w, err = mdslib.NewMDSWriter(opts); err != nil {
				return err
			}
		}
		values := row.Values
		for _, c := range sampler.Positions() {
			l, ok := values[c].(expr.Lazy)
			if !ok {
				continue
			}
			if &values[0] == &row.Values[0] {
				values = append([]any{}, row.Values...)
			}
			var err error
			if f, ok := l.(*fileContent); ok {
				if buffers == nil {
					buffers = map[int][]byte{}
				}
				buffers[c], err = f.LoadInto(buffers[c])
				values[c] = buffers[c]
			} else {
				values[c], err = l.Load()
			}
			if err != nil {
				return &RowError{row.Origin, err}
			}
		}
		err := sampler.Fill(sample, values)
		if err == nil {
			err = w.Write(sample)
		} else if opts.OnInvalid != nil {
			return opts.OnInvalid(&RowError{row.Origin, err})
		}
		var bad *mdslib.SampleError
		if errors.As(err, &bad) { // the file and its row say more than the sample's number in the shard
			return &RowError{row.Origin, fmt.Errorf("column %q: %w", bad.Column, bad.Err)}
		}
		return err
	})
	if w == nil {
		if err != nil {
			return nil, err
		}
		return &mdslib.Index{}, nil
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Index(), nil
}
