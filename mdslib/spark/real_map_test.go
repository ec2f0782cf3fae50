//go:build spark

package spark

// Map on executors, both ways, beside the local engine. The test's own program is what runs there.

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"gomosaic/kernel/cell/rt/reexec"
	"gomosaic/mdslib"
	"gomosaic/mdslib/spark/worker"
)

// factor is a variable that a func uses: its value goes along.
var factor = int64(1)

func mapped(fn func(mdslib.Sample) (mdslib.Sample, error), variables map[string]any) reexec.Function {
	return reexec.Function{Func: fn, Run: func() { worker.Map(fn) }, Variables: variables}
}

// shippable are the funcs of the tests that executors run.
var shippable = []reexec.Function{
	mapped(same, nil), mapped(odd, nil), mapped(sleepy, map[string]any{"begunFile": &begunFile}), mapped(barren, map[string]any{"begunFile": &begunFile}), mapped(scaled, map[string]any{"factor": &factor}), mapped(refused, nil), mapped(panicking, nil),
	mapped(unlike, nil), mapped(talkative, nil), mapped(heavier, nil), mapped(pricking, map[string]any{"triesFile": &triesFile}),
	mapped(counted, map[string]any{"triesFile": &triesFile}),
	{Func: described, Run: func() { worker.Iterate(described) }, Variables: map[string]any{"factor": &factor}},
	{Func: wilting, Run: func() { worker.Iterate(wilting) }},
	{Func: dawdling, Run: func() { worker.Iterate(dawdling) }, Variables: map[string]any{"firstTry": &firstTry}},
	{Func: flaky, Run: func() { worker.Iterate(flaky) }, Variables: map[string]any{"triesFile": &triesFile}},
	{Func: thorny, Run: func() { worker.Iterate(thorny) }, Variables: map[string]any{"triesFile": &triesFile}},
}

func same(row mdslib.Sample) (mdslib.Sample, error) { return row, nil }

func odd(row mdslib.Sample) (mdslib.Sample, error) {
	if row["id"].(int64)%2 == 0 {
		return nil, nil
	}
	return row, nil
}

func scaled(row mdslib.Sample) (mdslib.Sample, error) {
	return mdslib.Sample{"n": row["id"].(int64) * factor, "parity": []string{"even", "odd"}[row["id"].(int64)%2]}, nil
}

func refused(row mdslib.Sample) (mdslib.Sample, error) {
	if row["id"] == int64(7) {
		return nil, errors.New("the tulip \"Königin\" has no petals\n\tbut thorns")
	}
	return row, nil
}

func panicking(row mdslib.Sample) (mdslib.Sample, error) {
	return row, []error{nil}[row["id"].(int64)]
}

func unlike(row mdslib.Sample) (mdslib.Sample, error) {
	return mdslib.Sample{"n": row["id"].(int64) + 118}, nil
}

func talkative(row mdslib.Sample) (mdslib.Sample, error) {
	fmt.Println("row", row["id"])
	return row, nil
}

func heavier(row mdslib.Sample) (mdslib.Sample, error) {
	b := row["b"].([]byte)
	return mdslib.Sample{"b": append(b, b...), "deep": []any{mdslib.Object{{Name: "b", Value: b}}}}, nil
}

// described yields factor samples of each row's id, the ones that testdata/mosaic.py wants.
func described(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row, err := range rows {
			if err != nil {
				return
			}
			for k := range factor {
				id := row["id"].(int64)*factor + k
				sum := sha256.Sum256(strconv.AppendInt(nil, id, 10))
				if !yield(mdslib.Sample{"id": id, "s": fmt.Sprint("name ", id), "data": sum[:], "d": float64(id) / 4}, nil) {
					return
				}
			}
		}
	}
}

func wilting(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row := range rows {
			if row["id"] == int64(3) {
				yield(nil, errors.New("wilted"))
				return
			}
		}
	}
}

// engineOf is the engine of a session.
func engineOf(t *testing.T, s *mdslib.Session) *engine {
	t.Helper()
	c, err := s.Cluster()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*engine)
}

// bothWays runs a test by TRANSFORM and by mapInArrow.
func bothWays(t *testing.T, test func(t *testing.T)) {
	e := engineOf(t, session)
	for _, who := range choices["executors"] {
		if err := e.permitted(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("TRANSFORM", test)
	t.Run("mapInArrow", func(t *testing.T) {
		refuse(t, e, byTransform)
		test(t)
	})
}

// refuse makes a session believe that its platform refuses ways to run programs, as long as the test runs.
func refuse(t *testing.T, e *engine, who ...writers) {
	for _, w := range who {
		e.probes.refusals[w] = "it is not permitted here"
	}
	t.Cleanup(func() {
		for _, w := range who {
			e.probes.refusals[w] = ""
		}
	})
}

// types is a file of JSON with values of each type, and their columns.
func types(t *testing.T, s *mdslib.Session, path string) *mdslib.DataFrame {
	const schema = "b BOOLEAN, y TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, dec DECIMAL(38,10), whole DECIMAL(20,0), txt STRING, hex STRING, day DATE, at TIMESTAMP, ntz TIMESTAMP_NTZ," +
		" a ARRAY<INT>, m MAP<STRING,DECIMAL(5,2)>, st STRUCT<`p q`:INT,q:ARRAY<STRING>>, deep ARRAY<STRUCT<f:FLOAT,d:DOUBLE,day:DATE,at:TIMESTAMP,m:MAP<STRING,ARRAY<BIGINT>>>>"
	return s.Read().Format("json").Schema(schema).Load(path).WithColumn("bin", "unhex(hex)")
}

const typesJSON = `{"b":true,"y":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":0.1,"d":1e-320,"dec":-1234567890123456789012345678.0123456789,"whole":12345678901234567890,"txt":"tab\tline\n\"q\" \\ ü 🌷 !","hex":"00FF0A0D09","day":"2026-11-27","at":"2026-11-27T10:00:00.123456Z","ntz":"2026-03-29T02:30:00.000001","a":[1,null,-3],"m":{"k \"1\"":1.50,"":null},"st":{"p q":1,"q":["z",null,"\n"]},"deep":[{"f":3.4028235E38,"d":-0.0,"day":"0044-03-15","at":"1969-12-31T23:59:59.999999Z","m":{"x":[1,null]}},null,{"f":null,"d":1.7976931348623157E308}]}
{}
{"b":false,"y":0,"s":0,"i":0,"l":0,"f":-0.0,"d":0.30000000000000004,"dec":0.0000000001,"whole":0,"txt":"","hex":"","day":"1969-12-31","at":"0001-01-01T00:00:00Z","ntz":"9999-12-31T23:59:59.999999","a":[],"m":{},"st":{},"deep":[]}
{"b":null,"y":127,"f":16777216.0,"d":123456789.125,"dec":7,"whole":-1,"txt":"!","hex":"21","day":"9999-12-31","at":"9999-12-31T23:59:59.999999Z","ntz":"1582-10-10T00:00:00","a":[null],"m":{"a":-999.99},"st":{"p q":null,"q":null}}
`

// TestMapTypes: values of each type come to the func and back as on the local engine.
func TestMapTypes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "types.json")
	if err := os.WriteFile(path, []byte(typesJSON), 0o666); err != nil {
		t.Fatal(err)
	}
	local, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	want, err := types(t, local, path).Map("", same).Collect(t.Context())
	if err != nil || len(want) != 4 {
		t.Fatal(len(want), err)
	}
	bothWays(t, func(t *testing.T) {
		frame := types(t, session, path).Map("", same)
		got, err := frame.Collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			for name, w := range want[i] {
				if g := got[i][name]; !reflect.DeepEqual(g, w) {
					t.Errorf("row %d, column %q: %#v, the local engine has %#v", i, name, g, w)
				}
			}
		}
		before, err := types(t, session, path).Schema(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after, err := frame.Schema(t.Context())
		if err != nil || fmt.Sprint(types_(before)) != fmt.Sprint(types_(after)) {
			t.Errorf("columns %v, want %v, %v", after, before, err)
		}
	})
}

func types_(s mdslib.Schema) (all []string) {
	for _, f := range s.Fields {
		all = append(all, f.Name+" "+f.Type.String())
	}
	return all
}

// TestMapOnExecutors: rows left out and made, with the variables of now, amid other steps, into files and views.
func TestMapOnExecutors(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		numbers := session.Range(0, 1000)
		for _, factor = range []int64{10, 3} {
			d := numbers.Map("", odd).Filter("id < 900").Map("n BIGINT, parity STRING", scaled).GroupBy("parity").Agg("count(1) AS c", "sum(n) AS s")
			rows, err := d.Collect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := []mdslib.Sample{{"parity": "odd", "c": int64(450), "s": factor * 450 * 450}}; !reflect.DeepEqual(rows, want) {
				t.Errorf("rows %v, want %v", rows, want)
			}
		}
		if n, err := numbers.Map("", talkative).Count(t.Context()); n != 1000 || err != nil {
			t.Errorf("a func that prints: %d rows, %v", n, err)
		}
	})
}

// TestMapElsewhere: Map in files that Spark writes, in views, and of no rows.
func TestMapElsewhere(t *testing.T) {
	odds := session.Range(0, 1000).Map("", odd)
	if n, err := session.Range(0, 10).Filter("id < 0").Map("", odd).Count(t.Context()); n != 0 || err != nil {
		t.Errorf("no rows: %d, %v", n, err)
	}
	out := filepath.Join(t.TempDir(), "odd")
	if err := odds.Write().Parquet(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Read().Format("parquet").Load(out).Count(t.Context()); n != 500 || err != nil {
		t.Errorf("written: %d, %v", n, err)
	}
	if err := odds.CreateOrReplaceTempView(t.Context(), "odds"); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Table("odds").Count(t.Context()); n != 500 || err != nil {
		t.Errorf("a view: %d, %v", n, err)
	}
}

// TestMapLargeRows: rows beyond the limits of Spark's JSON parser.
func TestMapLargeRows(t *testing.T) {
	d := session.Range(0, 1).Select("CAST(repeat('tulip', 3100000) AS BINARY) AS b").Map("b BINARY, deep ARRAY<STRUCT<b:BINARY>>", heavier).
		Select("length(b) AS n", "length(deep[0].b) AS m", "sha2(b, 256) = sha2(CAST(repeat('tulip', 6200000) AS BINARY), 256) AS same")
	rows, err := d.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (mdslib.Sample{"n": int32(31e6), "m": int32(15.5e6), "same": true}); len(rows) != 1 || !reflect.DeepEqual(rows[0], want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
}

// TestMapFails: what a func and its rows do wrong is said first, with the row.
func TestMapFails(t *testing.T) {
	numbers := session.Range(0, 20).Select("id", "concat('no ', id) AS name")
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		says  []string
	}{
		"error":   {numbers.Map("", refused), []string{"spark: row ", "(id: 7, name: no 7): Map: the tulip \"Königin\" has no petals\n\tbut thorns"}},
		"panic":   {numbers.Map("", panicking), []string{"the func panicked: runtime error: index out of range [", "real_map_test.go:"}},
		"type":    {numbers.Map("n TINYINT", unlike), []string{`Map: column "n": 128 of Go type int64 is no tinyint`, "(id: 10, name: no 10)"}},
		"missing": {numbers.Map("n INT, m INT", unlike), []string{`Map: the row has no value for column "m" (nil is NULL)`}},
		"unknown": {numbers.Map("n INT", same), []string{`Map: the row has no value for column "n"`}},
		"literal": {numbers.Map("", func(row mdslib.Sample) (mdslib.Sample, error) { return row, nil }), []string{"was not given to reexec.Main"}},
		"schema":  {numbers.Map("n TULIP", same), []string{"Map: the schema: ", "TULIP"}},
		"keys":    {numbers.Select("map(X'01', id) AS m").Map("", same), []string{`spark: Map: rows go there as text, in which a map<binary,bigint> (column "m") is not all there`}},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(t *testing.T) {
				_, err := test.frame.Collect(t.Context())
				for _, says := range test.says {
					if err == nil || !strings.Contains(err.Error(), says) {
						t.Errorf("error %v, want %q", err, says)
					}
				}
			}
			if name == "error" {
				bothWays(t, check)
			} else {
				check(t)
			}
		})
	}
}

// TestMapProgramIsSentOnce: the program of a func travels once in a session, and again when its variables differ.
func TestMapProgramIsSentOnce(t *testing.T) {
	e := engineOf(t, session)
	sent := func(value int64) int {
		factor = value
		if _, err := session.Range(0, 3).Map("n BIGINT, parity STRING", scaled).Count(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.artifacts.mu.Lock()
		defer e.artifacts.mu.Unlock()
		return len(e.artifacts.paths)
	}
	first := sent(101)
	if again := sent(101); again != first {
		t.Errorf("%d files, then %d", first, again)
	}
	if other := sent(102); other != first+1 {
		t.Errorf("with another value %d files, want %d", other, first+1)
	}
}

// TestMapWithoutPrograms: where the platform runs no programs, the error says so.
func TestMapWithoutPrograms(t *testing.T) {
	refuse(t, engineOf(t, session), byTransform, byMapInArrow)
	_, err := session.Range(0, 3).Map("", odd).Collect(t.Context())
	want := "spark: Map: this platform does not run programs on its executors: TRANSFORM does not run here (it is not permitted here)\nmapInArrow does not run here (it is not permitted here)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestIterableOnExecutors: the samples that a func yields are those of the local engine, and mosaicml-streaming reads them; what is
// wrong with the func is said; one that can't go there is called here, and the report says so.
func TestIterableOnExecutors(t *testing.T) {
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	factor = 2
	options := func(udf func(iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error]) mdslib.MDSOptions {
		return mdslib.MDSOptions{
			Out: filepath.Join(t.TempDir(), "out"), SizeLimit: "20kb", Hashes: []string{"sha1", "xxh64"}, UDFIterable: udf,
			Columns: mdslib.Columns{"id": "int64", "s": "str", "data": "bytes", "d": "float64"},
		}
	}
	all := func(dir string) (rows []mdslib.Sample) {
		d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for s, err := range d.All() {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, s)
		}
		return rows
	}
	local := options(described)
	if _, err := mdslib.DataFrameToMDS(t.Context(), here.Range(0, 500), local); err != nil {
		t.Fatal(err)
	}
	want := all(local.Out)
	for _, who := range []string{"transform", "mapInArrow"} {
		opts := options(described)
		opts.SparkWriters = who
		report, err := mdslib.DataFrameToMDS(t.Context(), session.Range(0, 500), opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := all(opts.Out); !reflect.DeepEqual(got, want) || len(got) != 1000 {
			t.Errorf("%s: %d samples, not the local engine's %d, or others", who, len(got), len(want))
		}
		if !strings.Contains(report.Engine, "2 tasks on the executors of Spark") {
			t.Errorf("%s: report %s", who, report.Engine)
		}
		if who == "mapInArrow" {
			continue
		}
		if said, err := exec.Command(python, "-W", "ignore", "testdata/mosaic.py", opts.Out, "1000").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", who, err, said)
		}
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), session.Range(0, 8), options(wilting)); err == nil || !strings.Contains(err.Error(), "spark: row 3 of partition 0 (id: 3): UDFIterable: wilted") {
		t.Errorf("an error: %v", err)
	}
	literal := options(func(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] { return described(rows) })
	report, err := mdslib.DataFrameToMDS(t.Context(), session.Range(0, 500).Map("", same), literal)
	if err != nil || !strings.Contains(report.Engine, "this process, from the rows of Spark") || !strings.Contains(report.Engine, "UDFIterable stays in this process: ship: ") {
		t.Errorf("a literal: %v, %v", report, err)
	}
	if got := all(literal.Out); !reflect.DeepEqual(got, want) {
		t.Errorf("a literal: %d samples, not the local engine's %d, or others", len(got), len(want))
	}
	literal = options(literal.UDFIterable)
	literal.SparkWriters = "executors"
	if _, err := mdslib.DataFrameToMDS(t.Context(), session.Range(0, 500), literal); err == nil || !strings.Contains(err.Error(), "UDFIterable stays in this process: ship: ") {
		t.Errorf("a literal, forced: %v", err)
	}
}
