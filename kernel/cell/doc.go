// Package cell compiles notebook cells: text that mixes imports, declarations and statements becomes a Go package, a
// plugin that a running host loads. It knows no Jupyter and runs no cell itself.
//
// The road of a cell, one file each:
//
//	magics.go     magics taken out of the text, and the calls that they become
//	split.go      text → imports, functions, statements (same lines, same columns)
//	declare.go    which names the cell declares; := and var at top level become package variables
//	reopen.go     a method for a type of an earlier cell: the type anew, old variables seen through it
//	check.go      go/types over the cell with the session's objects in scope; all errors at once
//	place.go      where each object lives: which cell's package, which name
//	rewrite.go    text edits: reserved names, guards for interruption, goroutines that report their panics
//	guard.go      where loops and functions look for an interruption; recursion.go, which functions do
//	wait.go       waits that an interruption ends
//	emit.go       the package's source, every piece under a //line directive of its cell
//	note.go       what goes on with an older meaning of a name that the cell declares anew
//	build.go      compile and link, run directly: a plugin
//	typenames.go  after the compiler: types get the user's names
//	slimlink.go   the linker that leaves out what the host has
//	program.go    the same packages as a program that runs elsewhere (function shipping)
//	export.go     a notebook as an ordinary program, by the same check and other text edits
//
// A [Session] is changed only by [Session.Commit]: a cell that fails to check or to build leaves everything as it was.
//
// # Names
//
// Unexported names of cells (variables, types, functions, fields, methods) are exported between cell packages by a
// prefix, the reserved rune Ꞷ (U+A7B6, an upper-case letter, so legal and exported). Types get the user's names back in
// the object file, and [Demangle] takes the rune off wherever other text leaves for the user. Cells are `package Ꞷmain`
// with the import path nb/c1, nb/c2, …
package cell
