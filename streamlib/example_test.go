package streamlib_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gomosaic/mdslib"
	"gomosaic/streamlib"
)

// writeSquares makes a data set of n numbers and their squares.
func writeSquares(dir string, n int) {
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"number": "int64", "square": "float32"}})
	if err != nil {
		log.Fatal(err)
	}
	for i := range n {
		if err := w.Write(mdslib.Sample{"number": int64(i), "square": float32(i * i)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
}

func ExampleStreamingDataLoader() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "squares")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	remote := filepath.Join(dir, "remote")
	writeSquares(remote, 10)

	dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Remote: remote, Local: filepath.Join(dir, "local"), Shuffle: true, BatchSize: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer dataset.Close()
	loader := streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{})
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		square := batch.Columns["square"]
		fmt.Println(batch.Columns["number"].Data, square.Data, square.Shape)
	}
	// Output:
	// [8 1 2 7] [64 1 4 49] [4]
	// [5 6 9 3] [25 36 81 9] [4]
	// [0 4] [0 16] [2]
}

func ExampleStreamingDataLoader_StateDict() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "squares")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	writeSquares(dir, 10)

	newLoader := func() *streamlib.StreamingDataLoader {
		dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Local: dir, Shuffle: true, BatchSize: 4})
		if err != nil {
			log.Fatal(err)
		}
		return streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{})
	}
	loader := newLoader()
	for range loader.Batches(ctx) {
		break // the run ends after one batch
	}
	state := loader.StateDict()

	resumed := newLoader()
	if err := resumed.LoadStateDict(state); err != nil {
		log.Fatal(err)
	}
	for batch, err := range resumed.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Columns["number"].Data)
	}
	// Output:
	// [5 6 9 3]
	// [0 4]
}

func ExampleStreamingDataset_Get() {
	dir, err := os.MkdirTemp("", "squares")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	writeSquares(dir, 10)

	dataset, err := streamlib.NewStreamingDataset(context.Background(), streamlib.DatasetOptions{Local: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer dataset.Close()
	sample, err := dataset.Get(-3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(dataset.Size(), sample["number"], sample["square"])
	// Output: 10 7 49
}
