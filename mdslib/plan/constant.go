package plan

// Constants that steps are given as Go values.

import (
	"fmt"
	"reflect"
)

// Constant is a number, text or a bool: the field that is set.
type Constant struct {
	Long   *int64   `json:"long,omitempty"`
	Double *float64 `json:"double,omitempty"`
	Text   *string  `json:"text,omitempty"`
	Flag   *bool    `json:"flag,omitempty"`
}

// ConstantOf is that of a Go value of a numeric type, a string or a bool, or of a type made of one.
func ConstantOf(value any) (Constant, error) {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Constant{Long: new(v.Int())}, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return Constant{Long: new(int64(v.Uint()))}, nil
	case reflect.Float32, reflect.Float64:
		return Constant{Double: new(v.Float())}, nil
	case reflect.String:
		return Constant{Text: new(v.String())}, nil
	case reflect.Bool:
		return Constant{Flag: new(v.Bool())}, nil
	}
	return Constant{}, fmt.Errorf("the value is of type %T: want a number, text or a bool", value)
}

// Expr is the constant as an expression.
func (c Constant) Expr() string {
	switch {
	case c.Long != nil:
		return fmt.Sprintf("%dL", *c.Long)
	case c.Double != nil:
		return "CAST('" + JavaDouble(*c.Double) + "' AS DOUBLE)"
	case c.Text != nil:
		return QuoteString(*c.Text)
	case c.Flag != nil:
		return fmt.Sprint(*c.Flag)
	}
	return "NULL"
}

// Kin tells the types whose columns hold constants of this kind: all numeric ones for a number.
func (c Constant) Kin(t Type) bool {
	switch {
	case c.Long != nil, c.Double != nil:
		return t.Numeric()
	case c.Text != nil:
		return t.Kind == String
	case c.Flag != nil:
		return t.Kind == Boolean
	}
	return false
}
