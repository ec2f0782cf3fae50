//go:build spark

package spark

// Relations and their rows, beside PySpark and the local engine.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// sources writes the files that the relations read.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"flowers.csv":  "name,petals,height\nrose,5,0.5\nlily,6,1.25\n,4,\ntulip,6,0.3\nrose,5,0.75\niris,3,-1e-3\n",
		"colours.csv":  "name,colour,petals,rank\nrose,red,5,1\nrose,white,5,2.5\nlily,,6,3\n,black,4,\npoppy,red,4,4\n",
		"flowers.json": `{"name":"rose","tags":["red","it's"],"at":{"x":1,"y":null}}` + "\n" + `{"name":"Lilie ü","tags":[],"at":null}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// relations are the frames of testdata/relations.py by the same names.
func relations(t *testing.T, s *mdslib.Session, dir string) map[string]*mdslib.DataFrame {
	t.Helper()
	sql := func(query string) *mdslib.DataFrame {
		d, err := s.SQL(t.Context(), query)
		if err != nil && s == session {
			t.Fatal(err)
		}
		return d
	}
	csv := s.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(dir + "/flowers.csv")
	colours := s.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(dir + "/colours.csv")
	numbers := s.Range(0, 100)
	few := s.Range(0, 4).Select("CAST(id AS INT) AS petals", "id * 2 AS twice")
	left, right := csv.Alias("l"), colours.Alias("r")
	gaps := few.Select("IF(twice = 0, NULL, twice) AS l", "IF(twice = 2, double('NaN'), IF(twice = 4, NULL, twice / 4)) AS d", "CAST(IF(twice = 2, NULL, 0.1) AS FLOAT) AS f",
		"IF(twice = 2, NULL, CAST(twice AS STRING)) AS s", "IF(twice = 6, NULL, twice > 2) AS b", "CAST(IF(twice = 0, NULL, 2.5) AS DECIMAL(10,2)) AS dec")
	names, more := csv.Select("name"), colours.Select("name").Union(colours.Select("name"))
	return map[string]*mdslib.DataFrame{
		"csv":                     csv,
		"json":                    s.Read().Format("json").Load(dir + "/flowers.json"),
		"schema":                  s.Read().Format("csv").Schema("a STRING, b BIGINT, c FLOAT").Option("header", "true").Load(dir + "/flowers.csv"),
		"range":                   numbers,
		"sql":                     sql("SELECT id, CAST(id AS STRING) AS s FROM range(7) WHERE id % 2 = 0"),
		"project":                 csv.Select("upper(name) AS n", "petals * 2", "*"),
		"global aggregate":        csv.Select("count(*)", "sum(petals) AS s"),
		"with column":             csv.WithColumn("double", "petals * 2").WithColumn("NAME", "lower(name)"),
		"renamed":                 csv.WithColumnRenamed("name", "flower").WithColumnRenamed("nothing", "x"),
		"drop":                    csv.Drop("name", "nothing"),
		"filter":                  csv.Filter("petals > 4 AND name IS NOT NULL"),
		"limit":                   numbers.Limit(3),
		"sort":                    csv.OrderBy("petals DESC NULLS FIRST", "name"),
		"sort descending":         csv.OrderBy("name DESC", "petals ASC NULLS LAST"),
		"distinct":                csv.Select("petals").Distinct(),
		"duplicates":              csv.DropDuplicates("petals").Select("petals"),
		"union":                   csv.Union(csv.Filter("petals = 5")),
		"union by name":           csv.Select("name", "petals").UnionByName(csv.Select("petals", "name")),
		"repartition":             numbers.Repartition(3).Select("spark_partition_id() AS p", "id").Select("count(DISTINCT p) AS parts", "sum(id) AS s"),
		"aggregate":               csv.GroupBy("petals").Agg("count(1) AS count", "max(name)", "avg(petals + 1) AS mean"),
		"aggregate by expression": csv.GroupBy("petals % 2 AS odd").Agg("count(DISTINCT name) AS names"),
		"aggregate of odd names":  few.Select("petals AS `größe`", "twice AS `a.b`", "petals % 2 AS `c d`").GroupBy("`c d`").Max("größe", "a.b"),
		"sample":                  numbers.Sample(0.3, 7),
		"split 0":                 numbers.RandomSplit([]float64{3, 1}, 11)[0],
		"split 1":                 numbers.RandomSplit([]float64{3, 1}, 11)[1],
		"types": sql("SELECT CAST(1 AS TINYINT) AS b, CAST(-2 AS SMALLINT) AS s, 3 AS i, 4L AS l, CAST(0.1 AS FLOAT) AS f, 0.1D AS d, 1.50BD AS dec," +
			" true AS t, X'00ff' AS bin, DATE'2026-11-27' AS day, TIMESTAMP'2026-11-27 10:00:00.123456Z' AS at, 'x' AS txt," +
			" array(1, NULL) AS a, map('k', 1) AS m, named_struct('p', 1, 'q', array('z')) AS st, CAST(NULL AS INT) AS none, array(named_struct('n', 1.0D)) AS deep"),
		"null rows":       sql("SELECT IF(id = 1, NULL, id) AS i, IF(id = 0, NULL, CAST(id AS STRING)) AS s, IF(id = 2, NULL, X'01') AS b FROM range(3)"),
		"empty":           numbers.Filter("id < 0"),
		"offset":          numbers.Offset(97),
		"limit of sorted": csv.OrderBy("height DESC", "name").Offset(1).Limit(3),

		"join":                  csv.Join(colours, "", "name"),
		"join two columns":      csv.Join(colours, "inner", "petals", "name"),
		"join left":             csv.Join(colours, "left", "name"),
		"join right":            csv.Join(colours, "right_outer", "name"),
		"join full":             csv.Join(colours, "outer", "name"),
		"join full long":        few.Join(numbers.Filter("id < 6").Select("id AS petals", "id + 1 AS next"), "full", "petals"),
		"join semi":             csv.Join(colours, "left_semi", "petals"),
		"join anti":             csv.Join(colours, "anti", "name"),
		"join cross":            csv.CrossJoin(colours.Select("colour")),
		"join on":               left.JoinOn(right, "inner", "l.name = r.name").Select("l.*", "r.colour", "r.petals AS p"),
		"join on all":           left.JoinOn(right, "left", "l.name = r.name AND l.petals = r.petals"),
		"join on more":          left.JoinOn(right, "full", "r.petals = l.petals AND l.height < r.rank"),
		"join on expressions":   left.JoinOn(right, "right", "upper(l.name) = concat(upper(r.name), '')").Drop("rank"),
		"join on null":          left.JoinOn(right, "inner", "l.name <=> r.name").Select("l.name", "colour"),
		"join on unequal":       left.JoinOn(right, "left_outer", "l.petals > r.petals").Filter("r.colour IS NULL OR l.petals = 6"),
		"join on semi":          left.JoinOn(right, "semi", "l.name = r.name AND r.rank > 2"),
		"join on anti":          left.JoinOn(right, "leftanti", "l.petals = r.petals AND r.colour = 'red'"),
		"join of itself":        csv.Alias("a").JoinOn(csv.Alias("b"), "inner", "a.petals = b.petals AND a.name < b.name").GroupBy("a.petals").Agg("count(b.height) AS n").OrderBy("petals"),
		"join aliased columns":  left.Join(right, "inner", "name").Select("l.name", "l.petals", "r.petals", "r.colour"),
		"intersect":             names.Intersect(more),
		"intersect all":         csv.Select("petals").IntersectAll(colours.Select("petals")),
		"except":                names.Except(more.Filter("name != 'rose'")),
		"except all":            csv.Select("name", "petals").ExceptAll(colours.Select("name", "petals")),
		"set of other types":    few.Select("petals").Intersect(numbers.Select("id")),
		"repartition by":        numbers.RepartitionBy(3, "id % 10", "id IS NULL").Select("spark_partition_id() AS p", "id"),
		"repartition by name":   csv.RepartitionBy(0, "name").GroupBy("name").Count(),
		"describe":              csv.Describe(),
		"describe some":         csv.WithColumn("tall", "height > 0.4").Describe("name", "petals", "tall"),
		"describe nothing":      csv.Filter("petals > 10").Describe(),
		"fill with text":        colours.FillNA("none"),
		"fill with a number":    gaps.FillNA(0.7),
		"fill one column":       gaps.FillNA(-1, "d", "s"),
		"fill with a bool":      gaps.FillNA(true),
		"drop any":              gaps.DropNA(""),
		"drop any of some":      gaps.DropNA("any", "s", "f"),
		"drop all":              gaps.DropNA("all", "d", "f", "s"),
		"moments":               csv.GroupBy("petals > 4 AS many").Agg("stddev(height) AS s", "stddev_pop(petals) AS sp", "variance(height) AS v", "var_pop(height) AS vp", "std(petals)"),
		"pivot":                 csv.GroupBy("petals").Pivot("name").Count(),
		"pivot values":          csv.GroupBy("name", "petals > 4 AS many").Pivot("petals", 5, 6.0, "4", 9).Agg("max(height) AS top", "collect_list(height)"),
		"pivot counts and text": csv.GroupBy("petals").Pivot("name").Agg("count(1) + 1 AS n", "max(name)"),
		"pivot sums":            colours.Select("*", "rank > 2 AS late").GroupBy("name").Pivot("late").Sum("petals", "rank"),
		"pivot all":             csv.GroupBy().Pivot("height").Agg("first(name) AS f"),
		"pivot nothing":         csv.Filter("petals > 10").GroupBy().Pivot("name", "rose").Count(),
		"pivot dates":           numbers.GroupBy("id % 2 AS odd").Pivot("date_add(DATE'2024-02-28', CAST(id % 3 AS INT))").Agg("sum(id)"),
		"unpivot":               csv.Unpivot([]string{"name"}, []string{"petals", "height"}, "what", "much"),
		"unpivot the rest":      few.WithColumn("half", "petals / 2").Unpivot([]string{"twice"}, nil, "column", "v"),
		"unpivot without ids":   few.Unpivot(nil, []string{"twice", "petals"}, "variable", "value"),
		"to df":                 colours.ToDF("a", "b c", "d", "a2").Filter("`b c` IS NOT NULL").Select("a2", "`b c`"),
		"with columns":          csv.WithColumns("petals * 2 AS petals", "petals + 1 AS `one more`", "concat(name, ' AS ', petals) x"),
		"moments of distinct":   csv.Select("round(stddev_samp(DISTINCT petals), 9) AS d", "round(var_pop(DISTINCT petals), 9) AS v"),
		"coalesce":              numbers.Repartition(7).Coalesce(2).Select("spark_partition_id() AS p", "id").Select("count(DISTINCT p) AS parts", "sum(id) AS s"),
	}
}

// ordered are the relations whose rows come in an order that is theirs.
var ordered = []string{"offset", "limit of sorted", "sort", "sort descending", "limit", "csv", "project", "union", "types", "null rows", "range", "describe", "describe some", "describe nothing"}

// text is a value as the other side writes it.
func text(v any, t plan.Type) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float32:
		return pythonHex(float64(v))
	case float64:
		return pythonHex(v)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case plan.TimestampValue:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e, *t.Elem)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case plan.StructValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = t.Fields[i].Name + ": " + text(e, t.Fields[i].Type)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case plan.MapValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e.Key, *t.Key) + ": " + text(e.Value, *t.Elem)
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// pythonHex is Python's float.hex.
func pythonHex(f float64) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	s := strconv.FormatFloat(f, 'x', 13, 64)
	mantissa, exponent, _ := strings.Cut(s, "p")
	n, _ := strconv.Atoi(exponent)
	if f == 0 {
		mantissa = strings.TrimSuffix(mantissa, strings.Repeat("0", 13)) + "0"
	}
	return fmt.Sprintf("%sp%+d", mantissa, n)
}

// table runs a frame.
func table(t *testing.T, d *mdslib.DataFrame) (schema plan.Schema, rows [][]string) {
	t.Helper()
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range d.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			row := make([]string, len(b.Columns))
			for c, v := range b.Row(i) {
				row[c] = text(v, b.Schema.Fields[c].Type)
			}
			rows = append(rows, row)
		}
		for c, f := range b.Schema.Fields {
			if g := schema.Fields[c]; f.Name != g.Name || !f.Type.Equal(g.Type) {
				t.Errorf("the rows have the column %s %s, the schema %s %s", f.Name, f.Type, g.Name, g.Type)
			}
		}
	}
	return schema, rows
}

// onlySpark has what the local engine does not do, or does in another way where Spark's answer depends on its partitions.
var onlySpark = []string{"sql", "types", "null rows", "repartition", "sample", "split 0", "split 1", "repartition by", "coalesce"}

// TestRelations: every relation has the schema and the rows that PySpark gives, from the same server, and the local engine the same.
func TestRelations(t *testing.T) {
	dir := sources(t)
	cmd := exec.Command(python, "-W", "ignore", "testdata/relations.py", dir)
	cmd.Env = append(os.Environ(), "SPARK_REMOTE="+remote(), "TZ=UTC")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	type result struct {
		schema plan.Schema
		rows   [][]string
	}
	ours := map[string]result{} // computed while PySpark is at it
	for name, d := range relations(t, session, dir) {
		schema, rows := table(t, d)
		ours[name] = result{schema, rows}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, problems.Bytes())
	}
	var theirs map[string][2]json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &theirs); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	if len(theirs) != len(ours) {
		t.Errorf("%d relations there, %d here", len(theirs), len(ours))
	}
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.SQL(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "the engine local has no SQL") {
		t.Errorf("SQL on local: %v", err)
	}
	for step, d := range map[string]*mdslib.DataFrame{
		"Union": session.Range(0, 1).Union(here.Range(0, 1)), "Join": here.Range(0, 1).Join(session.Range(0, 1), "", "id"), "Except": session.Range(0, 1).Except(here.Range(0, 1)).Filter("id > 0"),
	} {
		_, err := d.Count(t.Context())
		if err == nil || !strings.Contains(err.Error(), step+": the DataFrames are of two sessions (") || !strings.Contains(err.Error(), "mdslib.Session(local)") || !strings.Contains(err.Error(), session.String()) {
			t.Errorf("%s of two sessions: %v", step, err)
		}
	}
	local := relations(t, here, dir)
	for name, got := range ours {
		t.Run(name, func(t *testing.T) {
			var schema string
			var rows [][]string
			if err := errors.Join(json.Unmarshal(theirs[name][0], &schema), json.Unmarshal(theirs[name][1], &rows)); err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(plan.StructOf(got.schema.Fields...).String(), "`", ""); got != schema {
				t.Errorf("schema\n got %s\nwant %s", got, schema)
			}
			compare(t, "Spark", name, got.rows, rows)
			if slices.Contains(onlySpark, name) {
				return
			}
			localSchema, localRows := table(t, local[name])
			if !plan.StructOf(localSchema.Fields...).Equal(plan.StructOf(got.schema.Fields...)) {
				t.Errorf("schema\nlocal %s\nSpark %s", localSchema, got.schema)
			}
			compare(t, "local", name, localRows, rows)
		})
	}
}

func compare(t *testing.T, engine, name string, got, want [][]string) {
	t.Helper()
	if !slices.Contains(ordered, name) {
		slices.SortFunc(got, slices.Compare[[]string])
		slices.SortFunc(want, slices.Compare[[]string])
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("rows of %s\n got %q\nwant %q", engine, got, want)
	}
}
