package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is the outer shape of a [Type], one of Spark SQL's data types.
type Kind uint8

// The data types of Spark SQL that a plan can name. Byte, Short, Int and Long are signed two's complement of 8, 16, 32
// and 64 bits; Timestamp counts microseconds since 1970-01-01 UTC, Date days since then.
const (
	Null Kind = iota
	Boolean
	Byte
	Short
	Int
	Long
	Float
	Double
	Decimal
	String
	Binary
	Date
	Timestamp
	TimestampNTZ
	Array
	Map
	Struct
)

// sqlNames are Spark's SQL names (DataType.simpleString); schemaNames are those of printSchema (DataType.typeName).
var (
	sqlNames    = [...]string{"void", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "string", "binary", "date", "timestamp", "timestamp_ntz", "array", "map", "struct"}
	schemaNames = [...]string{"void", "boolean", "byte", "short", "integer", "long", "float", "double", "decimal", "string", "binary", "date", "timestamp", "timestamp_ntz", "array", "map", "struct"}
)

// MaxPrecision is the most decimal digits a Decimal holds.
const MaxPrecision = 38

// Type is a Spark SQL data type. Precision and Scale are those of Decimal; Elem and ContainsNull describe an Array's
// elements or a Map's values, Key a Map's keys, Fields a Struct. As JSON and text it is Spark's simpleString, such as
// "array<int>" or "decimal(10,2)" (the nullability of elements isn't part of it).
type Type struct {
	Kind             Kind
	Precision, Scale int
	Key, Elem        *Type
	ContainsNull     bool
	Fields           []Field
}

// Field is one column of a schema or one member of a struct.
type Field struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Nullable bool   `json:"nullable"`

	// Table is the alias of the table that the column is of, which an expression may put before its name; "" if there is none.
	Table string `json:"-"`
	// Less is set where the table has lost columns to a join by names, so that "alias.*" would not be all of it.
	Less bool `json:"-"`
}

// Of returns the type of a kind that has no parameters.
func Of(k Kind) Type { return Type{Kind: k} }

// DecimalOf returns decimal(precision, scale).
func DecimalOf(precision, scale int) Type {
	return Type{Kind: Decimal, Precision: precision, Scale: scale}
}

// ArrayOf returns array<elem>.
func ArrayOf(elem Type, containsNull bool) Type {
	return Type{Kind: Array, Elem: &elem, ContainsNull: containsNull}
}

// MapOf returns map<key,value>.
func MapOf(key, value Type) Type {
	return Type{Kind: Map, Key: &key, Elem: &value, ContainsNull: true}
}

// StructOf returns struct<fields>.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, Fields: fields} }

// Integral reports whether t is one of tinyint, smallint, int and bigint.
func (t Type) Integral() bool { return t.Kind >= Byte && t.Kind <= Long }

// Fractional reports whether t is float, double or decimal.
func (t Type) Fractional() bool { return t.Kind == Float || t.Kind == Double || t.Kind == Decimal }

// Numeric reports whether t is a number type.
func (t Type) Numeric() bool { return t.Kind >= Byte && t.Kind <= Decimal }

// Atomic reports whether t has no parts.
func (t Type) Atomic() bool { return t.Kind != Null && t.Kind < Array }

// Equal reports whether t and u are the same type; the nullability of parts doesn't count.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || t.Precision != u.Precision || t.Scale != u.Scale {
		return false
	}
	same := func(a, b *Type) bool { return (a == nil) == (b == nil) && (a == nil || a.Equal(*b)) }
	return same(t.Key, u.Key) && same(t.Elem, u.Elem) && slices.EqualFunc(t.Fields, u.Fields, func(a, b Field) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	})
}

// String returns Spark's SQL name of the type.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Array:
		return "array<" + t.Elem.String() + ">"
	case Map:
		return "map<" + t.Key.String() + "," + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + ":" + f.Type.String()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	return sqlNames[t.Kind]
}

// SchemaName returns the name printSchema shows: long for bigint, integer for int.
func (t Type) SchemaName() string {
	if t.Kind == Decimal {
		return t.String()
	}
	return schemaNames[t.Kind]
}

// MarshalText writes the SQL name.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the SQL name.
func (t *Type) UnmarshalText(text []byte) error {
	u, err := ParseType(string(text))
	if err == nil {
		*t = u
	}
	return err
}

// ParseType reads a type as Spark SQL writes it, in any case: "bigint" or "long", "decimal(10,2)", "array<string>",
// "map<string,int>", "struct<a:int,b:string>".
func ParseType(text string) (Type, error) {
	p, err := newParser(text)
	if err != nil {
		return Type{}, err
	}
	t, err := p.dataType()
	if err == nil {
		err = p.end()
	}
	return t, err
}

// ParseSchema reads columns as Spark's DDL strings have them: "name STRING, width INT, tags ARRAY<STRING>", a colon between
// name and type allowed, NOT NULL and COMMENT '…' behind the type taken and NOT NULL kept.
func ParseSchema(text string) (Schema, error) {
	p, err := newParser(text)
	if err != nil {
		return Schema{}, err
	}
	var s Schema
	for {
		name := p.next()
		if name.kind != tokIdent && name.kind != tokQuoted {
			return Schema{}, p.errorAt(name, "want a column's name, got "+name.describe(), "")
		}
		p.accept(":")
		f := Field{Name: name.text, Nullable: true}
		if f.Type, err = p.dataType(); err != nil {
			return Schema{}, err
		}
		if p.word("NOT") {
			if err := p.expectWord("NULL"); err != nil {
				return Schema{}, err
			}
			f.Nullable = false
		}
		if p.word("COMMENT") {
			if t := p.next(); t.kind != tokString {
				return Schema{}, p.errorAt(t, "want the comment in quotes, got "+t.describe(), "")
			}
		}
		if i, _ := s.Index(f.Name); i >= 0 {
			return Schema{}, p.errorAt(name, fmt.Sprintf("column %q occurs twice", f.Name), "")
		}
		s.Fields = append(s.Fields, f)
		if !p.accept(",") {
			return s, p.end()
		}
	}
}

// typeNames are the type words of the SQL grammar.
var typeNames = map[string]Kind{
	"void": Null, "boolean": Boolean, "tinyint": Byte, "byte": Byte, "smallint": Short, "short": Short, "int": Int,
	"integer": Int, "bigint": Long, "long": Long, "float": Float, "real": Float, "double": Double, "decimal": Decimal,
	"dec": Decimal, "numeric": Decimal, "string": String, "varchar": String, "char": String, "binary": Binary, "date": Date,
	"timestamp": Timestamp, "timestamp_ltz": Timestamp, "timestamp_ntz": TimestampNTZ, "array": Array, "map": Map, "struct": Struct,
}

func (p *parser) dataType() (Type, error) {
	t := p.peek()
	kind, ok := typeNames[strings.ToLower(t.text)]
	if t.kind != tokIdent || !ok {
		return Type{}, p.errorAt(t, "want a data type, got "+t.describe(), nearest(t.text, typeNames))
	}
	p.next()
	switch kind {
	case Decimal:
		precision, scale := 10, 0
		if p.accept("(") {
			var err error
			if precision, err = p.smallInt(); err != nil {
				return Type{}, err
			}
			if p.accept(",") {
				if scale, err = p.smallInt(); err != nil {
					return Type{}, err
				}
			}
			if err := p.expect(")"); err != nil {
				return Type{}, err
			}
		}
		if precision < 1 || precision > MaxPrecision || scale > precision {
			return Type{}, p.errorAt(t, fmt.Sprintf("decimal(%d,%d): precision is 1 to %d and scale at most precision", precision, scale, MaxPrecision), "")
		}
		return DecimalOf(precision, scale), nil
	case String:
		if p.accept("(") {
			if _, err := p.smallInt(); err != nil {
				return Type{}, err
			}
			if err := p.expect(")"); err != nil {
				return Type{}, err
			}
		}
	case Array:
		if err := p.expect("<"); err != nil {
			return Type{}, err
		}
		elem, err := p.dataType()
		if err == nil {
			err = p.closeAngle()
		}
		return ArrayOf(elem, true), err
	case Map:
		if err := p.expect("<"); err != nil {
			return Type{}, err
		}
		key, err := p.dataType()
		if err == nil {
			err = p.expect(",")
		}
		if err != nil {
			return Type{}, err
		}
		value, err := p.dataType()
		if err == nil {
			err = p.closeAngle()
		}
		return MapOf(key, value), err
	case Struct:
		return p.structType()
	}
	return Of(kind), nil
}

func (p *parser) structType() (Type, error) {
	st := Type{Kind: Struct}
	if p.accept("<>") {
		return st, nil
	}
	if err := p.expect("<"); err != nil {
		return st, err
	}
	for !p.at(">") && !p.at(">>") {
		name := p.next()
		if name.kind != tokIdent && name.kind != tokQuoted {
			return st, p.errorAt(name, "want a field name, got "+name.describe(), "")
		}
		p.accept(":")
		ft, err := p.dataType()
		if err != nil {
			return st, err
		}
		st.Fields = append(st.Fields, Field{Name: name.text, Type: ft, Nullable: true})
		if !p.accept(",") {
			break
		}
	}
	return st, p.closeAngle()
}

// closeAngle takes one '>' even where the lexer saw two together, as in array<array<int>>.
func (p *parser) closeAngle() error {
	t := p.peek()
	if t.kind == tokOp && len(t.text) > 1 && strings.Trim(t.text, ">") == "" {
		p.tokens[p.i].text = t.text[1:]
		p.tokens[p.i].pos++
		return nil
	}
	return p.expect(">")
}

func (p *parser) smallInt() (int, error) {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil {
		return 0, p.errorAt(t, "want a whole number, got "+t.describe(), "")
	}
	return n, nil
}
