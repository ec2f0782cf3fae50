package mdslib

// Map: rows through a Go func, and the way back from Go values to those of package plan.

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"gomosaic/mdslib/plan"
)

// Map makes a row of every row by a Go func, for what the expression language lacks. The func gets the row as
// [DataFrame.Collect] gives it, may change and return it, and leaves the row out by returning nil; an error of its own
// stops the action, which names the row.
//
// The schema is that of the result, as Spark's DDL strings have it: "name STRING, width INT, box ARRAY<FLOAT>"; "" is the
// input's. Each row must have a value of its type for every column, or nil: whole numbers that fit, time.Time for dates and
// timestamps, [Decimal] or whole numbers for decimals, slices for arrays, [Object] or map[string]any for structs and maps.
// All columns of the input are read, file contents too: Select those that the func needs first.
//
// On the local engine the func is called from many goroutines at once. On Spark it runs on the executors, in a process for
// each partition, which calls it for one row after the other: there it must be a func that a cell declares (func name…), not
// a func literal, it sees the variables of cells as they were when the action began, what it changes in them stays there, and
// Spark may have it map a row more than once. An ordinary program names the funcs that may run there at the beginning of its
// main; see package gomosaic/kernel/cell/rt/reexec.
func (d *DataFrame) Map(schema string, fn func(row Sample) (Sample, error)) *DataFrame {
	bind := func(in plan.Schema) (plan.Schema, func([]any) ([]any, error), error) {
		out := in
		if fn == nil {
			return out, nil, fmt.Errorf("Map: the func is nil")
		}
		if schema != "" {
			var err error
			if out, err = plan.ParseSchema(schema); err != nil {
				return out, nil, fmt.Errorf("Map: the schema: %w", err)
			}
		}
		return out, RowFunc(in, out, fn), nil
	}
	return d.with(&plan.MapRows{Input: d.node, Func: fn, Bind: bind})
}

// RowFunc makes of Map's func one of rows of values, as package plan describes them: from in's to out's, nil for a row that
// is left out. Programs on other machines do by it what engines do here.
func RowFunc(in, out Schema, fn func(row Sample) (Sample, error)) func([]any) ([]any, error) {
	return func(values []any) ([]any, error) {
		row, err := fn(SampleOf(in, values))
		if err != nil {
			return nil, fmt.Errorf("Map: %w", err)
		}
		if row == nil {
			return nil, nil
		}
		return planRow(out, row)
	}
}

// SampleOf is a row of values, as package plan describes them, as Go programs expect it: see [Batch.Samples].
func SampleOf(schema Schema, row []any) Sample {
	s := make(Sample, len(row))
	for i, f := range schema.Fields {
		s[f.Name] = goValue(row[i], f.Type)
	}
	return s
}

// planRow turns a sample into a row of the schema.
func planRow(schema Schema, s Sample) ([]any, error) {
	row := make([]any, len(schema.Fields))
	for i, f := range schema.Fields {
		v, ok := s[f.Name]
		if !ok {
			return nil, fmt.Errorf("Map: the row has no value for column %q (nil is NULL)", f.Name)
		}
		var err error
		if row[i], err = planValue(v, f.Type); err != nil {
			return nil, fmt.Errorf("Map: column %q: %w", f.Name, err)
		}
	}
	if len(s) > len(row) {
		for name := range s {
			if i, _ := schema.Index(name); i < 0 {
				return nil, fmt.Errorf("Map: the row has a value for %q, which is no column of the schema: name it there", name)
			}
		}
	}
	return row, nil
}

// planValue turns a Go value into one of the type, as package plan has it; what doesn't fit without loss is an error.
func planValue(v any, t plan.Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	refused := fmt.Errorf("%s of Go type %T is no %s", clip(fmt.Sprint(v)), v, t)
	r := reflect.ValueOf(v)
	switch t.Kind {
	case plan.Null:
		return nil, refused
	case plan.Boolean:
		if r.Kind() == reflect.Bool {
			return r.Bool(), nil
		}
	case plan.Byte, plan.Short, plan.Int, plan.Long:
		n, ok := wholeNumber(r)
		if !ok {
			return nil, refused
		}
		switch {
		case t.Kind == plan.Long:
			return n, nil
		case t.Kind == plan.Int && n == int64(int32(n)):
			return int32(n), nil
		case t.Kind == plan.Short && n == int64(int16(n)):
			return int16(n), nil
		case t.Kind == plan.Byte && n == int64(int8(n)):
			return int8(n), nil
		}
	case plan.Float, plan.Double:
		f := 0.0
		if n, ok := wholeNumber(r); ok {
			f = float64(n)
		} else if r.CanFloat() {
			f = r.Float()
		} else {
			return nil, refused
		}
		if t.Kind == plan.Float {
			return float32(f), nil
		}
		return f, nil
	case plan.String:
		if r.Kind() == reflect.String {
			return r.String(), nil
		}
	case plan.Binary:
		if r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
			return r.Bytes(), nil
		}
	case plan.Date:
		if at, ok := v.(time.Time); ok {
			return plan.DateOf(at), nil
		}
	case plan.Timestamp, plan.TimestampNTZ:
		if at, ok := v.(time.Time); ok {
			return plan.TimestampOf(at), nil
		}
	case plan.Decimal:
		if d, ok := decimalValue(v, t); ok {
			return d, nil
		}
	case plan.Array:
		return planArray(v, t, refused)
	case plan.Struct:
		if o, ok := members(v); ok {
			out := make(plan.StructValue, len(t.Fields))
			for i, f := range t.Fields {
				var err error
				if out[i], err = planValue(o.member(f.Name), f.Type); err != nil {
					return nil, fmt.Errorf("%s: %w", f.Name, err)
				}
			}
			return out, nil
		}
	case plan.Map:
		if o, ok := members(v); ok && t.Key.Kind == plan.String {
			out := make(plan.MapValue, len(o))
			for i, m := range o {
				value, err := planValue(m.Value, *t.Elem)
				if err != nil {
					return nil, fmt.Errorf("%q: %w", m.Name, err)
				}
				out[i] = plan.MapEntry{Key: m.Name, Value: value}
			}
			return out, nil
		}
	}
	return nil, refused
}

func wholeNumber(r reflect.Value) (int64, bool) {
	switch {
	case r.CanInt():
		return r.Int(), true
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return int64(r.Uint()), true
	}
	return 0, false
}

// decimalValue is v with the type's scale, if it has no more digits than the type.
func decimalValue(v any, t plan.Type) (plan.DecimalValue, bool) {
	var exact *big.Rat
	switch v := v.(type) {
	case Decimal:
		r, ok := v.Rat()
		if !ok {
			return plan.DecimalValue{}, false
		}
		exact = r
	case *big.Int:
		exact = new(big.Rat).SetInt(v)
	default:
		n, ok := wholeNumber(reflect.ValueOf(v))
		if !ok {
			return plan.DecimalValue{}, false
		}
		exact = new(big.Rat).SetInt64(n)
	}
	exact = new(big.Rat).Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)))
	digits := strings.TrimPrefix(exact.Num().String(), "-")
	if !exact.IsInt() || len(digits) > t.Precision {
		return plan.DecimalValue{}, false
	}
	return plan.DecimalValue{Unscaled: new(big.Int).Set(exact.Num()), Scale: t.Scale}, true
}

func planArray(v any, t plan.Type, refused error) (any, error) {
	if a, ok := v.(Array); ok {
		if len(a.Shape) != 1 {
			return nil, refused
		}
		v = a.Data
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
		return nil, refused
	}
	out := make([]any, r.Len())
	for i := range out {
		var err error
		if out[i], err = planValue(r.Index(i).Interface(), *t.Elem); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return out, nil
}

// members are those of an Object or of a map of any values, sorted.
func members(v any) (Object, bool) {
	switch v := v.(type) {
	case Object:
		return v, true
	case map[string]any:
		o := make(Object, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			o = append(o, Member{name, v[name]})
		}
		return o, true
	}
	return nil, false
}
