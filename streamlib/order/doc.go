// Package order computes sample order as a pure function of plain numbers.
package order
