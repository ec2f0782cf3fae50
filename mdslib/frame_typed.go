package mdslib

// Rows as Go structs: what columns of a DataFrame the fields of a type are, and the way from the one to the other.

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"gomosaic/mdslib/plan"
)

// CollectAs runs the plan and returns its rows as structs, all of which must fit in memory; see [RowsAs].
func CollectAs[T any](ctx context.Context, d *DataFrame) ([]T, error) {
	rows := []T{}
	for row, err := range RowsAs[T](ctx, d) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// RowsAs runs the plan and yields its rows as structs of type T; after an error it ends. A field is the column of the name in
// its tag `mds:"name"`, else of its own name, in any case; `mds:"-"` leaves a field out. Columns without a field aren't read.
//
// A column that is missing or whose type the field cannot hold is an error before anything is run. Whole numbers fit into every
// integer type and float64 that holds the value, text into string, binary into []byte, dates and timestamps into time.Time, decimals
// into [Decimal], arrays into slices, structs into structs and [Object], maps with text as keys into map[string]T and
// [Object], and everything into any. A NULL needs a pointer, a slice, a map or any; elsewhere it is an error that names the
// column and the row.
func RowsAs[T any](ctx context.Context, d *DataFrame) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		schema, err := d.Schema(ctx)
		if err != nil {
			yield(none, err)
			return
		}
		columns, names, err := typedFields(schema, reflect.TypeFor[T]())
		if err != nil {
			yield(none, err)
			return
		}
		n := int64(0)
		for b, err := range d.Select(names...).Batches(ctx) {
			if err != nil {
				yield(none, err)
				return
			}
			for i := range b.Rows {
				var row T
				value := reflect.ValueOf(&row).Elem()
				for k := range columns {
					if err := setValue(value.FieldByIndex(columns[k].index), b.Columns[k].Value(i), b.Schema.Fields[k].Type); err != nil {
						yield(none, fmt.Errorf("mdslib: row %d of the DataFrame: column %q: %w", n, b.Schema.Fields[k].Name, err))
						return
					}
				}
				n++
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// typedFields finds the columns of a struct's fields, and checks that each can hold its column's type.
func typedFields(schema Schema, t reflect.Type) (columns []typedColumn, names []string, err error) {
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("mdslib: rows as %s: want a struct, whose fields are columns; Rows and Collect give maps", t)
	}
	if columns, err = columnsOf(t, false); err != nil {
		return nil, nil, err
	}
	for _, c := range columns {
		i, unique := schema.Index(c.name)
		if i < 0 {
			hint := plan.Nearest(c.name, schema.Names())
			if hint == "" {
				hint = "it has " + strings.Join(schema.Names(), ", ")
			}
			return nil, nil, fmt.Errorf("mdslib: the DataFrame has no column %q for a field of %s (%s)", c.name, t, hint)
		}
		if !unique {
			return nil, nil, fmt.Errorf("mdslib: two columns of the DataFrame are called %q: rename one, or select one by its table's alias", c.name)
		}
		if f := schema.Fields[i]; !holds(c.typ, f.Type) {
			return nil, nil, fmt.Errorf("mdslib: column %q is %s, which a field of type %s cannot hold", f.Name, f.Type, c.typ)
		}
		names = append(names, plan.QuoteName(schema.Fields[i].Name))
	}
	return columns, names, nil
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	decimalType = reflect.TypeFor[Decimal]()
	objectType  = reflect.TypeFor[Object]()
	bytesType   = reflect.TypeFor[[]byte]()
)

// holds tells whether variables of a Go type can hold values of a column's type, if each fits.
func holds(t reflect.Type, of plan.Type) bool {
	if t.Kind() == reflect.Interface {
		return t.NumMethod() == 0
	}
	if t.Kind() == reflect.Pointer {
		return holds(t.Elem(), of)
	}
	k := t.Kind()
	whole := k >= reflect.Int && k <= reflect.Uint64
	switch {
	case of.Kind == plan.Null:
		return true
	case of.Integral():
		return whole || k == reflect.Float64
	case of.Kind == plan.Float, of.Kind == plan.Double:
		return k == reflect.Float32 || k == reflect.Float64
	case of.Kind == plan.Decimal:
		return t == decimalType
	case of.Kind == plan.Boolean:
		return k == reflect.Bool
	case of.Kind == plan.String:
		return k == reflect.String && t != decimalType
	case of.Kind == plan.Binary:
		return t == bytesType
	case of.Kind == plan.Array:
		return k == reflect.Slice && t != bytesType && t != objectType && holds(t.Elem(), *of.Elem)
	case of.Kind == plan.Map:
		return t == objectType || k == reflect.Map && t.Key().Kind() == reflect.String && of.Key.Kind == plan.String && holds(t.Elem(), *of.Elem)
	case of.Kind == plan.Struct:
		if t == objectType {
			return true
		}
		if t == timeType || k != reflect.Struct {
			return false
		}
		_, _, err := typedFields(plan.Schema{Fields: of.Fields}, t)
		return err == nil
	}
	return t == timeType // dates and timestamps
}

// setValue puts a value of a column into a variable that holds its type.
func setValue(dst reflect.Value, v any, t plan.Type) error {
	if v == nil {
		switch dst.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
			dst.SetZero()
			return nil
		}
		return fmt.Errorf("it is NULL, which a %s cannot be: make the field a pointer", dst.Type())
	}
	if dst.Kind() == reflect.Pointer {
		target := reflect.New(dst.Type().Elem())
		dst.Set(target)
		return setValue(target.Elem(), v, t)
	}
	if dst.Kind() == reflect.Interface || dst.Type() == objectType {
		dst.Set(reflect.ValueOf(goValue(v, t)))
		return nil
	}
	switch v := v.(type) {
	case []any:
		dst.Set(reflect.MakeSlice(dst.Type(), len(v), len(v)))
		for i, e := range v {
			if err := setValue(dst.Index(i), e, *t.Elem); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	case plan.StructValue:
		schema := plan.Schema{Fields: t.Fields}
		columns, err := columnsOf(dst.Type(), false)
		if err != nil {
			return err
		}
		for _, c := range columns {
			i, _ := schema.Index(c.name)
			if err := setValue(dst.FieldByIndex(c.index), v[i], t.Fields[i].Type); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		return nil
	case plan.MapValue:
		dst.Set(reflect.MakeMapWithSize(dst.Type(), len(v)))
		for _, e := range v {
			value := reflect.New(dst.Type().Elem()).Elem()
			if err := setValue(value, e.Value, *t.Elem); err != nil {
				return fmt.Errorf("%q: %w", e.Key, err)
			}
			dst.SetMapIndex(reflect.ValueOf(e.Key).Convert(dst.Type().Key()), value)
		}
		return nil
	}
	if r := reflect.ValueOf(v); r.CanInt() && dst.CanFloat() && t.Integral() {
		if dst.SetFloat(float64(r.Int())); int64(dst.Float()) != r.Int() {
			return fmt.Errorf("%d does not fit into %s", r.Int(), dst.Type())
		}
		return nil
	}
	return assign(dst, goValue(v, t), t.String())
}
