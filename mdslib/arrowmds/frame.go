package arrowmds

// The rows of a DataFrame as Arrow records.

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// ToArrow runs the plan and yields its rows as Arrow records, which must be released by whoever gets them; after an error it
// ends. Types are those that Spark's toArrow gives: timestamps count microseconds, UTC or without a zone, decimals are
// decimal128. Memory stays bounded. Spark's records are those that it sends; on other engines they are made of the rows.
func ToArrow(ctx context.Context, d *mdslib.DataFrame) iter.Seq2[arrow.Record, error] {
	if e, ok := d.Session().Engine().(Engine); ok {
		return e.Records(ctx, d.Plan())
	}
	return func(yield func(arrow.Record, error) bool) {
		schema, err := d.Schema(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		rows, err := newRowBuilder(schema)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.builder.Release()
		for b, err := range d.Batches(ctx) {
			for i := 0; err == nil && i < b.Rows; i++ {
				err = rows.append(b.Row(i))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(rows.record(), nil) {
				return
			}
		}
	}
}

// arrowType is the Arrow type of a Spark type; TypeOf goes the other way.
func arrowType(t plan.Type) (arrow.DataType, error) {
	switch t.Kind {
	case plan.Null:
		return arrow.Null, nil
	case plan.Boolean:
		return arrow.FixedWidthTypes.Boolean, nil
	case plan.Byte:
		return arrow.PrimitiveTypes.Int8, nil
	case plan.Short:
		return arrow.PrimitiveTypes.Int16, nil
	case plan.Int:
		return arrow.PrimitiveTypes.Int32, nil
	case plan.Long:
		return arrow.PrimitiveTypes.Int64, nil
	case plan.Float:
		return arrow.PrimitiveTypes.Float32, nil
	case plan.Double:
		return arrow.PrimitiveTypes.Float64, nil
	case plan.String:
		return arrow.BinaryTypes.String, nil
	case plan.Binary:
		return arrow.BinaryTypes.Binary, nil
	case plan.Date:
		return arrow.FixedWidthTypes.Date32, nil
	case plan.Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, nil
	case plan.TimestampNTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case plan.Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case plan.Array:
		elem, err := arrowType(*t.Elem)
		if err != nil {
			return nil, err
		}
		return arrow.ListOf(elem), nil
	case plan.Map:
		key, err := arrowType(*t.Key)
		if err != nil {
			return nil, err
		}
		value, err := arrowType(*t.Elem)
		if err != nil {
			return nil, err
		}
		return arrow.MapOf(key, value), nil
	case plan.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			ft, err := arrowType(f.Type)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			fields[i] = arrow.Field{Name: f.Name, Type: ft, Nullable: true}
		}
		return arrow.StructOf(fields...), nil
	}
	return nil, fmt.Errorf("no Arrow type holds %s", t)
}

// appendValue adds a value of type t to its column.
func appendValue(to array.Builder, v any, t plan.Type) error {
	if v == nil {
		to.AppendNull()
		return nil
	}
	switch b := to.(type) {
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.Int8Builder:
		b.Append(v.(int8))
	case *array.Int16Builder:
		b.Append(v.(int16))
	case *array.Int32Builder:
		b.Append(v.(int32))
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Float32Builder:
		b.Append(v.(float32))
	case *array.Float64Builder:
		b.Append(v.(float64))
	case *array.StringBuilder:
		b.Append(strings.ToValidUTF8(v.(string), "\ufffd"))
	case *array.BinaryBuilder:
		b.Append(v.([]byte))
	case *array.Date32Builder:
		b.Append(arrow.Date32(v.(plan.DateValue)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.(plan.TimestampValue)))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromBigInt(v.(plan.DecimalValue).Unscaled))
	case *array.ListBuilder:
		b.Append(true)
		for _, e := range v.([]any) {
			if err := appendValue(b.ValueBuilder(), e, *t.Elem); err != nil {
				return err
			}
		}
	case *array.MapBuilder:
		b.Append(true)
		for _, e := range v.(plan.MapValue) {
			if err := appendValue(b.KeyBuilder(), e.Key, *t.Key); err != nil {
				return err
			}
			if err := appendValue(b.ItemBuilder(), e.Value, *t.Elem); err != nil {
				return err
			}
		}
	case *array.StructBuilder:
		b.Append(true)
		for i, e := range v.(plan.StructValue) {
			if err := appendValue(b.FieldBuilder(i), e, t.Fields[i].Type); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("a %T does not fit into %s", v, to.Type())
	}
	return nil
}
