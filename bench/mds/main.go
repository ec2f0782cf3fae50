// Command mds is gomosaic's side of make bench-mds: it does what measure.py asks for and says how long that took.
//
// A request is a JSON object a line, as bench/peers/bench_common.py describes it for the peers; the answer is one too. Input
// is read and made into samples before the clock runs; writing ends with the index, reading takes the CRC-32 of each
// sample's bytes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/streamlib"
)

const pixels = 224 // of the input pictures, each side

// sampleBytes are the sizes of the input files' samples.
var sampleBytes = map[string]int{"10kb": 10240, "1kb": 1024, "images": pixels * pixels * 3}

type request struct {
	Do     string
	Input  string // folder of the input files, or of Parquet files
	What   string // input file
	Kind   string // how it is written
	Out    string
	Folder string // data set that is read
	Order  []int  // samples to read
}

type answer struct {
	Seconds float64           `json:"seconds,omitempty"`
	Samples int               `json:"samples,omitempty"`
	CRC     uint64            `json:"crc,omitempty"` // sum of the samples' CRC-32s
	Version map[string]string `json:"version,omitempty"`
}

// add counts a sample that was read.
func (a *answer) add(data []byte) {
	a.Samples++
	a.CRC += uint64(crc32.ChecksumIEEE(data))
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/mds:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	prepared := map[string][]mdslib.Sample{}
	lines := bufio.NewReader(in)
	answers := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		a, err := r.run(prepared)
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func (r *request) run(prepared map[string][]mdslib.Sample) (answer, error) {
	switch r.Do {
	case "versions":
		return answer{Version: map[string]string{"go": runtime.Version(), "cores": fmt.Sprint(runtime.NumCPU())}}, nil
	case "write":
		samples, ok := prepared[r.What]
		if !ok {
			var err error
			if samples, err = rows(r.Input, r.What); err != nil {
				return answer{}, err
			}
			prepared[r.What] = samples
		}
		return write(samples, r.Kind, r.Out)
	case "read":
		return read(r.Folder)
	case "read_encoded":
		return readEncoded(r.Folder)
	case "random":
		return random(r.Folder, r.Order)
	case "open_index":
		return openIndex(r.Folder)
	case "merge":
		return merge(r.Folder)
	case "dataframe":
		return dataframe(r.Input, r.Out)
	}
	return answer{}, fmt.Errorf("unknown request %q", r.Do)
}

// rows makes samples of an input file; each picture is written ten times.
func rows(folder, what string) ([]mdslib.Sample, error) {
	data, err := os.ReadFile(filepath.Join(folder, what))
	if err != nil {
		return nil, err
	}
	var values []any
	for piece := range slices.Chunk(data, sampleBytes[what]) {
		if what != "images" {
			values = append(values, piece)
			continue
		}
		img := image.NewNRGBA(image.Rect(0, 0, pixels, pixels))
		for i := range pixels * pixels {
			copy(img.Pix[4*i:], piece[3*i:3*i+3])
			img.Pix[4*i+3] = 255
		}
		values = append(values, img)
	}
	n := len(values)
	if what == "images" {
		n *= 10
	}
	samples := make([]mdslib.Sample, n)
	for i := range samples {
		samples[i] = mdslib.Sample{"data": values[i%len(values)], "label": int64(i)}
	}
	return samples, nil
}

func write(samples []mdslib.Sample, kind, out string) (a answer, err error) {
	opts := mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"data": "bytes", "label": "int64"}}
	switch kind {
	case "zstd3":
		opts.Compression = "zstd:3"
	case "sha1":
		opts.Hashes = []string{"sha1"}
	case "jpeg224":
		opts.Columns["data"] = "jpeg"
	}
	start := time.Now()
	w, err := mdslib.NewMDSWriter(opts)
	if err != nil {
		return a, err
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			return a, err
		}
	}
	if err := w.Close(); err != nil {
		return a, err
	}
	return answer{Seconds: time.Since(start).Seconds(), Samples: len(samples)}, nil
}

// row is a sample of the data sets that are read.
type row struct {
	Data  []byte `mds:"data,bytes"`
	Label int64  `mds:"label"`
}

func read(folder string) (a answer, err error) {
	d, err := mdslib.OpenReader[row](folder, mdslib.ReadOptions{})
	if err != nil {
		return a, err
	}
	defer d.Close()
	var r row
	start := time.Now()
	for i := range d.NumSamples() {
		if err := d.Read(i, &r); err != nil {
			return a, err
		}
		a.add(r.Data)
	}
	a.Seconds = time.Since(start).Seconds()
	return a, nil
}

// readEncoded reads the samples' bytes as they are stored.
func readEncoded(folder string) (a answer, err error) {
	d, err := mdslib.OpenDataset(folder, mdslib.ReadOptions{})
	if err != nil {
		return a, err
	}
	defer d.Close()
	var raw []byte
	for i := range d.NumSamples() {
		number, at := d.Locate(i)
		s, err := d.Shard(number)
		if err != nil {
			return a, err
		}
		if raw, err = s.AppendRaw(raw[:0], at); err != nil {
			return a, err
		}
		a.add(raw)
	}
	return a, nil
}

// random gives the median time to read a sample.
func random(folder string, order []int) (a answer, err error) {
	d, err := mdslib.OpenReader[row](folder, mdslib.ReadOptions{})
	if err != nil {
		return a, err
	}
	defer d.Close()
	latencies := make([]time.Duration, len(order))
	var r row
	for k, i := range order {
		start := time.Now()
		err := d.Read(i, &r)
		latencies[k] = time.Since(start)
		if err != nil {
			return a, err
		}
		a.add(r.Data)
	}
	slices.Sort(latencies)
	a.Seconds = latencies[len(latencies)/2].Seconds()
	return a, nil
}

// openIndex opens a data set as a training program does.
func openIndex(folder string) (a answer, err error) {
	start := time.Now()
	d, err := streamlib.NewStreamingDataset(context.Background(), streamlib.DatasetOptions{Local: folder, BatchSize: 64})
	if err != nil {
		return a, err
	}
	a = answer{Seconds: time.Since(start).Seconds(), Samples: d.Size()}
	return a, d.Close()
}

func merge(folder string) (a answer, err error) {
	start := time.Now()
	err = mdslib.MergeIndex(context.Background(), folder, mdslib.MergeOptions{})
	a.Seconds = time.Since(start).Seconds()
	return a, err
}

// dataframe converts Parquet files. The engine starts, and counts the rows, before the clock runs.
func dataframe(input, out string) (a answer, err error) {
	ctx := context.Background()
	session, err := mdslib.Connect(ctx, "local")
	if err != nil {
		return a, err
	}
	frame := session.Read().Format("parquet").Load(input)
	if _, err := frame.Count(ctx); err != nil {
		return a, err
	}
	start := time.Now()
	report, err := mdslib.DataFrameToMDS(ctx, frame, mdslib.MDSOptions{
		Out: out, Columns: mdslib.Columns{"data": "bytes", "label": "int64"}, Compression: "none",
	})
	if err != nil {
		return a, err
	}
	return answer{Seconds: time.Since(start).Seconds(), Samples: int(report.Samples)}, nil
}
