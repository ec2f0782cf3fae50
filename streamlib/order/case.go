package order

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Case is one question about sample order as JSON: what RunJSON reads. Names and defaults are those of the reference's
// StreamingDataset; null and absent mean the default.
type Case struct {
	Name          string   `json:"name,omitempty"`
	Streams       []Stream `json:"streams"`
	World         World    `json:"world"`
	Args          CaseArgs `json:"args"`
	Epoch         int      `json:"epoch"`
	State         *State   `json:"state_dict"`
	SampleInEpoch int      `json:"sample_in_epoch"` // where there is no state_dict
	Replication   *int     `json:"replication"`
}

// CaseArgs are the arguments of a [Case]. The last group does not bear on the order and is ignored.
type CaseArgs struct {
	BatchSize           *int      `json:"batch_size,omitempty"`
	EpochSize           EpochSize `json:"epoch_size,omitempty"`
	Shuffle             bool      `json:"shuffle,omitempty"`
	ShuffleAlgo         *string   `json:"shuffle_algo,omitempty"`
	ShuffleSeed         *int64    `json:"shuffle_seed,omitempty"`
	ShuffleBlockSize    *int      `json:"shuffle_block_size,omitempty"`
	NumCanonicalNodes   *int      `json:"num_canonical_nodes,omitempty"`
	SamplingMethod      *string   `json:"sampling_method,omitempty"`
	SamplingGranularity *int      `json:"sampling_granularity,omitempty"`
	PartitionAlgo       *string   `json:"partition_algo,omitempty"`
	BatchingMethod      *string   `json:"batching_method,omitempty"`
	Replication         *int      `json:"replication,omitempty"`

	Predownload      any `json:"predownload,omitempty"`
	CacheLimit       any `json:"cache_limit,omitempty"`
	KeepZip          any `json:"keep_zip,omitempty"`
	ValidateHash     any `json:"validate_hash,omitempty"`
	DownloadRetry    any `json:"download_retry,omitempty"`
	DownloadTimeout  any `json:"download_timeout,omitempty"`
	AllowUnsafeTypes any `json:"allow_unsafe_types,omitempty"`
}

// EpochSize is a number of samples that may be written as text: 100000, "100k", "1.5m", "2b", "1t".
type EpochSize int

// ParseEpochSize reads a number of samples with an optional suffix k, m, b or t (powers of 1000).
func ParseEpochSize(text string) (EpochSize, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	bad := invalid("Unsupported value/suffix %s. Supported suffix are ['k', 'm', 'b', 't'].", lower)
	unit := 1e3
	for _, suffix := range []string{"k", "m", "b", "t"} {
		if number, ok := strings.CutSuffix(lower, suffix); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err != nil || math.IsNaN(v) || v*unit >= 1<<62 {
				return 0, bad
			}
			return nonNegative(v * unit)
		}
		unit *= 1e3
	}
	for _, c := range lower {
		if c < '0' || c > '9' {
			return 0, bad
		}
	}
	v, err := strconv.Atoi(lower)
	if err != nil {
		return 0, bad
	}
	return EpochSize(v), nil
}

func nonNegative(v float64) (EpochSize, error) {
	if v <= -1 {
		return 0, invalid("Epoch size cannot be negative. Received %d.", int64(v))
	}
	return EpochSize(v), nil
}

// UnmarshalJSON reads a number or text.
func (e *EpochSize) UnmarshalJSON(data []byte) (err error) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*e = 0
	case float64:
		*e, err = nonNegative(v)
	case string:
		if v == "" {
			*e = 0
			return nil
		}
		*e, err = ParseEpochSize(v)
	default:
		err = invalid("epoch_size: want a number or text, got %s", data)
	}
	return err
}

// args turns the JSON form into Args, where zero has other meanings.
func (c CaseArgs) args() (Args, error) {
	a := Args{EpochSize: int(c.EpochSize), Shuffle: c.Shuffle, Seed: DefaultSeed}
	for _, f := range []struct {
		to   *int
		from *int
	}{{&a.BatchSize, c.BatchSize}, {&a.ShuffleBlockSize, c.ShuffleBlockSize}, {&a.NumCanonicalNodes, c.NumCanonicalNodes},
		{&a.SamplingGranularity, c.SamplingGranularity}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, f := range []struct{ to, from *string }{{&a.ShuffleAlgo, c.ShuffleAlgo}, {&a.SamplingMethod, c.SamplingMethod},
		{&a.PartitionAlgo, c.PartitionAlgo}, {&a.BatchingMethod, c.BatchingMethod}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.SamplingGranularity != nil && *c.SamplingGranularity <= 0 {
		return a, invalid("`sampling_granularity` must be a positive integer, but got: %d.", *c.SamplingGranularity)
	}
	if c.ShuffleSeed != nil {
		if *c.ShuffleSeed < 0 {
			return a, invalid("`shuffle_seed` must be a non-negative integer, but got: %d.", *c.ShuffleSeed)
		}
		a.Seed = uint64(*c.ShuffleSeed)
	}
	if c.ShuffleBlockSize != nil && *c.ShuffleBlockSize <= 0 && c.Shuffle {
		// Only these two look at it; for the others any value will do.
		if a.ShuffleAlgo == "" || a.ShuffleAlgo == "py1e" || a.ShuffleAlgo == "py1br" {
			return a, ValueError("low >= high")
		}
		a.ShuffleBlockSize = 0
	}
	return a, nil
}

// Answer computes the order that the case asks for.
func (c *Case) Answer() (*Work, error) {
	args, err := c.Args.args()
	if err != nil {
		return nil, err
	}
	world := c.World
	if err := world.check(); err != nil {
		return nil, err
	}
	if c.Replication == nil {
		c.Replication = c.Args.Replication
	}
	if c.Replication != nil {
		if world, err = world.Replicate(*c.Replication); err != nil {
			return nil, err
		}
	}
	plan, err := NewPlan(c.Streams, args)
	if err != nil {
		return nil, err
	}
	pos := plan.Resume(world, c.Epoch, c.State)
	if c.State == nil {
		pos.SampleInEpoch = c.SampleInEpoch
	}
	return plan.Work(world, pos)
}

// RunJSON reads one [Case] from r and writes {"shape": […], "ids": […]} to w: the shape of [Work.Shape] and the ids in
// row-major order, -1 for empty slots. A case that the reference refuses is answered by {"error": "ValueError: …"}, and
// RunJSON returns nil; it returns an error, having written one too, if r holds no case, or more than one.
func RunJSON(r io.Reader, w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	answer := func(v any) error { return encoder.Encode(v) }
	type refusal struct {
		Error string `json:"error"`
	}
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var c Case
	if err := decodeCase(decoder, &c); err != nil {
		var value ValueError
		if errors.As(err, &value) {
			return answer(refusal{refusalText(err)})
		}
		err = fmt.Errorf("order: reading a case: %w", err)
		return errors.Join(err, answer(refusal{err.Error()}))
	}
	work, err := c.Answer()
	if err != nil {
		return answer(refusal{refusalText(err)})
	}
	return answer(struct {
		Shape [5]int  `json:"shape"`
		IDs   []int64 `json:"ids"`
	}{work.Shape(), work.Tensor()})
}

func decodeCase(decoder *json.Decoder, c *Case) error {
	// What earlier answers carry (derived, shape, ids, error) may stand in a case and is not read.
	var asked struct {
		Case
		Derived  json.RawMessage `json:"derived"`
		Shape    json.RawMessage `json:"shape"`
		IDs      json.RawMessage `json:"ids"`
		RankView json.RawMessage `json:"rank_view"`
		Error    json.RawMessage `json:"error"`
		Message  json.RawMessage `json:"message"`
	}
	if err := decoder.Decode(&asked); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("more text after the case, from byte %d", decoder.InputOffset())
	}
	*c = asked.Case
	return nil
}

// refusalText names the class of Python's exception before the message.
func refusalText(err error) string {
	var key KeyError
	if errors.As(err, &key) {
		return "KeyError: " + err.Error()
	}
	return "ValueError: " + err.Error()
}
