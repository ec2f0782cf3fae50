package spark

// From Spark's data types to the plan's.

import (
	"fmt"
	"strings"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// schemaOf is the columns of a struct type, which is what Spark calls a schema.
func schemaOf(t *pb.DataType) (plan.Schema, error) {
	st, ok := t.GetKind().(*pb.DataType_Struct_)
	if !ok {
		return plan.Schema{}, fmt.Errorf("spark: the server gave a schema that is no struct")
	}
	fields, err := fieldsOf(st.Struct)
	return plan.Schema{Fields: fields}, err
}

func fieldsOf(st *pb.DataType_Struct) ([]plan.Field, error) {
	fields := make([]plan.Field, len(st.Fields))
	for i, f := range st.Fields {
		t, err := typeOf(f.DataType)
		if err != nil {
			return nil, fmt.Errorf("spark: column %q: %w", f.Name, err)
		}
		fields[i] = plan.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return fields, nil
}

func typeOf(t *pb.DataType) (plan.Type, error) {
	switch k := t.GetKind().(type) {
	case *pb.DataType_Null:
		return plan.Of(plan.Null), nil
	case *pb.DataType_Binary:
		return plan.Of(plan.Binary), nil
	case *pb.DataType_Boolean:
		return plan.Of(plan.Boolean), nil
	case *pb.DataType_Byte:
		return plan.Of(plan.Byte), nil
	case *pb.DataType_Short:
		return plan.Of(plan.Short), nil
	case *pb.DataType_Integer:
		return plan.Of(plan.Int), nil
	case *pb.DataType_Long:
		return plan.Of(plan.Long), nil
	case *pb.DataType_Float:
		return plan.Of(plan.Float), nil
	case *pb.DataType_Double:
		return plan.Of(plan.Double), nil
	case *pb.DataType_Decimal_:
		return plan.DecimalOf(int(k.Decimal.GetPrecision()), int(k.Decimal.GetScale())), nil
	case *pb.DataType_String_, *pb.DataType_Char, *pb.DataType_VarChar:
		return plan.Of(plan.String), nil
	case *pb.DataType_Date:
		return plan.Of(plan.Date), nil
	case *pb.DataType_Timestamp:
		return plan.Of(plan.Timestamp), nil
	case *pb.DataType_TimestampNtz:
		return plan.Of(plan.TimestampNTZ), nil
	case *pb.DataType_Array_:
		elem, err := typeOf(k.Array.ElementType)
		return plan.ArrayOf(elem, k.Array.ContainsNull), err
	case *pb.DataType_Map_:
		key, err := typeOf(k.Map.KeyType)
		if err != nil {
			return key, err
		}
		value, err := typeOf(k.Map.ValueType)
		m := plan.MapOf(key, value)
		m.ContainsNull = k.Map.ValueContainsNull
		return m, err
	case *pb.DataType_Struct_:
		fields, err := fieldsOf(k.Struct)
		return plan.StructOf(fields...), err
	}
	return plan.Type{}, fmt.Errorf("a type that is not read (%s): cast it in a Select, or drop the column", strings.TrimPrefix(fmt.Sprintf("%T", t.GetKind()), "*pb.DataType_"))
}
