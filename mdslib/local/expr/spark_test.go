package expr

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"gomosaic/mdslib/plan"
)

// sparkCase is one line of testdata/expressions.json, made by testdata/expressions.py with Spark.
type sparkCase struct {
	Expr, Name, Type string
	Rows             []any
	Error            string
}

// testTable is the table of testdata/expressions.py, made by our own expressions. They are checked against Spark's
// values by the cases that name a column alone.
func testTable(t testing.TB, env Env) (plan.Schema, [][]any) {
	columns := []struct {
		name, typ string
		values    [4]string
	}{
		{"i", "int", [4]string{"1", "-7", "2147483647", "0"}},
		{"l", "bigint", [4]string{"10L", "-3L", "9223372036854775807L", "0L"}},
		{"d", "double", [4]string{"1.5D", "-2.5D", "1e300D", "CAST('NaN' AS DOUBLE)"}},
		{"f", "float", [4]string{"2.5F", "CAST('-0.0' AS FLOAT)", "CAST('NaN' AS FLOAT)", "CAST('Infinity' AS FLOAT)"}},
		{"s", "string", [4]string{"'file:/data/roses/a b.jpg'", "'Tulip É 花🌷'", "''", "'  12  '"}},
		{"b", "boolean", [4]string{"true", "false", "CAST(NULL AS BOOLEAN)", "true"}},
		{"bin", "binary", [4]string{"X'DEADBEEF'", "X''", "X'00FF'", "CAST('abc' AS BINARY)"}},
		{"dec", "decimal(10,2)", [4]string{"12.34", "-0.05", "99999999.99", "0.00"}},
		{"dt", "date", [4]string{"DATE'2024-02-29'", "DATE'1969-12-31'", "DATE'1900-01-01'", "DATE'2000-12-31'"}},
		{"ts", "timestamp", [4]string{"TIMESTAMP'2024-02-29 12:34:56.789012'", "TIMESTAMP'1969-12-31 23:59:59.5'", "TIMESTAMP'2024-07-01 00:00:00'", "TIMESTAMP'2000-01-01 00:00:00'"}},
		{"arr", "array<int>", [4]string{"array(1,2,3)", "array(-1,CAST(NULL AS INT))", "CAST(array() AS ARRAY<INT>)", "array(7)"}},
		{"sarr", "array<string>", [4]string{"array('x','y','z')", "CAST(array() AS ARRAY<STRING>)", "array('a,b', NULL, 'ß')", "array('q')"}},
		{"by", "tinyint", [4]string{"1Y", "-128Y", "127Y", "0Y"}},
		{"sh", "smallint", [4]string{"1S", "-32768S", "32767S", "0S"}},
	}
	var schema plan.Schema
	rows := make([][]any, 5)
	for _, c := range columns {
		typ, err := plan.ParseType(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		schema.Fields = append(schema.Fields, plan.Field{Name: c.name, Type: typ, Nullable: true})
		for r, text := range c.values {
			b, err := Bind("CAST("+text+" AS "+c.typ+")", plan.Schema{}, env)
			if err != nil {
				t.Fatal(err)
			}
			v, err := b.Eval(nil)
			if err != nil {
				t.Fatal(err)
			}
			rows[r] = append(rows[r], v)
		}
		rows[4] = append(rows[4], nil)
	}
	st, _ := plan.ParseType("struct<a:int,b:string>")
	schema.Fields = append(schema.Fields, plan.Field{Name: "st", Type: st, Nullable: true})
	for r, v := range []any{plan.StructValue{int32(1), "one"}, plan.StructValue{int32(-5), nil}, nil, plan.StructValue{int32(0), ""}, nil} {
		rows[r] = append(rows[r], v)
	}
	return schema, rows
}

// plainValue writes a value as expressions.py does.
func plainValue(v any) any {
	list := func(parts []any) any {
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = plainValue(p)
		}
		return out
	}
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return hex.EncodeToString(v)
	case float32:
		return "float " + strconv.FormatFloat(float64(v), 'g', -1, 64)
	case float64:
		return "float " + strconv.FormatFloat(v, 'g', -1, 64)
	case plan.TimestampValue:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		return list(v)
	case plan.StructValue:
		return list(v)
	}
	return fmt.Sprint(v)
}

// same compares a value with Spark's; the results of libm functions may differ in the last bit.
func same(got, want any) bool {
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	case string:
		g, ok := got.(string)
		if f, isFloat := strings.CutPrefix(g, "float "); isFloat {
			x, err := strconv.ParseFloat(f, 64)
			y, err2 := strconv.ParseFloat(w, 64)
			if err != nil || err2 != nil {
				return false
			}
			return x == y && math.Signbit(x) == math.Signbit(y) || x != x && y != y || math.Abs(x-y) <= 1e-15*math.Abs(y)
		}
		return ok && g == w
	}
	return got == want
}

// differs are expressions whose result isn't Spark's, and why.
var differs = map[string]string{
	`split('oneAtwoBthree', '(?=[A-Z])') AS lookahead`: "RE2 has no look-ahead: refused",
}

func TestSpark(t *testing.T) {
	text, err := os.ReadFile("testdata/expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []sparkCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Location: berlin}
	schema, rows := testTable(t, env)
	if len(cases) < 500 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if why := differs[c.Expr]; why != "" {
			if _, _, err := evalAll(c.Expr, schema, rows, env); err == nil {
				t.Errorf("%s: no error, though %s", c.Expr, why)
			}
			continue
		}
		field, got, err := evalAll(c.Expr, schema, rows, env)
		if c.Error != "" {
			if err == nil {
				t.Errorf("%s: Spark fails with %s, here %v %v", c.Expr, c.Error, field.Type, got)
			}
			var e *Error
			if errors.As(err, &e) && e.Class != "" && !strings.HasPrefix(c.Error, strings.SplitN(e.Class, ".", 2)[0]) {
				t.Errorf("%s: error class %s, Spark's is %s", c.Expr, e.Class, c.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Expr, err)
			continue
		}
		if g := field.Type.String(); g != c.Type {
			t.Errorf("%s: type %s, Spark's is %s", c.Expr, g, c.Type)
		}
		if field.Name != c.Name {
			t.Logf("%s: named %q, Spark names it %q", c.Expr, field.Name, c.Name)
		}
		for r := range got {
			if !same(plainValue(got[r]), c.Rows[r]) {
				t.Errorf("%s: row %d: %v, Spark gives %v", c.Expr, r, plainValue(got[r]), c.Rows[r])
			}
		}
	}
}

// evalAll evaluates an expression over all rows, or with "agg " before it over the table as one group.
func evalAll(text string, schema plan.Schema, rows [][]any, env Env) (plan.Field, []any, error) {
	if agg, ok := strings.CutPrefix(text, "agg "); ok {
		a, err := BindAggregates([]string{agg}, nil, schema, env)
		if err != nil {
			return plan.Field{}, nil, err
		}
		groups := []*Group{a.NewGroup(), a.NewGroup()}
		for r, row := range rows { // two groups merged, as two partitions are
			if err := a.Add(groups[min(r/2, 1)], row); err != nil {
				return plan.Field{}, nil, err
			}
		}
		if err := a.Merge(groups[0], groups[1]); err != nil {
			return plan.Field{}, nil, err
		}
		out, err := a.Result(nil, groups[0])
		return a.Fields[0], out, err
	}
	b, err := Bind(text, schema, env)
	if err != nil {
		return plan.Field{}, nil, err
	}
	var out []any
	for _, row := range rows {
		v, err := b.Eval(row)
		if err != nil {
			return b.Field, nil, err
		}
		out = append(out, v)
	}
	return b.Field, out, nil
}

// The numbers are Spark's: SELECT xxhash64('a', 1, null, 2L, 1.5D, true, cast('x' as binary), 1.5), hash('a', 1).
func TestHashes(t *testing.T) {
	decimal := hashedDecimal{plan.DecimalValue{Unscaled: big.NewInt(15), Scale: 1}, 2}
	if got := XXHash64("a", int32(1), nil, int64(2), 1.5, true, []byte("x"), decimal); got != 2645597423998139378 {
		t.Errorf("xxhash64: %d", got)
	}
	if got := Murmur3("a", int32(1)); got != 532252686 {
		t.Errorf("hash: %d", got)
	}
}

func TestErrors(t *testing.T) {
	schema := plan.Schema{Fields: []plan.Field{{Name: "label", Type: plan.Of(plan.String)}, {Name: "n", Type: plan.Of(plan.Int)}}}
	for text, want := range map[string]string{
		"lable":                      `no column "lable" (did you mean label?)`,
		"n + nosuch":                 "column 5",
		"lenght(label)":              "did you mean len",
		"regexp_extract(label, '(')": "missing closing )",
		"split(label, '(?=x)')":      "look-around",
		"label + n":                  "can't be cast to bigint",
		"CASE WHEN n THEN 1 END":     "want a boolean, got int",
		"count(*)":                   "belongs in GroupBy",
		"element_at(n, 1)":           "want an array or a map",
		"substring(label)":           "takes 2 to 3 arguments, got 1",
	} {
		b, err := Bind(text, schema, Env{})
		if err == nil {
			_, err = b.Eval([]any{"x", int32(1)})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		} else if !strings.Contains(err.Error(), "\n  "+text+"\n") {
			t.Errorf("%s: the error doesn't show the expression: %v", text, err)
		}
	}
}

func TestLazyBranches(t *testing.T) {
	for _, text := range []string{"CASE WHEN true THEN 1 ELSE 1 / 0 END", "coalesce(1, 1 / 0)", "if(false, 1 / 0, 2.0D)", "false AND 1 / 0 = 1", "true OR 1 / 0 = 1"} {
		b, err := Bind(text, plan.Schema{}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := b.Eval(nil); err != nil {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
}

// FuzzBind holds that no expression that parses makes binding or evaluation panic.
func FuzzBind(f *testing.F) {
	text, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f.Add(strings.TrimSpace(line))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 || strings.Contains(text, "repeat") || strings.Contains(text, "pad") || strings.Contains(text, "space") || strings.Contains(text, "sequence") {
			return // these make long values on purpose
		}
		schema, rows := testTable(t, Env{})
		b, err := Bind(text, schema, Env{})
		if err != nil {
			return
		}
		for _, row := range rows {
			v, err := b.Eval(row)
			if err == nil && v == nil && !b.Field.Nullable {
				t.Fatalf("%s: NULL, though the column isn't nullable", text)
			}
		}
	})
}

func ExampleBind() {
	schema := plan.Schema{Fields: []plan.Field{{Name: "path", Type: plan.Of(plan.String)}}}
	bucket, err := Bind("pmod(xxhash64(regexp_extract(path, '[^/]+/[^/]+$', 0)), 10000)", schema, Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"file:/data/roses/1.jpg", "file:/elsewhere/roses/1.jpg"} {
		v, err := bucket.Eval([]any{path})
		fmt.Println(bucket.Field.Type, v, err)
	}
	_, err = Bind("elment_at(split(path, '/'), -2)", schema, Env{})
	fmt.Println(err)
	// Output:
	// bigint 9001 <nil>
	// bigint 9001 <nil>
	// expression, column 1: [UNRESOLVED_ROUTINE] unknown function elment_at (did you mean element_at?)
	//   elment_at(split(path, '/'), -2)
	//   ^
}

// TestDocumented holds docs/dataframes.md to the functions that there are.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/dataframes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "These functions:")
	list, _, _ = strings.Cut(list, "Another one is an error")
	documented := strings.Split(list, "`")
	var names []string // between backquotes: every second part
	for i := 1; i < len(documented); i += 2 {
		if name := documented[i]; name != "Agg" && name != "Select" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	want := slices.Concat(FunctionNames(), aggregates)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("docs/dataframes.md lists\n%q\nwant\n%q", names, want)
	}
}
