package local_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
)

// flowers makes a folder of two classes of three files each.
func flowers() string {
	root, err := os.MkdirTemp("", "flowers")
	if err != nil {
		panic(err)
	}
	for _, class := range []string{"daisy", "tulip"} {
		for i := range 3 {
			path := filepath.Join(root, class, fmt.Sprintf("%d.jpg", i))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				panic(err)
			}
			if err := os.WriteFile(path, []byte(class), 0o666); err != nil {
				panic(err)
			}
		}
	}
	return root
}

// From a folder of images to Mosaic Data Shards.
func Example() {
	ctx := context.Background()
	root := flowers()
	defer os.RemoveAll(root)

	spark, err := mdslib.Connect(ctx, "local")
	if err != nil {
		fmt.Println(err)
		return
	}
	images := spark.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.jpg").Load(root).
		WithColumn("label", "element_at(split(path, '/'), -2)")
	labels, err := mdslib.LabelsOf(ctx, images, "label")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(labels)
	fmt.Print(images.GroupBy("label").Count())

	report, err := mdslib.DataFrameToMDS(ctx, images.WithColumn("label", labels.IndexExpr("label")).Select("content AS image", "label"), mdslib.MDSOptions{
		Out: filepath.Join(root, "mds"), Columns: mdslib.Columns{"image": "jpeg", "label": "int64"}, Hashes: []string{"sha1"}, SizeLimit: "16mb",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Samples, "samples,", report.Compression, report.Columns)
	// Output:
	// 0: daisy, 1: tulip
	// +-----+-----+
	// |label|count|
	// +-----+-----+
	// |daisy|    3|
	// |tulip|    3|
	// +-----+-----+
	// 6 samples, zstd map[image:jpeg label:int64]
}

// Errors name the expression and the row.
func Example_errors() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "csv")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("name,n\nx,4\ny,0\n"), 0o666); err != nil {
		panic(err)
	}
	spark, _ := mdslib.Connect(ctx, "local")
	d := spark.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(dir)
	_, err = d.Select("nam").Collect(ctx)
	fmt.Println(err)
	_, err = d.Select("name", "8 / n AS share").Collect(ctx)
	fmt.Println(err.Error()[len(dir)+1:])
	// Output:
	// local: Select: expression, column 1: [UNRESOLVED_COLUMN] no column "nam" (did you mean name?)
	//   nam
	//   ^
	// a.csv, line 3: expression, column 1: [DIVIDE_BY_ZERO] division by zero (use try_divide to get NULL instead)
	//   8 / n AS share
	//   ^
}

// Map runs Go on every row; Write saves tables.
func Example_map() {
	ctx := context.Background()
	root := flowers()
	defer os.RemoveAll(root)
	spark, _ := mdslib.Connect(ctx, "local")
	files := spark.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Load(root).Select("content", "element_at(split(path, '/'), -1) AS name")
	sums := files.Map("name STRING, sum BIGINT", func(row mdslib.Sample) (mdslib.Sample, error) {
		sum := int64(0)
		for _, b := range row["content"].([]byte) {
			sum += int64(b)
		}
		return mdslib.Sample{"name": row["name"], "sum": sum}, nil
	})
	out := filepath.Join(root, "sums")
	if err := sums.Distinct().OrderBy("name", "sum").Write().Format("csv").Option("header", "true").Save(ctx, out); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(spark.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(out).Limit(2))
	// Output:
	// +-----+---+
	// |name |sum|
	// +-----+---+
	// |0.jpg|538|
	// |0.jpg|558|
	// +-----+---+
}

// UDFIterable makes samples of a partition's rows, more or fewer of them: here one of each word.
func Example_udfIterable() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "words")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(`{"text": "to be or"}`+"\n"+`{"text": ""}`+"\n"+`{"text": "not"}`+"\n"), 0o666); err != nil {
		panic(err)
	}
	spark, _ := mdslib.Connect(ctx, "local")
	words := func(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
		return func(yield func(mdslib.Sample, error) bool) {
			for row, err := range rows {
				if err != nil {
					yield(nil, err)
					return
				}
				for _, word := range strings.Fields(row["text"].(string)) {
					if !yield(mdslib.Sample{"word": word}, nil) {
						return
					}
				}
			}
		}
	}
	out := filepath.Join(dir, "mds")
	_, err = mdslib.DataFrameToMDS(ctx, spark.Read().Format("json").Load(filepath.Join(dir, "a.jsonl")), mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"word": "str"}, UDFIterable: words})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, _ := spark.Read().Format("mds").Load(out).Collect(ctx)
	fmt.Println(rows)
	// Output: [map[word:to] map[word:be] map[word:or] map[word:not]]
}

// Structs of the program as tables, joined, and structs again.
func Example_join() {
	ctx := context.Background()
	type Client struct {
		ID   int
		Name string
	}
	type Order struct {
		Client int
		Amount float64
	}
	spark, err := mdslib.Connect(ctx, "local")
	if err != nil {
		fmt.Println(err)
		return
	}
	clients, err := spark.CreateDataFrame(ctx, []Client{{1, "Ada"}, {2, "Bo"}}, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	orders, err := spark.CreateDataFrame(ctx, []Order{{1, 10}, {1, 2.5}, {3, 7}}, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	spent := orders.Alias("o").JoinOn(clients.Alias("c"), "right", "o.client = c.id").
		GroupBy("c.name").Agg("sum(o.amount) AS spent").OrderBy("name")
	fmt.Print(spent)

	type Spent struct {
		Name  string
		Spent *float64 // NULL of a client without orders
	}
	rows, err := mdslib.CollectAs[Spent](ctx, spent)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rows[0].Name, *rows[0].Spent, rows[1].Spent == nil)
	// Output:
	// +----+-----+
	// |name|spent|
	// +----+-----+
	// |Ada | 12.5|
	// |Bo  | NULL|
	// +----+-----+
	// Ada 12.5 true
}
