package expr

import (
	"gomosaic/mdslib/plan"
)

var boolean = plan.Of(plan.Boolean)

func (b *binder) wantBoolean(x *node) (*node, error) {
	if x.typ.Kind == plan.Boolean || x.typ.Kind == plan.Null || x.typ.Kind == plan.String {
		return b.implicit(x, boolean)
	}
	return nil, mismatch("a boolean", x)
}

func mismatch(want string, got *node) *Error {
	e := fail("DATATYPE_MISMATCH", "want %s, got %s", want, got.typ)
	e.Pos = got.pos
	return e
}

// and is SQL's AND: false beats NULL, and a false left side leaves the right one alone.
func (b *binder) and(l, r *node) *node {
	return &node{typ: boolean, nullable: l.nullable || r.nullable, constant: l.constant && r.constant, pos: -1, eval: func(row []any) (any, error) {
		x, err := l.eval(row)
		if err != nil || x == false {
			return x, err
		}
		y, err := r.eval(row)
		if err != nil || y == false || x != nil {
			return y, err
		}
		return nil, nil
	}}
}

func (b *binder) or(l, r *node) *node {
	return &node{typ: boolean, nullable: l.nullable || r.nullable, constant: l.constant && r.constant, pos: -1, eval: func(row []any) (any, error) {
		x, err := l.eval(row)
		if err != nil || x == true {
			return x, err
		}
		y, err := r.eval(row)
		if err != nil || y == true || x != nil {
			return y, err
		}
		return nil, nil
	}}
}

func (b *binder) negate(not bool, n *node, err error) (*node, error) {
	if err != nil || !not {
		return n, err
	}
	return strictNode(boolean, []*node{n}, func(a []any) (any, error) { return !a[0].(bool), nil }), nil
}

func (b *binder) is(what string, x *node) (*node, error) {
	if what == "NULL" {
		n := looseNode(boolean, []*node{x}, func(a []any) (any, error) { return a[0] == nil, nil })
		n.nullable = false
		return n, nil
	}
	x, err := b.wantBoolean(x)
	if err != nil {
		return nil, err
	}
	var want any
	switch what {
	case "TRUE":
		want = true
	case "FALSE":
		want = false
	}
	n := looseNode(boolean, []*node{x}, func(a []any) (any, error) { return a[0] == want, nil })
	n.nullable = false
	return n, nil
}

// compare is one of = != < <= > >=, NULL where a side is NULL; <=> takes NULLs for equal.
func (b *binder) compare(op string, l, r *node) (*node, error) {
	t, ok := comparisonType(l, r)
	if !ok {
		return nil, fail("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "can't compare %s with %s", l.typ, r.typ)
	}
	if t.Kind == plan.Map {
		return nil, fail("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "can't compare maps")
	}
	l, err := b.implicit(l, t)
	if err != nil {
		return nil, err
	}
	if r, err = b.implicit(r, t); err != nil {
		return nil, err
	}
	if op == "<=>" {
		n := looseNode(boolean, []*node{l, r}, func(a []any) (any, error) {
			if a[0] == nil || a[1] == nil {
				return a[0] == nil && a[1] == nil, nil
			}
			return Compare(a[0], a[1]) == 0, nil
		})
		n.nullable = false
		return n, nil
	}
	var test func(c int) bool
	switch op {
	case "=":
		test = func(c int) bool { return c == 0 }
	case "!=":
		test = func(c int) bool { return c != 0 }
	case "<":
		test = func(c int) bool { return c < 0 }
	case "<=":
		test = func(c int) bool { return c <= 0 }
	case ">":
		test = func(c int) bool { return c > 0 }
	case ">=":
		test = func(c int) bool { return c >= 0 }
	}
	return strictNode(boolean, []*node{l, r}, func(a []any) (any, error) { return test(Compare(a[0], a[1])), nil }), nil
}

// in is true if a value is equal, else NULL if a value or x is NULL, else false.
func (b *binder) in(x *node, list []*node) (*node, error) {
	all, _, err := b.unify("IN", append([]*node{x}, list...))
	if err != nil {
		return nil, err
	}
	n := looseNode(boolean, all, func(a []any) (any, error) {
		if a[0] == nil {
			return nil, nil
		}
		var miss any = false
		for _, v := range a[1:] {
			if v == nil {
				miss = nil
			} else if Compare(a[0], v) == 0 {
				return true, nil
			}
		}
		return miss, nil
	})
	return n, nil
}

func (b *binder) caseOf(e *plan.Case) (*node, error) {
	var of *node
	var err error
	if e.Of != nil {
		if of, err = b.bind(e.Of); err != nil {
			return nil, err
		}
	}
	var conds, results []*node
	for _, w := range e.Whens {
		cond, err := b.bind(w.If)
		if err != nil {
			return nil, err
		}
		if of != nil {
			cond, err = b.compare("=", of, cond)
		} else {
			cond, err = b.wantBoolean(cond)
		}
		if err != nil {
			return nil, err
		}
		then, err := b.bind(w.Then)
		if err != nil {
			return nil, err
		}
		conds, results = append(conds, cond), append(results, then)
	}
	if e.Else != nil {
		n, err := b.bind(e.Else)
		if err != nil {
			return nil, err
		}
		results = append(results, n)
	} else {
		results = append(results, constNode(plan.Of(plan.Null), nil))
	}
	return b.choose("CASE", conds, results)
}

// choose is the first result whose condition is true, else the last one. Only that one is computed.
func (b *binder) choose(what string, conds, results []*node) (*node, error) {
	results, t, err := b.unify(what, results)
	if err != nil {
		return nil, err
	}
	n := &node{typ: t, constant: allConstant(conds) && allConstant(results), pos: -1, eval: func(row []any) (any, error) {
		for i, c := range conds {
			v, err := c.eval(row)
			if err != nil {
				return nil, err
			}
			if v == true {
				return results[i].eval(row)
			}
		}
		return results[len(results)-1].eval(row)
	}}
	for _, r := range results {
		n.nullable = n.nullable || r.nullable
	}
	return n, nil
}

func (b *binder) coalesce(args []*node) (*node, error) {
	args, t, err := b.unify("coalesce", args)
	if err != nil {
		return nil, err
	}
	n := &node{typ: t, nullable: true, constant: allConstant(args), pos: -1, eval: func(row []any) (any, error) {
		for _, x := range args {
			if v, err := x.eval(row); v != nil || err != nil {
				return v, err
			}
		}
		return nil, nil
	}}
	for _, x := range args {
		n.nullable = n.nullable && x.nullable
	}
	return n, nil
}
