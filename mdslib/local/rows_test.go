package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// everything is a frame of two rows with a column of every type, the second row NULL but for its number.
func everything(t testing.TB) *mdslib.DataFrame {
	return csv(t, "i\n1\n2\n", "header", "true", "inferSchema", "true").Select("i",
		"if(i = 1, CAST(-1 AS TINYINT), NULL) AS by", "if(i = 1, CAST(-300 AS SMALLINT), NULL) AS sh", "if(i = 1, 5000000000L, NULL) AS l",
		"if(i = 1, CAST(1.5 AS FLOAT), NULL) AS f", "if(i = 1, 2.5D, NULL) AS d", "if(i = 1, 1.10, NULL) AS dec", "if(i = 1, 'é \"x\", y\\n', NULL) AS s",
		"if(i = 1, X'00FF', NULL) AS bin", "if(i = 1, true, NULL) AS b", "if(i = 1, DATE'1969-02-28', NULL) AS dt",
		"if(i = 1, timestamp_micros(-1500000000000001L), NULL) AS ts", "if(i = 1, array(1, NULL), NULL) AS ints", "if(i = 1, split('a b', ' '), NULL) AS words")
}

func TestMap(t *testing.T) {
	p := readPeople(t)
	d := p.Map("who STRING, born INT NOT NULL, tags ARRAY<STRING>, at STRUCT<x: DOUBLE>", func(row mdslib.Sample) (mdslib.Sample, error) {
		age, known := row["age"].(int32)
		if !known {
			return nil, nil
		}
		return mdslib.Sample{"who": strings.ToUpper(row["name"].(string)), "born": 2024 - int(age), "tags": []string{"t"}, "at": map[string]any{"x": 1}}, nil
	})
	wantLines(t, "map", table(t, d.Filter("born < 2000").Select("*", "at.x")), "ADA|1988|[t]|[1]|1", "DORA|1988|[t]|[1]|1")
	if n, err := d.Count(t.Context()); n != 4 || err != nil {
		t.Errorf("count: %d, %v", n, err)
	}
	same := everything(t).Map("", func(row mdslib.Sample) (mdslib.Sample, error) { return row, nil })
	wantLines(t, "rows come back as they were", table(t, same), table(t, everything(t))...)
	for want, fn := range map[string]func(row mdslib.Sample) (mdslib.Sample, error){
		"people.csv, line 3: Map: no":          func(row mdslib.Sample) (mdslib.Sample, error) { return row, fmt.Errorf("no") },
		`no value for column "age"`:            func(mdslib.Sample) (mdslib.Sample, error) { return mdslib.Sample{"name": "x", "city": "y"}, nil },
		`"age": x of Go type string is no int`: func(row mdslib.Sample) (mdslib.Sample, error) { row["age"] = "x"; return row, nil },
		`3000000000 of Go type int is no int`:  func(row mdslib.Sample) (mdslib.Sample, error) { row["age"] = 3000000000; return row, nil },
		"people.csv, line 3: the func panicked: runtime error: index out of range [5]": func(row mdslib.Sample) (mdslib.Sample, error) {
			return mdslib.Sample{"name": []string{"x"}[len(row)+2]}, nil
		},
		`"size", which is no column`: func(row mdslib.Sample) (mdslib.Sample, error) { row["size"] = 1; return row, nil },
	} {
		if _, err := tryTable(p.Filter("name = 'Bob'").Map("", fn)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if _, err := p.Map("who STRNG", nil).Schema(t.Context()); err == nil {
		t.Error("a nil func and a wrong schema: no error")
	}
	if _, err := plan.Marshal(d.Plan()); err == nil || !strings.Contains(err.Error(), "can't travel") {
		t.Errorf("Marshal: %v", err)
	}
}

func TestSchemaGiven(t *testing.T) {
	d := csv(t, people, "header", "true")
	file := d.Plan().(*plan.Read).Paths[0]
	read := connect(t, "local").Read().Option("header", "true").Format("csv")
	wantLines(t, "csv", table(t, read.Schema("who STRING, years DOUBLE").Load(file).Filter("years > 7")), "Ada|36", "Dora|36")
	for want, d := range map[string]*mdslib.DataFrame{
		`people.csv, line 2: column "name": "Ada" is no int`: read.Schema("name INT").Load(file),
		"did you mean string?":                               read.Schema("name STRNG").Load(file),
		`column "A" occurs twice`:                            read.Schema("a INT, A INT").Load(file),
		"csv can't hold array":                               read.Schema("a ARRAY<INT>").Load(file),
		"Schema is for csv":                                  connect(t, "local").Read().Schema("a INT").Format("binaryFile").Load(file),
		"unknown option \"Hedaer\"":                          read.Option("Hedaer", "x").Load(file),
		"timeZone is Spark's":                                read.Option("timeZone", "UTC").Load(file),
		"want 2024":                                          read.Option("modifiedAfter", "yesterday").Load(file),
		"doesn't read \"ww\"":                                read.Option("dateFormat", "ww").Load(file),
	} {
		if _, err := tryTable(d); err == nil || !strings.Contains(err.Error(), strings.Replace(want, "want 2024", "want a time", 1)) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// A Delta table's Parquet files are not read as they lie.
func TestDeltaIsRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "_delta_log", "00000000000000000000.json"), "{}")
	write(t, filepath.Join(dir, "part-0.csv"), "x\n")
	for format, want := range map[string]string{"delta": "Delta tables need Spark", "csv": "is a Delta table"} {
		if _, err := tryTable(connect(t, "local").Read().Format(format).Load(dir)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// TestMDSSource: what was written is read back, whole and in parts, from one folder and from many.
func TestMDSSource(t *testing.T) {
	d := everything(t).Filter("i = 1").Drop("ints").Union(everything(t).Filter("i = 1").Drop("ints"))
	out := filepath.Join(t.TempDir(), "out")
	if _, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	read := connect(t, "local").Read().Format("mds")
	schema, err := read.Load(out).Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := (plan.Type{Kind: plan.Struct, Fields: schema.Fields}).String(), "struct<b:smallint,bin:binary,by:tinyint,d:double,dec:string,dt:string,f:float,i:int,l:bigint,s:string,sh:smallint,ts:bigint,words:string>"; got != want {
		t.Errorf("schema %s\nwant %s", got, want)
	}
	one := "1|\x00\xff|-1|2.5|1.10|1969-02-28|1.5|1|5000000000|é \"x\", y\n|-300|-1500000000000001|[\"a\", \"b\"]"
	wantLines(t, "rows", table(t, read.Load(out)), one, one)
	wantLines(t, "some columns of two folders", table(t, read.Load(out, out+"/00000").Select("l").Limit(3)), "5000000000", "5000000000", "5000000000")
	if n, err := read.Load(out).Count(t.Context()); n != 2 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	// Every encoding that the reference wrote is read.
	formats, err := filepath.Glob("../testdata/golden/formats/*/none")
	if err != nil || len(formats) < 25 {
		t.Fatal(formats, err)
	}
	for _, dir := range formats {
		index, err := mdslib.ReadIndex(dir)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tryTable(read.Load(dir))
		if strings.Contains(dir, "ndarray_float32") { // its samples have one dimension and two
			if err == nil || !strings.Contains(err.Error(), "shard.00000.mds, row 2") {
				t.Errorf("%s: %v", dir, err)
			}
			continue
		}
		if err != nil || len(rows) != index.NumSamples() {
			t.Errorf("%s: %d rows of %d, %v", dir, len(rows), index.NumSamples(), err)
		}
	}
	if _, err := tryTable(read.Load("../testdata/golden/formats/str/none", "../testdata/golden/formats/int8/none")); err == nil {
		t.Error("data sets of other columns: no error")
	}
	if _, err := tryTable(read.Load(t.TempDir())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// Arrays of arrays are written as ndarrays of a shape and come back; ragged ones are refused.
func TestShapes(t *testing.T) {
	d := csv(t, "x\n1\n", "header", "true", "inferSchema", "true").Select("array(array(1, 2, 3), array(4, 5, 6)) AS a", "array(array(x), array(1, 2)) AS ragged")
	out := filepath.Join(t.TempDir(), "out")
	opts := mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"a": "ndarray:int32:2,3"}}
	if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); err != nil {
		t.Fatal(err)
	}
	wantLines(t, "back", table(t, connect(t, "local").Read().Format("mds").Load(out)), "[[1 2 3] [4 5 6]]")
	opts.Out, opts.Columns = filepath.Join(t.TempDir(), "out"), mdslib.Columns{"ragged": "ndarray:int32:2,2"}
	if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); err == nil || !strings.Contains(err.Error(), "ragged") {
		t.Errorf("ragged arrays: %v", err)
	}
}

func TestWriteText(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	session := connect(t, "local")
	flat := everything(t).Drop("ints", "words", "bin")
	if err := flat.Write().Format("csv").Option("header", "true").Option("compression", "gzip").Save(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	schema := "i INT, by TINYINT, sh SMALLINT, l BIGINT, f FLOAT, d DOUBLE, dec DECIMAL(3,2), s STRING, b BOOLEAN, dt DATE, ts TIMESTAMP"
	back := session.Read().Format("csv").Option("header", "true").Option("multiLine", "true").Schema(schema).Load(out)
	wantLines(t, "csv", table(t, back), table(t, flat)...)

	err := flat.Write().Format("csv").Save(t.Context(), out)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto another: %v", err)
	}
	if err := flat.Write().Format("csv").Mode("ignore").Save(t.Context(), out); err != nil || len(files(t, out)) != 2 {
		t.Errorf("ignore: %v, %v", err, slices.Collect(keys(files(t, out))))
	}
	before := files(t, out)
	for _, mode := range []string{"overwrite", "append"} {
		err := flat.Select("1 / (i - 2) AS x").Write().Format("json").Mode(mode).Save(t.Context(), out)
		if err == nil || !strings.Contains(err.Error(), "nothing was written") || !mapsEqual(files(t, out), before) {
			t.Errorf("a failed %s: %v", mode, err)
		}
	}
	all := everything(t)
	if err := all.Write().Format("json").Option("compression", "zstd").Mode("overwrite").Save(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(keys(files(t, out))); len(names) != 2 || names[0] != success || !strings.HasSuffix(names[1], ".json.zst") {
		t.Errorf("files %v", names)
	}
	back = session.Read().Format("json").Schema(schema+", bin BINARY, ints ARRAY<INT>, words ARRAY<STRING>").Load(out).Select("i", "by", "sh", "l", "f", "d", "dec", "s", "bin", "b", "dt", "ts", "ints", "words")
	wantLines(t, "json", table(t, back), table(t, all)...)
	if err := all.Write().Format("json").Mode("append").Save(t.Context(), out); err != nil || len(files(t, out)) != 3 {
		t.Errorf("append: %v", err)
	}
	write(t, filepath.Join(out, "mine.txt"), "mine")
	if err := all.Write().Format("json").Mode("overwrite").Save(t.Context(), out); err == nil || !strings.Contains(err.Error(), "mine.txt") {
		t.Errorf("a foreign file: %v", err)
	}
	none := filepath.Join(t.TempDir(), "none")
	for want, w := range map[string]*mdslib.DataFrameWriter{
		"csv can't hold array": all.Write().Format("csv"), "formats: csv, json": all.Write().Format("xml"), "DataFrameToMDS": all.Write().Format("mds"),
		"need Spark": all.Write().Format("delta"), "did you mean header": flat.Write().Format("csv").Option("haeder", "true"), "mode \"over\"": flat.Write().Mode("over"),
		"no column": flat.Select("nope").Write().Format("csv"), "want none, gzip or zstd": flat.Write().Format("csv").Option("compression", "rar"),
	} {
		if err := w.Save(t.Context(), none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if _, err := os.Stat(none); err == nil {
			t.Errorf("%s: the folder was made", want)
		}
	}
	if err := flat.Filter("false").Write().Format("csv").Option("header", "true").Save(t.Context(), none); err != nil || len(files(t, none)) != 2 {
		t.Errorf("no rows: %v", err)
	}
	wantLines(t, "no rows", names(t, session.Read().Format("csv").Option("header", "true").Load(none)), "i", "by", "sh", "l", "f", "d", "dec", "s", "b", "dt", "ts")
}

func names(t testing.TB, d *mdslib.DataFrame) []string {
	t.Helper()
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return schema.Names()
}
