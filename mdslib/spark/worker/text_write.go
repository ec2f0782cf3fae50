package worker

// Rows as text on their way to Spark: a line each, values separated by tabs, with [TextNull] for NULL.
//
//	boolean, numbers   as Spark's casts read them     string, binary   base64
//	date               days since 1970-01-01          timestamp        microseconds since 1970-01-01 UTC
//	timestamp_ntz      2006-01-02 15:04:05.000000     array, map, struct   JSON
//
// In JSON decimals and timestamps without a zone are text, numbers that are none are "NaN", "Infinity" and "-Infinity", bytes
// are base64, and the members of a struct are called by their place: "0", "1".

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"gomosaic/mdslib/plan"
)

// AppendRow appends the line of a row, whose values are as package plan describes them.
func AppendRow(dst []byte, schema plan.Schema, row []any) ([]byte, error) {
	for i, f := range schema.Fields {
		if i > 0 {
			dst = append(dst, '\t')
		}
		var err error
		if dst, err = appendText(dst, row[i], f.Type); err != nil {
			return dst, fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	return append(dst, '\n'), nil
}

func appendText(dst []byte, v any, t plan.Type) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, TextNull...), nil
	case float32:
		return appendFloat(dst, float64(v), 32), nil
	case float64:
		return appendFloat(dst, v, 64), nil
	case string:
		return base64.StdEncoding.AppendEncode(dst, []byte(v)), nil
	case []byte:
		return base64.StdEncoding.AppendEncode(dst, v), nil
	case plan.DecimalValue:
		return append(dst, v.String()...), nil
	case plan.TimestampValue:
		if t.Kind == plan.TimestampNTZ {
			return appendLocal(dst, v), nil
		}
	}
	return appendJSON(dst, v, t)
}

func appendJSON(dst []byte, v any, t plan.Type) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case plan.DateValue:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case float32: // with the digits of a double, as which Spark reads it first
		return appendJSON(dst, float64(v), t)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(appendFloat(append(dst, '"'), v, 64), '"'), nil
		}
		return appendFloat(dst, v, 64), nil
	case plan.DecimalValue:
		return append(append(append(dst, '"'), v.String()...), '"'), nil
	case plan.TimestampValue:
		if t.Kind == plan.TimestampNTZ {
			return append(appendLocal(append(dst, '"'), v), '"'), nil
		}
		return strconv.AppendInt(dst, int64(v), 10), nil
	case string:
		return appendQuoted(dst, v)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"'), nil
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, e, *t.Elem); err != nil {
				return dst, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return append(dst, ']'), nil
	case plan.StructValue:
		dst = append(dst, '{')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(strconv.AppendInt(append(dst, '"'), int64(i), 10), `":`...)
			var err error
			if dst, err = appendJSON(dst, e, t.Fields[i].Type); err != nil {
				return dst, fmt.Errorf("%s: %w", t.Fields[i].Name, err)
			}
		}
		return append(dst, '}'), nil
	case plan.MapValue:
		dst = append(dst, '{')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			key, ok := e.Key.(string)
			if !ok {
				return dst, fmt.Errorf("the key %v is no text", e.Key)
			}
			var err error
			if dst, err = appendQuoted(dst, key); err != nil {
				return dst, err
			}
			if dst, err = appendJSON(append(dst, ':'), e.Value, *t.Elem); err != nil {
				return dst, fmt.Errorf("%q: %w", key, err)
			}
		}
		return append(dst, '}'), nil
	}
	return dst, fmt.Errorf("a %T is no %s", v, t)
}

// appendFloat appends the shortest digits that mean f, as Java reads them.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

// appendLocal appends a timestamp without a zone.
func appendLocal(dst []byte, v plan.TimestampValue) []byte {
	at := v.Time()
	year := at.Year()
	if year < 0 {
		dst, year = append(dst, '-'), -year
	}
	dst = fmt.Appendf(dst, "%04d", year)
	return at.AppendFormat(dst, "-01-02 15:04:05.000000")
}

// appendQuoted appends a text as JSON has it.
func appendQuoted(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errors.New("a string in it is not valid UTF-8: make it BINARY in the schema")
	}
	quoted, err := json.Marshal(s)
	return append(dst, quoted...), err
}
