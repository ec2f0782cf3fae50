package streamlib

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/streamlib/transforms"
)

func TestStreams(t *testing.T) {
	root := t.TempDir()
	a := writeData(t, 30, 10, mdslib.MDSOptions{Out: filepath.Join(root, "a", "train")})
	b := writeData(t, 50, 10, mdslib.MDSOptions{Out: filepath.Join(root, "b"), Compression: "gz"})
	share := func(p float64) *float64 { return &p }
	choose := 7
	for _, c := range []struct {
		name    string
		streams []Stream
		epoch   int
		want    [2]int // samples of each stream
	}{
		{"all", []Stream{{Local: filepath.Dir(a), Split: "train"}, {Local: b}}, 0, [2]int{30, 50}},
		{"proportion", []Stream{{Remote: filepath.Dir(a), Split: "train", Local: t.TempDir(), Proportion: share(3)}, {Local: b, Proportion: share(1)}}, 40, [2]int{30, 10}},
		{"repeat and choose", []Stream{{Local: a, Repeat: share(2)}, {Local: b, Choose: &choose}}, 0, [2]int{60, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, DatasetOptions{Streams: c.streams, Shuffle: true, BatchSize: 4, EpochSize: c.epoch})
			var drawn [2]int
			for batch, err := range NewStreamingDataLoader(d, LoaderOptions{}).Batches(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				for i, id := range checkBatch(t, batch) {
					stream := 0
					if batch.IDs[i] >= 30 {
						stream = 1
					}
					if batch.IDs[i] != int64(stream*30)+id {
						t.Fatalf("sample %d of the data set is %d of its stream", batch.IDs[i], id)
					}
					drawn[stream]++
				}
			}
			if drawn != c.want || d.Size() != 80 || d.Len() != c.want[0]+c.want[1] {
				t.Errorf("%v samples of the streams, size %d, len %d; want %v", drawn, d.Size(), d.Len(), c.want)
			}
		})
	}
}

func TestRefusedOptions(t *testing.T) {
	dir := writeData(t, 20, 10, mdslib.MDSOptions{Hashes: []string{"sha1"}})
	empty := writeData(t, 0, 10, mdslib.MDSOptions{})
	half := 0.5
	for _, c := range []struct {
		opts DatasetOptions
		want string
	}{
		{DatasetOptions{}, "either Streams, or Remote or Local"},
		{DatasetOptions{Local: dir, Streams: []Stream{{Local: dir}}}, "either Streams, or Remote or Local"},
		{DatasetOptions{Streams: []Stream{{Split: "train"}}}, "Remote or Local must be given"},
		{DatasetOptions{Streams: []Stream{{Local: dir}, {Local: dir}}}, "use the same folder"},
		{DatasetOptions{Local: t.TempDir()}, "index.json"},
		{DatasetOptions{Remote: t.TempDir(), Local: t.TempDir()}, "index.json"},
		{DatasetOptions{Remote: "nowhere://bucket/folder", Local: t.TempDir()}, "no driver for this scheme"},
		{DatasetOptions{Local: empty}, "contains no samples"},
		{DatasetOptions{Local: dir, Split: "../other"}, "no relative path"},
		{DatasetOptions{Local: dir, ValidateHash: "xxh64"}, `ValidateHash "xxh64"`},
		{DatasetOptions{Local: dir, ShuffleAlgo: "py9", Shuffle: true}, "py9"},
		{DatasetOptions{Local: dir, SamplingMethod: "odd"}, "Invalid sampling method: odd"},
		{DatasetOptions{Local: dir, BatchingMethod: "odd"}, "Invalid batching method: odd"},
		{DatasetOptions{Local: dir, DownloadRetry: -1}, "DownloadRetry"},
		{DatasetOptions{Local: dir, Replication: 3, World: &World{Size: 4, LocalSize: 4}}, "divisible by your replication factor"},
		{DatasetOptions{Local: dir, World: &World{Rank: 4, Size: 4, LocalSize: 4}}, "rank 4 of a world of 4"},
		{DatasetOptions{Local: dir, World: &World{Size: 4, LocalSize: 3}}, "nodes of 3"},
		{DatasetOptions{Streams: []Stream{{Local: dir, Proportion: &half, Repeat: &half}}}, "At most one of"},
	} {
		if c.opts.World == nil {
			c.opts.World = alone
		}
		d, err := NewStreamingDataset(t.Context(), c.opts)
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.opts, err, c.want)
		}
	}
	// What only a loop can tell is its first error.
	for _, opts := range []LoaderOptions{{}, {BatchSize: -1}, {BatchSize: 2, NumWorkers: -1}} {
		n := 0
		for _, err := range NewStreamingDataLoader(open(t, DatasetOptions{Local: dir}), opts).Batches(t.Context()) {
			if n++; err == nil || n > 1 {
				t.Errorf("%+v: error %v at item %d", opts, err, n)
			}
		}
	}
}

func TestWorldFromEnv(t *testing.T) {
	for _, name := range []string{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"} {
		t.Setenv(name, "")
	}
	if w, err := WorldFromEnv(); err != nil || w != *alone {
		t.Errorf("no environment: %+v %v", w, err)
	}
	t.Setenv("RANK", "5")
	t.Setenv("WORLD_SIZE", "8")
	t.Setenv("LOCAL_RANK", "1")
	t.Setenv("LOCAL_WORLD_SIZE", "4")
	if w, err := WorldFromEnv(); err != nil || w != (World{Rank: 5, Size: 8, LocalRank: 1, LocalSize: 4}) {
		t.Errorf("%+v %v", w, err)
	}
	t.Setenv("WORLD_SIZE", "five")
	if _, err := WorldFromEnv(); err == nil || !strings.Contains(err.Error(), `WORLD_SIZE="five"`) {
		t.Errorf("error %v", err)
	}
}

func TestLen(t *testing.T) {
	dir := writeData(t, 20, 10, mdslib.MDSOptions{})
	for _, c := range []struct {
		world World
		opts  LoaderOptions
		want  int
	}{
		{*alone, LoaderOptions{BatchSize: 3}, 7},
		{*alone, LoaderOptions{BatchSize: 3, DropLast: true}, 6},
		{World{Size: 3, LocalSize: 3}, LoaderOptions{BatchSize: 3}, 3},
	} {
		l := NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, World: &c.world}), c.opts)
		if got := len(idsOf(t, l)); l.Len() != c.want || got != c.want {
			t.Errorf("%+v: Len %d, %d batches, want %d", c, l.Len(), got, c.want)
		}
	}
}

// Images reach transforms.Image as the bytes of their files, a Func as decoded images.
func TestImages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"image": "jpeg", "label": "int64"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		img := image.NewRGBA(image.Rect(0, 0, 32, 24))
		for k := range 32 * 24 {
			img.Set(k%32, k/32, color.RGBA{uint8(i * 20), uint8(k), 100, 255})
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, img, nil); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(mdslib.Sample{"image": file.Bytes(), "label": int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for b, err := range NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, BatchSize: 4, Transforms: transforms.Image("image")}), LoaderOptions{}).Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got, want := b.Columns["image"].Shape, []int{b.Samples, 3, 24, 32}; !slices.Equal(got, want) {
			t.Errorf("shape %v, want %v", got, want)
		}
		seen += b.Samples
	}
	if seen != 10 {
		t.Errorf("%d images", seen)
	}
	check := transforms.Func(func(s map[string]any, _ transforms.Draw) error {
		if img, ok := s["image"].(image.Image); !ok || img.Bounds().Dx() != 32 {
			return fmt.Errorf("image is %T", s["image"])
		}
		return nil
	})
	for _, tr := range []transforms.Transform{nil, check} {
		for b, err := range NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, BatchSize: 4, Transforms: tr}), LoaderOptions{}).Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := b.Values["image"][0].(image.Image); !ok {
				t.Errorf("image is %T", b.Values["image"][0])
			}
		}
	}
}
