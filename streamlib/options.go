package streamlib

import (
	"errors"
	"fmt"

	"gomosaic/mdslib"
	"gomosaic/streamlib/order"
	"gomosaic/streamlib/transforms"
)

// DatasetOptions says what a [StreamingDataset] streams and in which order. Fields are named as the arguments of
// mosaicml-streaming's StreamingDataset; the zero value of each means that argument's default. Either Streams is given, or
// Remote or Local or both.
type DatasetOptions struct {
	Streams []Stream `json:"streams,omitempty"`

	// The rest of this group describes the only stream, or what all Streams leave open.
	Remote string `json:"remote,omitempty"` // folder or URL the data set lies in; "" for local data only
	Local  string `json:"local,omitempty"`  // folder for shards on this machine; "" with a local Remote reads that in place, else a folder of the user's cache
	Split  string `json:"split,omitempty"`  // sub-folder of both
	// DownloadRetry is the number of attempts per file (2). DownloadTimeoutSeconds bounds each of them (60).
	DownloadRetry          int     `json:"download_retry,omitempty"`
	DownloadTimeoutSeconds float64 `json:"download_timeout,omitempty"`
	// ValidateHash names the hash that each shard file is compared with when a process first uses it. By default the
	// fastest that the index has is taken, if any; "none" compares sizes only.
	ValidateHash string `json:"validate_hash,omitempty"`
	KeepZip      bool   `json:"keep_zip,omitempty"` // keep compressed files after decompressing them

	// AllowUnsafeTypes streams data sets with pkl columns; reading a pickle runs nothing here (see mdslib.ReadOptions).
	AllowUnsafeTypes bool `json:"allow_unsafe_types,omitempty"`

	EpochSize  int    `json:"epoch_size,omitempty"`  // samples per epoch over all ranks, with relative or no weights
	CacheLimit string `json:"cache_limit,omitempty"` // most bytes of the local folders, for example "10gb", or mdslib.Bytes(n); "" for no limit
	// Predownload is how many samples ahead shards are brought in, per worker of the reference (8 batches).
	Predownload int `json:"predownload,omitempty"`

	Shuffle             bool   `json:"shuffle,omitempty"`
	ShuffleAlgo         string `json:"shuffle_algo,omitempty"`         // naive, py1s, py2s, py1br or py1e (default)
	ShuffleSeed         uint64 `json:"shuffle_seed,omitempty"`         // 0 stands for the default, 9176
	ZeroShuffleSeed     bool   `json:"zero_shuffle_seed,omitempty"`    // seed 0, which ShuffleSeed cannot say
	ShuffleBlockSize    int    `json:"shuffle_block_size,omitempty"`   // samples; default max(4,000,000 / NumCanonicalNodes, 262,144)
	BatchSize           int    `json:"batch_size,omitempty"`           // samples per batch of each rank; the loader's if 0
	NumCanonicalNodes   int    `json:"num_canonical_nodes,omitempty"`  // default: the nodes, times 64 for py1s and py2s
	SamplingMethod      string `json:"sampling_method,omitempty"`      // balanced (default) or fixed
	SamplingGranularity int    `json:"sampling_granularity,omitempty"` // samples drawn of a shard at a time (1)
	PartitionAlgo       string `json:"partition_algo,omitempty"`       // relaxed (default) or orig
	BatchingMethod      string `json:"batching_method,omitempty"`      // random (default), stratified, per_stream or device_per_stream
	Replication         int    `json:"replication,omitempty"`          // consecutive ranks that see the same samples; 0 for one

	// Transforms is applied to each sample after decoding, from several goroutines. It gets jpeg and png columns as
	// encoded bytes, which transforms.Image decodes into memory of its own; a transforms.Func gets them
	// as image.Image, and an [EncodedReader] says for itself.
	Transforms transforms.Transform `json:"-"`
	// World is this process's place in the job; nil reads the environment.
	World *World `json:"world,omitempty"`
}

// Stream is one source of a data set that mixes several. At most one of Proportion, Repeat and Choose is given, and
// Proportion by all streams or none; without a weight each sample is drawn once per epoch. Fields left zero are those of
// the [DatasetOptions].
type Stream struct {
	Remote string `json:"remote,omitempty"`
	Local  string `json:"local,omitempty"`
	Split  string `json:"split,omitempty"`

	Proportion *float64 `json:"proportion,omitempty"` // share of the epoch, relative to the other streams
	Repeat     *float64 `json:"repeat,omitempty"`     // times each sample is drawn per epoch
	Choose     *int     `json:"choose,omitempty"`     // samples drawn per epoch

	DownloadRetry          int     `json:"download_retry,omitempty"`
	DownloadTimeoutSeconds float64 `json:"download_timeout,omitempty"`
	ValidateHash           string  `json:"validate_hash,omitempty"`
	KeepZip                bool    `json:"keep_zip,omitempty"`
}

// EncodedReader is a transform that says which columns it decodes itself: it gets these as []byte, the others decoded.
type EncodedReader interface {
	EncodedColumns() []string
}

// streams returns the streams with everything filled in that they leave open.
func (o *DatasetOptions) streams() ([]Stream, error) {
	streams := o.Streams
	if (len(streams) > 0) == (o.Remote != "" || o.Local != "") {
		return nil, errors.New("streamlib: give either Streams, or Remote or Local, but not both")
	}
	if len(streams) == 0 {
		streams = []Stream{{Remote: o.Remote, Local: o.Local}}
	}
	filled := make([]Stream, len(streams))
	for i, s := range streams {
		if s.Remote == "" && s.Local == "" {
			return nil, fmt.Errorf("streamlib: stream %d: Remote or Local must be given", i)
		}
		s.Split = first(s.Split, o.Split)
		s.DownloadRetry = first(s.DownloadRetry, o.DownloadRetry, 2)
		s.DownloadTimeoutSeconds = first(s.DownloadTimeoutSeconds, o.DownloadTimeoutSeconds, 60)
		s.ValidateHash = first(s.ValidateHash, o.ValidateHash)
		s.KeepZip = s.KeepZip || o.KeepZip
		if s.DownloadRetry < 0 || !(s.DownloadTimeoutSeconds > 0) {
			return nil, fmt.Errorf("streamlib: stream %d: DownloadRetry %d and DownloadTimeoutSeconds %g must be positive", i, s.DownloadRetry, s.DownloadTimeoutSeconds)
		}
		filled[i] = s
	}
	return filled, nil
}

// args are the options that decide the order.
func (o *DatasetOptions) args() order.Args {
	seed := first(o.ShuffleSeed, order.DefaultSeed)
	if o.ZeroShuffleSeed {
		seed = 0
	}
	return order.Args{
		BatchSize: o.BatchSize, EpochSize: o.EpochSize,
		Shuffle: o.Shuffle, ShuffleAlgo: o.ShuffleAlgo, ShuffleBlockSize: o.ShuffleBlockSize, Seed: seed,
		NumCanonicalNodes: o.NumCanonicalNodes, SamplingMethod: o.SamplingMethod, SamplingGranularity: o.SamplingGranularity,
		PartitionAlgo: o.PartitionAlgo, BatchingMethod: o.BatchingMethod,
	}
}

// cacheLimitBytes is CacheLimit in bytes, 0 for none.
func (o *DatasetOptions) cacheLimitBytes() (int64, error) {
	if o.CacheLimit == "" {
		return 0, nil
	}
	n, err := mdslib.ParseBytes(o.CacheLimit)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("streamlib: CacheLimit %q: want a positive size such as 10gb", o.CacheLimit)
	}
	return n, nil
}

// first returns the first value that is not zero.
func first[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}
