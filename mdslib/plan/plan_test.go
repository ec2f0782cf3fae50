package plan

import (
	"reflect"
	"strings"
	"testing"
)

// tutorial is the tutorial's plan, with the other steps around it.
func tutorial() Node {
	read := &Read{Format: "binaryFile", Options: map[string]string{"pathGlobFilter": "*.jpg"}, Paths: []string{"/a b/flowers"}}
	labelled := &WithColumns{Input: read, Columns: []NamedExpr{{Name: "label", Expr: "element_at(split(path, '/'), -2)"}}}
	train := &Limit{Input: &Filter{Input: labelled, Condition: "length < 9000"}, N: 90}
	return &Project{Input: &Distinct{Input: &Union{All: []Node{train, &Drop{Input: train, Columns: []string{"x"}}}}}, Exprs: []string{"content AS image"}}
}

func TestPlanTravelsAsJSON(t *testing.T) {
	b, err := Marshal(tutorial())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, tutorial()) {
		t.Errorf("the plan came back as %s", b)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                              "plan",
		`{"op": "explode", "args": {}}`:  "explode",
		`{"op": "limit", "args": {}}`:    "0 inputs",
		`{"op": "limit", "args": "ten"}`: "limit",
	} {
		if _, err := Unmarshal([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: err = %v, want one with %q", text, err, want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	b, err := Marshal(tutorial())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Add(`{"op":"read","args":{"format":"csv","paths":["x"]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Unmarshal([]byte(text))
		if err != nil {
			return
		}
		if _, err := Marshal(n); err != nil {
			t.Errorf("%q is read but not written: %v", text, err)
		}
	})
}

// TestSyntaxErrors: a slip is shown in its place.
func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a +":              "column 4",
		"a = 'open":        "closing quote",
		"CASE WHEN a THEN": "value",
		"f(a, )":           "column 6",
		"a ? b":            "column 3",
		"CAST(a AS whale)": "whale",
		"":                 "want a value",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: err = %v, want one with %q", text, err, want)
		}
	}
}

func TestColumnsOf(t *testing.T) {
	e, err := Parse("if(a > `b c`, upper(d.e), a)")
	if err != nil {
		t.Fatal(err)
	}
	names, star := ColumnsOf(e)
	if got := strings.Join(names, ","); star || got != "a,b c,d,a" {
		t.Errorf("ColumnsOf = %s, %v", got, star)
	}
}
