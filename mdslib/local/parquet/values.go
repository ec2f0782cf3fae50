package parquet

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/mdslib/plan"
)

// valuesOf returns the value of each place of an Arrow array, as package plan describes values. They are copies, as the
// array's memory is used again.
func valuesOf(a arrow.Array) (func(i int) any, error) {
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
		return func(i int) any { return bytes.Clone(a.Value(i)) }, nil
	case *array.LargeBinary:
		return func(i int) any { return bytes.Clone(a.Value(i)) }, nil
	case *array.FixedSizeBinary:
		return func(i int) any { return bytes.Clone(a.Value(i)) }, nil
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
		get, err := valuesOf(a.Dictionary())
		if err != nil {
			return nil, err
		}
		return func(i int) any { return get(a.GetValueIndex(i)) }, nil
	case *array.Struct:
		parts := make([]func(int) any, a.NumField())
		for f := range parts {
			var err error
			if parts[f], err = valuesOf(a.Field(f)); err != nil {
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
		key, err := valuesOf(a.Keys())
		if err != nil {
			return nil, err
		}
		item, err := valuesOf(a.Items())
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
		get, err := valuesOf(a.ListValues())
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
