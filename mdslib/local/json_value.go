package local

// Values of JSON text, of the column's type.

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
)

// jsonValue makes a value of its text, which is well formed or empty; null and no text are NULL. An error says that it is not
// of the type.
type jsonValue func(raw []byte) (any, error)

func jsonValueOf(t plan.Type, dates datePatterns) (jsonValue, error) {
	value, err := jsonNotNull(t, dates)
	if err != nil {
		return nil, err
	}
	return func(raw []byte) (any, error) {
		raw = skipJSONSpace(raw)
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
		return func([]byte) (any, error) { return nil, errNotOf }, nil
	case plan.String:
		return func(raw []byte) (any, error) {
			if s, ok := jsonText(raw); ok {
				return s, nil
			}
			return string(raw), nil // as it is written
		}, nil
	case plan.Boolean:
		return func(raw []byte) (any, error) {
			if raw[0] != 't' && raw[0] != 'f' {
				return nil, errNotOf
			}
			return raw[0] == 't', nil
		}, nil
	case plan.Float, plan.Double:
		return jsonFloat(t.Kind), nil
	case plan.Binary:
		return func(raw []byte) (any, error) {
			s, ok := jsonText(raw)
			if !ok {
				return nil, errNotOf
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
	return func(raw []byte) (any, error) {
		s := string(raw)
		switch quoted := raw[0] == '"'; {
		case quoted && !text && t.Kind != plan.Decimal, strings.ContainsAny(s[:1], "{[tf"):
			return nil, errNotOf
		case quoted:
			s, _ = jsonText(raw)
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

func jsonFloat(kind plan.Kind) jsonValue {
	return func(raw []byte) (any, error) {
		s := string(raw)
		if raw[0] == '"' {
			switch text, _ := jsonText(raw); text {
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
	return func(raw []byte) (any, error) {
		out := []any{}
		var err error
		isArray := eachElement(raw, func(value []byte) {
			v, e := elem(value)
			if e != nil && err == nil {
				err = fmt.Errorf("element %d: %w", len(out), e)
			}
			out = append(out, v)
		})
		if !isArray {
			return nil, errNotOf
		}
		return out, err
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
	at := positions(t.Fields)
	return func(raw []byte) (any, error) {
		out := make(plan.StructValue, len(t.Fields))
		var err error
		isObject := eachMember(raw, func(name, value []byte) {
			i, ok := at[string(name)]
			if !ok {
				return
			}
			v, e := values[i](value)
			if e != nil && err == nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
			out[i] = v
		})
		if !isObject {
			return nil, errNotOf
		}
		return out, err
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
	return func(raw []byte) (any, error) {
		out, at := plan.MapValue{}, map[string]int{}
		var err error
		isObject := eachMember(raw, func(name, text []byte) {
			v, e := value(text)
			if e != nil && err == nil {
				err = fmt.Errorf("%q: %w", name, e)
			}
			if i, twice := at[string(name)]; twice {
				out[i].Value = v // the last of a name counts
				return
			}
			at[string(name)] = len(out)
			out = append(out, plan.MapEntry{Key: string(name), Value: v})
		})
		if !isObject {
			return nil, errNotOf
		}
		return out, err
	}, nil
}
