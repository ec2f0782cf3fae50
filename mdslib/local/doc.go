// Package local is mdslib's engine without a cluster: it reads files of this machine and runs plans in this process,
// partitions in parallel on all cores. A program links it with a blank import and calls mdslib.Connect(ctx, "local"), or
// "local[4]" for four workers.
//
// Sources here are binaryFile, csv and json; Parquet is registered by package mdslib/local/parquet, which is apart
// because Arrow is large. Results don't depend on the number of workers: how the rows are dealt to partitions is a
// function of the files alone, and so are their order and the shards that DataFrameToMDS writes.
package local
