// Package expr evaluates the expression language of package plan over rows, with the semantics of Spark SQL 4 in its
// default ANSI mode: three-valued logic, Spark's implicit casts and decimal rules, errors for overflow, division by zero
// and malformed casts, xxhash64 and hash equal to Spark's. Its results are compared with Spark's own in testdata.
//
// What differs: regular expressions are RE2 (no look-around, no back-references: refused by name); only the session time
// zone of [Env] exists; functions outside the subset are refused with the nearest known names.
package expr

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gomosaic/mdslib/plan"
)

// Env is what an expression may depend on besides its row. The zero value is UTC.
type Env struct {
	Location *time.Location // the session time zone
}

func (e Env) location() *time.Location {
	if e.Location == nil {
		return time.UTC
	}
	return e.Location
}

// Lazy is a row value that is read when first needed, such as a file's content. Load may be called many times and from
// several goroutines.
type Lazy interface{ Load() (any, error) }

// Bound is an expression checked against a schema, ready to be evaluated. It is safe for concurrent use.
type Bound struct {
	Text  string
	Field plan.Field // name, type and nullability of the result
	node  *node
}

// Eval computes the expression for a row of the schema's columns. A nil result is NULL. Errors are [*Error].
func (b *Bound) Eval(row []any) (any, error) {
	v, err := b.node.eval(row)
	if err != nil {
		if e, ok := err.(*Error); ok && e.Text == "" {
			e.Text = b.Text
		}
		return nil, err
	}
	return v, nil
}

// Column returns the position of the input column that the expression passes on unchanged, or -1.
func (b *Bound) Column() int {
	if b.node.isColumn {
		return b.node.column
	}
	return -1
}

// Error says what went wrong in an expression and where. Class is Spark's error class where it has one, such as
// DIVIDE_BY_ZERO.
type Error struct {
	Text  string // the expression
	Pos   int    // byte offset in Text, -1 if unknown
	Class string
	Msg   string
	Hint  string
}

// Error renders the message over the expression with a caret.
func (e *Error) Error() string {
	msg := e.Msg
	if e.Class != "" {
		msg = "[" + e.Class + "] " + msg
	}
	return plan.Caret(e.Text, e.Pos, msg, e.Hint)
}

func fail(class, format string, args ...any) *Error {
	return &Error{Pos: -1, Class: class, Msg: fmt.Sprintf(format, args...)}
}

type evalFunc func(row []any) (any, error)

// node is a bound expression: its type and how to compute it.
type node struct {
	typ      plan.Type
	nullable bool
	eval     evalFunc
	constant bool // eval ignores its row
	literal  bool // written as a literal
	isColumn bool
	column   int
	pos      int
}

func (n *node) value() (any, error) { return n.eval(nil) }

type binder struct {
	text   string
	schema plan.Schema
	env    Env
}

// Bind parses text and checks it against the schema. It refuses stars and aggregates.
func Bind(text string, schema plan.Schema, env Env) (*Bound, error) {
	e, err := plan.Parse(text)
	if err != nil {
		return nil, err
	}
	return BindParsed(text, e, schema, env)
}

// BindAll binds a list of expressions; a star stands for all columns of the schema.
func BindAll(texts []string, schema plan.Schema, env Env) ([]*Bound, error) {
	var all []*Bound
	for _, text := range texts {
		e, err := plan.Parse(text)
		if err != nil {
			return nil, err
		}
		if star, ok := e.(*plan.Star); ok {
			columns, err := bindStar(text, star, schema, env)
			if err != nil {
				return nil, err
			}
			all = append(all, columns...)
			continue
		}
		b, err := BindParsed(text, e, schema, env)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// bindStar binds the columns that a star stands for: all, those of a table's alias, or the members of a struct.
func bindStar(text string, star *plan.Star, schema plan.Schema, env Env) ([]*Bound, error) {
	var all []*Bound
	for i, f := range schema.Fields {
		if star.Of == "" || strings.EqualFold(f.Table, star.Of) {
			if star.Of != "" && f.Less {
				return nil, &Error{Text: text, Pos: star.At, Msg: fmt.Sprintf("%s would lack the columns that the join was by", star), Hint: "name the columns, or join by a condition (JoinOn)"}
			}
			all = append(all, &Bound{text, f, columnNode(i, f)})
		}
	}
	if star.Of == "" || len(all) > 0 {
		return all, nil
	}
	st, err := BindParsed(text, &plan.Column{At: star.At, Parts: []string{star.Of}}, schema, env)
	if err != nil {
		return nil, err
	}
	if st.Field.Type.Kind != plan.Struct {
		return nil, &Error{Text: text, Pos: star.At, Class: "CANNOT_RESOLVE_STAR_EXPAND", Msg: fmt.Sprintf("%q is no table's alias and no struct, but %s", star.Of, st.Field.Type)}
	}
	for _, f := range st.Field.Type.Fields {
		b, err := BindParsed(text, &plan.Column{At: star.At, Parts: []string{star.Of, f.Name}}, schema, env)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// BindParsed is [Bind] of an expression that is parsed already; text is what it was parsed from, for errors.
func BindParsed(text string, e plan.Expr, schema plan.Schema, env Env) (*Bound, error) {
	b := &binder{text, schema, env}
	n, err := b.bind(e)
	if err != nil {
		if e, ok := err.(*Error); ok && e.Text == "" {
			e.Text = text
		}
		return nil, err
	}
	f := plan.Field{Name: plan.NameOf(e), Type: n.typ, Nullable: n.nullable}
	if _, named := e.(*plan.Column); named && n.isColumn { // a column keeps its table, a new name has none
		f.Table, f.Less = schema.Fields[n.column].Table, schema.Fields[n.column].Less
	}
	return &Bound{text, f, n}, nil
}

func columnNode(i int, f plan.Field) *node {
	return &node{typ: f.Type, nullable: f.Nullable, isColumn: true, column: i, eval: func(row []any) (any, error) {
		v := row[i]
		if l, ok := v.(Lazy); ok {
			return l.Load()
		}
		return v, nil
	}}
}

// bind checks e and adds its place to the errors that it may give.
func (b *binder) bind(e plan.Expr) (*node, error) {
	n, err := b.bindKind(e)
	if err != nil {
		return nil, placed(err, e.Pos())
	}
	n.pos = e.Pos()
	if n.isColumn || n.literal {
		return n, nil
	}
	inner, pos := n.eval, e.Pos()
	n.eval = func(row []any) (any, error) {
		v, err := inner(row)
		if err != nil {
			return nil, placed(err, pos)
		}
		return v, nil
	}
	if n.constant { // computed once; an error waits for a row, as CASE may never reach it
		v, err := n.value()
		n.eval = func([]any) (any, error) {
			if e, ok := err.(*Error); ok {
				e := *e
				return nil, &e
			}
			return v, err
		}
	}
	return n, nil
}

func placed(err error, pos int) error {
	if e, ok := err.(*Error); ok && e.Pos < 0 {
		e.Pos = pos
	}
	return err
}

func (b *binder) bindKind(e plan.Expr) (*node, error) {
	switch e := e.(type) {
	case *plan.Literal:
		v := e.Value
		return &node{typ: e.Type, nullable: v == nil, constant: true, literal: true, eval: func([]any) (any, error) { return v, nil }}, nil
	case *plan.Column:
		return b.columnRef(e)
	case *plan.Alias:
		return b.bind(e.X)
	case *plan.Star:
		return nil, fail("", "* stands for columns only in Select and in count(*)")
	case *plan.Cast:
		x, err := b.bind(e.X)
		if err != nil {
			return nil, err
		}
		return b.cast(x, e.To, e.Try)
	case *plan.Call:
		return b.call(e)
	case *plan.Case:
		return b.caseOf(e)
	}
	parts, err := b.bindList(plan.Children(e))
	if err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *plan.UnaryOp:
		return b.unary(e.Op, parts[0])
	case *plan.BinaryOp:
		return b.binary(e.Op, parts[0], parts[1])
	case *plan.In:
		n, err := b.in(parts[0], parts[1:])
		return b.negate(e.Not, n, err)
	case *plan.Between:
		low, err := b.compare(">=", parts[0], parts[1])
		if err != nil {
			return nil, err
		}
		high, err := b.compare("<=", parts[0], parts[2])
		if err != nil {
			return nil, err
		}
		return b.negate(e.Not, b.and(low, high), nil)
	case *plan.Like:
		n, err := b.like(e, parts[0], parts[1])
		return b.negate(e.Not, n, err)
	case *plan.Is:
		n, err := b.is(e.What, parts[0])
		return b.negate(e.Not, n, err)
	case *plan.Item:
		return b.item(parts[0], parts[1])
	case *plan.Member:
		return b.member(parts[0], e.Name)
	}
	return nil, fail("", "%T isn't part of the subset", e)
}

func (b *binder) bindList(list []plan.Expr) ([]*node, error) {
	nodes := make([]*node, len(list))
	for i, e := range list {
		var err error
		if nodes[i], err = b.bind(e); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (b *binder) columnRef(e *plan.Column) (*node, error) {
	i, used, unique := b.schema.Resolve(e.Parts)
	if !unique {
		hint := "rename one of them with WithColumnRenamed"
		if b.schema.Fields[i].Table != "" {
			hint = "write its table's alias before it, " + b.schema.Fields[i].Table + "." + b.schema.Fields[i].Name
		}
		return nil, &Error{Pos: e.At, Class: "AMBIGUOUS_REFERENCE", Msg: fmt.Sprintf("column %q could be either of two columns", strings.Join(e.Parts[:used], ".")), Hint: hint}
	}
	if i < 0 {
		hint := plan.Nearest(e.Parts[0], b.schema.Names())
		if hint == "" {
			hint = "columns: " + strings.Join(b.schema.Names(), ", ")
		}
		return nil, &Error{Pos: e.At, Class: "UNRESOLVED_COLUMN", Msg: fmt.Sprintf("no column %q", e.Parts[0]), Hint: hint}
	}
	n := columnNode(i, b.schema.Fields[i])
	for _, name := range e.Parts[used:] {
		var err error
		if n, err = b.member(n, name); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (b *binder) member(x *node, name string) (*node, error) {
	if x.typ.Kind == plan.Map {
		return b.item(x, constNode(plan.Of(plan.String), name))
	}
	if x.typ.Kind != plan.Struct {
		return nil, fail("INVALID_EXTRACT_BASE_FIELD_TYPE", "a %s has no field %q", x.typ, name)
	}
	i, unique := plan.Schema{Fields: x.typ.Fields}.Index(name)
	if i < 0 || !unique {
		return nil, fail("FIELD_NOT_FOUND", "no field %q in %s", name, x.typ)
	}
	f := x.typ.Fields[i]
	return strictNode(f.Type, []*node{x}, func(a []any) (any, error) { return a[0].(plan.StructValue)[i], nil }).orNull(f.Nullable), nil
}

func (n *node) orNull(nullable bool) *node {
	n.nullable = n.nullable || nullable
	return n
}

func constNode(t plan.Type, v any) *node {
	return &node{typ: t, nullable: v == nil, constant: true, literal: true, pos: -1, eval: func([]any) (any, error) { return v, nil }}
}

// strictNode computes fn where no argument is NULL, and is NULL elsewhere.
func strictNode(t plan.Type, args []*node, fn func(a []any) (any, error)) *node {
	n := &node{typ: t, constant: true, pos: -1}
	for _, a := range args {
		n.nullable = n.nullable || a.nullable
		n.constant = n.constant && a.constant
	}
	switch len(args) {
	case 1:
		x := args[0].eval
		n.eval = func(row []any) (any, error) {
			v, err := x(row)
			if v == nil || err != nil {
				return nil, err
			}
			return fn([]any{v})
		}
	default:
		n.eval = func(row []any) (any, error) {
			a := make([]any, len(args))
			for i, x := range args {
				v, err := x.eval(row)
				if v == nil || err != nil {
					return nil, err
				}
				a[i] = v
			}
			return fn(a)
		}
	}
	return n
}

// looseNode computes fn from all arguments, NULL ones as nil.
func looseNode(t plan.Type, args []*node, fn func(a []any) (any, error)) *node {
	return &node{typ: t, nullable: true, pos: -1, constant: allConstant(args), eval: func(row []any) (any, error) {
		a := make([]any, len(args))
		for i, x := range args {
			var err error
			if a[i], err = x.eval(row); err != nil {
				return nil, err
			}
		}
		return fn(a)
	}}
}

func allConstant(args []*node) bool {
	return !slices.ContainsFunc(args, func(n *node) bool { return !n.constant })
}
