package mdslib

// Missing values, NULL and NaN, and a first look at what a table holds.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// FillNA puts value where one is missing: a number in columns of numbers, cast to their type, text in columns of text, a bool in
// columns of booleans. Without columns it is all of those; of the columns named, others are left as they are.
func (d *DataFrame) FillNA(value any, columns ...string) *DataFrame {
	constant, err := plan.ConstantOf(value)
	if err != nil {
		return d.with(&plan.Refused{Err: fmt.Errorf("mdslib: FillNA: %w", err)})
	}
	return d.with(&plan.FillNA{Input: d.node, Columns: slices.Clone(columns), Constant: constant})
}

// DropNA leaves out rows with missing values: how "any" (or "") those that lack one of the columns, "all" those that lack all of
// them. Without columns all count.
func (d *DataFrame) DropNA(how string, columns ...string) *DataFrame {
	n := &plan.DropNA{Input: d.node, Columns: slices.Clone(columns)}
	switch strings.ToLower(how) {
	case "", "any":
	case "all":
		n.Least = 1
	default:
		return d.with(&plan.Refused{Err: fmt.Errorf("mdslib: DropNA: how is %q: want any or all", how)})
	}
	return d.with(n)
}

// Describe is a table of text with the count, mean, stddev, min and max (column summary) of the columns, or of all that hold numbers
// or text; missing values do not count.
func (d *DataFrame) Describe(columns ...string) *DataFrame {
	return d.with(&plan.Describe{Input: d.node, Columns: slices.Clone(columns)})
}

// IsEmpty runs the plan until it has a row, and tells whether there is none.
func (d *DataFrame) IsEmpty(ctx context.Context) (bool, error) {
	for _, err := range d.Limit(1).Select("1 AS one").Rows(ctx) {
		return false, err
	}
	return true, nil
}
