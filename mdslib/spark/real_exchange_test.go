//go:build spark

package spark

// Rows of Parquet files that the tasks deal out themselves.

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// rowsOfAll are the samples of a data set by partition, as text, sorted.
func rowsOfAll(t *testing.T, dir string) (partitions [][]string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "*", mdslib.IndexName))
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range folders {
		d, err := mdslib.OpenDataset(filepath.Dir(index), mdslib.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for s, err := range d.All() {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, fmt.Sprint(s))
		}
		d.Close()
		slices.Sort(rows)
		partitions = append(partitions, rows)
	}
	return partitions
}

// TestExchange: what tasks read of Parquet files and deal out is what Spark reads of them, NULL and all, evenly; where they can't,
// Spark does it, and the report says so.
func TestExchange(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	made := session.Range(0, 1003).Select(
		"id", "CAST(id AS INT) AS i", "CAST(id % 100 AS SMALLINT) AS s", "CAST(id % 100 AS TINYINT) AS b", "id % 3 = 0 AS even", "CAST(id AS FLOAT) / 7 AS f", "id / 7 AS d",
		"IF(id % 5 = 0, NULL, concat('row ', id, ' — é'))  AS text", "IF(id % 7 = 0, NULL, CAST(repeat(CAST(id AS STRING), 50) AS BINARY)) AS data", "DATE'2026-01-01' AS day")
	if err := made.Repartition(3).Write().Format("parquet").Save(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	read := func() *mdslib.DataFrame { return session.Read().Format("parquet").Load(source) }
	nulls := map[string]any{"text": "none", "data": []byte("none")}
	columns := mdslib.Columns{"id": "int64", "i": "int32", "s": "int16", "b": "int8", "even": "uint8", "f": "float32", "d": "float64", "text": "str", "data": "bytes"}
	convert := func(name string, d *mdslib.DataFrame, way string) (*mdslib.Report, [][]string) {
		t.Helper()
		opts := mdslib.MDSOptions{Out: filepath.Join(dir, name), Columns: columns, SparkWriters: way, SizeLimit: "20kb", NullAs: nulls}
		report, err := direct.ConvertMDS(t.Context(), plan.Once(d.Plan()), opts)
		if err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(opts.Out, "_*")); left != nil {
			t.Errorf("%s: %q are left", name, left)
		}
		return report, rowsOfAll(t, opts.Out)
	}
	defer func(least int64) { direct.leastDealt = least }(direct.leastDealt)
	const told, refused = "; the tasks read the files themselves", "; Spark read the files, as tasks could not: "
	_, want := convert("by Spark", read().Drop("day").Where("true").Repartition(4), "transform")
	all := slices.Sorted(slices.Values(slices.Concat(want...)))
	if report, _ := convert("little", read().Drop("day").Repartition(4), "transform"); strings.Contains(report.Engine, told) {
		t.Errorf("another job for a few kilobytes: %s", report.Engine)
	}
	if n, err := direct.sourceBytes(t.Context(), read().Plan().(*plan.Read)); err != nil || n < 10<<10 || n > 1<<20 {
		t.Errorf("the source has %d bytes as Spark reckons it, %v", n, err)
	}
	direct.leastDealt = 10 << 10
	for _, way := range []string{"transform", "mapInArrow"} {
		report, got := convert("by "+way, read().Drop("day").Select("*").Repartition(4), way)
		if !strings.HasSuffix(report.Engine, told) {
			t.Errorf("%s: %s", way, report.Engine)
		}
		if !slices.Equal(slices.Sorted(slices.Values(slices.Concat(got...))), all) || len(all) != 1003 {
			t.Errorf("%s: other rows than Spark's", way)
		}
		for p, rows := range got {
			if len(got) != 4 || len(rows) < 1003/4-2 || len(rows) > 1003/4+3 {
				t.Errorf("%s: partition %d of %d has %d rows", way, p, len(got), len(rows))
			}
		}
	}

	// The same data set each time, wherever the Repartition stands.
	_, again := convert("again", read().Repartition(4).Drop("day").WithColumnRenamed("text", "words").WithColumnRenamed("words", "text"), "transform")
	if _, first := convert("first", read().Drop("day").Repartition(4), "transform"); !slices.EqualFunc(again, first, slices.Equal) {
		t.Error("the same rows come to other partitions another time")
	}

	// Rows that Spark keeps are those, for whomever it does, whatever becomes of the files.
	files, err := filepath.Glob(filepath.Join(source, "*.parquet"))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	hidden := filepath.Join(source, "_hidden")
	for name, keeper := range map[string]*engine{"us": direct, "others": session.Engine().(*engine)} {
		kept := read().Drop("day")
		if err := keeper.Persist(t.Context(), kept.Plan(), ""); err != nil {
			t.Fatal(err)
		}
		for _, err := range keeper.Batches(t.Context(), &plan.Project{Input: kept.Plan(), Exprs: []string{"count(*)"}}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Rename(files[0], hidden); err != nil {
			t.Fatal(err)
		}
		report, got := convert("kept for "+name, kept.Repartition(3), "transform")
		if !slices.Equal(slices.Sorted(slices.Values(slices.Concat(got...))), all) || strings.Contains(report.Engine, told) || strings.Contains(report.Engine, refused) {
			t.Errorf("%d samples of rows that Spark keeps for %s: %s", report.Samples, name, report.Engine)
		}
		if err := os.Rename(hidden, files[0]); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Unpersist(t.Context(), kept.Plan()); err != nil {
			t.Fatal(err)
		}
	}

	// Settings by which Spark reads otherwise.
	for _, name := range unplain {
		if err := direct.SetConf(t.Context(), name, "true"); err != nil {
			t.Fatal(err)
		}
		if report, _ := convert(name, read().Drop("day").Repartition(2), "transform"); strings.Contains(report.Engine, told) || strings.Contains(report.Engine, refused) {
			t.Errorf("%s: %s", name, report.Engine)
		}
		if err := direct.SetConf(t.Context(), name, "false"); err != nil {
			t.Fatal(err)
		}
	}

	// Bytes that are not those that Spark wrote are its error.
	good, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(good)
	bad[len(bad)/3] ^= 1
	if err := os.WriteFile(files[1], bad, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = direct.ConvertMDS(t.Context(), plan.Once(read().Drop("day").Repartition(2).Plan()), mdslib.MDSOptions{Out: filepath.Join(dir, "flipped"), Columns: columns, NullAs: nulls, SparkWriters: "transform"})
	if err == nil || !strings.Contains(err.Error(), filepath.Base(files[1])) {
		t.Errorf("a flipped bit: %v", err)
	}
	if err := os.WriteFile(files[1], good, 0o666); err != nil {
		t.Fatal(err)
	}

	// What tasks do not read as Spark does.
	if err := os.Rename(source, filepath.Join(dir, "day=1")); err != nil {
		t.Fatal(err)
	}
	source = filepath.Join(dir, "day=1")
	report, got := convert("of a folder with a value", read().Drop("day").Repartition(4), "transform")
	if !strings.Contains(report.Engine, refused) || !strings.Contains(report.Engine, "its folders may have names that are columns") || !slices.Equal(slices.Sorted(slices.Values(slices.Concat(got...))), all) {
		t.Errorf("%s", report.Engine)
	}
	for name, d := range map[string]*mdslib.DataFrame{
		"with a date": read().WithColumnRenamed("day", "text2").Drop("text").WithColumnRenamed("text2", "text").Repartition(2), "with a filter": read().Drop("day").Where("id >= 0").Repartition(2), "an expression": read().Drop("day").WithColumn("i", "i + 0").Repartition(2),
		"not dealt": read().Drop("day"), "rows made of rows": read().Drop("day").Select("*", "explode(array(1, 2)) AS n").Repartition(2),
	} {
		report, _ := convert(name, d, "transform")
		if strings.Contains(report.Engine, told) || strings.Contains(report.Engine, refused) {
			t.Errorf("%s: %s", name, report.Engine)
		}
	}

	// A file that nobody can read is Spark's error, and no data set.
	if err := os.WriteFile(filepath.Join(source, "part-cut.parquet"), []byte("PAR1 and no more"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "cut")
	_, err = direct.ConvertMDS(t.Context(), plan.Once(read().Drop("day").Repartition(2).Plan()), mdslib.MDSOptions{Out: out, Columns: columns, NullAs: nulls, SparkWriters: "transform"})
	if err == nil || !strings.Contains(err.Error(), "part-cut.parquet") {
		t.Errorf("a file that was cut off: %v", err)
	}
	if left, _ := os.ReadDir(out); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestExchangeOfEncodings: what tasks read of files of all encodings, codecs and page versions, as PyArrow writes them, is what Spark
// reads of them.
func TestExchangeOfEncodings(t *testing.T) {
	source := t.TempDir()
	if out, err := exec.Command(python, "testdata/parquet.py", source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer func(least int64) { direct.leastDealt = least }(direct.leastDealt)
	nulls := map[string]any{"flag": 9, "b": 999, "s": 99999, "i": 1 << 40, "n": -1, "f": -1, "d": -1, "text": "null", "data": []byte("null")}
	columns := mdslib.Columns{"flag": "uint8", "b": "int64", "s": "int64", "i": "int64", "n": "int64", "f": "float32", "d": "float64", "text": "str", "data": "bytes"}
	var samples [2][]string
	for i, least := range []int64{0, 1 << 60} {
		direct.leastDealt = least
		out := filepath.Join(t.TempDir(), "out")
		d := session.Read().Format("parquet").Load(source).Repartition(3)
		report, err := direct.ConvertMDS(t.Context(), plan.Once(d.Plan()), mdslib.MDSOptions{Out: out, Columns: columns, NullAs: nulls, SparkWriters: "transform"})
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.HasSuffix(report.Engine, "; the tasks read the files themselves"); told != (least == 0) {
			t.Error(report.Engine)
		}
		samples[i] = slices.Sorted(slices.Values(slices.Concat(rowsOfAll(t, out)...)))
	}
	if len(samples[0]) != 30*150 || !slices.Equal(samples[0], samples[1]) {
		t.Errorf("%d samples, and %d by Spark, are not the same", len(samples[0]), len(samples[1]))
	}
}

// TestKeptContents: contents of files that Spark keeps, for whomever it does, are those, whatever the files have by now.
func TestKeptContents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.bin")
	for name, keeper := range map[string]*engine{"us": direct, "others": session.Engine().(*engine)} {
		if err := os.WriteFile(file, []byte("as kept"), 0o666); err != nil {
			t.Fatal(err)
		}
		kept := session.Read().Format("binaryFile").Load(filepath.Dir(file)).Select("content")
		if err := keeper.Persist(t.Context(), kept.Plan(), ""); err != nil {
			t.Fatal(err)
		}
		for _, err := range keeper.Batches(t.Context(), kept.Plan()) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, []byte("changed"), 0o666); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		if _, err := direct.ConvertMDS(t.Context(), plan.Once(kept.Plan()), mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"content": "bytes"}, SparkWriters: "transform"}); err != nil {
			t.Fatal(err)
		}
		if got := rowsOfAll(t, out); len(got) != 1 || !slices.Equal(got[0], []string{fmt.Sprint(mdslib.Sample{"content": []byte("as kept")})}) {
			t.Errorf("kept for %s: %q", name, got)
		}
		if err := keeper.Unpersist(t.Context(), kept.Plan()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExchangeKilled: tasks that are killed while they deal rows out, and while they write what was dealt, are run again; each row is
// there once, and nothing else is left, as after an interrupt.
func TestExchangeKilled(t *testing.T) {
	const rows = 400_000
	source := filepath.Join(t.TempDir(), "source")
	made := session.Range(0, rows).Select("id", "repeat(sha1(CAST(id AS STRING)), 8) AS text").Repartition(2)
	if err := made.Write().Format("parquet").Save(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	defer func(least int64) { direct.leastDealt = least }(direct.leastDealt)
	direct.leastDealt = 0
	for name, sign := range map[string]string{"dealing": "dealt-*", "writing": "0*/shard.*", "interrupted": "dealt-*"} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			struck := make(chan bool, 1)
			go func() {
				defer close(struck)
				for ctx.Err() == nil {
					time.Sleep(5 * time.Millisecond)
					if found, _ := filepath.Glob(filepath.Join(out, "_attempt-*", sign)); len(found) == 0 {
						continue
					}
					if name == "interrupted" {
						cancel()
						return
					}
					for pid := range workers(t) {
						struck <- syscall.Kill(pid, syscall.SIGKILL) == nil
						return
					}
				}
			}()
			d := session.Read().Format("parquet").Load(source).Repartition(3)
			report, err := direct.ConvertMDS(ctx, plan.Once(d.Plan()), mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"id": "int64", "text": "str"}, SparkWriters: "transform", SizeLimit: "4mb"})
			cancel()
			if killed := <-struck; killed == (name == "interrupted") {
				t.Fatalf("a task was killed: %t", killed)
			}
			noWorkers(t)
			entries, _ := os.ReadDir(out)
			if name == "interrupted" {
				if err == nil || len(entries) > 0 {
					t.Errorf("%v is left, error %v", entries, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := numbersOf(t, out)
			slices.Sort(got)
			if n := len(slices.Compact(slices.Clone(got))); len(got) != rows || n != rows || got[rows-1] != rows-1 {
				t.Errorf("%d samples, %d different ones", len(got), n)
			}
			if len(entries) != 4 || !strings.HasSuffix(report.Engine, "; the tasks read the files themselves") {
				t.Errorf("%v, %s", entries, report.Engine)
			}
		})
	}
}
