// Package arrowmds writes Arrow records as data sets and reads data sets as Arrow records. It is a package of its own,
// because Arrow is heavy.
package arrowmds
