package plan

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"1 + 2 * 3":                     "(1 + (2 * 3))",
		"a = 1 AND NOT b OR c":          "(((a = 1) AND (NOT b)) OR c)",
		"NOT a = b":                     "(NOT (a = b))",
		"-2 * x":                        "(-2 * x)",
		"- x * 2":                       "((- x) * 2)",
		"a | b ^ c & d << 1 + 2":        "(a | (b ^ (c & (d << (1 + 2)))))",
		"a = b = c":                     "((a = b) = c)",
		"x NOT IN (1, 2)":               "(NOT (x IN (1, 2)))",
		"x BETWEEN 1 AND 2 AND y":       "(between(x, 1, 2) AND y)",
		"content AS image":              "content AS image",
		"content image":                 "content AS image",
		"`a b`.c":                       "a b.c",
		"split(p, '/')[0]":              "split(p, /)[0]",
		"a::int + 1":                    "(CAST(a AS INT) + 1)",
		"trim(LEADING 'x' FROM s)":      "ltrim(x, s)",
		"x IS NOT DISTINCT FROM y":      "(x <=> y)",
		"count(DISTINCT x)":             "count(DISTINCT x)",
		"CASE a WHEN 1 THEN 2 END":      "CASE WHEN (a = 1) THEN 2 END",
		"a /* b */ + -- c\n 1":          "(a + 1)",
		"cast(x as array<array<int>>)":  "CAST(x AS ARRAY<ARRAY<INT>>)",
		"'it''s' 'x'":                   "it'sx",
		"1.5e3":                         "1500.0",
		"interval + 1":                  "(interval + 1)",
		"x LIKE 'a!%' ESCAPE '!'":       "x LIKE a!%",
		"extract(YEAR FROM d)":          "year(d)",
		"substring(s FROM 2 FOR 3) = s": "(substring(s, 2, 3) = s)",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if e.String() != want {
			t.Errorf("%s is %s, want %s", text, e, want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "column 1: want a value, got the end",
		"a +":                 "column 4: want a value, got the end",
		"(a":                  "want ), got the end",
		"my label = 1":        "`backquotes`",
		"a = 'x":              "column 5: string without its closing quote",
		"a ? b":               `unexpected "?"`,
		"f(a,":                "want a value",
		"x IN ()":             "at least one value",
		"cast(a as itn)":      "did you mean int?",
		"1 § 2":               "unexpected character '§'",
		"interval 1 day":      "intervals aren't part of the subset",
		"12e500":              "out of the range",
		"300Y":                "out of the range of tinyint",
		"sum(x) OVER ()":      "OVER isn't part of the subset",
		"a\n+ * b\n":          "line 2, column 3",
		"/* open":             "comment without its end",
		"1.5x":                "unknown suffix",
		"END":                 "backquotes",
		"decimal(50,2)::text": "want a data type",
	} {
		_, err := Parse(text)
		var s *SyntaxError
		if !errors.As(err, &s) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
	if _, err := Parse(strings.Repeat("(", 100000)); err == nil {
		t.Error("100,000 brackets are no error")
	}
	if _, err := Parse(strings.Repeat("NOT ", 100000) + "x"); err == nil {
		t.Error("100,000 NOTs are no error")
	}
	if _, err := Parse(strings.Repeat("- ", 100000) + "x"); err == nil {
		t.Error("100,000 minus signs are no error")
	}
}

func TestTypes(t *testing.T) {
	for text, want := range map[string]string{
		"LONG": "bigint", "Decimal": "decimal(10,0)", "numeric(12, 3)": "decimal(12,3)", "varchar(10)": "string",
		"array<map<string,array<int>>>": "array<map<string,array<int>>>", "struct<a:int, b: struct<c:string>>": "struct<a:int,b:struct<c:string>>",
		"struct<`a b`:int>": "struct<`a b`:int>",
	} {
		typ, err := ParseType(text)
		if err != nil || typ.String() != want {
			t.Errorf("%s is %s, %v, want %s", text, typ, err, want)
		}
		again, err := ParseType(typ.String())
		if err != nil || !again.Equal(typ) {
			t.Errorf("%s doesn't come back: %s, %v", typ, again, err)
		}
	}
	for _, text := range []string{"", "array", "array<", "decimal(39)", "decimal(2,3)", "map<int>", "int int", strings.Repeat("array<", 100000)} {
		if typ, err := ParseType(text); err == nil {
			t.Errorf("%.20q is %s, want an error", text, typ)
		}
	}
}

func TestNodesTravel(t *testing.T) {
	first := true
	read := &Read{Format: "csv", Options: map[string]string{"header": "true"}, Schema: "a INT", Paths: []string{"a b.csv"}}
	var n Node = &Union{All: []Node{
		&Project{&Filter{&WithColumns{read, []NamedExpr{{"x", "1 + 1"}}}, "x > 1"}, []string{"*"}},
		&WithColumnRenamed{&Drop{&Distinct{&Sort{read, []SortOrder{{"x", true, &first}}}, []string{"a"}}, []string{"b"}}, "c", "d"},
		&Aggregate{&Repartition{&Sample{&Limit{read, 5}, 0.1, 0.5, 7, true}, 3}, []string{"g"}, []string{"count(1) AS count"}},
	}, ByName: true}
	data, err := Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Unmarshal(data)
	if err != nil || !reflect.DeepEqual(back, n) {
		t.Errorf("%s comes back as %#v, %v", data, back, err)
	}
	for _, bad := range []string{"", "{}", `{"op":"nosuch","args":{}}`, `{"op":"filter","args":{}}`, `{"op":"read","args":{"paths":5}}`} {
		if _, err := Unmarshal([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestOnce(t *testing.T) {
	read := &Read{Format: "parquet", Paths: []string{"a"}}
	n := &Union{All: []Node{&Filter{read, "x"}, &Project{&Read{Format: "csv", Paths: []string{"b"}}, []string{"x"}}, &Range{End: 3, Step: 1}}}
	actions := func(n Node) (all []int64) {
		Any(n, func(n Node) bool {
			if r, ok := n.(*Read); ok {
				all = append(all, r.Action)
			}
			return false
		})
		return all
	}
	first, second := actions(Once(n)), actions(Once(n))
	if len(first) != 2 || first[0] <= 0 || first[0] != first[1] || first[0] == second[0] {
		t.Errorf("two actions have %d and %d", first, second)
	}
	if read.Action != 0 {
		t.Error("the plan itself was changed")
	}
}

func TestParseSortOrder(t *testing.T) {
	first, last := true, false
	for text, want := range map[string]SortOrder{
		"a":                         {"a", false, nil},
		"a desc":                    {"a", true, nil},
		"lower(a) DESC NULLS FIRST": {"lower(a)", true, &first},
		"a + 1 asc nulls last":      {"a + 1", false, &last},
		"description":               {"description", false, nil},
		"`x desc`":                  {"`x desc`", false, nil},
		"f(a)DESC":                  {"f(a)", true, nil},
	} {
		if got := ParseSortOrder(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// FuzzParse holds that no text makes the parser panic, and that names and strings written by QuoteName and QuoteString
// are read back.
func FuzzParse(f *testing.F) {
	if text, err := os.ReadFile("../local/expr/testdata/expressions.txt"); err == nil {
		for line := range strings.Lines(string(text)) {
			f.Add(strings.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := Parse(text); err == nil {
			_ = e.String()
			ColumnsOf(e)
		}
		ParseType(text)
		ParseSortOrder(text)
		e, err := Parse(QuoteString(text))
		if l, ok := e.(*Literal); err != nil || !ok || l.Value != text {
			t.Fatalf("%q as a string is read back as %v, %v", text, e, err)
		}
		if text == "" {
			return
		}
		e, err = Parse(QuoteName(text))
		if c, ok := e.(*Column); err != nil || !ok || len(c.Parts) != 1 || c.Parts[0] != text {
			t.Fatalf("%q as a name is read back as %v, %v", text, e, err)
		}
	})
}

func ExampleParse() {
	e, err := Parse("element_at(split(path, '/'), -2) AS label")
	fmt.Println(e, err)
	_, err = Parse("bucket < AND 1")
	fmt.Println(err)
	// Output:
	// element_at(split(path, /), -2) AS label <nil>
	// expression, column 10: want a value, got "AND" (put a column of that name in `backquotes`)
	//   bucket < AND 1
	//            ^
}

func ExampleMarshal() {
	data, err := Marshal(&Filter{&Read{Format: "binaryFile", Paths: []string{"flowers"}}, "length > 0"})
	fmt.Println(string(data), err)
	// Output: {"op":"filter","args":{"condition":"length \u003e 0"},"inputs":[{"op":"read","args":{"format":"binaryFile","paths":["flowers"]}}]} <nil>
}
