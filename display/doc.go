// Package display holds the values that render in a notebook.
package display
