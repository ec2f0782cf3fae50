// Package cell compiles notebook cells.
package cell
