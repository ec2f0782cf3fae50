package streamlib

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// goldenInt is a sound data set of the reference's.
const goldenInt = "../mdslib/testdata/golden/formats/int/none"

// readingOutcomes are errors.json's cases about reading; mdslib drives the others. More than the options that a case is
// about, they open a data set and read it to its end.
var readingOutcomes = map[string]DatasetOptions{
	"ds_no_path":         {},
	"ds_bad_sampling":    {Local: goldenInt, SamplingMethod: "x"},
	"ds_bad_batching":    {Local: goldenInt, BatchingMethod: "x"},
	"ds_gran0":           {Local: goldenInt, SamplingGranularity: -1}, // 0 is the default, 1
	"ds_cache_low":       {CacheLimit: "300"},
	"ds_cache_min":       {CacheLimit: "10"},
	"ds_missing":         {Local: "none"},
	"ds_empty":           {Local: "empty"},
	"ds_dup_local":       {Streams: []Stream{{Local: goldenInt}, {Local: goldenInt}}},
	"ds_pkl":             {Local: "../mdslib/testdata/golden/formats/pkl/none"},
	"ds_nobatch":         {Local: goldenInt},
	"ds_bad_hash":        {Local: goldenInt, ValidateHash: "nope"},
	"stream_two_weights": {Streams: []Stream{{Local: goldenInt, Proportion: new(1.0), Repeat: new(1.0)}}},
	"stream_retry0":      {DownloadRetry: 0},
}

// readingOutcomesThatDiffer have the words of FORMAT.md that say so.
var readingOutcomesThatDiffer = map[string]string{
	"ds_bad_hash":   "`validate_hash` names a hash that the index has not",
	"stream_retry0": "`download_retry` 0",
}

// TestGoldenReadingOutcomes: what the reference refuses is refused, but for the differences that FORMAT.md has.
func TestGoldenReadingOutcomes(t *testing.T) {
	data, err := os.ReadFile("../mdslib/testdata/golden/errors.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string
		Error *string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	format, err := os.ReadFile("../mdslib/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	remote, empty := writeData(t, 20, 10, mdslib.MDSOptions{}), writeData(t, 0, 10, mdslib.MDSOptions{})
	driven := 0
	for _, c := range cases {
		if !strings.HasPrefix(c.Name, "ds_") && !strings.HasPrefix(c.Name, "stream_") {
			continue
		}
		opts, known := readingOutcomes[c.Name]
		switch {
		case c.Name == "ds_neg_seed":
			if kind := reflect.TypeOf(opts.ShuffleSeed).Kind(); kind != reflect.Uint64 {
				t.Errorf("%s: ShuffleSeed is of kind %v: -1 compiles", c.Name, kind)
			}
			driven++
			continue
		case !known:
			t.Errorf("%s: nothing drives it", c.Name)
			continue
		case opts.Local == "none":
			opts.Local = filepath.Join(t.TempDir(), "none")
		case opts.Local == "empty":
			opts.Local = empty
		case opts.Local == "" && (opts.CacheLimit != "" || c.Name == "stream_retry0"):
			opts.Remote, opts.Local = remote, t.TempDir()
		}
		driven++
		if c.Name != "ds_nobatch" {
			opts.BatchSize = 1
		}
		opts.World = alone
		err := readToEnd(t, opts)
		refused, row := c.Error != nil, readingOutcomesThatDiffer[c.Name]
		if row != "" {
			refused = !refused
			if !strings.Contains(string(format), "| "+row) {
				t.Errorf("%s: FORMAT.md has no row %q", c.Name, row)
			}
		}
		if refused != (err != nil) {
			t.Errorf("%s: error %v; the reference: %v", c.Name, err, c.Error)
		}
	}
	if driven != len(readingOutcomes)+1 {
		t.Errorf("%d outcomes driven", driven)
	}
}

// readToEnd opens a data set and reads all its batches.
func readToEnd(t *testing.T, opts DatasetOptions) (err error) {
	d, err := NewStreamingDataset(t.Context(), opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for _, err := range NewStreamingDataLoader(d, LoaderOptions{}).Batches(t.Context()) {
		if err != nil {
			return err
		}
	}
	return nil
}
