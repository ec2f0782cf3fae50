package streamlib

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"gomosaic/mdslib"
)

// TestGoldenEndToEnd compares whole epochs and resumed ones with what mosaicml-streaming 0.13.0's StreamingDataLoader
// yielded (testdata/e2e.json).
func TestGoldenEndToEnd(t *testing.T) {
	var cases []struct {
		Name       string
		NumWorkers int `json:"num_workers"`
		Args       struct {
			BatchSize        int    `json:"batch_size"`
			Shuffle          bool   `json:"shuffle"`
			ShuffleAlgo      string `json:"shuffle_algo"`
			ShuffleBlockSize int    `json:"shuffle_block_size"`
		}
		SamplesPerShard []int       `json:"samples_per_shard"`
		Epochs          [][][]int64 `json:"epochs_or_before_after_resume"`
		State           *State
	}
	data, err := os.ReadFile("testdata/e2e.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			n := 0
			for _, k := range c.SamplesPerShard {
				n += k
			}
			dir := writeData(t, n, c.SamplesPerShard[0], mdslib.MDSOptions{})
			if got := len(shardNames(t, dir)); got != len(c.SamplesPerShard) {
				t.Fatalf("%d shards, want %d", got, len(c.SamplesPerShard))
			}
			newLoader := func() *StreamingDataLoader {
				return NewStreamingDataLoader(open(t, DatasetOptions{Remote: dir, Local: t.TempDir(), BatchSize: c.Args.BatchSize, Shuffle: c.Args.Shuffle,
					ShuffleAlgo: c.Args.ShuffleAlgo, ShuffleBlockSize: c.Args.ShuffleBlockSize}), LoaderOptions{NumWorkers: c.NumWorkers, BatchSize: c.Args.BatchSize})
			}
			l := newLoader()
			if c.State == nil {
				for epoch, want := range c.Epochs {
					if got := idsOf(t, l); !reflect.DeepEqual(got, want) {
						t.Errorf("epoch %d: %v\nwant %v", epoch, got, want)
					}
				}
				return
			}
			var before [][]int64
			for b, err := range l.Batches(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if before = append(before, checkBatch(t, b)); len(before) == len(c.Epochs[0]) {
					break
				}
			}
			if !reflect.DeepEqual(before, c.Epochs[0]) {
				t.Errorf("before: %v\nwant %v", before, c.Epochs[0])
			}
			state := l.StateDict()
			if !reflect.DeepEqual(state, *c.State) {
				t.Errorf("state %+v, want %+v", state, *c.State)
			}
			l = newLoader()
			if err := l.LoadStateDict(*c.State); err != nil {
				t.Fatal(err)
			}
			if after := idsOf(t, l); !reflect.DeepEqual(after, c.Epochs[1]) {
				t.Errorf("after: %v\nwant %v", after, c.Epochs[1])
			}
		})
	}
}

// TestLoaderString: a loader and its data set show what they hold, not their fields.
func TestLoaderString(t *testing.T) {
	dataset := open(t, DatasetOptions{Local: writeData(t, 25, 10, mdslib.MDSOptions{}), BatchSize: 4})
	want := "StreamingDataLoader of 7 batches of up to 4 samples, from a StreamingDataset of 25 samples in 3 shards (blob: bytes, id: int64, text: str)"
	if got := fmt.Sprint(NewStreamingDataLoader(dataset, LoaderOptions{})); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
