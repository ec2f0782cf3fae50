package plan

// Expr is a parsed expression. Its String is the text Spark would name the column by.
type Expr interface {
	// Pos is the byte offset of the expression in its source text.
	Pos() int
	String() string
}

// Literal is a constant; Value is as described beside [DateValue].
type Literal struct {
	At    int
	Type  Type
	Value any
}

// Column names a column, perhaps with the alias of its table before it, or with more parts a member of a struct column.
type Column struct {
	At    int
	Parts []string
}

// Star is every column of the input, or with Of those of the table of that alias, or the members of that struct column.
type Star struct {
	At int
	Of string
}

// UnaryOp is -X, +X, ~X or NOT X.
type UnaryOp struct {
	At int
	Op string
	X  Expr
}

// BinaryOp is L Op R: arithmetic + - * / % DIV, bits & | ^ << >> >>>, || (concatenation), comparisons = <=> != < <= > >=,
// AND, OR.
type BinaryOp struct {
	At   int
	Op   string
	L, R Expr
}

// Call applies a function by its lower-case name. Distinct is that of an aggregate.
type Call struct {
	At       int
	Name     string
	Args     []Expr
	Distinct bool
}

// Cast is CAST(X AS To), X::To or TRY_CAST(X AS To).
type Cast struct {
	At  int
	X   Expr
	To  Type
	Try bool
}

// When is one branch of a [Case].
type When struct{ If, Then Expr }

// Case is CASE [Of] WHEN … THEN … [ELSE …] END; Of and Else may be nil.
type Case struct {
	At    int
	Of    Expr
	Whens []When
	Else  Expr
}

// In is X [NOT] IN (List).
type In struct {
	At   int
	X    Expr
	List []Expr
	Not  bool
}

// Between is X [NOT] BETWEEN Low AND High.
type Between struct {
	At           int
	X, Low, High Expr
	Not          bool
}

// Like is X [NOT] Op Pattern, Op one of LIKE, ILIKE, RLIKE. Escape is LIKE's escape character.
type Like struct {
	At         int
	Op         string
	X, Pattern Expr
	Escape     rune
	Not        bool
}

// Is is X IS [NOT] What, What one of NULL, TRUE, FALSE, UNKNOWN.
type Is struct {
	At   int
	X    Expr
	What string
	Not  bool
}

// Item is X[I]: an element of an array, counted from 0, or the value of a map's key.
type Item struct {
	At   int
	X, I Expr
}

// Member is X.Name, a member of a struct.
type Member struct {
	At   int
	X    Expr
	Name string
}

// Alias is X AS Name.
type Alias struct {
	At   int
	X    Expr
	Name string
}

func (e *Literal) Pos() int  { return e.At }
func (e *Column) Pos() int   { return e.At }
func (e *Star) Pos() int     { return e.At }
func (e *UnaryOp) Pos() int  { return e.At }
func (e *BinaryOp) Pos() int { return e.At }
func (e *Call) Pos() int     { return e.At }
func (e *Cast) Pos() int     { return e.At }
func (e *Case) Pos() int     { return e.At }
func (e *In) Pos() int       { return e.At }
func (e *Between) Pos() int  { return e.At }
func (e *Like) Pos() int     { return e.At }
func (e *Is) Pos() int       { return e.At }
func (e *Item) Pos() int     { return e.At }
func (e *Member) Pos() int   { return e.At }
func (e *Alias) Pos() int    { return e.At }

// Children returns the direct parts of e, in the order they are written.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *UnaryOp:
		return []Expr{e.X}
	case *BinaryOp:
		return []Expr{e.L, e.R}
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.X}
	case *Case:
		var parts []Expr
		if e.Of != nil {
			parts = append(parts, e.Of)
		}
		for _, w := range e.Whens {
			parts = append(parts, w.If, w.Then)
		}
		if e.Else != nil {
			parts = append(parts, e.Else)
		}
		return parts
	case *In:
		return append([]Expr{e.X}, e.List...)
	case *Between:
		return []Expr{e.X, e.Low, e.High}
	case *Like:
		return []Expr{e.X, e.Pattern}
	case *Is:
		return []Expr{e.X}
	case *Item:
		return []Expr{e.X, e.I}
	case *Member:
		return []Expr{e.X}
	case *Alias:
		return []Expr{e.X}
	}
	return nil
}

// ColumnsOf returns what may be a column's name in e, and whether e contains a star: of l.id both parts, as l may be a
// table's alias or a struct.
func ColumnsOf(e Expr) (names []string, star bool) {
	switch e := e.(type) {
	case *Column:
		return e.Parts[:min(2, len(e.Parts))], false
	case *Star:
		return nil, true
	}
	for _, c := range Children(e) {
		n, s := ColumnsOf(c)
		names, star = append(names, n...), star || s
	}
	return names, star
}

// MapChildren returns a copy of e whose direct parts are what fn makes of them.
func MapChildren(e Expr, fn func(Expr) (Expr, error)) (Expr, error) {
	var err error
	do := func(x Expr) Expr {
		if x == nil || err != nil {
			return x
		}
		var y Expr
		if y, err = fn(x); err != nil {
			return x
		}
		return y
	}
	all := func(list []Expr) []Expr {
		out := make([]Expr, len(list))
		for i, x := range list {
			out[i] = do(x)
		}
		return out
	}
	switch x := e.(type) {
	case *UnaryOp:
		e = &UnaryOp{x.At, x.Op, do(x.X)}
	case *BinaryOp:
		e = &BinaryOp{x.At, x.Op, do(x.L), do(x.R)}
	case *Call:
		e = &Call{x.At, x.Name, all(x.Args), x.Distinct}
	case *Cast:
		e = &Cast{x.At, do(x.X), x.To, x.Try}
	case *Case:
		c := &Case{At: x.At, Of: do(x.Of)}
		for _, w := range x.Whens {
			c.Whens = append(c.Whens, When{do(w.If), do(w.Then)})
		}
		c.Else = do(x.Else)
		e = c
	case *In:
		e = &In{x.At, do(x.X), all(x.List), x.Not}
	case *Between:
		e = &Between{x.At, do(x.X), do(x.Low), do(x.High), x.Not}
	case *Like:
		e = &Like{x.At, x.Op, do(x.X), do(x.Pattern), x.Escape, x.Not}
	case *Is:
		e = &Is{x.At, do(x.X), x.What, x.Not}
	case *Item:
		e = &Item{x.At, do(x.X), do(x.I)}
	case *Member:
		e = &Member{x.At, do(x.X), x.Name}
	case *Alias:
		e = &Alias{x.At, do(x.X), x.Name}
	}
	return e, err
}
