// Package published tests stores that can only be read with a data set that somebody has put there.
package published

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/mdscmd"
	"gomosaic/streamlib"
)

const samples = 100

func data(i int64) []byte { return bytes.Repeat([]byte{byte(i)}, 1000) }

// Write writes the data set to a local folder, from where it is to be published.
func Write(dir string) error {
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"id": "int64", "data": "bytes"}, Compression: "zstd", Hashes: []string{"sha1"}, SizeLimit: "20kb"})
	if err != nil {
		return err
	}
	for i := range int64(samples) {
		err = errors.Join(err, w.Write(mdslib.Sample{"id": i, "data": data(i)}))
	}
	return errors.Join(err, w.Close())
}

// Check returns an error unless the data set is streamed from root and verified there, and root refuses to be written to.
// cache is an empty folder.
func Check(ctx context.Context, root, cache string) error {
	dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Remote: root, Local: cache, ValidateHash: "sha1", BatchSize: 10})
	if err != nil {
		return err
	}
	defer dataset.Close()
	n := int64(0)
	for batch, err := range streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{BatchSize: 10}).Batches(ctx) {
		if err != nil {
			return err
		}
		for i, id := range batch.Columns["id"].Data.([]int64) {
			if got := batch.Values["data"][i].([]byte); id != n || !bytes.Equal(got, data(n)) {
				return fmt.Errorf("sample %d came as %d", n, id)
			}
			n++
		}
	}
	var out, messages strings.Builder
	if status := mdscmd.Run(ctx, []string{"verify", root}, &out, &messages); n != samples || status != 0 {
		return fmt.Errorf("%d samples; gomosaic mds verify: %d, %s%s", n, status, out.String(), messages.String())
	}
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: root + "/new", Columns: mdslib.Columns{"id": "int64"}})
	if err == nil {
		err = errors.Join(w.Write(mdslib.Sample{"id": int64(1)}), w.Close())
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("writing there: error %v, want errors.ErrUnsupported", err)
	}
	return nil
}
