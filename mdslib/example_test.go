package mdslib_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gomosaic/mdslib"
)

func Example() {
	dir, err := os.MkdirTemp("", "mds")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "numbers")

	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{
		Out:         out,
		Columns:     mdslib.Columns{"number": "int", "name": "str", "powers": "ndarray:float32:3"},
		Compression: "zstd", Hashes: []string{"sha1", "xxh64"}, SizeLimit: "16mb",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, name := range []string{"zero", "one", "two"} {
		x := float32(i)
		if err := w.Write(mdslib.Sample{"number": i, "name": name, "powers": []float32{1, x, x * x}}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	dataset, err := mdslib.OpenDataset(out, mdslib.ReadOptions{VerifyHashes: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dataset.Close()
	for sample, err := range dataset.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(sample["number"], sample["name"], sample["powers"].(mdslib.Array).Data)
	}
	// Output:
	// 0 zero [1 0 0]
	// 1 one [1 1 1]
	// 2 two [1 2 4]
}

func ExampleWriter() {
	dir, err := os.MkdirTemp("", "mds")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "flowers")

	type Flower struct {
		Name   string     `mds:"name"`
		Class  int64      `mds:"class,uint8"`
		Petals [2]float32 `mds:"petals"`
	}
	w, err := mdslib.NewWriter[Flower](mdslib.MDSOptions{Out: out})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort() // after Close it does nothing
	for i, name := range []string{"daisy", "rose"} {
		if err := w.Write(Flower{name, int64(i), [2]float32{1, float32(i)}}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	r, err := mdslib.OpenReader[Flower](out, mdslib.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	for f, err := range r.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Name, f.Class, f.Petals)
	}
	// Output:
	// daisy 0 [1 0]
	// rose 1 [1 1]
}

func ExampleMDSWriter_Write() {
	dir, err := os.MkdirTemp("", "mds")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"label": "int64"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort() // does nothing after a successful Close
	fmt.Println(w.Write(mdslib.Sample{"label": "rose"}))
	fmt.Println(w.Close() != nil)
	// Output:
	// mdslib: sample 0: column "label": want int64, got string "rose"
	// true
}

func ExampleShard_AppendRaw() {
	index, err := mdslib.ReadIndex("testdata/golden/formats/str/none")
	if err != nil {
		fmt.Println(err)
		return
	}
	info := &index.Shards[0]
	shard, err := mdslib.OpenShard(filepath.Join("testdata/golden/formats/str/none", info.RawData.Basename), info)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer shard.Close()
	var raw []byte      // reused from sample to sample:
	var fields [][]byte // reading allocates nothing
	for i := range shard.Len() {
		if raw, err = shard.AppendRaw(raw[:0], i); err != nil {
			fmt.Println(err)
			return
		}
		if fields, err = shard.Fields(fields[:0], raw); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %s %q\n", shard.Columns()[0], fields[0], fields[2])
	}
	// Output:
	// Z s0 ""
	// Z s1 "héllo 世界 😀"
	// Z s2 "a\x00b"
}

func ExampleVerify() {
	report, err := mdslib.Verify(context.Background(), "testdata/golden/writers/merged", mdslib.VerifyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Shards, report.Samples, report.Err())
	// Output: 45 90 <nil>
}

func ExampleParseDecimal() {
	for _, text := range []string{"007.50", "1e-7", "12e1"} {
		d, err := mdslib.ParseDecimal(text)
		fmt.Println(d, err)
	}
	// Output:
	// 7.50 <nil>
	// 1E-7 <nil>
	// 1.2E+2 <nil>
}
