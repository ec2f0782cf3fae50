package local

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"gomosaic/display"
	"gomosaic/mdslib"
)

func connect(t testing.TB, url string) *mdslib.Session {
	t.Helper()
	s, err := mdslib.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeGzip(t testing.TB, path, text string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprint(z, text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String())
}

// table runs a DataFrame and writes its rows as lines of values with | between them.
func table(t testing.TB, d *mdslib.DataFrame) []string {
	t.Helper()
	lines, err := tryTable(d)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func tryTable(d *mdslib.DataFrame) ([]string, error) {
	var lines []string
	for b, err := range d.Batches(context.Background()) {
		if err != nil {
			return nil, err
		}
		for i := range b.Rows {
			var cells []string
			for _, v := range b.Row(i) {
				if p, ok := v.([]byte); ok {
					v = string(p)
				}
				cells = append(cells, fmt.Sprint(v))
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
	}
	return lines, nil
}

func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

const people = "name,age,city\nAda,36,London\nBob,,Paris\n\"Carl, \"\"C\"\"\",7,\nDora,36,Paris\nEve,-1,London\n"

func csv(t testing.TB, text string, options ...string) *mdslib.DataFrame {
	t.Helper()
	r := connect(t, "local").Read().Format("csv")
	for i := 0; i < len(options); i += 2 {
		r = r.Option(options[i], options[i+1])
	}
	return r.Load(write(t, filepath.Join(t.TempDir(), "people.csv"), text))
}

func readPeople(t testing.TB) *mdslib.DataFrame {
	return csv(t, people, "header", "true", "inferSchema", "true")
}

func TestOperators(t *testing.T) {
	p := readPeople(t)
	schema, err := p.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "root\n |-- name: string (nullable = true)\n |-- age: integer (nullable = true)\n |-- city: string (nullable = true)\n"; schema.String() != want {
		t.Errorf("schema:\n%s", schema)
	}
	wantLines(t, "all", table(t, p), "Ada|36|London", "Bob|<nil>|Paris", `Carl, "C"|7|<nil>`, "Dora|36|Paris", "Eve|-1|London")
	wantLines(t, "select", table(t, p.Select("upper(name) AS who", "age + 1", "*").Limit(1)), "ADA|37|Ada|36|London")
	wantLines(t, "filter drops NULL", table(t, p.Filter("age > 0").Select("name")), "Ada", `Carl, "C"`, "Dora")
	wantLines(t, "withColumn replaces in place", table(t, p.WithColumn("AGE", "coalesce(age, 0) * 2").Drop("city", "nosuch")), "Ada|72", "Bob|0", `Carl, "C"|14`, "Dora|72", "Eve|-2")
	wantLines(t, "rename", table(t, p.WithColumnRenamed("name", "who").WithColumnRenamed("nosuch", "x").Select("who").Limit(2)), "Ada", "Bob")
	wantLines(t, "order", table(t, p.OrderBy("city desc", "age").Select("name")), "Bob", "Dora", "Eve", "Ada", `Carl, "C"`)
	wantLines(t, "order nulls", table(t, p.OrderBy("age ASC NULLS LAST", "name").Select("name")), "Eve", `Carl, "C"`, "Ada", "Dora", "Bob")
	wantLines(t, "count", table(t, p.GroupBy("city").Count()), "London|2", "Paris|2", "<nil>|1")
	wantLines(t, "agg", table(t, p.GroupBy("city").Agg("sum(age) AS s", "avg(age)", "min(name)", "count(age)", "max(age) - min(age) AS spread").OrderBy("city")),
		"<nil>|7|7|Carl, \"C\"|1|0", "London|35|17.5|Ada|2|37", "Paris|36|36|Bob|1|0")
	wantLines(t, "agg of all", table(t, p.GroupBy().Agg("count(*) AS n", "sum(age)")), "5|78")
	wantLines(t, "agg in Select", table(t, p.Select("count(*) AS n", "max(name)")), "5|Eve")
	wantLines(t, "agg of nothing", table(t, p.Filter("false").GroupBy().Agg("count(*) AS n", "sum(age)")), "0|<nil>")
	wantLines(t, "grouped by an expression", table(t, p.GroupBy("age IS NULL AS unknown").Max("age")), "false|36", "true|<nil>")
	wantLines(t, "distinct", table(t, p.Select("city").Distinct()), "London", "Paris", "<nil>")
	wantLines(t, "dropDuplicates", table(t, p.DropDuplicates("city").Select("name")), "Ada", "Bob", `Carl, "C"`)
	wantLines(t, "union", table(t, p.Select("name").Limit(1).Union(p.Select("CAST(age AS STRING)").Filter("age = 7"))), "Ada", "7")
	wantLines(t, "unionByName", table(t, p.Select("name", "age").Limit(1).UnionByName(p.Select("age * 2.5 AS age", "name").Filter("name = 'Eve'"))), "Ada|36.0", "Eve|-2.5")
	wantLines(t, "repartition", table(t, p.Repartition(2).Select("name")), "Ada", `Carl, "C"`, "Eve", "Bob", "Dora")
	if n, err := p.Count(t.Context()); n != 5 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	first, err := p.First(t.Context())
	if err != nil || first["name"] != "Ada" || first["age"] != int32(36) {
		t.Errorf("First: %v, %v", first, err)
	}
	if _, err := p.Filter("false").First(t.Context()); err == nil {
		t.Error("First of nothing is no error")
	}
}

func TestErrorsSurfaceAtTheAction(t *testing.T) {
	p := readPeople(t)
	for want, d := range map[string]*mdslib.DataFrame{
		`no column "nmae"`:      p.Select("nmae"),
		"did you mean name?":    p.Filter("nmae = 'x'"),
		"did you mean upper?":   p.Filter("uper(name) = 'ADA'"),
		"age <\n":               p.Filter("age <"),
		"DIVIDE_BY_ZERO":        p.Select("1L / (length(name) - 3)"),
		"Filter: the condition": p.Filter("age + 1"),
		"people.csv, line 2: Union: column \"name\": the value 'Ada' can't be cast to bigint": p.Select("name").Union(p.Select("age")),
		`people.csv, line 2: expression, column 1`:                                            p.Select("1 / (age - 36)"),
		"WithColumn \"x\"":        p.WithColumn("x", "(("),
		"group by the column too": p.GroupBy("city").Agg("age"),
		"the first has 3":         p.Union(p.Select("name")),
		"Repartition: 0":          p.Repartition(0),
		"unknown option":          csv(t, people, "haeder", "true"),
		"is no bigint":            csv(t, "n\n1\n3000000000\n", "header", "true", "inferSchema", "true").Select("CAST(concat(n, 'x') AS BIGINT)"),
		"no source for format":    connect(t, "local").Read().Format("delta").Load("x"),
		"no format given":         connect(t, "local").Read().Load("x"),
		"no such file":            connect(t, "local").Read().Format("csv").Load(filepath.Join(t.TempDir(), "none.csv")),
		"no driver for this":      connect(t, "local").Read().Format("csv").Load("s3://bucket/x"),
	} {
		_, err := tryTable(d)
		if want == "is no bigint" {
			want = "can't be cast to bigint"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if _, shown := d.TryRender(); err != nil && (shown == nil || shown.Error() != err.Error()) {
			t.Errorf("shown, it gives %v, want %v", shown, err)
		}
	}
	if _, err := mdslib.Connect(t.Context(), "sc://host:15002"); err == nil || !strings.Contains(err.Error(), "not linked into") {
		t.Errorf("sc://: %v", err)
	}
	if _, err := mdslib.Connect(t.Context(), "nosuch://x"); err == nil || !strings.Contains(err.Error(), "local") {
		t.Errorf("nosuch://: %v", err)
	}
	if _, err := mdslib.Connect(t.Context(), "local[x]"); err == nil {
		t.Error("local[x] is no error")
	}
}

func TestSampleAndRandomSplit(t *testing.T) {
	var text strings.Builder
	text.WriteString("n\n")
	for i := range 10000 {
		fmt.Fprintln(&text, i)
	}
	d := csv(t, text.String(), "header", "true")
	parts := d.RandomSplit([]float64{9, 1}, 42)
	a, b := table(t, parts[0]), table(t, parts[1])
	if len(a)+len(b) != 10000 || len(a) < 8800 || len(a) > 9200 {
		t.Errorf("split into %d and %d", len(a), len(b))
	}
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	if len(slices.Compact(all)) != 10000 {
		t.Error("the parts overlap")
	}
	if !slices.Equal(a, table(t, d.RandomSplit([]float64{9, 1}, 42)[0])) {
		t.Error("the same seed gives another split")
	}
	if slices.Equal(a, table(t, d.RandomSplit([]float64{9, 1}, 43)[0])) {
		t.Error("another seed gives the same split")
	}
	for want, weights := range map[string][]float64{"weight 1 is -1": {2, -1}, "the sum of all is 0": {0, 0}, "weight 0 is NaN": {math.NaN(), 1}, "the sum of all is +Inf": {1, math.Inf(1)}} {
		for _, part := range d.RandomSplit(weights, 1) {
			if _, err := part.Count(t.Context()); err == nil || !strings.Contains(err.Error(), "RandomSplit: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %q", weights, err, want)
			}
		}
	}
	if n := len(table(t, d.Sample(0.1, 7))); n < 850 || n > 1150 {
		t.Errorf("a sample of a tenth has %d rows", n)
	}
}

func TestCSV(t *testing.T) {
	wantLines(t, "no header", table(t, csv(t, "a,b\n1,2,3\n4\n").Select("_c0", "_c1")), "a|b", "1|2", "4|<nil>")
	wantLines(t, "tabs, quotes, nulls", table(t, csv(t, "'a\\'b'\t-\n\n#c\nx\t''\n", "sep", `\t`, "quote", "'", "nullValue", "-", "comment", "#")), "a'b|<nil>", "x|")
	wantLines(t, "multiLine", table(t, csv(t, "a,b\n\"x\ny\",2\r\n", "header", "true", "multiLine", "true")), "x\ny|2")
	wantLines(t, "types", table(t, csv(t, "i,l,d,s,b,dt,ts,e\n1,1,1,1,true,2024-01-02,2024-01-02 03:04:05,\n2,3000000000,1.5,x,FALSE,2024-01-03,2024-01-03,\n", "header", "true", "inferSchema", "true").
		Select("typeof(i)", "typeof(l)", "typeof(d)", "typeof(s)", "typeof(b)", "typeof(dt)", "typeof(ts)", "typeof(e)").Limit(1)), "int|bigint|double|string|boolean|date|timestamp|string")
	dir := t.TempDir()
	writeGzip(t, filepath.Join(dir, "a.csv.gz"), "x\n1\n")
	enc, _ := zstd.NewWriter(nil)
	write(t, filepath.Join(dir, "b.csv.zst"), string(enc.EncodeAll([]byte("x\n2\n"), nil)))
	write(t, filepath.Join(dir, "_hidden.csv"), "x\n9\n")
	wantLines(t, "compressed", table(t, connect(t, "local").Read().Format("csv").Option("header", "true").Load(dir)), "1", "2")
}

func TestJSON(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.jsonl"), `{"id": 1, "tags": ["x", "y"], "at": {"y": 2, "x": 1.5}, "mixed": 1}`+"\n\n"+`{"id": 2, "extra": true, "mixed": "s", "none": null}`+"\n")
	read := connect(t, "local").Read().Format("json")
	d := read.Load(dir)
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := "root\n |-- at: struct (nullable = true)\n |    |-- x: double (nullable = true)\n |    |-- y: long (nullable = true)\n |-- extra: boolean (nullable = true)\n |-- id: long (nullable = true)\n |-- mixed: string (nullable = true)\n |-- none: string (nullable = true)\n |-- tags: array (nullable = true)\n |    |-- element: string (containsNull = true)\n"
	if schema.String() != want {
		t.Errorf("schema:\n%swant:\n%s", schema, want)
	}
	wantLines(t, "values", table(t, d.Select("id", "at.y", "tags[1]", "mixed", "extra").Filter("id = 1")), "1|2|y|1|<nil>")
	bad := write(t, filepath.Join(t.TempDir(), "bad.jsonl"), "{\"a\": 1}\n{\"a\": \n{\"a\": 3}\n")
	if _, err := tryTable(read.Load(bad)); err == nil || !strings.Contains(err.Error(), "bad.jsonl, line 2: malformed JSON") {
		t.Errorf("a malformed line: %v", err)
	}
	wantLines(t, "DROPMALFORMED", table(t, read.Option("mode", "dropmalformed").Load(bad)), "1", "3")
	wantLines(t, "PERMISSIVE", table(t, read.Option("mode", "PERMISSIVE").Load(bad)), "1", "<nil>", "3")
	packed := filepath.Join(t.TempDir(), "lists.json.gz")
	writeGzip(t, packed, "{\"id\": 1, \"tags\": [\"x\", null]}\n{\"id\": 2}\n{\"id\": 3, \"tags\": [\"z\"]}\n")
	wantLines(t, "compressed lists", table(t, read.Load(packed).Select("id", "tags[0]")), "1|x", "2|<nil>", "3|z")
	multi := write(t, filepath.Join(t.TempDir(), "multi.json"), "[{\"a\": 1},\n {\"a\": 2}]")
	wantLines(t, "multiLine", table(t, read.Option("multiLine", "true").Load(multi)), "1", "2")
}

func TestPreview(t *testing.T) {
	p := readPeople(t)
	show, err := p.Limit(2).Union(p.Filter("name = 'Eve'")).Show(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := "" +
		"+----+----+------+\n|name| age|city  |\n+----+----+------+\n" +
		"|Ada |  36|London|\n|Bob |NULL|Paris |\n+----+----+------+\nonly showing top 2 rows\n"
	if got := show.String(); got != want {
		t.Errorf("Show:\n%swant:\n%s", got, want)
	}
	d, err := p.TryRender()
	if html, _ := d.Data[display.MIMETypeHTML].(string); err != nil || !strings.Contains(html, "<td style=\"text-align:left\">Carl, &#34;C&#34;</td>") {
		t.Errorf("HTML: %s, %v", html, err)
	}
	if s := p.Select("CAST(name AS BINARY) AS b", "repeat(name, 100) AS r").Limit(1).String(); !strings.Contains(s, "[3 B]") || len(s) > 800 {
		t.Errorf("binary and long text: %s", s)
	}
}
