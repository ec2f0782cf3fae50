package mdslib

import (
	"context"
	"errors"
	"fmt"

	"gomosaic/mdslib/plan"
)

// DataFrameToMDS runs the DataFrame and writes its rows as one MDS data set, as dataframe_to_mds of mosaicml-streaming
// does: partitions in parallel, each to a folder of its own below opts.Out, and one merged index.json at last. Options
// left out are inferred: Columns by [InferColumns], Compression "zstd" ("none" for none).
//
// Out must be empty, or hold nothing but a data set with ExistOK set, which is replaced when the new one is complete. If
// the conversion fails or ctx is done, what it wrote is removed, here and at the remote, an earlier data set stays as it was,
// and the error says so; with Resume set what is complete stays for the next time. A process that is killed leaves a folder
// Out/_attempt-…, which no reader takes for data. A DataFrame without rows is an error, as in the reference.
func DataFrameToMDS(ctx context.Context, d *DataFrame, opts MDSOptions) (*Report, error) {
	if d == nil {
		return nil, errors.New("mdslib: DataFrameToMDS: the DataFrame is nil")
	}
	node := plan.Once(d.node)
	schema, err := d.session.engine.Schema(ctx, node)
	if err != nil {
		return nil, err
	}
	if opts.Compression == "" {
		opts.Compression = "zstd"
	}
	switch {
	case opts.UDFIterable != nil && len(opts.Columns) == 0:
		return nil, errors.New("mdslib: DataFrameToMDS: with UDFIterable set, Columns must say what it yields")
	case opts.UDFIterable != nil:
		return d.session.engine.ConvertMDS(ctx, node, opts)
	case opts.Columns == nil:
		opts.Columns, err = InferColumns(schema)
	default:
		err = CheckColumns(schema, opts.Columns)
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(opts.Columns))
	for _, f := range schema.Fields { // only what is written is read
		if _, ok := opts.Columns[f.Name]; ok {
			names = append(names, plan.QuoteName(f.Name))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("mdslib: DataFrameToMDS: no columns to write")
	}
	return d.session.engine.ConvertMDS(ctx, &plan.Project{Input: node, Exprs: names}, opts)
}
