package local

// Values of JSON text, of the column's type.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
)

// jsonValue makes a value of its text, which is well formed or empty; null and no text are NULL. An error says that it is not
// of the type.
type jsonValue func(raw json.RawMessage) (any, error)

func jsonValueOf(t plan.Type, dates datePatterns) (jsonValue, error) {
	value, err := jsonNotNull(t, dates)
	if err != nil {
		return nil, err
	}
	return func(raw json.RawMessage) (any, error) {
		raw = bytes.TrimSpace(raw)
		if len(raw) == 0 || raw[0] == 'n' {
			return nil, nil
		}
		v, err := value(raw)
		if errors.Is(err, errNotOf) {
			err = fmt.Errorf("%s is no %s", clip(string(raw)), t)
		}
		return v, err
	}, nil
}

// errNotOf says that a value isn't of the type.
var errNotOf = errors.New("not of the type")

// jsonNotNull makes values of one type; the text isn't null.
func jsonNotNull(t plan.Type, dates datePatterns) (jsonValue, error) {
	switch t.Kind {
	case plan.Null:
		return func(json.RawMessage) (any, error) { return nil, errNotOf }, nil
	case plan.String:
		return func(raw json.RawMessage) (any, error) {
			if raw[0] != '"' {
				return string(raw), nil // as it is written
			}
			return jsonText(raw)
		}, nil
	case plan.Boolean:
		return func(raw json.RawMessage) (any, error) {
			if raw[0] != 't' && raw[0] != 'f' {
				return nil, errNotOf
			}
			return raw[0] == 't', nil
		}, nil
	case plan.Float, plan.Double:
		return jsonFloat(t.Kind), nil
	case plan.Binary:
		return func(raw json.RawMessage) (any, error) {
			s, err := jsonText(raw)
			if err != nil {
				return nil, err
			}
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return nil, errNotOf
			}
			return b, nil
		}, nil
	case plan.Array:
		return jsonArray(t, dates)
	case plan.Struct:
		return jsonStruct(t, dates)
	case plan.Map:
		return jsonMap(t, dates)
	}
	parse, err := dates.parser(t)
	if err != nil {
		return nil, err
	}
	text := t.Kind == plan.Date || t.Kind == plan.Timestamp || t.Kind == plan.TimestampNTZ
	return func(raw json.RawMessage) (any, error) {
		s := string(raw)
		switch quoted := raw[0] == '"'; {
		case quoted && !text && t.Kind != plan.Decimal, strings.ContainsAny(s[:1], "{[tf"):
			return nil, errNotOf
		case quoted:
			var err error
			if s, err = jsonText(raw); err != nil {
				return nil, err
			}
		case t.Kind == plan.Timestamp: // a number is seconds
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n > 1e12 || n < -1e12 {
				return nil, errNotOf
			}
			return plan.TimestampValue(n * 1e6), nil
		case text:
			return nil, errNotOf
		}
		v, err := parse(s)
		if err != nil {
			return nil, errNotOf
		}
		return v, nil
	}, nil
}

func jsonText(raw json.RawMessage) (string, error) {
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", errNotOf
	}
	return s, nil
}

func jsonFloat(kind plan.Kind) jsonValue {
	return func(raw json.RawMessage) (any, error) {
		s := string(raw)
		if raw[0] == '"' {
			text, err := jsonText(raw)
			if err != nil {
				return nil, err
			}
			switch text {
			case "NaN", "INF", "+INF", "-INF", "Infinity", "+Infinity", "-Infinity":
				s = text
			default:
				return nil, errNotOf
			}
		}
		bits := 64
		if kind == plan.Float {
			bits = 32
		}
		f, err := strconv.ParseFloat(s, bits)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, errNotOf
		}
		if f == 0 && !strings.ContainsAny(s, ".eE") {
			f = 0 // a whole number has no negative zero
		}
		if kind == plan.Float {
			return float32(f), nil
		}
		return f, nil
	}
}

func jsonArray(t plan.Type, dates datePatterns) (jsonValue, error) {
	elem, err := jsonValueOf(*t.Elem, dates)
	if err != nil {
		return nil, err
	}
	return func(raw json.RawMessage) (any, error) {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil, errNotOf
		}
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = elem(e); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return out, nil
	}, nil
}

func jsonStruct(t plan.Type, dates datePatterns) (jsonValue, error) {
	values := make([]jsonValue, len(t.Fields))
	for i, f := range t.Fields {
		var err error
		if values[i], err = jsonValueOf(f.Type, dates); err != nil {
			return nil, err
		}
	}
	return func(raw json.RawMessage) (any, error) {
		var row jsonRow
		if json.Unmarshal(raw, &row) != nil {
			return nil, errNotOf
		}
		out := make(plan.StructValue, len(t.Fields))
		for i, f := range t.Fields {
			var err error
			if out[i], err = values[i](row[f.Name]); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return out, nil
	}, nil
}

func jsonMap(t plan.Type, dates datePatterns) (jsonValue, error) {
	if t.Key.Kind != plan.String {
		return nil, fmt.Errorf("%s: the keys of JSON objects are strings", t)
	}
	value, err := jsonValueOf(*t.Elem, dates)
	if err != nil {
		return nil, err
	}
	return func(raw json.RawMessage) (any, error) {
		var row jsonRow
		if json.Unmarshal(raw, &row) != nil {
			return nil, errNotOf
		}
		out := plan.MapValue{}
		for _, name := range sortedMembers(row) {
			v, err := value(row[name])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", name, err)
			}
			out = append(out, plan.MapEntry{Key: name, Value: v})
		}
		return out, nil
	}, nil
}
