package mdslib

// From a DataFrame's schema to MDS columns: inference, the check of columns the user gives, and the conversion of row
// values to what the encodings take. DataFrameToMDS and every engine's workers use it.

import (
	"fmt"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// InferColumns gives each column its encoding. It follows dataframe_to_mds of mosaicml-streaming 0.13, with its defects
// mended and its gaps filled (marked *):
//
//	tinyint → int8*, smallint → int16* (the reference writes both unsigned and fails on -1)
//	int → int32, bigint → int64, float → float32, double → float64, decimal → str_decimal
//	string → str, binary → bytes, boolean → uint8* (0 and 1)
//	date → str* (2006-01-02), timestamp and timestamp_ntz → int64* (microseconds since 1970-01-01 UTC)
//	array of tinyint*, smallint, int, bigint, float, double → ndarray:int8 … ndarray:float64
//	other arrays*, structs*, maps* → json
func InferColumns(schema Schema) (Columns, error) {
	columns := make(Columns, len(schema.Fields))
	for _, f := range schema.Fields {
		if _, twice := columns[f.Name]; twice {
			return nil, fmt.Errorf("mdslib: column %q occurs twice: rename one with WithColumnRenamed", f.Name)
		}
		encoding := inferred(f.Type)
		if encoding == "" {
			return nil, fmt.Errorf("mdslib: column %q: %s has no MDS encoding: drop it or cast it", f.Name, f.Type)
		}
		columns[f.Name] = encoding
	}
	return columns, nil
}

func inferred(t plan.Type) string {
	switch t.Kind {
	case plan.Boolean:
		return "uint8"
	case plan.Byte:
		return "int8"
	case plan.Short:
		return "int16"
	case plan.Int:
		return "int32"
	case plan.Long, plan.Timestamp, plan.TimestampNTZ:
		return "int64"
	case plan.Float:
		return "float32"
	case plan.Double:
		return "float64"
	case plan.Decimal:
		return "str_decimal"
	case plan.String, plan.Date:
		return "str"
	case plan.Binary:
		return "bytes"
	case plan.Array:
		if d := elementDType(*t.Elem); d != "" {
			return "ndarray:" + d
		}
		return "json"
	case plan.Struct, plan.Map:
		return "json"
	}
	return ""
}

func elementDType(t plan.Type) string {
	switch t.Kind {
	case plan.Byte, plan.Short, plan.Int, plan.Long, plan.Float, plan.Double:
		return inferred(t)
	}
	return ""
}

// bytesEncodings take a binary column's bytes as they stand, already encoded.
var bytesEncodings = []string{"bytes", "jpeg", "png", "pil", "pkl", "jpeg_array", "jpegarray", "list[jpeg]", "list[png]", "list[pil]", "ndarray"}

var integerEncodings = []string{"int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "str_int"}

// CheckColumns reports the columns that the schema lacks and the encodings that don't fit a column's type. Integers fit
// every integer encoding (each value is checked when it is written), floats every float encoding, binary every encoding
// whose bytes may be given ready made.
func CheckColumns(schema Schema, columns Columns) error {
	for _, name := range columns.Names() {
		i := slices.IndexFunc(schema.Fields, func(f Field) bool { return f.Name == name })
		if i < 0 {
			hint := plan.Nearest(name, schema.Names())
			if hint == "" {
				hint = "it has " + strings.Join(schema.Names(), ", ")
			}
			return fmt.Errorf("mdslib: the DataFrame has no column %q (%s)", name, hint)
		}
		if _, err := ParseEncoding(columns[name]); err != nil {
			return fmt.Errorf("mdslib: column %q: %w", name, err)
		}
		if t := schema.Fields[i].Type; !fits(t, columns[name]) {
			return fmt.Errorf("mdslib: column %q is %s, which can't be written as %s: want %s", name, t, columns[name], wanted(t))
		}
	}
	return nil
}

// encodingsOf are those that fit a type, but for arrays of given shapes.
func encodingsOf(t plan.Type) []string {
	switch {
	case t.Integral(), t.Kind == plan.Boolean:
		return integerEncodings
	case t.Kind == plan.Timestamp, t.Kind == plan.TimestampNTZ:
		return []string{"int64", "int", "str"}
	case t.Kind == plan.Float, t.Kind == plan.Double:
		return []string{"float16", "float32", "float64", "str_float"}
	case t.Kind == plan.Decimal && t.Scale == 0:
		return []string{"str_decimal", "float64", "str", "int64", "uint64", "str_int"}
	case t.Kind == plan.Decimal:
		return []string{"str_decimal", "float64", "str"}
	case t.Kind == plan.String:
		return []string{"str", "json"}
	case t.Kind == plan.Binary:
		return bytesEncodings
	case t.Kind == plan.Array:
		if d, _ := numbersOf(t); d != "" {
			return []string{"ndarray:" + d, "ndarray", "json"}
		}
		return []string{"json"}
	}
	if e := inferred(t); e != "" {
		return []string{e}
	}
	return nil
}

// numbersOf is the type of the numbers in an array, "" if it holds others, and how many dimensions it has.
func numbersOf(t plan.Type) (dtype string, dims int) {
	for t.Kind == plan.Array {
		t, dims = *t.Elem, dims+1
	}
	return elementDType(t), dims
}

func fits(t plan.Type, encoding string) bool {
	if slices.Contains(encodingsOf(t), encoding) || t.Kind == plan.Binary && strings.HasPrefix(encoding, "ndarray") {
		return true
	}
	d, dims := numbersOf(t)
	shape, shaped := strings.CutPrefix(encoding, "ndarray:"+d+":")
	return t.Kind == plan.Array && d != "" && shaped && strings.Count(shape, ",") == dims-1
}

func wanted(t plan.Type) string {
	names := encodingsOf(t)
	if d, dims := numbersOf(t); t.Kind == plan.Array && d != "" {
		names = append(names, "ndarray:"+d+":"+strings.TrimSuffix(strings.Repeat("N,", dims), ","))
	}
	switch len(names) {
	case 0:
		return "another column"
	case 1:
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

// Sampler turns rows of a schema into samples that an [MDSWriter] with the same columns takes. It is safe for concurrent
// use.
type Sampler struct {
	nullAs    map[string]any
	fields    []Field
	positions []int // of each field in the row
	convert   []func(any) any
}

// NewSampler checks the columns against the schema. A NULL of a column that nullAs names is left to the writer, whose NullAs
// it is.
func NewSampler(schema Schema, columns Columns, nullAs map[string]any) (*Sampler, error) {
	if err := CheckColumns(schema, columns); err != nil {
		return nil, err
	}
	s := &Sampler{nullAs: nullAs}
	for i, f := range schema.Fields {
		if encoding, ok := columns[f.Name]; ok {
			s.fields = append(s.fields, f)
			s.positions = append(s.positions, i)
			s.convert = append(s.convert, converter(f.Type, encoding))
		}
	}
	return s, nil
}

// Fill puts a row's values into sample, which may be reused from row to row. A NULL is a [*SampleError].
func (s *Sampler) Fill(sample Sample, row []any) error {
	for i, f := range s.fields {
		v := row[s.positions[i]]
		if v == nil {
			if _, ok := s.nullAs[f.Name]; ok {
				sample[f.Name] = nil
				continue
			}
			return &SampleError{Sample: -1, Column: f.Name, Err: fmt.Errorf("it is NULL, and MDS has no nulls: leave such rows out with Filter(\"%[1]s IS NOT NULL\"), give a value with coalesce(%[1]s, …), or set NullAs", plan.QuoteName(f.Name))}
		}
		if s.convert[i] != nil {
			v = s.convert[i](v)
		}
		sample[f.Name] = v
	}
	return nil
}

// Positions returns where the row holds the columns that are written.
func (s *Sampler) Positions() []int { return s.positions }

// converter gives the encoding a value it takes; nil where it takes the row's own.
func converter(t plan.Type, encoding string) func(any) any {
	switch t.Kind {
	case plan.Boolean:
		return func(v any) any {
			if v == true {
				return int64(1)
			}
			return int64(0)
		}
	case plan.Date:
		return func(v any) any { return v.(plan.DateValue).String() }
	case plan.Timestamp, plan.TimestampNTZ:
		if encoding == "str" {
			return func(v any) any { return jsonValue(v, t) }
		}
		return func(v any) any { return int64(v.(plan.TimestampValue)) }
	case plan.Decimal:
		if encoding == "str" {
			return func(v any) any { return v.(plan.DecimalValue).String() }
		}
		switch encoding {
		case "float64":
			return func(v any) any { return goValue(v, t).(Decimal).Float64() }
		case "int64", "uint64", "str_int":
			return func(v any) any {
				n := v.(plan.DecimalValue).Unscaled
				switch {
				case encoding == "uint64" && n.IsUint64():
					return n.Uint64()
				case encoding == "int64" && n.IsInt64():
					return n.Int64()
				}
				return n // str_int takes it, the others refuse it
			}
		}
		return func(v any) any { return goValue(v, t) }
	case plan.Array:
		if encoding != "json" {
			return func(v any) any { return arrayOf(v.([]any), t) }
		}
	}
	if encoding == "json" {
		return func(v any) any { return jsonValue(v, t) }
	}
	return nil
}

// arrayOf makes an array of numbers, of as many dimensions as the type has arrays in arrays. Where an element is NULL, or
// the arrays are of different lengths, the value stays as it is, for the encoding to refuse.
func arrayOf(v []any, t plan.Type) any {
	a := Array{Shape: []int{len(v)}}
	flat, elem := v, *t.Elem
	for ; elem.Kind == plan.Array && len(flat) > 0; elem = *elem.Elem {
		var inner []any
		first, _ := flat[0].([]any)
		for _, e := range flat {
			list, ok := e.([]any)
			if !ok || len(list) != len(first) {
				return v
			}
			inner = append(inner, list...)
		}
		flat, a.Shape = inner, append(a.Shape, len(first))
	}
	if slices.Contains(flat, nil) {
		return v
	}
	switch elem.Kind {
	case plan.Byte:
		a.Data = typed[int8](flat)
	case plan.Short:
		a.Data = typed[int16](flat)
	case plan.Int:
		a.Data = typed[int32](flat)
	case plan.Long:
		a.Data = typed[int64](flat)
	case plan.Float:
		a.Data = typed[float32](flat)
	case plan.Double:
		a.Data = typed[float64](flat)
	}
	return a
}

func typed[T any](v []any) []T {
	out := make([]T, len(v))
	for i, e := range v {
		out[i] = e.(T)
	}
	return out
}
