package mdslib

import (
	"context"
	"errors"
	"iter"
)

// The declarations of this file are being filled in; their signatures are settled.

var errSoon = errors.New("mdslib: not there yet")

// MDSWriter writes samples to shards.
type MDSWriter struct{}

// NewMDSWriter starts a data set.
func NewMDSWriter(opts MDSOptions) (*MDSWriter, error) { return nil, errSoon }

// Write appends a sample. Not for concurrent use.
func (w *MDSWriter) Write(sample Sample) error { return errSoon }

// Close finishes the data set: index.json last.
func (w *MDSWriter) Close() error { return errSoon }

// Abort stops and removes what was written.
func (w *MDSWriter) Abort() error { return errSoon }

// Shard is an open raw shard, safe for concurrent use.
type Shard struct{}

// OpenShard opens the raw shard file that info describes; info nil trusts the shard's own header.
func OpenShard(path string, info *ShardInfo) (*Shard, error) { return nil, errSoon }

// Len is the number of samples.
func (s *Shard) Len() int { return 0 }

// Columns are the column names in stored order; Encodings their encodings.
func (s *Shard) Columns() []string { return nil }

// Raw returns a copy of sample i's bytes.
func (s *Shard) Raw(i int) ([]byte, error) { return nil, errSoon }

// AppendRaw appends sample i's bytes to dst.
func (s *Shard) AppendRaw(dst []byte, i int) ([]byte, error) { return nil, errSoon }

// Fields splits a sample's bytes into its columns' bytes, appended to dst; they alias raw.
func (s *Shard) Fields(dst [][]byte, raw []byte) ([][]byte, error) { return nil, errSoon }

// Get returns sample i decoded; it is the caller's.
func (s *Shard) Get(i int) (Sample, error) { return nil, errSoon }

// Close releases the file once reads in flight are done.
func (s *Shard) Close() error { return errSoon }

// ReadOptions is how a data set is opened.
type ReadOptions struct {
	// Cache is a folder for decompressed shards. "" uses temporary files that vanish with the process.
	Cache string
	// VerifyHashes checks each shard's hashes when it is first opened.
	VerifyHashes bool
}

// Dataset is an open local data set, safe for concurrent use.
type Dataset struct{}

// OpenDataset opens a folder with index.json.
func OpenDataset(dir string, opts ReadOptions) (*Dataset, error) { return nil, errSoon }

// NumSamples is the number of samples.
func (d *Dataset) NumSamples() int { return 0 }

// Index is the parsed index.
func (d *Dataset) Index() *Index { return nil }

// Get returns sample i decoded.
func (d *Dataset) Get(i int) (Sample, error) { return nil, errSoon }

// All iterates in stored order.
func (d *Dataset) All() iter.Seq2[Sample, error] { return nil }

// Close releases the shards.
func (d *Dataset) Close() error { return errSoon }

// MergeOptions is how indexes are merged.
type MergeOptions struct {
	// Remote also receives the merged index.
	Remote string
}

// MergeIndex merges the index.json of the partition folders below root, in path order, into root/index.json.
func MergeIndex(ctx context.Context, root string, opts MergeOptions) error { return errSoon }

// MergeIndexFiles merges the given index.json files, in that order, into out/index.json.
func MergeIndexFiles(ctx context.Context, indexes []string, out string, opts MergeOptions) error {
	return errSoon
}

// Verify re-reads and re-hashes a data set.
func Verify(ctx context.Context, dir string) (*VerifyReport, error) { return nil, errSoon }

// VerifyReport is what Verify found.
type VerifyReport struct {
	Shards   int
	Samples  int64
	Bytes    int64
	Problems []error
}
