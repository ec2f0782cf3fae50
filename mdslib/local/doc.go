// Package local is mdslib's engine without a cluster: it reads files of this machine, or of a store whose driver is linked in, and
// runs plans in this process, partitions in parallel on all cores. A program links it with a blank import and calls mdslib.Connect(ctx, "local"), or
// "local[4]" for four workers.
//
// Sources here are binaryFile, csv, json and mds; parquet and arrow are registered by the packages mdslib/local/parquet and
// mdslib/local/arrowipc, which are apart because Apache Arrow is large. Options have Spark's names; one that the engine
// doesn't have is an error, as a row that depends on it would be silently wrong. What Spark reads differently is said beside
// each source, and testdata/spark.json holds the rest to Spark's own answers.
//
// Results don't depend on the number of workers: how the rows are dealt to partitions is a function of the files alone, and so
// are their order and the shards that DataFrameToMDS writes.
//
// # Why an engine of our own
//
// The same notebook cell must give the same rows here and on Spark, down to the hash that splits a data set, integer overflow,
// decimal scales and NULL: that is a matter of semantics, not of speed, since nearly all time goes into reading files and
// writing shards. No pure-Go engine has them. DuckDB, the best engine that runs in a process, needs cgo and a C++ library of
// 60 MB, and has a dialect of its own; Arrow's compute package has arithmetic, comparisons and casts over arrays, but no
// functions of text, dates or hashes, and no Spark rules for those it has; the SQL engines written in Go speak MySQL's or
// SQLite's dialect, and the data frames written in Go hold a whole table in memory.
package local
