package local

// Columns of JSON files, inferred from their values: whole numbers bigint, or decimal where they are larger; other numbers
// double; objects structs with their members sorted; arrays arrays; what differs string.

import (
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

// of is the type of a value, whose text is well formed.
func (o jsonTypes) of(text []byte) plan.Type {
	text = skipJSONSpace(text)
	if len(text) == 0 || text[0] == 'n' {
		return plan.Type{}
	}
	switch text[0] {
	case '{':
		t := plan.Type{Kind: plan.Struct}
		eachMember(text, func(name, value []byte) {
			t.Fields = append(t.Fields, plan.Field{Name: string(name), Type: o.of(value), Nullable: true})
		})
		slices.Reverse(t.Fields) // the last of a name counts
		slices.SortStableFunc(t.Fields, func(f, g plan.Field) int { return strings.Compare(f.Name, g.Name) })
		t.Fields = slices.CompactFunc(t.Fields, func(f, g plan.Field) bool { return f.Name == g.Name })
		return t
	case '[':
		var elem plan.Type
		eachElement(text, func(value []byte) { elem = mergeJSON(elem, o.of(value)) })
		return plan.ArrayOf(elem, true)
	}
	switch {
	case text[0] == '"' || o.asText:
		return plan.Of(plan.String)
	case text[0] == 't' || text[0] == 'f':
		return plan.Of(plan.Boolean)
	}
	return o.ofNumber(string(text))
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
	case b.Kind == plan.Null || a.Equal(b):
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
