package mdscmd

// stats: how large the values and shards of a data set are, and what numbers it holds.

import (
	"context"
	"flag"
	"fmt"
	"math"
	"reflect"
	"slices"

	"gomosaic/mdslib"
)

// spread sums numbers up.
type spread struct {
	Count int64   `json:"count"`
	Least float64 `json:"min"`
	Mean  float64 `json:"mean"`
	Most  float64 `json:"max"`
	sum   float64
}

func (s *spread) add(v float64) {
	if s.Count == 0 || v < s.Least {
		s.Least = v
	}
	if s.Count == 0 || v > s.Most {
		s.Most = v
	}
	s.Count++
	s.sum += v
	s.Mean = s.sum / float64(s.Count)
}

// bytes writes a spread of sizes for people.
func (s *spread) bytes() string {
	if s.Least == s.Most {
		return mdslib.FormatBytes(int64(s.Mean)) + " each"
	}
	return fmt.Sprintf("%s to %s, %s in the mean", mdslib.FormatBytes(int64(s.Least)), mdslib.FormatBytes(int64(s.Most)), mdslib.FormatBytes(int64(s.Mean)))
}

// columnStats is what stats prints of a column.
type columnStats struct {
	Name     string  `json:"name"`
	Encoding string  `json:"encoding"`
	Bytes    spread  `json:"bytes"`         // of the stored values
	Values   *spread `json:"values"`        // null where they are no numbers; NaN and infinities are left out
	NaNs     int64   `json:"nan,omitempty"` // and infinities
	numeric  bool
}

type allStats struct {
	Name    string         `json:"name"`
	Samples int            `json:"samples"`
	Shards  spread         `json:"shard_bytes"`
	Columns []*columnStats `json:"columns"`
}

func runStats(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	if err := c.parse(flags, args, 1, 1, "a data set: stats SET"); err != nil {
		return err
	}
	s, err := openSet(ctx, c.args[0])
	if err != nil {
		return err
	}
	defer s.close()
	names, columns, err := s.columns()
	if err != nil {
		return err
	}
	out := allStats{Name: s.name, Samples: s.index.NumSamples(), Columns: []*columnStats{}}
	for i := range s.index.Shards {
		out.Shards.add(float64(s.index.Shards[i].RawData.Bytes))
	}
	for _, name := range names {
		out.Columns = append(out.Columns, &columnStats{Name: name, Encoding: columns[name], numeric: numeric(columns[name])})
	}
	bar := c.progress("read", int64(out.Samples))
	defer bar.end()
	err = s.eachRow(ctx, 0, -1, func(r *row) error {
		bar.at(r.number)
		for _, column := range out.Columns {
			data, e, _ := r.column(column.Name)
			column.Bytes.add(float64(len(data)))
			if !column.numeric {
				continue
			}
			v, err := e.Decode(data)
			if err != nil {
				return fmt.Errorf("sample %d: column %q: %w", r.number, column.Name, err)
			}
			column.addValue(v)
		}
		return nil
	})
	if err != nil {
		return err
	}
	bar.end()
	if c.asJSON {
		return c.printJSON(out)
	}
	fmt.Fprintf(c.stdout, "%s: %d samples; %s: %s\n", out.Name, out.Samples, shardsText(out.Shards.Count), out.Shards.bytes())
	for _, column := range out.Columns {
		fmt.Fprintf(c.stdout, "  %s (%s): %s", column.Name, column.Encoding, column.Bytes.bytes())
		if v := column.Values; v != nil {
			fmt.Fprintf(c.stdout, "; values %g to %g, mean %.6g", v.Least, v.Most, v.Mean)
		}
		if column.NaNs > 0 {
			fmt.Fprintf(c.stdout, "; %d NaN or infinite", column.NaNs)
		}
		fmt.Fprintln(c.stdout)
	}
	return nil
}

// numeric tells whether a column holds one number a sample.
func numeric(encoding string) bool {
	return slices.Contains([]string{"int", "float", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "str_int", "str_float", "str_decimal"}, encoding)
}

func (s *columnStats) addValue(v any) {
	var f float64
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		f = float64(r.Int())
	case r.CanUint():
		f = float64(r.Uint())
	case r.CanFloat():
		f = r.Float()
	default:
		switch v := v.(type) {
		case mdslib.Decimal:
			f = v.Float64()
		case interface{ Float64() (float64, bool) }:
			f, _ = v.Float64()
		default:
			big, ok := v.(interface{ String() string })
			if !ok {
				return
			}
			f = mdslib.Decimal(big.String()).Float64()
		}
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		s.NaNs++
		return
	}
	if s.Values == nil {
		s.Values = &spread{}
	}
	s.Values.add(f)
}
