package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/store"
)

// ConvertMDS implements mdslib.Engine: each partition is written by a worker to a folder of its own.
func (e *engine) ConvertMDS(ctx context.Context, p plan.Node, opts mdslib.MDSOptions) (*mdslib.Report, error) {
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	r = r.fetchedAhead()
	var sampler *mdslib.Sampler
	if opts.UDFIterable == nil {
		if sampler, err = mdslib.NewSampler(r.schema, opts.Columns, opts.NullAs); err != nil {
			return nil, err
		}
	}
	identity := ""
	if opts.Resume {
		if identity, err = conversionIdentity(ctx, p, opts); err != nil {
			return nil, err
		}
	}
	c, err := mdslib.StartConversion(ctx, opts, identity)
	if err != nil {
		return nil, err
	}
	c.Expect(len(r.partitions))
	reports := make([]mdslib.PartitionReport, len(r.partitions))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.workers)
	for i, part := range r.partitions {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			start := time.Now()
			if index := c.Finished(i); index != nil {
				reports[i] = c.Report(i, index, 0)
				return nil
			}
			var index *mdslib.Index
			var err error
			if opts.UDFIterable != nil {
				index, err = writeYielded(groupCtx, part, r.schema, opts.UDFIterable, c.PartitionOptions(i))
			} else {
				index, err = writePartition(groupCtx, part, sampler, c.PartitionOptions(i))
			}
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
	r = r.fetchedAhead()
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
				buffers[c], err = f.LoadInto(ctx, buffers[c])
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

// writeYielded writes the samples that udf makes of a partition's rows.
func writeYielded(ctx context.Context, part partition, schema plan.Schema, udf func(iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error], opts mdslib.MDSOptions) (*mdslib.Index, error) {
	var last Origin // of the row that was read last
	rows := func(yield func(mdslib.Sample, error) bool) {
		err := part(ctx, func(row Row) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			values := make([]any, len(row.Values))
			for i, v := range row.Values {
				var err error
				if values[i], err = force(v, row.Origin); err != nil {
					return err
				}
			}
			last = row.Origin
			if !yield(mdslib.SampleOf(schema, values), nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
	return mdslib.WriteSamples(opts, func(write func(mdslib.Sample) error) error {
		err := mdslib.Yield(udf, rows, func(sample mdslib.Sample) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return write(sample)
		})
		var of *mdslib.UDFError
		if errors.As(err, &of) {
			return &RowError{last, err}
		}
		return err
	})
}

// conversionIdentity is a text that differs where the data set would: the plan, the files that it reads with their sizes and
// times, and the options that shards depend on. Go funcs among them, which can't be compared, are an error.
func conversionIdentity(ctx context.Context, p plan.Node, opts mdslib.MDSOptions) (string, error) {
	if opts.UDFIterable != nil || opts.OnInvalid != nil || hasFunc(p) {
		return "", errors.New("local: DataFrameToMDS: Resume can't tell whether Go funcs are the same ones as before: leave Map, UDFIterable and OnInvalid out, or Resume")
	}
	text, err := plan.Marshal(p)
	if err != nil {
		return "", err
	}
	opts.Out, opts.Remote, opts.ExistOK, opts.KeepLocal, opts.MaxWorkers, opts.Retry, opts.ProgressBar, opts.NoMergedIndex = "", "", false, false, 0, 0, false, false
	options, err := json.Marshal(opts)
	if err != nil {
		return "", fmt.Errorf("local: Resume: %w", err)
	}
	text = fmt.Appendf(text, "\n%s\n%s\n", options, time.Local)
	var sources func(n plan.Node) error
	sources = func(n plan.Node) error {
		if read, ok := n.(*plan.Read); ok {
			files, err := filesOf(ctx, read)
			for _, f := range files {
				text = fmt.Appendf(text, "%q %d %d\n", f.Path, f.Bytes, f.Modified.UnixNano())
			}
			return err
		}
		for _, in := range n.Inputs() {
			if err := sources(in); err != nil {
				return err
			}
		}
		return nil
	}
	return string(text), sources(p)
}

func hasFunc(n plan.Node) bool {
	return plan.Any(n, func(n plan.Node) bool {
		_, is := n.(*plan.MapRows)
		return is
	})
}

// filesOf are the files that tell whether a source is the same as before: of a data set its index.
func filesOf(ctx context.Context, read *plan.Read) ([]File, error) {
	if strings.EqualFold(read.Format, "mds") {
		indexes := &plan.Read{Format: read.Format}
		for _, p := range read.Paths {
			indexes.Paths = append(indexes.Paths, store.Join(p, mdslib.IndexName))
		}
		read = indexes
	}
	files, err := ListFiles(ctx, read, NewOptions(read))
	if err != nil {
		return nil, fmt.Errorf("local: Resume: %w", err)
	}
	return files.List, nil
}
