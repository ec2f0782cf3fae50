package expr

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"gomosaic/mdslib/plan"
)

// function is one function of the subset: how many arguments it takes and how it is bound to them.
type function struct {
	min, max int // max < 0: any number
	bind     func(b *binder, args []*node) (*node, error)
}

// table is filled once, when the first expression is bound, and only read afterwards.
var table struct {
	once sync.Once
	all  map[string]function
}

// functions returns the table of all functions by lower-case name.
func functions() map[string]function {
	table.once.Do(func() {
		table.all = map[string]function{}
		for _, group := range []map[string]function{conditionalFunctions(), mathFunctions(), stringFunctions(), regexFunctions(), arrayFunctions(), dateFunctions(), hashFunctions(), castFunctions()} {
			maps.Copy(table.all, group)
		}
	})
	return table.all
}

// FunctionNames returns the names of all functions, sorted.
func FunctionNames() []string { return slices.Sorted(maps.Keys(functions())) }

// aggregates are refused outside GroupBy().Agg.
var aggregates = []string{"count", "sum", "avg", "mean", "min", "max", "count_if", "first", "any_value", "collect_list",
	"stddev", "stddev_samp", "std", "stddev_pop", "variance", "var_samp", "var_pop"}

func (b *binder) call(e *plan.Call) (*node, error) {
	if slices.Contains(aggregates, e.Name) {
		x := fail("", "%s is an aggregate: it belongs in GroupBy(…).Agg(…)", e.Name)
		return nil, x
	}
	if e.Distinct {
		return nil, fail("", "DISTINCT belongs in aggregates only")
	}
	f, ok := functions()[e.Name]
	if !ok {
		x := fail("UNRESOLVED_ROUTINE", "unknown function %s", e.Name)
		x.Hint = plan.Nearest(e.Name, FunctionNames())
		if x.Hint == "" {
			x.Hint = "the local engine has a subset of Spark's functions"
		}
		return nil, x
	}
	if n := len(e.Args); n < f.min || f.max >= 0 && n > f.max {
		want := fmt.Sprint(f.min)
		switch {
		case f.max < 0:
			want = fmt.Sprintf("at least %d", f.min)
		case f.max > f.min:
			want = fmt.Sprintf("%d to %d", f.min, f.max)
		}
		return nil, fail("WRONG_NUM_ARGS", "%s takes %s arguments, got %d", e.Name, want, n)
	}
	args, err := b.bindList(e.Args)
	if err != nil {
		return nil, err
	}
	return f.bind(b, args)
}

func (b *binder) callFunction(name string, args []*node) (*node, error) {
	return functions()[name].bind(b, args)
}

// strict makes a function of fixed parameter types that is NULL where an argument is NULL. Arguments beyond the list
// take its last type.
func strict(result plan.Kind, least, most int, fn func(a []any) (any, error), params ...plan.Kind) function {
	return function{least, most, func(b *binder, args []*node) (*node, error) {
		args, err := b.params(args, params...)
		if err != nil {
			return nil, err
		}
		return strictNode(plan.Of(result), args, fn), nil
	}}
}

// params casts arguments implicitly to the parameter types.
func (b *binder) params(args []*node, params ...plan.Kind) ([]*node, error) {
	out := make([]*node, len(args))
	for i, a := range args {
		want := plan.Of(params[min(i, len(params)-1)])
		if !acceptable(a.typ, want) {
			return nil, mismatch("a "+want.String()+" as argument "+fmt.Sprint(i+1), a)
		}
		var err error
		if out[i], err = b.implicit(a, want); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// acceptable says whether an argument may be cast to a parameter's type without being asked: AnsiTypeCoercion's
// implicitCast, and strings to anything atomic.
func acceptable(from, to plan.Type) bool {
	switch {
	case from.Equal(to), from.Kind == plan.Null:
		return true
	case to.Kind == plan.String:
		return from.Atomic() && from.Kind != plan.Binary
	case from.Kind == plan.String:
		return to.Atomic() && to.Kind != plan.Boolean
	case to.Kind == plan.Double:
		return from.Numeric()
	case to.Integral():
		return from.Integral() && from.Kind <= to.Kind
	case to.Kind == plan.Timestamp:
		return from.Kind == plan.Date || from.Kind == plan.TimestampNTZ
	case to.Kind == plan.Date:
		return from.Kind == plan.Timestamp || from.Kind == plan.TimestampNTZ
	}
	return false
}

func castFunctions() map[string]function {
	all := map[string]function{}
	for _, name := range []string{"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "string", "binary", "date", "timestamp"} {
		to, _ := plan.ParseType(name)
		all[name] = function{1, 1, func(b *binder, args []*node) (*node, error) { return b.cast(args[0], to, false) }}
	}
	all["typeof"] = function{1, 1, func(b *binder, args []*node) (*node, error) {
		return constNode(plan.Of(plan.String), args[0].typ.String()), nil
	}}
	return all
}

func hashFunctions() map[string]function {
	hashOf := func(result plan.Kind, fn func(values ...any) any) function {
		return function{1, -1, func(b *binder, args []*node) (*node, error) {
			types := make([]plan.Type, len(args))
			for i, a := range args {
				if types[i] = a.typ; a.typ.Kind == plan.Map {
					return nil, mismatch("anything but a map to hash", a)
				}
			}
			n := looseNode(plan.Of(result), args, func(a []any) (any, error) {
				for i := range a {
					a[i] = withPrecision(a[i], types[i])
				}
				return fn(a...), nil
			})
			n.nullable = false
			return n, nil
		}}
	}
	return map[string]function{
		"xxhash64": hashOf(plan.Long, func(v ...any) any { return XXHash64(v...) }),
		"hash":     hashOf(plan.Int, func(v ...any) any { return Murmur3(v...) }),
	}
}

func conditionalFunctions() map[string]function {
	isNull := func(want bool) function {
		return function{1, 1, func(b *binder, args []*node) (*node, error) {
			n := looseNode(boolean, args, func(a []any) (any, error) { return (a[0] == nil) == want, nil })
			n.nullable = false
			return n, nil
		}}
	}
	coalesce := func(least, most int) function {
		return function{least, most, func(b *binder, args []*node) (*node, error) { return b.coalesce(args) }}
	}
	extreme := func(what string, better func(c int) bool) function {
		return function{2, -1, func(b *binder, args []*node) (*node, error) {
			args, t, err := b.unify(what, args)
			if err != nil {
				return nil, err
			}
			return looseNode(t, args, func(a []any) (any, error) {
				var best any
				for _, v := range a {
					if v != nil && (best == nil || better(Compare(v, best))) {
						best = v
					}
				}
				return best, nil
			}), nil
		}}
	}
	when := func(b *binder, cond, yes, no *node) (*node, error) {
		cond, err := b.wantBoolean(cond)
		if err != nil {
			return nil, err
		}
		return b.choose("if", []*node{cond}, []*node{yes, no})
	}
	return map[string]function{
		"coalesce": coalesce(1, -1), "ifnull": coalesce(2, 2), "nvl": coalesce(2, 2),
		"isnull": isNull(true), "isnotnull": isNull(false),
		"greatest": extreme("greatest", func(c int) bool { return c > 0 }),
		"least":    extreme("least", func(c int) bool { return c < 0 }),
		"if":       {3, 3, func(b *binder, a []*node) (*node, error) { return when(b, a[0], a[1], a[2]) }},
		"nvl2": {3, 3, func(b *binder, a []*node) (*node, error) {
			cond, err := b.callFunction("isnotnull", a[:1])
			if err != nil {
				return nil, err
			}
			return when(b, cond, a[1], a[2])
		}},
		"nullif": {2, 2, func(b *binder, a []*node) (*node, error) {
			same, err := b.compare("=", a[0], a[1])
			if err != nil {
				return nil, err
			}
			return when(b, same, constNode(a[0].typ, nil), a[0])
		}},
		"equal_null": {2, 2, func(b *binder, a []*node) (*node, error) { return b.compare("<=>", a[0], a[1]) }},
		"zeroifnull": {1, 1, func(b *binder, a []*node) (*node, error) {
			return b.coalesce([]*node{a[0], constNode(plan.Of(plan.Int), int32(0))})
		}},
		"nullifzero": {1, 1, func(b *binder, a []*node) (*node, error) {
			return b.callFunction("nullif", []*node{a[0], constNode(plan.Of(plan.Int), int32(0))})
		}},
	}
}
