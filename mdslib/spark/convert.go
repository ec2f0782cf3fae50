package spark

// DataFrameToMDS: who writes the shards, and what the report says of that.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// writers are those who can write a data set's shards.
type writers string

const (
	byTransform  writers = "transform"  // tasks that SELECT TRANSFORM runs
	byMapInArrow writers = "mapInArrow" // tasks that Python on the executors runs
	byDriver     writers = "driver"     // this process
)

// choices are what MDSOptions.SparkWriters may say, and who is tried for it, in this order.
var choices = map[string][]writers{
	"":           {byTransform, byMapInArrow, byDriver},
	"executors":  {byTransform, byMapInArrow},
	"transform":  {byTransform},
	"mapinarrow": {byMapInArrow},
	"driver":     {byDriver},
}

// errUnable is that of writers who can't do a conversion, before a row was written: the next ones may.
type errUnable struct{ reason error }

func (e *errUnable) Error() string { return e.reason.Error() }
func (e *errUnable) Unwrap() error { return e.reason }

func unable(format string, args ...any) error { return &errUnable{fmt.Errorf(format, args...)} }

// ConvertMDS implements mdslib.Engine. Who writes is found by trying: tasks on executors where the platform permits them and
// they can do what is asked, else this process. A refusal is shown and never worked around.
func (e *engine) ConvertMDS(ctx context.Context, p plan.Node, opts mdslib.MDSOptions) (*mdslib.Report, error) {
	candidates, ok := choices[strings.ToLower(opts.SparkWriters)]
	if !ok {
		return nil, fmt.Errorf("spark: DataFrameToMDS: SparkWriters %q: want transform, mapInArrow, executors, driver, or nothing", opts.SparkWriters)
	}
	if opts.Resume {
		return nil, errors.New("spark: DataFrameToMDS: a conversion on Spark has nothing to resume: whose rows its partitions hold is known only while it runs")
	}
	schema, err := e.Schema(ctx, p)
	if err != nil {
		return nil, err
	}
	var sampler *mdslib.Sampler
	if opts.UDFIterable == nil {
		if sampler, err = mdslib.NewSampler(schema, opts.Columns, opts.NullAs); err != nil {
			return nil, err
		}
	}
	var reasons []string
	for _, who := range candidates {
		var report *mdslib.Report
		if who == byDriver {
			report, err = e.convertHere(ctx, p, schema, sampler, opts)
		} else {
			report, err = e.convertThere(ctx, p, schema, opts, who)
		}
		if u := (*errUnable)(nil); errors.As(err, &u) {
			if reason := u.Error(); !slices.Contains(reasons, reason) { // what keeps a func here does so for both ways
				reasons = append(reasons, reason)
			}
			continue
		}
		if err == nil && len(reasons) > 0 {
			report.Engine += "; " + strings.Join(reasons, "; ")
		}
		return report, err
	}
	return nil, fmt.Errorf("spark: DataFrameToMDS: no shards were written: %s", strings.Join(reasons, "; "))
}
