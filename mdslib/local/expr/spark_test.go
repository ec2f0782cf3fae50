package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"gomosaic/mdslib/plan"
)

// sparkCase is what Spark says of one expression.
type sparkCase struct {
	Expr  string
	Type  string
	Value *string // as text; nil is NULL
	Error string  // its class; empty if there was none
}

// sparkCases reads what testdata/expressions.py wrote.
func sparkCases(t testing.TB) []sparkCase {
	t.Helper()
	text, err := os.ReadFile("testdata/expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []sparkCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// evaluate is the expression's type and its value as text.
func evaluate(text string) (typ string, value *string, err error) {
	b, err := Bind(text, plan.Schema{}, Env{})
	if err != nil {
		return "", nil, err
	}
	typ = b.Field.Type.String()
	b, err = Bind("CAST(("+text+") AS STRING)", plan.Schema{}, Env{})
	if err != nil {
		return typ, nil, err
	}
	v, err := b.Eval(nil)
	if err != nil || v == nil {
		return typ, nil, err
	}
	s := v.(string)
	return typ, &s, nil
}

// TestEqualsSpark compares type, value and error class of every expression with Spark 4.2's.
func TestEqualsSpark(t *testing.T) {
	for _, want := range sparkCases(t) {
		typ, value, err := evaluate(want.Expr)
		if want.Error != "" {
			var e *Error
			if err == nil {
				t.Errorf("%s = %s; Spark refuses it with %s", want.Expr, show(value), want.Error)
			} else if errors.As(err, &e) && e.Class != "" && class(e.Class) != class(want.Error) {
				t.Errorf("%s: error class %s, Spark's is %s", want.Expr, e.Class, want.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v; Spark gives %s", want.Expr, err, show(want.Value))
			continue
		}
		if typ != want.Type {
			t.Errorf("%s is a %s, Spark's is a %s", want.Expr, typ, want.Type)
		}
		if show(value) != show(want.Value) {
			t.Errorf("%s = %s, Spark gives %s", want.Expr, show(value), show(want.Value))
		}
	}
}

// class is an error class without its sub-class.
func class(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return name
}

func show(s *string) string {
	if s == nil {
		return "NULL"
	}
	return "'" + *s + "'"
}

// FuzzExpression: no text makes the parser or the evaluator panic.
func FuzzExpression(f *testing.F) {
	for _, c := range sparkCases(f) {
		f.Add(c.Expr)
	}
	f.Fuzz(func(t *testing.T, text string) { evaluate(text) })
}

func ExampleBind() {
	schema := plan.Schema{Fields: []plan.Field{{Name: "path", Type: plan.Of(plan.String)}}}
	label, err := Bind("element_at(split(path, '/'), -2)", schema, Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := label.Eval([]any{"file:/flowers/daisy/1.jpg"})
	fmt.Println(value, err)
	// Output: daisy <nil>
}
