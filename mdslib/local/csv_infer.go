package local

// Types of CSV columns, inferred from their text.

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/plan"
)

// inferKinds are tried in order, as Spark's CSVInferSchema does.
var inferKinds = []plan.Kind{plan.Int, plan.Long, plan.Decimal, plan.Double, plan.Date, plan.Timestamp, plan.Boolean}

// csvTypes infers the type of texts.
type csvTypes struct {
	parse []func(string) (any, error) // of inferKinds
}

func (f *csvFormat) types() (*csvTypes, error) {
	t := &csvTypes{parse: make([]func(string) (any, error), len(inferKinds))}
	for i, k := range inferKinds {
		kind := plan.Of(k)
		if k == plan.Decimal {
			kind = plan.DecimalOf(plan.MaxPrecision, 0)
		}
		var err error
		if t.parse[i], err = f.parser(kind); err != nil {
			return nil, err
		}
		switch { // the casts take more than inference does
		case k == plan.Date && f.dates.date == nil, k == plan.Timestamp && f.dates.timestamp == nil:
			inner := t.parse[i]
			t.parse[i] = func(text string) (any, error) {
				if len(text) < 10 || text[4] != '-' || k == plan.Date && len(text) != 10 {
					return nil, errors.New("malformed")
				}
				return inner(text)
			}
		}
	}
	return t, nil
}

// of is the type of a text, at least that of the column so far.
func (t *csvTypes) of(text string, so plan.Type) plan.Type {
	from := max(slices.Index(inferKinds, so.Kind), 0)
	if so.Kind == plan.Date || so.Kind == plan.Timestamp || so.Kind == plan.Boolean {
		if _, err := t.parse[from](text); err == nil {
			return so
		}
		from = 0
	}
	for i, k := range inferKinds[from:] {
		if k == plan.Decimal {
			digits := strings.TrimLeft(text, "+-")
			if digits == "" || len(digits) > plan.MaxPrecision || strings.Trim(digits, "0123456789") != "" {
				continue
			}
			return plan.DecimalOf(len(digits), 0)
		}
		if _, err := t.parse[from+i](text); err == nil {
			return plan.Of(k)
		}
	}
	return plan.Of(plan.String)
}

// infer reads all files and gives each column the narrowest type that takes all its values; string where there is none
// and where there are no values.
func (s *csvSource) infer(ctx context.Context, workers int) error {
	types, err := s.types()
	if err != nil {
		return err
	}
	columns := len(s.own.Fields)
	found := make([][]plan.Type, len(s.chunks))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(workers, 1))
	for i, chunk := range s.chunks {
		group.Go(func() error {
			have := make([]plan.Type, columns)
			found[i] = have
			return s.records(ctx, chunk, true, func(_ int64, fields []csvField) error {
				for c := range min(len(fields), columns) {
					if text, ok := s.value(fields[c]); ok && have[c].Kind != plan.String {
						have[c] = widerCSV(have[c], types.of(text, have[c]))
					}
				}
				return ctx.Err()
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for c := range columns {
		t := plan.Of(plan.Null)
		for _, have := range found {
			t = widerCSV(t, have[c])
		}
		if t.Kind == plan.Null {
			t = plan.Of(plan.String)
		}
		s.own.Fields[c].Type = t
	}
	return nil
}

// widerCSV is the type that holds the values of both.
func widerCSV(a, b plan.Type) plan.Type {
	if slices.Index(inferKinds, a.Kind) > slices.Index(inferKinds, b.Kind) {
		a, b = b, a
	}
	switch {
	case a.Kind == plan.Null:
		return b
	case a.Kind == plan.String || b.Kind == plan.String:
		return plan.Of(plan.String)
	case a.Kind == plan.Decimal && b.Kind == plan.Decimal:
		return plan.DecimalOf(max(a.Precision, b.Precision), 0)
	case b.Kind == plan.Decimal:
		return plan.DecimalOf(max(b.Precision, map[plan.Kind]int{plan.Int: 10, plan.Long: 20}[a.Kind]), 0)
	case a.Kind == b.Kind, b.Kind == plan.Long, b.Kind == plan.Double, a.Kind == plan.Date && b.Kind == plan.Timestamp:
		return b
	}
	return plan.Of(plan.String)
}
