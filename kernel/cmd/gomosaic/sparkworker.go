package main

import "gomosaic/mdslib/spark"

// where the worker for Spark's executors is built from: the sources that this binary is of
func init() { spark.WorkerModule(clone) }
