// Package worker is what gomosaic's programs do on Spark's executors: it reads the rows of one partition and writes them as
// Mosaic data shards. Package spark makes the jobs and reads the results; programs that it sends link this package, so it
// stays without gRPC and Arrow.
package worker
