package order

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// readJSON reads a golden file. order.json and units.json were written by mosaicml-streaming 0.13.0 with numpy 2.1.3.
func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestGoldenOrder(t *testing.T) {
	var cases []json.RawMessage
	readJSON(t, "testdata/order.json", &cases)
	if len(cases) < 40 {
		t.Fatalf("%d cases, want at least 40", len(cases))
	}
	for _, raw := range cases {
		var want struct {
			Name    string
			Shape   []int
			IDs     []int64
			Error   string
			Message string
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.Name, func(t *testing.T) {
			var out bytes.Buffer
			if err := RunJSON(bytes.NewReader(raw), &out); err != nil {
				t.Fatal(err)
			}
			var got struct {
				Shape []int
				IDs   []int64
				Error string
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			wantError := ""
			if want.Error != "" {
				wantError = want.Error + ": " + want.Message
			}
			if got.Error != wantError {
				t.Fatalf("error %q, want %q", got.Error, wantError)
			}
			if !slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.IDs, want.IDs) {
				t.Errorf("shape %v, want %v\nids  %v\nwant %v", got.Shape, want.Shape, got.IDs, want.IDs)
			}
		})
	}
}

// digest is the sha256 of the ids as little-endian int64, as numpy's tobytes.
func digest(ids []int64) string {
	h := sha256.New()
	for chunk := range slices.Chunk(ids, 1<<16) {
		data := make([]byte, 0, 8*len(chunk))
		for _, id := range chunk {
			data = binary.LittleEndian.AppendUint64(data, uint64(id))
		}
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestGoldenUnits(t *testing.T) {
	var units struct {
		Shuffle []struct {
			Algo     string
			SizesRLE [][2]int `json:"sizes_rle"`
			NCN      int
			Seed     uint64
			Epoch    uint64
			Block    int
			Len      int
			SHA256   string
		}
		Partition []struct {
			Algo    string
			Args    []int
			Shape   []int
			Len     int
			SHA256  string
			Error   string
			Message string
		}
		Sampling []struct {
			Sizes       []int
			Choose      int
			Granularity int
			Seed        uint64
			Epoch       uint64
			UseEpoch    bool `json:"use_epoch"`
			Out         []int
		}
	}
	readJSON(t, "testdata/units.json", &units)
	if len(units.Shuffle) < 25 || len(units.Partition) < 18 || len(units.Sampling) < 4 {
		t.Fatalf("%d shuffles, %d partitions, %d samplings; want at least 25, 18, 4", len(units.Shuffle), len(units.Partition), len(units.Sampling))
	}
	for i, u := range units.Shuffle {
		var sizes []int
		for _, run := range u.SizesRLE {
			sizes = append(sizes, slices.Repeat([]int{run[0]}, run[1])...)
		}
		ids, err := Shuffle(u.Algo, sizes, u.NCN, u.Seed, u.Epoch, u.Block)
		if err != nil {
			t.Fatal(err)
		}
		wide := make([]int64, len(ids))
		for k := range ids {
			wide[k] = ids.At(k)
		}
		if len(wide) != u.Len || digest(wide) != u.SHA256 {
			t.Errorf("shuffle %d (%s, %d samples, %d nodes): the digest differs", i, u.Algo, u.Len, u.NCN)
		}
	}
	for i, u := range units.Partition {
		a := append(slices.Clone(u.Args), 0, 0)
		w, err := Partition(u.Algo, a[0], a[1], World{a[2], a[3], a[4]}, a[5], a[6], a[7])
		if u.Error != "" {
			if err == nil || err.Error() != u.Message {
				t.Errorf("partition %d: error %v, want %s", i, err, u.Message)
			}
			continue
		}
		if err != nil {
			t.Errorf("partition %d %s %v: %v", i, u.Algo, u.Args, err)
			continue
		}
		shape := w.Shape()
		if ids := w.Tensor(); !slices.Equal(shape[:], u.Shape) || len(ids) != u.Len || digest(ids) != u.SHA256 {
			t.Errorf("partition %d %s %v: differs", i, u.Algo, u.Args)
		}
	}
	for i, u := range units.Sampling {
		epoch := u.Epoch
		if !u.UseEpoch {
			epoch = 0
		}
		got, err := Sampling(u.Sizes, u.Choose, u.Granularity, u.Seed, epoch)
		if err != nil || !slices.Equal(got, u.Out) {
			t.Errorf("sampling %d: %v %v, want %v", i, got, err, u.Out)
		}
	}
}

func TestRunJSONRefusals(t *testing.T) {
	const world = `"world":{"num_nodes":1,"ranks_per_node":1,"workers_per_rank":1}`
	for _, c := range []struct{ name, in, want string }{
		{"no batch size", `{"streams":[{"sizes":[5]}],` + world + `,"args":{}}`, "ValueError: Please pass `batch_size`"},
		{"no samples", `{"streams":[{"sizes":[0]}],` + world + `,"args":{"batch_size":2}}`, "Stream contains no samples"},
		{"two weights", `{"streams":[{"sizes":[5],"repeat":1,"choose":2}],` + world + `,"args":{"batch_size":2}}`, "At most one of"},
		{"granularity", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"sampling_granularity":0}}`, "`sampling_granularity` must be"},
		{"algorithm", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"shuffle":true,"shuffle_algo":"py1b"}}`, "KeyError"},
		{"block size", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"shuffle":true,"shuffle_algo":"py1br","shuffle_block_size":1}}`, "low >= high"},
		{"epoch size", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"epoch_size":"12x"}}`, "Unsupported value/suffix 12x"},
		{"seed", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"shuffle_seed":-1}}`, "`shuffle_seed` must be"},
		{"too few for the nodes", `{"streams":[{"sizes":[5]}],` + world + `,"args":{"batch_size":2,"shuffle":true,"num_canonical_nodes":8}}`, "assigned to a canonical node is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := RunJSON(strings.NewReader(c.in), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(out.String(), `{"error":`) || !strings.Contains(out.String(), c.want) {
				t.Errorf("answer %s, want an error with %q", out.String(), c.want)
			}
		})
	}
	for _, in := range []string{``, `[]`, `{"stream":[]}`, `{"streams":[{"sizes":[5]}],"args":{"batchsize":1}}`} {
		var out bytes.Buffer
		if err := RunJSON(strings.NewReader(in), &out); err == nil || !strings.Contains(out.String(), "error") {
			t.Errorf("%q: answer %s, error %v; want both to report it", in, out.String(), err)
		}
	}
}
