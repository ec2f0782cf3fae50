// Package local is the local DataFrame engine.
package local
