package exchange

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/worker"
)

const ddl = "flag BOOLEAN, b TINYINT, s SMALLINT, i INT, n BIGINT, f FLOAT, d DOUBLE, text STRING, data BINARY"

var columns = mdslib.Columns{"flag": "uint8", "b": "int8", "s": "int16", "i": "int32", "n": "int64", "f": "float32", "d": "float64", "text": "str", "data": "bytes"}

// nulls are what stands for NULL; no row has these values.
var nulls = map[string]any{"flag": 9, "b": -1, "s": -1, "i": -1, "n": -1, "f": -1, "d": -1, "text": "null", "data": []byte("null")}

// writeParquet writes rows first to end-1 in groups of 100, in pages of a few, every null-th value NULL, and returns the samples
// that they are to be.
func writeParquet(t testing.TB, path string, first, end, null int, properties ...parquet.WriterProperty) (samples []string) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: null > 0}, {Name: "b", Type: arrow.PrimitiveTypes.Int8, Nullable: null > 0},
		{Name: "s", Type: arrow.PrimitiveTypes.Int16, Nullable: null > 0}, {Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: null > 0},
		{Name: "N", Type: arrow.PrimitiveTypes.Int64, Nullable: null > 0}, {Name: "f", Type: arrow.PrimitiveTypes.Float32, Nullable: null > 0},
		{Name: "d", Type: arrow.PrimitiveTypes.Float64, Nullable: null > 0}, {Name: "text", Type: arrow.BinaryTypes.String, Nullable: null > 0},
		{Name: "data", Type: arrow.BinaryTypes.Binary, Nullable: null > 0},
	}, nil)
	var file bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &file, parquet.NewWriterProperties(append(properties, parquet.WithDataPageSize(300), parquet.WithBatchSize(7))...), pqarrow.NewArrowWriterProperties())
	if err != nil {
		t.Fatal(err)
	}
	for group := first; group < end; group += 100 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for r := group; r < min(group+100, end); r++ {
			row := []any{r%2 == 0, int8(r % 100), int16(r), int32(r), int64(r) << 33, float32(r) / 7, float64(r) / 7, fmt.Sprint("row ", r%20), bytes.Repeat([]byte{byte(r)}, r%50)}
			sample := mdslib.Sample{}
			for c, v := range row {
				name := strings.ToLower(schema.Field(c).Name)
				sample[name] = v
				if null > 0 && (r+c)%null == 0 {
					b.Field(c).AppendNull()
					sample[name] = nulls[name]
					continue
				}
				switch to := b.Field(c).(type) {
				case *array.BooleanBuilder:
					to.Append(v.(bool))
					sample[name] = map[bool]int{false: 0, true: 1}[v.(bool)]
				case *array.Int8Builder:
					to.Append(v.(int8))
				case *array.Int16Builder:
					to.Append(v.(int16))
				case *array.Int32Builder:
					to.Append(v.(int32))
				case *array.Int64Builder:
					to.Append(v.(int64))
				case *array.Float32Builder:
					to.Append(v.(float32))
				case *array.Float64Builder:
					to.Append(v.(float64))
				case *array.StringBuilder:
					to.Append(v.(string))
				case *array.BinaryBuilder:
					to.Append(v.([]byte))
				}
			}
			samples = append(samples, text(sample))
		}
		if err := w.Write(b.NewRecord()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return samples
}

// writeEmpty writes a file of these columns, without rows.
func writeEmpty(t *testing.T, path string, fields ...arrow.Field) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(arrow.NewSchema(fields, nil), f, nil, pqarrow.NewArrowWriterProperties())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// text is a sample as text.
func text(s mdslib.Sample) string {
	var b strings.Builder
	for _, name := range columns.Names() {
		v := s[name]
		if bytes, ok := v.([]byte); ok {
			v = string(bytes)
		}
		fmt.Fprintf(&b, "%s=%v ", name, v)
	}
	return b.String()
}

// job is that of a conversion which has begun.
func job(t testing.TB, partitions int, splitBytes int64) *worker.Job {
	t.Helper()
	schema, err := plan.ParseSchema(ddl)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mdslib.StartConversion(t.Context(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), Columns: columns, NullAs: nulls}, "")
	if err != nil {
		t.Fatal(err)
	}
	j := &worker.Job{Schema: schema, Token: c.TaskToken(), Texts: make([]worker.Text, len(schema.Fields))}
	if j.Options, j.Marker, err = c.TaskOptions(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.Exchange = &worker.Exchange{Sources: []string{"flag", "b", "s", "i", "N", "f", "d", "text", "data"}, Partitions: partitions, SplitBytes: splitBytes}
	return j
}

// splits is the input of a dealing task: all splits of some files.
func splits(t testing.TB, j *worker.Job, paths ...string) *strings.Reader {
	t.Helper()
	var b strings.Builder
	for _, path := range paths {
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := range (stat.Size()-1)/j.Exchange.SplitBytes + 1 {
			fmt.Fprintf(&b, "0\t%s\t%d\tE\n", base64.StdEncoding.EncodeToString([]byte("file:"+path)), n)
		}
	}
	return strings.NewReader(b.String())
}

// convert writes the partitions and returns their samples, by partition.
func convert(t *testing.T, j *worker.Job) (partitions [][]string) {
	t.Helper()
	for p := range j.Exchange.Partitions {
		r, err := Convert(t.Context(), j, strings.NewReader(fmt.Sprintln(p)))
		if err != nil {
			t.Fatal(err)
		}
		var samples []string
		if r != nil {
			d, err := mdslib.OpenDataset(filepath.Join(j.Options.Out, r.Dir), mdslib.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for s, err := range d.All() {
				if err != nil {
					t.Fatal(err)
				}
				samples = append(samples, text(s))
			}
			d.Close()
		}
		partitions = append(partitions, samples)
	}
	return partitions
}

// TestDeal: each row of files of all kinds comes to one partition, in turn.
func TestDeal(t *testing.T) {
	kinds := map[string][]parquet.WriterProperty{
		"plain":      {parquet.WithDictionaryDefault(false)},
		"dictionary": {parquet.WithCompression(compress.Codecs.Snappy)},
		"version 2":  {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Snappy)},
		"gzip":       {parquet.WithCompression(compress.Codecs.Gzip), parquet.WithDictionaryDefault(false)},
	}
	for name, properties := range kinds {
		for _, null := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s, NULL each %d", name, null), func(t *testing.T) {
				a, b := filepath.Join(t.TempDir(), "a.parquet"), filepath.Join(t.TempDir(), "b.parquet")
				want := slices.Concat(writeParquet(t, a, 0, 1234, null, properties...), writeParquet(t, b, 5000, 5001, null, properties...))
				j := job(t, 3, 5000)
				report, err := Deal(t.Context(), j, splits(t, j, a, b))
				if err != nil || report.Unable != "" || len(report.Files) < 4 {
					t.Fatalf("%+v, %v", report, err)
				}
				for _, f := range report.Files {
					if (f.Rows > 0) != (f.Name != "") || f.SourceRows != 1234 && f.SourceRows != 1 {
						t.Errorf("%+v", f)
					}
					if f.Rows > 0 {
						j.Exchange.Dealt = append(j.Exchange.Dealt, f)
					}
				}
				if j.Exchange.Rows() != 1235 {
					t.Errorf("%d rows were dealt out", j.Exchange.Rows())
				}
				got := convert(t, j)
				for p, samples := range got {
					if len(samples) < 1235/3-len(report.Files) || len(samples) > 1235/3+len(report.Files) {
						t.Errorf("partition %d has %d samples", p, len(samples))
					}
				}
				all := slices.Concat(got...)
				slices.Sort(all)
				slices.Sort(want)
				if !slices.Equal(all, want) {
					t.Errorf("%d samples, want %d\n%s\n%s", len(all), len(want), all[0], want[0])
				}
			})
		}
	}
}

// TestUnable: what is not read as Spark reads it is left to Spark, with the reason, and nothing of it lies around.
func TestUnable(t *testing.T) {
	dir := t.TempDir()
	good, cut, folder := filepath.Join(dir, "good.parquet"), filepath.Join(dir, "cut.parquet"), filepath.Join(dir, "n=1", "good.parquet")
	writeParquet(t, good, 0, 500, 0)
	writeParquet(t, cut, 0, 500, 0)
	if err := os.Mkdir(filepath.Dir(folder), 0o777); err != nil {
		t.Fatal(err)
	}
	writeParquet(t, folder, 0, 500, 0)
	text, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, text[:len(text)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged.parquet")
	copy(text[100:len(text)/2], bytes.Repeat([]byte{0xff}, len(text)))
	if err := os.WriteFile(damaged, text, 0o666); err != nil {
		t.Fatal(err)
	}
	twice, nested := filepath.Join(dir, "twice.parquet"), filepath.Join(dir, "nested.parquet")
	long := arrow.Field{Name: "n", Type: arrow.PrimitiveTypes.Int64}
	writeEmpty(t, twice, long, arrow.Field{Name: "N", Type: long.Type})
	writeEmpty(t, nested, arrow.Field{Name: "n", Type: arrow.StructOf(long)})
	for _, c := range []struct {
		path, ddl string
		sources   []string
		want      string
	}{
		{good, "n INT", []string{"N"}, `column "N" is INT64`},
		{good, "n TIMESTAMP", []string{"N"}, `and timestamp as Spark reads it`},
		{good, "data STRING", []string{"data"}, `and string as Spark reads it`},
		{good, "s INT", []string{"s"}, `and int as Spark reads it`},
		{good, "n BIGINT", []string{"n"}, `for the column "n" it has ["N"]`},
		{good, "n BIGINT", []string{"nope"}, `it has no column "nope"`},
		{twice, "n BIGINT", []string{"n"}, `for the column "n" it has ["n" "N"]`},
		{nested, "n BIGINT", []string{"n"}, `column "n" is a nested one in it`},
		{cut, "n BIGINT", []string{"N"}, "cut.parquet: "},
		{damaged, "data BINARY", []string{"data"}, "damaged.parquet: "},
		{folder, "s SMALLINT", []string{"s"}, "its folders may have names that are columns"},
	} {
		j := job(t, 2, 1<<20)
		if j.Schema, err = plan.ParseSchema(c.ddl); err != nil {
			t.Fatal(err)
		}
		name := j.Schema.Fields[0].Name
		j.Options.Columns = mdslib.Columns{name: map[string]string{"n INT": "int32", "n TIMESTAMP": "int64", "data STRING": "str", "s INT": "int32"}[c.ddl]}
		if j.Options.Columns[name] == "" {
			j.Options.Columns[name] = columns[name]
		}
		j.Options.NullAs, j.Exchange.Sources = nil, c.sources
		report, err := Deal(t.Context(), j, splits(t, j, c.path))
		if err != nil || !strings.Contains(report.Unable, c.want) {
			t.Errorf("%s of %s: %+v, %v", c.ddl, c.path, report, err)
		}
		if left, _ := filepath.Glob(filepath.Join(j.Options.Out, worker.DealtPrefix+"*")); left != nil {
			t.Errorf("%s of %s leaves %q", c.ddl, c.path, left)
		}
	}
}

// TestDamagedParquet: files that are damaged are left to Spark, or have other values, and never are a panic.
func TestDamagedParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.parquet")
	writeParquet(t, path, 0, 300, 3, parquet.WithCompression(compress.Codecs.Snappy))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 8))
	unable, j := 0, job(t, 2, 1<<20)
	for range 100 {
		bad := slices.Clone(good)
		for range 1 + r.IntN(4) {
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		}
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		report, err := Deal(t.Context(), j, splits(t, j, path))
		if err != nil {
			t.Fatal(err)
		}
		if report.Unable != "" {
			unable++
		}
	}
	if unable < 33 {
		t.Errorf("only %d of 100 damaged files are left to Spark", unable)
	}
}

// TestPartitionErrors: what is wrong with files of dealt rows is an error that names the source.
func TestPartitionErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeParquet(t, path, 0, 200, 0)
	j := job(t, 2, 1<<20)
	report, err := Deal(t.Context(), j, splits(t, j, path))
	if err != nil || len(report.Files) != 1 {
		t.Fatal(report, err)
	}
	j.Exchange.Dealt = report.Files
	dealt := filepath.Join(j.Options.Out, report.Files[0].Name)
	good, err := os.ReadFile(dealt)
	if err != nil {
		t.Fatal(err)
	}
	for want, bad := range map[string][]byte{
		"does not end as":        good[:len(good)-1],
		"0 bytes are no file":    nil,
		"a value begins with 77": append([]byte{77}, good[1:]...),
	} {
		if err := os.WriteFile(dealt, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for p := range 2 {
			if _, err := Convert(t.Context(), j, strings.NewReader(fmt.Sprintln(p))); err != nil {
				failed++
				if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.parquet: ") {
					t.Errorf("%v, want %q", err, want)
				}
			}
		}
		if failed == 0 {
			t.Errorf("no error of %q", want)
		}
	}
	for _, in := range []string{"", "x\n", "2\n", "-1\n"} {
		if _, err := Convert(t.Context(), j, strings.NewReader(in)); err == nil {
			t.Errorf("partition %q: no error", in)
		}
	}
	if err := os.Remove(dealt); err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(t.Context(), j, strings.NewReader("0\n")); err == nil || !strings.Contains(err.Error(), "a.parquet: ") {
		t.Error(err)
	}
}

// FuzzDealt: files of dealt rows are read as rows or are errors.
func FuzzDealt(f *testing.F) {
	schema, err := plan.ParseSchema(ddl)
	if err != nil {
		f.Fatal(err)
	}
	var types []plan.Type
	var places []int
	for i, field := range schema.Fields {
		types, places = append(types, field.Type), append(places, i)
	}
	path := filepath.Join(f.TempDir(), "a.parquet")
	writeParquet(f, path, 0, 20, 4)
	j := job(f, 2, 1<<20)
	report, err := Deal(f.Context(), j, splits(f, j, path))
	if err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(j.Options.Out, report.Files[0].Name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0)
	f.Add(good, 1)
	f.Add(good[1:], 1)
	f.Fuzz(func(t *testing.T, file []byte, partition int) {
		r, err := newDealtReader(bytes.NewReader(file), int64(len(file)), partition&1, types)
		values := make([]any, len(types))
		for rows := 0; err == nil; rows++ {
			if rows > len(file)*len(file) {
				t.Fatal("rows without end")
			}
			err = r.next(values, places)
		}
	})
}
