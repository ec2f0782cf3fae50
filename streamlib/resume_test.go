package streamlib

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"gomosaic/mdslib"
)

// TestResumeAnywhere stops loops at random batches and goes on elsewhere from the state, which travels as JSON.
func TestResumeAnywhere(t *testing.T) {
	dir := writeData(t, 203, 17, mdslib.MDSOptions{})
	rng := rand.New(rand.NewPCG(1, 2))
	algos := []string{"", "naive", "py1s", "py2s", "py1br", "py1e"}
	for trial := range 30 {
		opts := DatasetOptions{Local: dir, BatchSize: 1 + rng.IntN(9), ShuffleBlockSize: 40 + rng.IntN(200), ShuffleSeed: rng.Uint64N(1e6),
			World: &World{Size: 1, LocalSize: 1}}
		if opts.ShuffleAlgo = algos[rng.IntN(len(algos))]; opts.ShuffleAlgo != "" {
			opts.Shuffle = true
		}
		if rng.IntN(2) == 0 {
			ranks := 1 + rng.IntN(4)
			opts.World = &World{Size: ranks, LocalSize: ranks, Rank: rng.IntN(ranks)}
			opts.World.LocalRank = opts.World.Rank
		}
		loaderOpts := LoaderOptions{NumWorkers: rng.IntN(4), DropLast: rng.IntN(3) == 0, Parallel: 1 + rng.IntN(3)}
		t.Run(fmt.Sprintf("%d", trial), func(t *testing.T) {
			l := NewStreamingDataLoader(open(t, opts), loaderOpts)
			for range rng.IntN(3) { // some whole epochs first
				idsOf(t, l)
			}
			reference := NewStreamingDataLoader(open(t, opts), loaderOpts)
			if s := l.StateDict(); s.Epoch >= 0 {
				s.Epoch, s.SampleInEpoch = s.Epoch+1, 0
				if err := reference.LoadStateDict(s); err != nil {
					t.Fatal(err)
				}
			}
			want := idsOf(t, reference)
			stop := rng.IntN(len(want))
			var got [][]int64
			for b, err := range l.Batches(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, checkBatch(t, b)); len(got) > stop {
					break
				}
			}
			text, err := json.Marshal(l.StateDict())
			if err != nil {
				t.Fatal(err)
			}
			var state State
			if err := json.Unmarshal(text, &state); err != nil {
				t.Fatal(err)
			}
			opts.ShuffleSeed, opts.NumCanonicalNodes = 0, 0 // the state's count
			resumed := NewStreamingDataLoader(open(t, opts), loaderOpts)
			if err := resumed.LoadStateDict(state); err != nil {
				t.Fatal(err)
			}
			got = append(got, idsOf(t, resumed)...)
			// With several workers the turns start anew at the resume; the samples of each rank's order do not change.
			if workers := max(1, loaderOpts.NumWorkers); workers == 1 {
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("workers %d, stopped after %d of %d: %v\nwant %v", workers, stop+1, len(want), got, want)
				}
			} else if !loaderOpts.DropLast && opts.World.Size == 1 {
				if a, b := sorted(got), sorted(want); !slices.Equal(a, b) {
					t.Fatalf("workers %d, stopped after %d of %d: samples differ", workers, stop+1, len(want))
				}
			}
			// The epoch after it is the same, too.
			if state.Epoch == 0 && opts.World.Size == 1 {
				if a, b := idsOf(t, resumed), idsOf(t, reference); !reflect.DeepEqual(a, b) {
					t.Errorf("the epoch after the resumed one differs")
				}
			}
		})
	}
}

func sorted(batches [][]int64) []int64 {
	all := slices.Concat(batches...)
	slices.Sort(all)
	return all
}

func TestStateBeforeAndAfter(t *testing.T) {
	l := NewStreamingDataLoader(open(t, DatasetOptions{Local: writeData(t, 20, 10, mdslib.MDSOptions{}), BatchSize: 3}), LoaderOptions{})
	one := 1
	if s, want := l.StateDict(), (State{Epoch: -1, NumCanonicalNodes: 1, ShuffleSeed: 9176, InitialPhysicalNodes: &one}); !reflect.DeepEqual(s, want) {
		t.Errorf("state before the first epoch %+v, want %+v", s, want)
	}
	if err := l.LoadStateDict(l.StateDict()); err != nil { // as a run does that is saved before it begins
		t.Fatal(err)
	}
	if n := len(idsOf(t, l)); n != 7 {
		t.Errorf("%d batches, want 7", n)
	}
	if s, want := l.StateDict(), (State{SampleInEpoch: 20, NumCanonicalNodes: 1, ShuffleSeed: 9176, InitialPhysicalNodes: &one}); !reflect.DeepEqual(s, want) {
		t.Errorf("state after the first epoch %+v, want %+v", s, want)
	}
	// A state at the end of an epoch: nothing is left of it, then the next one comes.
	if err := l.LoadStateDict(l.StateDict()); err != nil {
		t.Fatal(err)
	}
	if n := len(idsOf(t, l)); n != 0 {
		t.Errorf("%d batches after the end, want none", n)
	}
	if n := len(idsOf(t, l)); n != 7 || l.StateDict().Epoch != 1 {
		t.Errorf("%d batches of epoch %d, want 7 of 1", n, l.StateDict().Epoch)
	}
	if err := l.LoadStateDict(State{Epoch: 1, SampleInEpoch: -3, NumCanonicalNodes: 1}); err == nil {
		t.Error("a negative sample was taken")
	}
	if err := l.LoadStateDict(State{Epoch: 1, SampleInEpoch: 3000, NumCanonicalNodes: 1}); err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Batches(t.Context()) {
		if err == nil {
			t.Error("a batch beyond the data set")
		}
	}
}

func TestRanksSeeDisjointSamples(t *testing.T) {
	dir := writeData(t, 120, 17, mdslib.MDSOptions{})
	for _, workers := range []int{0, 3} {
		seen := map[int64]int{}
		for rank := range 4 {
			l := NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, Shuffle: true, BatchSize: 5, World: &World{Rank: rank, Size: 4, LocalRank: rank % 2, LocalSize: 2}}),
				LoaderOptions{NumWorkers: workers})
			for _, id := range slices.Concat(idsOf(t, l)...) {
				if other, ok := seen[id]; ok {
					t.Fatalf("sample %d is seen by ranks %d and %d", id, other, rank)
				}
				seen[id] = rank
			}
		}
		if len(seen) != 120 {
			t.Errorf("%d of 120 samples are seen", len(seen))
		}
	}
	// With replication pairs of ranks see the same.
	var pairs [4][][]int64
	for rank := range pairs {
		pairs[rank] = idsOf(t, NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, Shuffle: true, BatchSize: 5, Replication: 2,
			World: &World{Rank: rank, Size: 4, LocalRank: rank, LocalSize: 4}}), LoaderOptions{}))
	}
	if !reflect.DeepEqual(pairs[0], pairs[1]) || !reflect.DeepEqual(pairs[2], pairs[3]) || reflect.DeepEqual(pairs[0], pairs[2]) {
		t.Error("replication 2: ranks 0, 1 and 2, 3 must see the same, and different samples")
	}
}

// TestBatchesAhead: the loop gets the batches that it would without, prepared, in order and once; the state counts those that
// it got; an error of prepare comes behind the batches before it; leaving the loop ends prepare.
func TestBatchesAhead(t *testing.T) {
	dir := writeData(t, 50, 7, mdslib.MDSOptions{})
	newLoader := func() *StreamingDataLoader {
		return NewStreamingDataLoader(open(t, DatasetOptions{Local: dir, BatchSize: 4, Shuffle: true}), LoaderOptions{})
	}
	want := idsOf(t, newLoader())
	refused := errors.New("refused")
	for _, c := range []struct{ n, failAt, leaveAt int }{{0, -1, -1}, {2, -1, -1}, {2, 5, -1}, {2, -1, 3}, {20, -1, 0}} {
		l := newLoader()
		var prepared atomic.Int32
		got := 0
		var failure error
		for b, err := range l.BatchesAhead(t.Context(), c.n, func(b *Batch) error {
			at := int(prepared.Add(1)) - 1
			if !reflect.DeepEqual(b.IDs, want[at]) {
				t.Errorf("%+v: batch %d is prepared with samples %v, want %v", c, at, b.IDs, want[at])
			}
			if at == c.failAt {
				return refused
			}
			b.Values = map[string][]any{"prepared": {at}}
			return nil
		}) {
			if err != nil {
				failure = err
				continue
			}
			if !reflect.DeepEqual(b.IDs, want[got]) || b.Values["prepared"][0] != got {
				t.Errorf("%+v: batch %d: samples %v, prepared as %v, want %v", c, got, b.IDs, b.Values["prepared"], want[got])
			}
			got++
			if at := l.StateDict().SampleInEpoch; at != min(4*got, 50) {
				t.Errorf("%+v: the state is at sample %d after %d batches", c, at, got)
			}
			if got-1 == c.leaveAt {
				break
			}
		}
		wanted := len(want)
		if c.failAt >= 0 {
			wanted = c.failAt
		}
		if c.leaveAt >= 0 {
			wanted = c.leaveAt + 1
		}
		if got != wanted || (failure != nil) != (c.failAt >= 0) || failure != nil && !errors.Is(failure, refused) {
			t.Errorf("%+v: %d batches, then %v; want %d", c, got, failure, wanted)
		}
		if p := int(prepared.Load()); p > got+c.n+1 {
			t.Errorf("%+v: %d batches prepared for %d", c, p, got)
		}
	}
}
