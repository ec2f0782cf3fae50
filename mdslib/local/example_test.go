package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

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
