// Command streamcat is the Go half of the interoperability tests of sample order and loader. Each line of stdin is a
// request, each line of stdout its answer; an error is answered {"error": …}.
//
//	{"order": case}        the case's order, as `gomosaic order --json` answers it
//	{"dataset": options, "loader": options, "state": state or null, "epochs": n, "stop_after": k}
//	                       n epochs of a loader, of the last one k batches only (0: all):
//	                       {"epochs": [[[values of column "id"] …] …], "digest": …, "state": …}
//
// digest is the hexadecimal sha256 of the other columns of all samples, "text" and "blob", in order.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"gomosaic/streamlib"
	"gomosaic/streamlib/order"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type request struct {
	Order     json.RawMessage          `json:"order"`
	Dataset   streamlib.DatasetOptions `json:"dataset"`
	Loader    streamlib.LoaderOptions  `json:"loader"`
	State     *streamlib.State         `json:"state"`
	Epochs    int                      `json:"epochs"`
	StopAfter int                      `json:"stop_after"`
}

type answer struct {
	Epochs [][][]int64      `json:"epochs"`
	Digest string           `json:"digest"`
	State  *streamlib.State `json:"state,omitempty"`
	Error  string           `json:"error,omitempty"`
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<28)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		if r.Order != nil {
			if err := order.RunJSON(bytes.NewReader(r.Order), out); err != nil {
				return err
			}
			continue
		}
		a, err := load(ctx, r)
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := encoder.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

func load(ctx context.Context, r request) (answer, error) {
	dataset, err := streamlib.NewStreamingDataset(ctx, r.Dataset)
	if err != nil {
		return answer{}, err
	}
	defer dataset.Close()
	loader := streamlib.NewStreamingDataLoader(dataset, r.Loader)
	if r.State != nil {
		if err := loader.LoadStateDict(*r.State); err != nil {
			return answer{}, err
		}
	}
	a := answer{Epochs: [][][]int64{}}
	digest := sha256.New()
	for epoch := range r.Epochs {
		batches := [][]int64{}
		for b, err := range loader.Batches(ctx) {
			if err != nil {
				return answer{}, err
			}
			ids, ok := b.Columns["id"].Data.([]int64)
			if !ok {
				return answer{}, errors.New("column id is not int64")
			}
			batches = append(batches, ids)
			for i := range b.Samples {
				digest.Write([]byte(b.Values["text"][i].(string)))
				digest.Write(b.Values["blob"][i].([]byte))
			}
			if epoch == r.Epochs-1 && len(batches) == r.StopAfter {
				break
			}
		}
		a.Epochs = append(a.Epochs, batches)
	}
	a.Digest = hex.EncodeToString(digest.Sum(nil))
	state := loader.StateDict()
	a.State = &state
	return a, nil
}
