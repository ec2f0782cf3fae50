package mdslib

// CreateDataFrame: rows of this process as a DataFrame.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// RowsEngine is implemented by engines that take rows of this process.
type RowsEngine interface {
	// FromRows is the plan of rows with values as package plan describes them. They are not changed afterwards.
	FromRows(ctx context.Context, schema Schema, rows [][]any) (plan.Node, error)
}

// CreateDataFrame makes a DataFrame of rows of this process, as Spark's createDataFrame does: a slice of structs or of
// pointers to structs, whose fields are columns as [RowsAs] has them, or of [Sample] maps. They are copied. Package
// mdslib/arrowmds has FromArrow, for Arrow records.
//
// schema is what the columns are, as Spark's DDL strings have it: "name STRING, width INT, at TIMESTAMP". "" leaves it to the
// fields' types: int and int64 are bigint, smaller ones their size (unsigned ones the next), uint64 decimal(20,0), []byte
// binary, time.Time timestamp, [Decimal] decimal(38,18), slices arrays, structs structs, maps maps, what a pointer points to
// with NULL for nil. Of maps it is taken from the values of all rows, columns in the order of their names; a key that a row
// lacks is NULL. A value that doesn't fit its column is an error that names the row.
func (s *Session) CreateDataFrame(ctx context.Context, rows any, schema string) (*DataFrame, error) {
	e, ok := s.engine.(RowsEngine)
	if !ok {
		return nil, fmt.Errorf("mdslib: CreateDataFrame: the engine %s takes no rows of this process", s.url)
	}
	columns, values, err := givenRows(rows, schema)
	if err != nil {
		return nil, fmt.Errorf("mdslib: CreateDataFrame: %w", err)
	}
	n, err := e.FromRows(ctx, columns, values)
	if err != nil {
		return nil, err
	}
	return s.FromPlan(n), nil
}

// givenRows turns a slice into rows of a schema.
func givenRows(rows any, ddl string) (schema Schema, values [][]any, err error) {
	all := reflect.ValueOf(rows)
	if rows == nil || all.Kind() != reflect.Slice && all.Kind() != reflect.Array {
		return schema, nil, fmt.Errorf("a %T: want a slice of structs or of mdslib.Sample", rows)
	}
	elem := all.Type().Elem()
	for elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	if ddl != "" {
		if schema, err = plan.ParseSchema(ddl); err != nil {
			return schema, nil, fmt.Errorf("the schema: %w", err)
		}
	}
	switch {
	case elem.Kind() == reflect.Struct && !isValue(elem) && elem != timeType:
		var fields []typedColumn
		if fields, err = columnsOf(elem, false); err != nil {
			return schema, nil, err
		}
		if ddl == "" {
			if schema, err = schemaOfType(fields); err != nil {
				return schema, nil, err
			}
		}
		values, err = structRows(all, fields, schema)
	case elem.Kind() == reflect.Map && elem.Key().Kind() == reflect.String:
		if ddl == "" {
			if schema, err = schemaOfMaps(all); err != nil {
				return schema, nil, err
			}
		}
		values, err = mapRows(all, schema)
	default:
		err = fmt.Errorf("rows of type %s: want structs or maps with column names as keys", elem)
	}
	return schema, values, err
}

func structRows(all reflect.Value, fields []typedColumn, schema Schema) ([][]any, error) {
	at := make([][]int, len(schema.Fields))
	for i, f := range schema.Fields {
		k := slices.IndexFunc(fields, func(c typedColumn) bool { return strings.EqualFold(c.name, f.Name) })
		if k < 0 {
			return nil, fmt.Errorf("column %q of the schema has no field", f.Name)
		}
		at[i] = fields[k].index
	}
	rows := make([][]any, all.Len())
	for n := range rows {
		row := reflect.Indirect(all.Index(n))
		if !row.IsValid() {
			return nil, fmt.Errorf("row %d is a nil pointer", n)
		}
		rows[n] = make([]any, len(at))
		for i, f := range schema.Fields {
			v, err := columnValue(row.FieldByIndex(at[i]), f.Type)
			if err != nil {
				return nil, fmt.Errorf("row %d: column %q: %w", n, f.Name, err)
			}
			rows[n][i] = v
		}
	}
	return rows, nil
}

func mapRows(all reflect.Value, schema Schema) ([][]any, error) {
	rows := make([][]any, all.Len())
	for n := range rows {
		row := reflect.Indirect(all.Index(n))
		rows[n] = make([]any, len(schema.Fields))
		found := 0
		for i, f := range schema.Fields {
			cell := row.MapIndex(reflect.ValueOf(f.Name).Convert(row.Type().Key()))
			if !cell.IsValid() {
				continue
			}
			found++
			v, err := columnValue(cell, f.Type)
			if err != nil {
				return nil, fmt.Errorf("row %d: column %q: %w", n, f.Name, err)
			}
			rows[n][i] = v
		}
		if found < row.Len() {
			for _, key := range row.MapKeys() {
				if !slices.Contains(schema.Names(), key.String()) {
					return nil, fmt.Errorf("row %d has a value for %q, which is no column of the schema", n, key)
				}
			}
		}
	}
	return rows, nil
}

// columnValue is a Go value as one of a column's type, as package plan has it.
func columnValue(v reflect.Value, t plan.Type) (any, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, nil
		}
		if n, ok := v.Interface().(*big.Int); ok {
			return planValue(n, t)
		}
		v = v.Elem()
	}
	switch {
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.IsNil():
		return nil, nil
	case t.Kind == plan.Array && v.Kind() == reflect.Slice && v.Type() != objectType:
		out := make([]any, v.Len())
		for i := range out {
			var err error
			if out[i], err = columnValue(v.Index(i), *t.Elem); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return out, nil
	case t.Kind == plan.Struct && v.Kind() == reflect.Struct:
		fields, err := columnsOf(v.Type(), false)
		if err != nil {
			return nil, err
		}
		rows, err := structRows(reflect.Append(reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, 1), v), fields, plan.Schema{Fields: t.Fields})
		if err != nil {
			return nil, err
		}
		return plan.StructValue(rows[0]), nil
	case t.Kind == plan.Map && v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		out := plan.MapValue{}
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			value, err := columnValue(v.MapIndex(key), *t.Elem)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", key, err)
			}
			out = append(out, plan.MapEntry{Key: key.String(), Value: value})
		}
		return out, nil
	}
	return planValue(v.Interface(), t)
}

// schemaOfType is the columns that fields are by themselves.
func schemaOfType(fields []typedColumn) (schema Schema, err error) {
	for _, c := range fields {
		t, err := typeOfGo(c.typ)
		if err != nil {
			return schema, fmt.Errorf("field %q: %w", c.name, err)
		}
		schema.Fields = append(schema.Fields, plan.Field{Name: c.name, Type: t, Nullable: true})
	}
	return schema, nil
}

var goTypes = map[reflect.Kind]plan.Kind{
	reflect.Bool: plan.Boolean, reflect.Int8: plan.Byte, reflect.Int16: plan.Short, reflect.Int32: plan.Int, reflect.Int64: plan.Long, reflect.Int: plan.Long,
	reflect.Uint8: plan.Short, reflect.Uint16: plan.Int, reflect.Uint32: plan.Long, reflect.Float32: plan.Float, reflect.Float64: plan.Double, reflect.String: plan.String,
}

// typeOfGo is the column type that a Go type is by itself.
func typeOfGo(t reflect.Type) (plan.Type, error) {
	switch t {
	case timeType:
		return plan.Of(plan.Timestamp), nil
	case decimalType:
		return plan.DecimalOf(plan.MaxPrecision, 18), nil
	case reflect.TypeFor[*big.Int]():
		return plan.DecimalOf(plan.MaxPrecision, 0), nil
	case bytesType:
		return plan.Of(plan.Binary), nil
	}
	if k, ok := goTypes[t.Kind()]; ok {
		return plan.Of(k), nil
	}
	switch t.Kind() {
	case reflect.Uint, reflect.Uint64:
		return plan.DecimalOf(20, 0), nil
	case reflect.Pointer:
		return typeOfGo(t.Elem())
	case reflect.Slice:
		if t == objectType {
			break
		}
		elem, err := typeOfGo(t.Elem())
		return plan.ArrayOf(elem, true), err
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			value, err := typeOfGo(t.Elem())
			return plan.MapOf(plan.Of(plan.String), value), err
		}
	case reflect.Struct:
		if !isValue(t) {
			fields, err := columnsOf(t, false)
			if err != nil {
				return plan.Type{}, err
			}
			schema, err := schemaOfType(fields)
			return plan.StructOf(schema.Fields...), err
		}
	}
	return plan.Type{}, fmt.Errorf("a %s is no column type by itself: say in the schema what it is", t)
}

// schemaOfMaps is the columns that the values of all rows are.
func schemaOfMaps(all reflect.Value) (schema Schema, err error) {
	types := map[string]plan.Type{}
	for n := range all.Len() {
		row := reflect.Indirect(all.Index(n))
		for it := row.MapRange(); it.Next(); {
			name, v := it.Key().String(), it.Value()
			for v.Kind() == reflect.Interface && !v.IsNil() {
				v = v.Elem()
			}
			t := plan.Of(plan.Null)
			if v.Kind() != reflect.Interface {
				if t, err = typeOfGo(v.Type()); err != nil {
					return schema, fmt.Errorf("row %d: column %q: %w", n, name, err)
				}
			}
			before, ok := types[name]
			switch {
			case !ok || before.Kind == plan.Null:
				types[name] = t
			case t.Kind != plan.Null && !t.Equal(before):
				return schema, fmt.Errorf("[CANNOT_MERGE_TYPE] column %q is %s in row %d and %s before it: say in the schema what it is", name, t, n, before)
			}
		}
	}
	if len(types) == 0 {
		return schema, errors.New("[CANNOT_INFER_EMPTY_SCHEMA] there are no rows to tell the columns: give a schema")
	}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if types[name].Kind == plan.Null {
			return schema, fmt.Errorf("[CANNOT_DETERMINE_TYPE] column %q is nil in all rows: give a schema", name)
		}
		schema.Fields = append(schema.Fields, plan.Field{Name: name, Type: types[name], Nullable: true})
	}
	return schema, nil
}
