package order

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzRunJSON holds every answer to what any order must be: ids of the right number, each a sample of the data set.
func FuzzRunJSON(f *testing.F) {
	var cases []json.RawMessage
	readJSON(f, "testdata/order.json", &cases)
	for _, raw := range cases {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			f.Fatal(err)
		}
		for _, answer := range []string{"derived", "shape", "ids", "rank_view", "error", "message"} {
			delete(members, answer)
		}
		seed, err := json.Marshal(members)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Case
		if json.Unmarshal(data, &c) == nil && !small(c) {
			t.Skip("costs too much")
		}
		var out bytes.Buffer
		if err := RunJSON(bytes.NewReader(data), &out); err != nil {
			return
		}
		var got struct {
			Shape []int
			IDs   []int64
			Error string
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("answer %s: %v", out.Bytes(), err)
		}
		if got.Error != "" {
			return
		}
		slots := 1
		for _, n := range got.Shape {
			slots *= n
		}
		samples := 0
		for _, s := range c.Streams {
			samples += s.Samples()
		}
		if len(got.IDs) != slots {
			t.Fatalf("%d ids, shape %v", len(got.IDs), got.Shape)
		}
		for i, id := range got.IDs {
			if id < -1 || id >= int64(samples) {
				t.Fatalf("id %d at %d of a data set of %d samples", id, i, samples)
			}
		}
	})
}

// small tells cases that take milliseconds.
func small(c Case) bool {
	const most = 2000
	within := func(n int) bool { return -most <= n && n <= most }
	samples := 0
	for _, s := range c.Streams {
		for _, size := range s.Sizes {
			if !within(size) {
				return false
			}
			samples += size
		}
		if s.Choose != nil && !within(*s.Choose) || s.Repeat != nil && !(*s.Repeat < 10) {
			return false
		}
	}
	nodes := 0
	if c.Args.NumCanonicalNodes != nil {
		nodes = *c.Args.NumCanonicalNodes
	}
	batch := 1
	if c.Args.BatchSize != nil {
		batch = *c.Args.BatchSize
	}
	w := c.World
	if !within(samples) || !within(nodes) || !within(batch) || !within(int(c.Args.EpochSize)) || !within(w.Nodes) || !within(w.RanksPerNode) || !within(w.WorkersPerRank) {
		return false
	}
	if c.State != nil && !within(c.State.NumCanonicalNodes) {
		return false
	}
	return within(w.Ranks() * w.WorkersPerRank * batch)
}
