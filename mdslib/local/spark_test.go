package local

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/dsnet/compress/bzip2"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// sparkCase is one case of testdata/spark.json, made by testdata/spark.py with Spark.
type sparkCase struct {
	Name, Format, Schema string
	Files                map[string]string
	Options              map[string]string
	Load                 []string
	Ops                  [][]any
	Type                 string
	Rows                 [][]any
	Error                string
}

// differs are the cases whose result isn't Spark's, and why.
var differs = map[string]string{
	"partitions k=1/l=a k=2/l=b load k=1 load k=2": "partition folders below each path count, whatever the paths are",
	"a file given twice":                           "a file is read once",
	"csv quotes":                                   "a doubled quote is one quote whatever escape is, as RFC 4180 has it",
	"csv multiLine":                                "\\r\\n ends a line",
	"json corrupt record":                          "there is no column of corrupt records",
	"json allowComments":                           "JSON is as RFC 8259 has it",
	"json allowUnquotedFieldNames":                 "JSON is as RFC 8259 has it",
}

// frame describes what the case describes.
func (c *sparkCase) frame(t *testing.T, root string) *mdslib.DataFrame {
	t.Helper()
	for name, text := range c.Files {
		path := filepath.Join(root, filepath.FromSlash(name))
		switch filepath.Ext(name) {
		case ".gz":
			writeGzip(t, path, text)
		case ".bz2":
			var b bytes.Buffer
			z, err := bzip2.NewWriter(&b, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(z, text)
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			write(t, path, b.String())
		default:
			write(t, path, text)
		}
	}
	read := connect(t, "local[2]").Read().Format(c.Format).Schema(c.Schema)
	if c.Format != "binaryFile" && c.Options["mode"] == "" {
		read = read.Option("mode", "PERMISSIVE") // Spark's default
	}
	for k, v := range c.Options {
		read = read.Option(k, strings.ReplaceAll(v, "{root}", root))
	}
	var paths []string
	for _, p := range c.Load {
		paths = append(paths, filepath.Join(root, p))
	}
	d := read.Load(paths...)
	texts := func(v any) []string {
		var out []string
		for _, x := range v.([]any) {
			out = append(out, x.(string))
		}
		return out
	}
	integer := func(v any) int64 { n, _ := v.(json.Number).Int64(); return n }
	float := func(v any) float64 { f, _ := v.(json.Number).Float64(); return f }
	for _, op := range c.Ops {
		switch args := op[1:]; op[0] {
		case "select":
			d = d.Select(texts(args[0])...)
		case "withColumn":
			d = d.WithColumn(args[0].(string), args[1].(string))
		case "withColumnRenamed":
			d = d.WithColumnRenamed(args[0].(string), args[1].(string))
		case "drop":
			d = d.Drop(texts(args[0])...)
		case "filter":
			d = d.Filter(args[0].(string))
		case "limit":
			d = d.Limit(int(integer(args[0])))
		case "orderBy":
			d = d.OrderBy(texts(args[0])...)
		case "distinct":
			d = d.Distinct()
		case "dropDuplicates":
			d = d.DropDuplicates(texts(args[0])...)
		case "unionSelf":
			d = d.Union(d.Select(texts(args[0])...))
		case "unionByNameSelf":
			d = d.UnionByName(d.Select(texts(args[0])...))
		case "groupCount":
			d = d.GroupBy(texts(args[0])...).Count()
		case "groupAgg":
			d = d.GroupBy(texts(args[0])...).Agg(texts(args[1])...)
		case "sample":
			d = d.Sample(float(args[0]), integer(args[1]))
		case "randomSplit":
			var weights []float64
			for _, w := range args[0].([]any) {
				weights = append(weights, float(w))
			}
			d = d.RandomSplit(weights, integer(args[1]))[integer(args[2])]
		default:
			t.Fatalf("%s: step %v", c.Name, op)
		}
	}
	return d
}

// plainValue writes a value as spark.py does.
func plainValue(v any) any {
	float := func(f float64) any {
		switch {
		case f != f:
			return "NaN"
		case math.IsInf(f, 0):
			return strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+")
		}
		return "float " + strconv.FormatFloat(f, 'g', -1, 64)
	}
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
		return float(float64(v))
	case float64:
		return float(v)
	case plan.TimestampValue:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		return list(v)
	case plan.StructValue:
		return list(v)
	case plan.MapValue:
		out := map[string]any{}
		for _, e := range v {
			out[fmt.Sprint(e.Key)] = plainValue(e.Value)
		}
		return out
	}
	return fmt.Sprint(v)
}

// pythonFloats spells the floats of a row of spark.json as plainValue does, where the schema has floats.
func pythonFloats(v any, t plan.Type) any {
	switch t.Kind {
	case plan.Float, plan.Double:
		s, ok := v.(string)
		if !ok {
			return v
		}
		switch s {
		case "inf":
			return "Inf"
		case "-inf":
			return "-Inf"
		}
		f, _ := strconv.ParseFloat(s, 64)
		return plainValue(f)
	case plan.Array, plan.Struct:
		list, ok := v.([]any)
		if !ok {
			return v
		}
		out := make([]any, len(list))
		for i, e := range list {
			if t.Kind == plan.Array {
				out[i] = pythonFloats(e, *t.Elem)
			} else {
				out[i] = pythonFloats(e, t.Fields[i].Type)
			}
		}
		return out
	}
	return v
}

// TestSpark reads and runs what testdata/spark.py had Spark read and run: the columns, their types and the rows are the same.
func TestSpark(t *testing.T) {
	text, err := os.ReadFile("testdata/spark.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []sparkCase
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = berlin
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			why := differs[c.Name]
			root, err := os.MkdirTemp("", "spark") // t.TempDir has the case's name in it, which may hold a pattern
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(root)
			d := c.frame(t, root)
			same, got, err := c.compare(t, d, root)
			switch {
			case why != "" && same:
				t.Errorf("as in Spark, though %s", why)
			case why == "" && c.Error != "" && err == nil:
				t.Errorf("Spark fails with %s, here %s", c.Error, got)
			case why == "" && c.Error == "" && err != nil:
				t.Error(err)
			case why == "" && !same:
				t.Errorf("\ngot  %s\nwant %s", got, c.want())
			}
		})
	}
}

func (c *sparkCase) want() string {
	rows, _ := json.Marshal(c.Rows)
	return fmt.Sprintf("%s %.1000s", c.Type, rows)
}

// compare tells whether the frame gives what Spark gave, and what it gave.
func (c *sparkCase) compare(t *testing.T, d *mdslib.DataFrame, root string) (same bool, got string, err error) {
	schema, err := d.Schema(t.Context())
	if err != nil {
		return c.Error != "", "", err
	}
	rows := [][]any{}
	for b, err := range d.Batches(t.Context()) {
		if err != nil {
			return c.Error != "", "", err
		}
		for i := range b.Rows {
			row := []any{}
			for _, v := range b.Row(i) {
				v = plainValue(v)
				if s, ok := v.(string); ok {
					v = strings.ReplaceAll(s, root, "{root}")
				}
				row = append(row, v)
			}
			rows = append(rows, row)
		}
	}
	want := [][]any{}
	for _, row := range c.Rows {
		out := []any{}
		for i, v := range row {
			if i < len(schema.Fields) {
				v = pythonFloats(v, schema.Fields[i].Type)
			}
			out = append(out, v)
		}
		want = append(want, out)
	}
	if len(c.Files) > 1 {
		for _, list := range [][][]any{rows, want} {
			slices.SortFunc(list, func(a, b []any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	typ := plan.Type{Kind: plan.Struct, Fields: schema.Fields}.String()
	typ = strings.ReplaceAll(typ, "`", "")
	gotRows, _ := json.Marshal(rows)
	return c.Error == "" && typ == c.Type && reflect.DeepEqual(rows, want), fmt.Sprintf("%s %.1000s", typ, gotRows), nil
}
