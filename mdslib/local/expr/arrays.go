package expr

import (
	"math"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

func invalidIndex(class string, i int64, n int, instead string) error {
	e := fail(class, "the index %d is out of bounds: the array has %d elements", i, n)
	e.Hint = "use " + instead + " to get NULL instead"
	return e
}

// item is a[i], from 0, or m[key].
func (b *binder) item(x, i *node) (*node, error) {
	switch x.typ.Kind {
	case plan.Map:
		return b.mapValue(x, i)
	case plan.Struct:
		if v, err := i.value(); i.literal && err == nil {
			if name, ok := v.(string); ok {
				return b.member(x, name)
			}
		}
	case plan.Array:
		args, err := b.params([]*node{i}, plan.Long)
		if err != nil {
			return nil, err
		}
		return strictNode(*x.typ.Elem, []*node{x, args[0]}, func(a []any) (any, error) {
			list, n := a[0].([]any), a[1].(int64)
			if n < 0 || n >= int64(len(list)) {
				return nil, invalidIndex("INVALID_ARRAY_INDEX", n, len(list), "get")
			}
			return list[n], nil
		}).orNull(x.typ.ContainsNull), nil
	}
	return nil, fail("INVALID_EXTRACT_BASE_FIELD_TYPE", "a %s has no elements", x.typ)
}

func (b *binder) mapValue(x, key *node) (*node, error) {
	key, err := b.implicit(key, *x.typ.Key)
	if err != nil {
		return nil, err
	}
	return strictNode(*x.typ.Elem, []*node{x, key}, func(a []any) (any, error) {
		for _, e := range a[0].(plan.MapValue) {
			if Compare(e.Key, a[1]) == 0 {
				return e.Value, nil
			}
		}
		return nil, nil
	}).orNull(true), nil
}

// elementAt is element_at: from 1, negative from the end; or a map's value.
func elementAt(try bool) function {
	return function{2, 2, func(b *binder, args []*node) (*node, error) {
		x := args[0]
		if x.typ.Kind == plan.Map {
			return b.mapValue(x, args[1])
		}
		if x.typ.Kind != plan.Array {
			return nil, mismatch("an array or a map for element_at", x)
		}
		index, err := b.params(args[1:], plan.Int)
		if err != nil {
			return nil, err
		}
		return strictNode(*x.typ.Elem, []*node{x, index[0]}, func(a []any) (any, error) {
			list, n := a[0].([]any), int(a[1].(int32))
			switch {
			case n == 0:
				return nil, fail("INVALID_INDEX_OF_ZERO", "element_at counts from 1 (or from -1 at the end), not from 0")
			case n > len(list) || -n > len(list):
				if try {
					return nil, nil
				}
				return nil, invalidIndex("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", int64(n), len(list), "try_element_at")
			case n < 0:
				return list[len(list)+n], nil
			}
			return list[n-1], nil
		}).orNull(x.typ.ContainsNull || try), nil
	}}
}

// onArray binds a function whose first argument is an array; result makes its type from the array's.
func onArray(least, most int, result func(t plan.Type) plan.Type, fn func(a []any) (any, error), rest ...plan.Kind) function {
	return function{least, most, func(b *binder, args []*node) (*node, error) {
		if args[0].typ.Kind != plan.Array {
			return nil, mismatch("an array", args[0])
		}
		all := args[:1:1]
		if len(args) > 1 {
			others, err := b.params(args[1:], rest...)
			if err != nil {
				return nil, err
			}
			all = append(all, others...)
		}
		return strictNode(result(args[0].typ), all, fn).orNull(true), nil
	}}
}

func arrayFunctions() map[string]function {
	const S, I = plan.String, plan.Int
	same := func(t plan.Type) plan.Type { return t }
	elem := func(t plan.Type) plan.Type { return *t.Elem }
	always := func(k plan.Kind) func(plan.Type) plan.Type { return func(plan.Type) plan.Type { return plan.Of(k) } }
	size := function{1, 1, func(b *binder, args []*node) (*node, error) {
		if k := args[0].typ.Kind; k != plan.Array && k != plan.Map && k != plan.Null {
			return nil, mismatch("an array or a map for size", args[0])
		}
		return strictNode(plan.Of(I), args, func(a []any) (any, error) {
			if m, ok := a[0].(plan.MapValue); ok {
				return int32(len(m)), nil
			}
			return int32(len(a[0].([]any))), nil
		}), nil
	}}
	extreme := func(sign int) function {
		return onArray(1, 1, elem, func(a []any) (any, error) {
			var best any
			for _, v := range a[0].([]any) {
				if v != nil && (best == nil || sign*Compare(v, best) > 0) {
					best = v
				}
			}
			return best, nil
		})
	}
	// member binds array_contains and array_position: the second argument becomes the elements' type.
	member := func(result plan.Kind, fn func(list []any, v any) any) function {
		return function{2, 2, func(b *binder, args []*node) (*node, error) {
			if args[0].typ.Kind != plan.Array {
				return nil, mismatch("an array", args[0])
			}
			t, ok := widest(*args[0].typ.Elem, args[1].typ)
			if !ok {
				return nil, fail("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "can't look for %s in %s", args[1].typ, args[0].typ)
			}
			list, err := b.implicit(args[0], plan.ArrayOf(t, true))
			if err != nil {
				return nil, err
			}
			v, err := b.implicit(args[1], t)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(result), []*node{list, v}, func(a []any) (any, error) { return fn(a[0].([]any), a[1]), nil }).orNull(true), nil
		}}
	}
	return map[string]function{
		"array": {0, -1, func(b *binder, args []*node) (*node, error) {
			if len(args) == 0 {
				return constNode(plan.ArrayOf(plan.Of(plan.Null), false), []any{}), nil
			}
			args, t, err := b.unify("array", args)
			if err != nil {
				return nil, err
			}
			hasNull := slices.ContainsFunc(args, func(n *node) bool { return n.nullable })
			n := looseNode(plan.ArrayOf(t, hasNull), args, func(a []any) (any, error) { return a, nil })
			n.nullable = false
			return n, nil
		}},
		"element_at": elementAt(false), "try_element_at": elementAt(true),
		"get": onArray(2, 2, elem, func(a []any) (any, error) {
			list, n := a[0].([]any), int(a[1].(int32))
			if n < 0 || n >= len(list) {
				return nil, nil
			}
			return list[n], nil
		}, I),
		"size": size, "cardinality": size,
		"array_size": onArray(1, 1, always(I), func(a []any) (any, error) { return int32(len(a[0].([]any))), nil }),
		"array_max":  extreme(1), "array_min": extreme(-1),
		"array_contains": member(plan.Boolean, func(list []any, v any) any {
			var miss any = false
			for _, e := range list {
				if e == nil {
					miss = nil
				} else if Compare(e, v) == 0 {
					return true
				}
			}
			return miss
		}),
		"array_position": member(plan.Long, func(list []any, v any) any {
			for i, e := range list {
				if e != nil && Compare(e, v) == 0 {
					return int64(i + 1)
				}
			}
			return int64(0)
		}),
		"array_join": {2, 3, func(b *binder, args []*node) (*node, error) {
			if args[0].typ.Kind != plan.Array {
				return nil, mismatch("an array", args[0])
			}
			list, err := b.implicit(args[0], plan.ArrayOf(plan.Of(S), true))
			if err != nil {
				return nil, err
			}
			rest, err := b.params(args[1:], S)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(S), append([]*node{list}, rest...), func(a []any) (any, error) {
				var parts []string
				for _, e := range a[0].([]any) {
					if e != nil {
						parts = append(parts, e.(string))
					} else if len(a) == 3 {
						parts = append(parts, a[2].(string))
					}
				}
				return strings.Join(parts, a[1].(string)), nil
			}), nil
		}},
		"array_distinct": onArray(1, 1, same, func(a []any) (any, error) {
			seen := map[string]bool{}
			out := []any{}
			for _, e := range a[0].([]any) {
				if k := string(AppendKey(nil, e)); !seen[k] {
					seen[k] = true
					out = append(out, e)
				}
			}
			return out, nil
		}),
		"sort_array": onArray(1, 2, same, func(a []any) (any, error) {
			out := slices.Clone(a[0].([]any))
			sign := 1
			if len(a) == 2 && a[1] == false {
				sign = -1
			}
			slices.SortStableFunc(out, func(x, y any) int { return sign * compareParts([]any{x}, []any{y}) })
			return out, nil
		}, plan.Boolean),
		"slice": onArray(3, 3, same, func(a []any) (any, error) {
			list, start, n := a[0].([]any), int64(a[1].(int32)), int64(a[2].(int32))
			switch {
			case start == 0:
				return nil, fail("INVALID_PARAMETER_VALUE.START", "slice counts from 1 (or from -1 at the end), not from 0")
			case n < 0:
				return nil, fail("INVALID_PARAMETER_VALUE.LENGTH", "slice of length %d", n)
			case start < 0:
				start += int64(len(list))
			default:
				start--
			}
			if start < 0 || start >= int64(len(list)) {
				return []any{}, nil
			}
			return list[start:min(start+n, int64(len(list)))], nil
		}, I),
		"reverse": {1, 1, func(b *binder, args []*node) (*node, error) {
			if args[0].typ.Kind == plan.Array {
				return strictNode(args[0].typ, args, func(a []any) (any, error) {
					out := slices.Clone(a[0].([]any))
					slices.Reverse(out)
					return out, nil
				}), nil
			}
			return strict(S, 1, 1, func(a []any) (any, error) {
				r := []rune(a[0].(string))
				slices.Reverse(r)
				return string(r), nil
			}, S).bind(b, args)
		}},
		"sequence": {2, 3, func(b *binder, args []*node) (*node, error) {
			args, t, err := b.unify("sequence", args)
			if err != nil {
				return nil, err
			}
			if !t.Integral() {
				return nil, mismatch("integers for sequence", args[0])
			}
			return strictNode(plan.ArrayOf(t, false), args, func(a []any) (any, error) {
				from, to := toInt64(a[0]), toInt64(a[1])
				step := int64(1)
				if from > to {
					step = -1
				}
				if len(a) == 3 {
					step = toInt64(a[2])
				}
				if step == 0 && from != to || step > 0 && from > to || step < 0 && from < to {
					return nil, fail("", "sequence from %d to %d by %d never ends", from, to, step)
				}
				out := []any{}
				for n := from; step >= 0 && n <= to || step < 0 && n >= to; n += step {
					if out = append(out, intOf(t.Kind, n)); len(out) > math.MaxInt32/64 {
						return nil, fail("COLLECTION_SIZE_LIMIT_EXCEEDED", "sequence of more than %d elements", math.MaxInt32/64)
					}
					if step == 0 {
						break
					}
				}
				return out, nil
			}), nil
		}},
	}
}
