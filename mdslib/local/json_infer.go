package local

// Columns of JSON files, inferred from their values: whole numbers bigint, or decimal where they are larger; other numbers
// double; objects structs with their members sorted; arrays arrays; what differs string.

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
)

// jsonTypes says how types are inferred.
type jsonTypes struct {
	asText   bool // numbers and booleans are strings
	decimals bool // numbers with a fraction are decimals, if they have no more digits
	dropNull bool // columns of nothing but null, and empty arrays, are left out
}

func (o jsonTypes) ofObject(row jsonRow) plan.Type {
	t := plan.Type{Kind: plan.Struct}
	for _, name := range sortedMembers(row) {
		t.Fields = append(t.Fields, plan.Field{Name: name, Type: o.of(row[name]), Nullable: true})
	}
	return t
}

// of is the type of a value, which is known to be well formed.
func (o jsonTypes) of(raw json.RawMessage) plan.Type {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return plan.Type{}
	case raw[0] == '{':
		var row jsonRow
		if json.Unmarshal(raw, &row) == nil {
			return o.ofObject(row)
		}
	case raw[0] == '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil {
			var elem plan.Type
			for _, e := range list {
				elem = mergeJSON(elem, o.of(e))
			}
			return plan.ArrayOf(elem, true)
		}
	case raw[0] == '"' || o.asText:
		return plan.Of(plan.String)
	case raw[0] == 't' || raw[0] == 'f':
		return plan.Of(plan.Boolean)
	}
	return o.ofNumber(string(raw))
}

func (o jsonTypes) ofNumber(text string) plan.Type {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return plan.Of(plan.Long)
	}
	whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if strings.ContainsAny(text, "eE") || hasPoint && !o.decimals {
		return plan.Of(plan.Double)
	}
	digits := len(strings.TrimLeft(whole, "0")) + len(fraction)
	if digits = max(digits, len(fraction), 1); digits > plan.MaxPrecision {
		return plan.Of(plan.Double)
	}
	return plan.DecimalOf(digits, len(fraction))
}

// mergeJSON is the type of values of both types; void is that of nothing but null.
func mergeJSON(a, b plan.Type) plan.Type {
	switch {
	case a.Kind == plan.Null:
		return b
	case b.Kind == plan.Null || a.Equal(b) && a.Kind != plan.Array && a.Kind != plan.Struct:
		return a
	case a.Kind == plan.Array && b.Kind == plan.Array:
		return plan.ArrayOf(mergeJSON(*a.Elem, *b.Elem), true)
	case a.Kind == plan.Struct && b.Kind == plan.Struct:
		t := plan.Type{Kind: plan.Struct, Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			i := slices.IndexFunc(t.Fields, func(g plan.Field) bool { return g.Name == f.Name })
			if i < 0 {
				t.Fields = append(t.Fields, f)
			} else {
				t.Fields[i].Type = mergeJSON(t.Fields[i].Type, f.Type)
			}
		}
		slices.SortFunc(t.Fields, func(f, g plan.Field) int { return strings.Compare(f.Name, g.Name) })
		return t
	case a.Kind == plan.Double && b.Numeric(), b.Kind == plan.Double && a.Numeric():
		return plan.Of(plan.Double)
	case a.Numeric() && b.Numeric():
		for _, t := range []*plan.Type{&a, &b} {
			if t.Kind == plan.Long {
				*t = plan.DecimalOf(20, 0)
			}
		}
		scale := max(a.Scale, b.Scale)
		if digits := max(a.Precision-a.Scale, b.Precision-b.Scale) + scale; digits <= plan.MaxPrecision {
			return plan.DecimalOf(digits, scale)
		}
		return plan.Of(plan.Double)
	}
	return plan.Of(plan.String)
}

// settle makes strings of what was null everywhere, and drops structs without members, as Spark does.
func (o jsonTypes) settle(t plan.Type) plan.Type {
	switch t.Kind {
	case plan.Null:
		return plan.Of(plan.String)
	case plan.Array:
		return plan.ArrayOf(o.settle(*t.Elem), true)
	case plan.Struct:
		out := plan.Type{Kind: plan.Struct}
		for _, f := range t.Fields {
			if f.Type.Kind == plan.Struct && len(f.Type.Fields) == 0 || o.dropNull && nothing(f.Type) {
				continue
			}
			f.Type = o.settle(f.Type)
			out.Fields = append(out.Fields, f)
		}
		return out
	}
	return t
}

// nothing tells whether a type is that of null alone, or of empty arrays.
func nothing(t plan.Type) bool {
	return t.Kind == plan.Null || t.Kind == plan.Array && nothing(*t.Elem)
}
