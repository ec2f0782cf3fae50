// Package pb is the part of Spark Connect's wire protocol that package spark uses, generated from spark_connect.proto.
//
// Its messages are registered as spark.connect.*, the names on the wire: a program cannot link another client of Spark
// Connect beside it.
package pb

//go:generate ./generate.sh
