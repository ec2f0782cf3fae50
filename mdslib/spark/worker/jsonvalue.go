package worker

// Arrays, maps and structs as the JSON that Spark's to_json makes of them.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"gomosaic/mdslib/plan"
)

// JSONOptions are the options of to_json, as an expression, by which values are written that a job calls [TextJSON].
const JSONOptions = `map('timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS', 'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS', 'dateFormat', 'yyyy-MM-dd', 'timeZone', 'UTC', 'ignoreNullFields', 'true')`

// JSONAble tells whether to_json keeps all of a value of a type: it writes the keys of maps as text, dates among them as
// numbers.
func JSONAble(t plan.Type) bool {
	switch t.Kind {
	case plan.Array:
		return JSONAble(*t.Elem)
	case plan.Map:
		return (t.Key.Kind == plan.String || t.Key.Integral()) && JSONAble(*t.Elem)
	case plan.Struct:
		names := map[string]bool{}
		for _, f := range t.Fields {
			if names[f.Name] || !JSONAble(f.Type) {
				return false
			}
			names[f.Name] = true
		}
		return true
	}
	return true
}

// jsonParser parses values of a type.
func jsonParser(t plan.Type) func([]byte) (any, error) {
	return func(text []byte) (any, error) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		v, err := jsonValue(d, t)
		if err == nil && d.More() {
			err = fmt.Errorf("there is more after it")
		}
		return v, err
	}
}

// jsonValue reads the next value, which is of a type.
func jsonValue(d *json.Decoder, t plan.Type) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case nil:
		return nil, nil
	case bool:
		if t.Kind == plan.Boolean {
			return token, nil
		}
	case json.Number:
		return jsonNumber(string(token), t)
	case string:
		return jsonString(token, t)
	case json.Delim:
		switch {
		case token == '[' && t.Kind == plan.Array:
			values := []any{}
			for d.More() {
				v, err := jsonValue(d, *t.Elem)
				if err != nil {
					return nil, fmt.Errorf("element %d: %w", len(values), err)
				}
				values = append(values, v)
			}
			_, err := d.Token()
			return values, err
		case token == '{' && (t.Kind == plan.Struct || t.Kind == plan.Map):
			return jsonObject(d, t)
		}
	}
	return nil, fmt.Errorf("%v is no %s", token, t)
}

func jsonObject(d *json.Decoder, t plan.Type) (any, error) {
	members := make(plan.StructValue, len(t.Fields))
	entries := plan.MapValue{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		part := t.Elem
		at := 0
		if t.Kind == plan.Struct {
			for at < len(t.Fields) && t.Fields[at].Name != name {
				at++
			}
			if at == len(t.Fields) {
				return nil, fmt.Errorf("the struct has no member %q", name)
			}
			part = &t.Fields[at].Type
		}
		v, err := jsonValue(d, *part)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		if t.Kind == plan.Struct {
			members[at] = v
			continue
		}
		key, err := jsonString(name, *t.Key)
		if err != nil {
			return nil, err
		}
		entries = append(entries, plan.MapEntry{Key: key, Value: v})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if t.Kind == plan.Struct {
		return members, nil
	}
	return entries, nil
}

func jsonNumber(text string, t plan.Type) (any, error) {
	switch t.Kind {
	case plan.Byte, plan.Short, plan.Int, plan.Long, plan.Float, plan.Double, plan.Decimal:
		parse, err := parser(t, TextPlain)
		if err != nil {
			return nil, err
		}
		return parse([]byte(text))
	}
	return nil, fmt.Errorf("%s is no %s", text, t)
}

func jsonString(text string, t plan.Type) (any, error) {
	switch {
	case t.Kind == plan.String:
		return text, nil
	case t.Kind == plan.Binary:
		return base64.StdEncoding.DecodeString(text)
	case t.Kind == plan.Date:
		at, err := time.Parse(time.DateOnly, text)
		return plan.DateOf(at), err
	case t.Kind == plan.Timestamp, t.Kind == plan.TimestampNTZ:
		at, err := time.Parse("2006-01-02 15:04:05.000000", text)
		return plan.TimestampOf(at), err
	case t.Integral(): // the key of a map
		return jsonNumber(text, t)
	case t.Fractional() && t.Kind != plan.Decimal:
		f, err := strconv.ParseFloat(text, 64)
		if err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			err = fmt.Errorf("%q is no %s", text, t)
		}
		if t.Kind == plan.Float {
			return float32(f), err
		}
		return f, err
	}
	return nil, fmt.Errorf("%q is no %s", text, t)
}
