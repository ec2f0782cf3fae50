package spark

// DataFrameToMDS through the driver: Spark computes the rows, this process writes the shards.

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// convertHere writes the shards in this process. The rows come in Spark's order, as one stream, and become one partition;
// memory stays bounded, since the server waits for who is slower. sampler is nil where UDFIterable makes the samples.
func (e *engine) convertHere(ctx context.Context, p plan.Node, schema plan.Schema, sampler *mdslib.Sampler, opts mdslib.MDSOptions) (*mdslib.Report, error) {
	c, err := mdslib.StartConversion(ctx, opts, "")
	if err != nil {
		return nil, err
	}
	start := time.Now()
	rows := &rowStream{engine: e, plan: p}
	var index *mdslib.Index
	if sampler == nil {
		index, err = rows.writeYielded(ctx, schema, opts.UDFIterable, c.PartitionOptions(0))
	} else {
		index, err = rows.write(ctx, sampler, c.PartitionOptions(0))
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("spark: the conversion was interrupted: %w", context.Cause(ctx))
		}
		return nil, c.Abort(err)
	}
	how := fmt.Sprintf("this process, from the rows of Spark %s at %s", e.version, e.target.address())
	return c.Commit(ctx, how, []mdslib.PartitionReport{c.Report(0, index, time.Since(start))})
}

// rowStream is the rows of a plan, and which one is at hand.
type rowStream struct {
	*engine
	plan plan.Node
	row  int64
}

// batchesAhead is how many batches, of some 4 MiB, are received while one is being written.
const batchesAhead = 2

// values yields the rows; after an error it ends. When it returns, the server has been told that no more are wanted.
func (s *rowStream) values(ctx context.Context) iter.Seq2[[]any, error] {
	type received struct {
		batch *mdslib.Batch
		err   error
	}
	return func(yield func([]any, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		ahead := make(chan received, batchesAhead)
		go func() {
			defer close(ahead)
			for b, err := range s.Batches(ctx, s.plan) {
				select {
				case ahead <- received{b, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer func() {
			stop()
			for range ahead {
			}
		}()
		for r := range ahead {
			if r.err != nil {
				yield(nil, r.err)
				return
			}
			for i := range r.batch.Rows {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if !yield(r.batch.Row(i), nil) {
					return
				}
				s.row++
			}
		}
	}
}

// write writes the rows.
func (s *rowStream) write(ctx context.Context, sampler *mdslib.Sampler, opts mdslib.MDSOptions) (*mdslib.Index, error) {
	sample := mdslib.Sample{}
	return mdslib.WriteSamples(opts, func(write func(mdslib.Sample) error) error {
		for values, err := range s.values(ctx) {
			if err == nil {
				if err = sampler.Fill(sample, values); err != nil && opts.OnInvalid != nil {
					if err = opts.OnInvalid(s.located(err)); err == nil {
						continue
					}
				}
			}
			if err == nil {
				err = write(sample)
			}
			if err != nil {
				return s.located(err)
			}
		}
		return nil
	})
}

// writeYielded writes what udf makes of the rows.
func (s *rowStream) writeYielded(ctx context.Context, schema plan.Schema, udf func(iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error], opts mdslib.MDSOptions) (*mdslib.Index, error) {
	rows := func(yield func(mdslib.Sample, error) bool) {
		for values, err := range s.values(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(mdslib.SampleOf(schema, values), nil) {
				return
			}
		}
	}
	return mdslib.WriteSamples(opts, func(write func(mdslib.Sample) error) error {
		return s.located(mdslib.Yield(udf, rows, write))
	})
}

// located says of an error about a sample, or of a UDFIterable, which row of the DataFrame it came of.
func (s *rowStream) located(err error) error {
	var bad *mdslib.SampleError
	var of *mdslib.UDFError
	switch {
	case errors.As(err, &of):
		return fmt.Errorf("spark: row %d of the DataFrame: %w", s.row, err)
	case errors.As(err, &bad):
		return fmt.Errorf("spark: row %d of the DataFrame: column %q: %w", s.row, bad.Column, bad.Err)
	}
	return err
}
