// Package host runs compiled cells in a process of its own.
package host
