package local

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

func init() { RegisterSource("mds", openMDS) }

// mdsSource reads data sets of MDS and text shards, one row a sample; each path is a folder with an index.json, and all have
// the same columns. Numbers have the narrowest Spark type that holds theirs (uint8 is smallint, uint64 decimal(20,0)); str,
// json, str_int and str_decimal are the text that is stored; ndarray:TYPE and ndarray:TYPE:SHAPE are arrays, of arrays where
// they have more dimensions, of which all samples must have as many as the first; everything else, pictures and pickles among it, is binary as it is stored, which the same encoding takes back.
type mdsSource struct {
	sets   []*mdsSet
	shards []mdsShard
	splits []Split // of shards
	schema plan.Schema
	value  []func(e *mdslib.Encoding, data []byte) (any, error)
}

type mdsShard struct{ set, shard int }

func openMDS(ctx context.Context, read *plan.Read, _ SourceOptions) (Source, error) {
	if err := NewOptions(read).Unknown(); err != nil {
		return nil, err
	}
	if err := NoSchema(read); err != nil {
		return nil, err
	}
	s := &mdsSource{}
	var weights []File
	var columns mdslib.Columns
	for _, p := range read.Paths {
		set, err := openMDSSet(ctx, p)
		if err != nil {
			return nil, err
		}
		for i := range set.index.Shards {
			info := &set.index.Shards[i]
			have := info.Columns()
			if columns == nil {
				columns = have
				if err := s.columns(ctx, set, info); err != nil {
					return nil, err
				}
			}
			if !reflect.DeepEqual(have, columns) {
				return nil, fmt.Errorf("%s has the columns %v, the first shard %v", set.basename(i), have, columns)
			}
			s.shards = append(s.shards, mdsShard{len(s.sets), i})
			weights = append(weights, File{Bytes: info.RawData.Bytes})
		}
		s.sets = append(s.sets, set)
	}
	s.splits = PackFiles(weights)
	return s, ctx.Err()
}

func (s *mdsSource) columns(ctx context.Context, set *mdsSet, info *mdslib.ShardInfo) error {
	dims, err := dimensions(ctx, set, info)
	if err != nil {
		return err
	}
	for i, name := range info.ColumnNames {
		t, value := mdsColumn(info.ColumnEncodings[i], dims[i])
		s.schema.Fields = append(s.schema.Fields, plan.Field{Name: name, Type: t})
		s.value = append(s.value, value)
	}
	return nil
}

// dimensions counts those of each ndarray column: what its encoding says, else what the first sample has.
func dimensions(ctx context.Context, set *mdsSet, info *mdslib.ShardInfo) ([]int, error) {
	dims := make([]int, len(info.ColumnNames))
	look := false
	for i, encoding := range info.ColumnEncodings {
		parts := strings.Split(encoding, ":")
		switch {
		case parts[0] != "ndarray":
		case len(parts) == 3:
			dims[i] = len(strings.Split(parts[2], ","))
		case len(parts) == 2:
			dims[i], look = 1, true
		}
	}
	first := slices.IndexFunc(set.index.Shards, func(s mdslib.ShardInfo) bool { return s.Samples > 0 })
	if !look || first < 0 {
		return dims, nil
	}
	d, err := set.open(ctx, first)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	shard, err := d.Shard(set.number(first))
	if err != nil {
		return nil, err
	}
	raw, err := shard.Raw(0)
	if err != nil {
		return nil, err
	}
	fields, err := shard.Fields(nil, raw)
	if err != nil {
		return nil, err
	}
	for i, e := range shard.Encodings() {
		if dims[i] == 0 {
			continue
		}
		v, err := e.Decode(fields[i])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", info.ColumnNames[i], err)
		}
		if a, ok := v.(mdslib.Array); ok {
			dims[i] = len(a.Shape)
		}
	}
	return dims, nil
}

func (s *mdsSource) Schema() plan.Schema { return s.schema }
func (s *mdsSource) Splits() int         { return len(s.splits) }

func (s *mdsSource) Scan(ctx context.Context, split int, want []bool, yield func(Row) error) error {
	var d *mdslib.Dataset
	var opened *mdsSet
	defer func() {
		if d != nil {
			d.Close()
		}
	}()
	for _, at := range s.shards[s.splits[split].First:s.splits[split].End] {
		set := s.sets[at.set]
		if opened != set || set.remote != nil {
			if d != nil {
				d.Close()
			}
			var err error
			if d, err = set.open(ctx, at.shard); err != nil {
				return err
			}
			opened = set
		}
		shard, err := d.Shard(set.number(at.shard))
		if err != nil {
			return err
		}
		if err := s.samples(ctx, shard, Origin{File: set.basename(at.shard)}, want, yield); err != nil {
			return err
		}
	}
	return nil
}

// samples yields those of one shard.
func (s *mdsSource) samples(ctx context.Context, shard *mdslib.Shard, origin Origin, want []bool, yield func(Row) error) error {
	reads := slices.Contains(want, true)
	var fields [][]byte
	for k := range shard.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		origin.Row = int64(k + 1)
		row := Row{make([]any, len(s.schema.Fields)), origin}
		if reads {
			raw, err := shard.Raw(k)
			if err != nil {
				return err
			}
			if fields, err = shard.Fields(fields[:0], raw); err != nil {
				return &RowError{origin, err}
			}
			for c, e := range shard.Encodings() {
				if !want[c] {
					continue
				}
				if row.Values[c], err = s.value[c](e, fields[c]); err != nil {
					return &RowError{origin, fmt.Errorf("column %q: %w", s.schema.Fields[c].Name, err)}
				}
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// mdsColumn is the type of a column of an encoding, an array of so many dimensions, and what makes its values.
func mdsColumn(encoding string, dims int) (plan.Type, func(e *mdslib.Encoding, data []byte) (any, error)) {
	stored := func(_ *mdslib.Encoding, data []byte) (any, error) { return data, nil }
	number := func(e *mdslib.Encoding, data []byte) (any, error) {
		v, err := e.Decode(data)
		if err != nil {
			return nil, err
		}
		if v, err = mdsNumber(v); err != nil {
			return nil, err
		}
		if n, ok := v.(int64); ok && e.Name() == "float" { // JSON has no difference between 1 and 1.0
			return float64(n), nil
		}
		return v, nil
	}
	text := func(e *mdslib.Encoding, data []byte) (any, error) {
		v, err := e.Decode(data) // damaged text is no value, and in a json shard its bytes are quoted
		if s, ok := v.(string); ok && err == nil && e.Name() == "str" {
			return s, nil
		}
		return string(data), err
	}
	name, rest, _ := strings.Cut(encoding, ":")
	kinds := map[string]plan.Kind{
		"int": plan.Long, "int8": plan.Byte, "int16": plan.Short, "int32": plan.Int, "int64": plan.Long, "uint8": plan.Short, "uint16": plan.Int, "uint32": plan.Long,
		"float16": plan.Float, "float32": plan.Float, "float64": plan.Double, "str_float": plan.Double, "float": plan.Double,
	}
	kindOf := func(name string) plan.Type {
		if name == "uint64" {
			return plan.DecimalOf(20, 0)
		}
		return plan.Of(kinds[name])
	}
	switch name {
	case "str", "json", "str_int", "str_decimal":
		return plan.Of(plan.String), text
	case "ndarray":
		dtype, _, _ := strings.Cut(rest, ":")
		if dtype == "" {
			break // each value has a type of its own
		}
		t := plan.ArrayOf(kindOf(dtype), false)
		for range dims - 1 {
			t = plan.ArrayOf(t, false)
		}
		return t, func(e *mdslib.Encoding, data []byte) (any, error) {
			v, err := e.Decode(data)
			if err != nil {
				return nil, err
			}
			a := v.(mdslib.Array)
			if len(a.Shape) != dims {
				return nil, fmt.Errorf("an array of shape %v, but the first sample's has %d dimensions", a.Shape, dims)
			}
			return nested(reflect.ValueOf(a.Data), a.Shape)
		}
	default:
		if t := kindOf(name); t.Kind != plan.Null {
			return t, number
		}
	}
	return plan.Of(plan.Binary), stored
}

// mdsNumber is a decoded number as package plan has it.
func mdsNumber(v any) (any, error) {
	switch v := v.(type) {
	case int8, int16, int32, int64, float32, float64:
		return v, nil
	case int:
		return int64(v), nil
	case uint8:
		return int16(v), nil
	case uint16:
		return int32(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		return plan.DecimalValue{Unscaled: new(big.Int).SetUint64(v)}, nil
	case mdslib.Float16:
		return v.Float32(), nil
	case fmt.Stringer: // a text format's whole number
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, nil
		}
		return nil, fmt.Errorf("%s doesn't fit bigint", v)
	}
	return nil, fmt.Errorf("a %T is no number", v)
}

// nested makes arrays of arrays of row-major data.
func nested(data reflect.Value, shape []int) (any, error) {
	out := make([]any, shape[0])
	step := data.Len() / max(shape[0], 1)
	for i := range out {
		var err error
		if len(shape) == 1 {
			out[i], err = mdsNumber(data.Index(i).Interface())
		} else {
			out[i], err = nested(data.Slice(i*step, (i+1)*step), shape[1:])
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
