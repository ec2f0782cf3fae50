package arrowmds

// From Arrow's types and arrays to those of package plan; the Parquet source reads with it too.

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/mdslib/plan"
)

// Values returns the value of each place of an Arrow array, as package plan describes values. They are copies, as the
// array's memory is used again.
func Values(a arrow.Array) (func(i int) any, error) {
	get, err := notNull(a)
	if err != nil {
		return nil, err
	}
	return func(i int) any {
		if a.IsNull(i) {
			return nil
		}
		return get(i)
	}, nil
}

func notNull(a arrow.Array) (func(i int) any, error) {
	switch a := a.(type) {
	case *array.Null:
		return func(int) any { return nil }, nil
	case *array.Boolean:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Int8:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Int16:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Int32:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Int64:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Uint8:
		return func(i int) any { return int16(a.Value(i)) }, nil
	case *array.Uint16:
		return func(i int) any { return int32(a.Value(i)) }, nil
	case *array.Uint32:
		return func(i int) any { return int64(a.Value(i)) }, nil
	case *array.Uint64:
		return func(i int) any { return plan.DecimalValue{Unscaled: new(big.Int).SetUint64(a.Value(i))} }, nil
	case *array.Float16:
		return func(i int) any { return a.Value(i).Float32() }, nil
	case *array.Float32:
		return func(i int) any { return a.Value(i) }, nil
	case *array.Float64:
		return func(i int) any { return a.Value(i) }, nil
	case *array.String:
		return func(i int) any { return strings.Clone(a.Value(i)) }, nil
	case *array.LargeString:
		return func(i int) any { return strings.Clone(a.Value(i)) }, nil
	case *array.Binary:
		return func(i int) any { return notNil(bytes.Clone(a.Value(i))) }, nil
	case *array.LargeBinary:
		return func(i int) any { return notNil(bytes.Clone(a.Value(i))) }, nil
	case *array.FixedSizeBinary:
		return func(i int) any { return notNil(bytes.Clone(a.Value(i))) }, nil
	case *array.Date32:
		return func(i int) any { return plan.DateValue(a.Value(i)) }, nil
	case *array.Date64:
		return func(i int) any { return plan.DateOf(a.Value(i).ToTime()) }, nil
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return func(i int) any { return plan.TimestampOf(a.Value(i).ToTime(unit)) }, nil
	case *array.Decimal128:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int) any { return plan.DecimalValue{Unscaled: a.Value(i).BigInt(), Scale: scale} }, nil
	case *array.Decimal256:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int) any { return plan.DecimalValue{Unscaled: a.Value(i).BigInt(), Scale: scale} }, nil
	case *array.Dictionary:
		get, err := Values(a.Dictionary())
		if err != nil {
			return nil, err
		}
		return func(i int) any { return get(a.GetValueIndex(i)) }, nil
	case *array.Struct:
		parts := make([]func(int) any, a.NumField())
		for f := range parts {
			var err error
			if parts[f], err = Values(a.Field(f)); err != nil {
				return nil, err
			}
		}
		return func(i int) any {
			v := make(plan.StructValue, len(parts))
			for f, get := range parts {
				v[f] = get(i)
			}
			return v
		}, nil
	case *array.Map:
		key, err := Values(a.Keys())
		if err != nil {
			return nil, err
		}
		item, err := Values(a.Items())
		if err != nil {
			return nil, err
		}
		return func(i int) any {
			first, end := a.ValueOffsets(i)
			v := plan.MapValue{}
			for j := int(first); j < int(end); j++ {
				v = append(v, plan.MapEntry{Key: key(j), Value: item(j)})
			}
			return v
		}, nil
	case array.ListLike:
		get, err := Values(a.ListValues())
		if err != nil {
			return nil, err
		}
		return func(i int) any {
			first, end := a.ValueOffsets(i)
			v := make([]any, 0, end-first)
			for j := int(first); j < int(end); j++ {
				v = append(v, get(j))
			}
			return v
		}, nil
	}
	return nil, fmt.Errorf("the type %s isn't read", a.DataType())
}

// TypeOf is the Spark type that Spark's own Parquet source gives an Arrow type. Unsigned types become the next larger signed one.
func TypeOf(t arrow.DataType) (plan.Type, error) {
	of := func(k plan.Kind) (plan.Type, error) { return plan.Of(k), nil }
	switch t := t.(type) {
	case *arrow.NullType:
		return of(plan.Null)
	case *arrow.BooleanType:
		return of(plan.Boolean)
	case *arrow.Int8Type:
		return of(plan.Byte)
	case *arrow.Int16Type, *arrow.Uint8Type:
		return of(plan.Short)
	case *arrow.Int32Type, *arrow.Uint16Type:
		return of(plan.Int)
	case *arrow.Int64Type, *arrow.Uint32Type:
		return of(plan.Long)
	case *arrow.Uint64Type:
		return plan.DecimalOf(20, 0), nil
	case *arrow.Float16Type, *arrow.Float32Type:
		return of(plan.Float)
	case *arrow.Float64Type:
		return of(plan.Double)
	case *arrow.StringType, *arrow.LargeStringType:
		return of(plan.String)
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.FixedSizeBinaryType:
		return of(plan.Binary)
	case *arrow.Date32Type, *arrow.Date64Type:
		return of(plan.Date)
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return of(plan.TimestampNTZ)
		}
		return of(plan.Timestamp)
	case arrow.DecimalType:
		return plan.DecimalOf(int(t.GetPrecision()), int(t.GetScale())), nil
	case *arrow.DictionaryType:
		return TypeOf(t.ValueType)
	case *arrow.StructType:
		var fields []plan.Field
		for _, f := range t.Fields() {
			ft, err := TypeOf(f.Type)
			if err != nil {
				return plan.Type{}, err
			}
			fields = append(fields, plan.Field{Name: f.Name, Type: ft, Nullable: f.Nullable})
		}
		return plan.StructOf(fields...), nil
	case *arrow.MapType:
		k, err := TypeOf(t.KeyType())
		if err != nil {
			return k, err
		}
		v, err := TypeOf(t.ItemType())
		return plan.MapOf(k, v), err
	case arrow.ListLikeType:
		e, err := TypeOf(t.Elem())
		return plan.ArrayOf(e, true), err
	}
	return plan.Type{}, fmt.Errorf("the type %s isn't read", t)
}
