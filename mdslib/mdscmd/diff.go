package mdscmd

// diff: whether two data sets hold the same samples, however they are sharded, compressed or hashed.

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/big"
	"reflect"

	"gomosaic/mdslib"
)

// difference is one of what diff prints.
type difference struct {
	Sample *int64 `json:"sample"` // null if it concerns the whole
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`
}

// diffed is what diff prints with --json.
type diffed struct {
	Equal       bool         `json:"equal"`
	Samples     [2]int       `json:"samples"`
	Differences []difference `json:"differences"` // the first ones
	More        bool         `json:"more"`        // there are others
}

// mostDifferences bounds what is printed.
const mostDifferences = 20

func runDiff(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	if err := c.parse(flags, args, 2, 2, "two data sets: diff A B"); err != nil {
		return err
	}
	a, err := openSet(ctx, c.args[0])
	if err != nil {
		return err
	}
	defer a.close()
	b, err := openSet(ctx, c.args[1])
	if err != nil {
		return err
	}
	defer b.close()
	namesA, columnsA, err := a.columns()
	if err != nil {
		return err
	}
	_, columnsB, err := b.columns()
	if err != nil {
		return err
	}
	out := diffed{Samples: [2]int{a.index.NumSamples(), b.index.NumSamples()}, Differences: []difference{}}
	found := func(d difference) {
		if len(out.Differences) < mostDifferences {
			out.Differences = append(out.Differences, d)
		} else {
			out.More = true
		}
	}
	var names []string // in both
	for _, name := range namesA {
		if _, ok := columnsB[name]; ok {
			names = append(names, name)
		} else {
			found(difference{Column: name, Text: "only in " + a.name})
		}
	}
	for _, name := range columnsB.Names() {
		if _, ok := columnsA[name]; !ok {
			found(difference{Column: name, Text: "only in " + b.name})
		}
	}
	if out.Samples[0] != out.Samples[1] {
		found(difference{Text: fmt.Sprintf("%d samples and %d", out.Samples[0], out.Samples[1])})
	}
	if !maps.Equal(columnsA, columnsB) {
		for _, name := range names {
			if columnsA[name] != columnsB[name] {
				found(difference{Column: name, Text: fmt.Sprintf("encoded as %s and %s", columnsA[name], columnsB[name])})
			}
		}
	}
	bar := c.progress("compared", int64(min(out.Samples[0], out.Samples[1])))
	defer bar.end()
	next, stop := iter.Pull2(rows(ctx, b))
	defer stop()
	err = a.eachRow(ctx, 0, int64(min(out.Samples[0], out.Samples[1])), func(r *row) error {
		bar.at(r.number)
		other, err, _ := next()
		if err != nil {
			return err
		}
		for _, name := range names {
			dataA, encodingA, _ := r.column(name)
			dataB, encodingB, _ := other.column(name)
			if bytes.Equal(dataA, dataB) && encodingA.Name() == encodingB.Name() && r.text == other.text {
				continue
			}
			valueA, errA := value(dataA, encodingA, true)
			valueB, errB := value(dataB, encodingB, true)
			if errA != nil || errB != nil || !sameValue(valueA, valueB) {
				text := fmt.Sprintf("%s and %s", brief(valueA), brief(valueB))
				if errA != nil || errB != nil {
					text = fmt.Sprintf("%d bytes and %d, not decoded: %v, %v", len(dataA), len(dataB), errA, errB)
				}
				number := r.number
				found(difference{&number, name, text})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	bar.end()
	out.Equal = len(out.Differences) == 0
	if c.asJSON {
		err = c.printJSON(out)
	} else {
		err = out.print(c)
	}
	if err == nil && !out.Equal {
		err = errFound
	}
	return err
}

// sameValue compares decoded values; numbers are the same in any encoding. A text format reads 1.0 as a whole number where its
// line says 1.
func sameValue(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, y := numberOf(a), numberOf(b)
	return x != nil && y != nil && x.Cmp(y) == 0
}

// numberOf is a number as one of any size, or nil.
func numberOf(v any) *big.Float {
	if half, ok := v.(mdslib.Float16); ok {
		v = half.Float32()
	}
	switch v := reflect.ValueOf(v); {
	case v.CanInt():
		return new(big.Float).SetInt64(v.Int())
	case v.CanUint():
		return new(big.Float).SetUint64(v.Uint())
	case v.CanFloat() && !math.IsNaN(v.Float()):
		return big.NewFloat(v.Float())
	}
	return nil
}

func (d *diffed) print(c *command) error {
	for _, x := range d.Differences {
		if x.Sample != nil {
			fmt.Fprintf(c.stdout, "sample %d: ", *x.Sample)
		}
		if x.Column != "" {
			fmt.Fprintf(c.stdout, "column %q: ", x.Column)
		}
		fmt.Fprintln(c.stdout, x.Text)
	}
	word := "equal"
	if !d.Equal {
		word = "different"
	}
	if d.More {
		fmt.Fprintln(c.stdout, "…")
	}
	_, err := fmt.Fprintf(c.stdout, "%s: %d samples and %d\n", word, d.Samples[0], d.Samples[1])
	return err
}

// rows yields the samples of a data set; each is valid until the next.
func rows(ctx context.Context, s *set) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		stopped := fmt.Errorf("stopped")
		err := s.eachRow(ctx, 0, -1, func(r *row) error {
			if !yield(r, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && err != stopped {
			yield(nil, err)
		}
	}
}
