// Package plan holds the lazy DataFrame plan and its expression language as plain data.
//
// A plan is a tree of [Node] values made by mdslib's DataFrame and read by its engines. Expressions in it are text in a
// subset of Spark SQL: a Spark engine sends them as they are, the local engine reads them with [Parse] and evaluates
// them with Spark's semantics (package local/expr). The package imports the standard library only.
package plan
