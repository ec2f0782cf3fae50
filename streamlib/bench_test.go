package streamlib

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gomosaic/mdslib"
)

// benchData is 20,000 samples of 10 KB in shards of 64 MB.
func benchData(b *testing.B) string {
	dir := filepath.Join(b.TempDir(), "data")
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"blob": "bytes"}})
	if err != nil {
		b.Fatal(err)
	}
	blob := make([]byte, 10240)
	for range 20_000 {
		for k := range 640 {
			blob[k*16] = byte(rand.Uint32())
		}
		if err := w.Write(mdslib.Sample{"blob": blob}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkIterate(b *testing.B) {
	dir := benchData(b)
	for _, shuffle := range []bool{false, true} {
		b.Run(fmt.Sprintf("shuffle=%v", shuffle), func(b *testing.B) {
			l := NewStreamingDataLoader(open(b, DatasetOptions{Local: dir, Shuffle: shuffle, BatchSize: 64}), LoaderOptions{})
			b.ReportAllocs()
			b.ResetTimer()
			samples := 0
			for range b.N {
				for batch, err := range l.Batches(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					samples += batch.Samples
				}
			}
			b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	d := open(b, DatasetOptions{Local: benchData(b)})
	order := rand.Perm(d.Size())
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, err := d.Get(order[i%len(order)]); err != nil {
			b.Fatal(err)
		}
	}
}
