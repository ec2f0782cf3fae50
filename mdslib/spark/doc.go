// Package spark runs DataFrames on Apache Spark, over Spark Connect: it registers the engine "sc" with package mdslib. It is
// heavy (gRPC, Arrow), so cells do not import it; the kernel links it, a program of its own does so by
//
//	import _ "gomosaic/mdslib/spark"
//
// A plan becomes Spark's relations, its expressions travel as the SQL text that they are; results come as Arrow batches.
// Wire behaviour follows PySpark 4.2's client (pyspark/sql/connect/client).
package spark
