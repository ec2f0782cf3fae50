package mdslib

// Shard: random access to one raw shard file. The dataset of this package and streamlib's cache open it.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync/atomic"
)

// ErrClosed is returned by reads of a closed [Shard] or [Dataset].
var ErrClosed = fmt.Errorf("mdslib: %w", fs.ErrClosed)

// Shard is an open raw (decompressed) mds shard. It is safe for concurrent use and takes no lock: the file is mapped and
// a sample is copied out of the mapping, so what is returned is the caller's. The file may be removed while it is open.
type Shard struct {
	name    string // for errors
	data    []byte // the whole file, mapped
	samples int
	first   uint32 // where samples begin
	schema  *schema
	users   atomic.Int64 // reads in flight, plus one while open
	closed  atomic.Bool
}

// OpenShard opens the raw shard file path. info is its entry in the index, whose number of samples, size and columns the
// file's own header must agree with; with info nil the header alone counts. Errors about the file wrap [ErrFormat], or
// [ErrChecksum] if its size is not the index's.
func OpenShard(path string, info *ShardInfo) (*Shard, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	defer f.Close()
	return openShard(f, filepath.Base(path), info)
}

func openShard(f *os.File, name string, info *ShardInfo) (*Shard, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	if info != nil && info.Format != "mds" {
		return nil, fmt.Errorf("mdslib: %s: a shard of format %s is not read by OpenShard", name, info.Format)
	}
	if info != nil && stat.Size() != info.RawData.Bytes {
		return nil, fmt.Errorf("mdslib: %s: %w: %d bytes, the index says %d", name, ErrChecksum, stat.Size(), info.RawData.Bytes)
	}
	if stat.Size() > maxOffset || !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("mdslib: %s: %w: no file of at most 4 GiB", name, ErrFormat)
	}
	data, err := mapFile(f, stat.Size())
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	s := &Shard{name: name, data: data}
	s.users.Store(1)
	if err := guard(func() error { return s.readHead(info) }); err != nil {
		unmapFile(data)
		return nil, fmt.Errorf("mdslib: %s: %w", name, err)
	}
	return s, nil
}

// guard turns a fault while reading the mapping (the file was truncated meanwhile, or the disk failed) into an error.
func guard(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			if e, ok := fault.(interface{ Addr() uintptr }); !ok || e == nil {
				panic(fault)
			}
			err = fmt.Errorf("%w: the file could not be read: it was truncated or its disk failed", ErrChecksum)
		}
	}()
	return read()
}

// readHead checks the header's frame and its configuration.
func (s *Shard) readHead(info *ShardInfo) error {
	size := uint64(len(s.data))
	if size < shardCountBytes+shardOffsetBytes {
		return fmt.Errorf("%w: a file of %d bytes is no shard", ErrFormat, size)
	}
	n := uint64(getUint32(s.data))
	tableEnd := shardCountBytes + shardOffsetBytes*(n+1)
	if tableEnd > size {
		return fmt.Errorf("%w: %d samples do not fit into %d bytes", ErrFormat, n, size)
	}
	s.samples, s.first = int(n), getUint32(s.data[shardCountBytes:])
	last := uint64(getUint32(s.data[tableEnd-shardOffsetBytes:]))
	if uint64(s.first) < tableEnd || uint64(s.first) > size || last != size {
		return fmt.Errorf("%w: samples from byte %d to %d in a file of %d bytes with %d samples", ErrFormat, s.first, last, size, n)
	}
	own, err := parseConfig(s.data[tableEnd:s.first])
	if err != nil {
		return fmt.Errorf("%w header: %w", ErrFormat, err)
	}
	if info != nil {
		if info.Samples != s.samples {
			return fmt.Errorf("%w: %d samples, the index says %d", ErrFormat, n, info.Samples)
		}
		if !slices.Equal(own.ColumnNames, info.ColumnNames) || !slices.Equal(own.ColumnEncodings, info.ColumnEncodings) {
			return fmt.Errorf("%w: columns %v, the index says %v", ErrFormat, own.Columns(), info.Columns())
		}
	}
	s.schema, err = own.schema()
	return err
}

// schema resolves the columns of an mds shard; their stored sizes must be those of their encodings.
func (s *ShardInfo) schema() (*schema, error) {
	resolved, err := newSchema(s.ColumnNames, s.ColumnEncodings)
	if err != nil {
		return nil, err
	}
	for i, e := range resolved.encodings {
		if e.Bytes() != s.ColumnSizes[i] {
			return nil, fmt.Errorf("%w: column %q of encoding %q has size %d instead of %d", ErrFormat, s.ColumnNames[i], e.Name(), s.ColumnSizes[i], e.Bytes())
		}
	}
	return resolved, nil
}

// acquire keeps the mapping until release. It fails once the shard is closed.
func (s *Shard) acquire() bool {
	for {
		n := s.users.Load()
		if n == 0 {
			return false
		}
		if s.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *Shard) release() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	return unmapFile(s.data)
}

// Close gives the mapping back once the reads in flight are done; later reads return [ErrClosed].
func (s *Shard) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.release()
}

// Len returns the number of samples.
func (s *Shard) Len() int { return s.samples }

// Bytes returns the size of the file.
func (s *Shard) Bytes() int64 { return int64(len(s.data)) }

// Columns returns the columns' names in stored order. The slice is shared.
func (s *Shard) Columns() []string { return s.schema.names }

// Encodings returns the columns' encodings in stored order. The slice is shared.
func (s *Shard) Encodings() []*Encoding { return s.schema.encodings }

// Raw returns sample i's bytes, head and columns, as they lie in the shard. They are the caller's.
func (s *Shard) Raw(i int) ([]byte, error) { return s.AppendRaw(nil, i) }

// AppendRaw appends sample i's bytes to dst; with room in dst nothing is allocated.
func (s *Shard) AppendRaw(dst []byte, i int) ([]byte, error) {
	if i < 0 || i >= s.samples {
		return dst, &SampleError{Shard: s.name, Sample: int64(i), Err: fmt.Errorf("no such sample: the shard has %d", s.samples)}
	}
	if !s.acquire() {
		return dst, ErrClosed
	}
	defer s.release()
	out, err := s.copySample(dst, i)
	if err != nil {
		return dst, locate(err, s.name, int64(i))
	}
	return out, nil
}

// copySample is guard around the copy, without a closure: it runs for every sample.
func (s *Shard) copySample(dst []byte, i int) (out []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			if _, ok := fault.(interface{ Addr() uintptr }); !ok {
				panic(fault)
			}
			out, err = dst, fmt.Errorf("%w: the file could not be read: it was truncated or its disk failed", ErrChecksum)
		}
	}()
	at := shardCountBytes + shardOffsetBytes*i
	begin, end := getUint32(s.data[at:]), getUint32(s.data[at+shardOffsetBytes:])
	if begin < s.first || end < begin || uint64(end) > uint64(len(s.data)) {
		return dst, fmt.Errorf("%w: it lies from byte %d to %d of a file of %d", ErrFormat, begin, end, len(s.data))
	}
	return append(dst, s.data[begin:end]...), nil
}

// Fields splits a sample's bytes, as Raw returns them, into its columns' bytes in stored order, appended to dst. They
// alias raw.
func (s *Shard) Fields(dst [][]byte, raw []byte) ([][]byte, error) {
	out, err := s.schema.fields(dst, raw)
	if err != nil {
		return dst, locate(err, s.name, -1)
	}
	return out, nil
}

// Decode returns the sample whose bytes are raw. Values may alias raw, which must not change afterwards.
func (s *Shard) Decode(raw []byte) (Sample, error) {
	sample, err := s.schema.decode(raw)
	if err != nil {
		return nil, locate(err, s.name, -1)
	}
	return sample, nil
}

// Get returns sample i decoded. It is the caller's.
func (s *Shard) Get(i int) (Sample, error) {
	raw, err := s.Raw(i)
	if err != nil {
		return nil, err
	}
	sample, err := s.schema.decode(raw)
	if err != nil {
		return nil, locate(err, s.name, int64(i))
	}
	return sample, nil
}

// checkOffsets returns an error for each sample whose offsets are out of order.
func (s *Shard) checkOffsets() error {
	var errs []error
	previous := uint64(s.first)
	for i := range s.samples {
		end := uint64(getUint32(s.data[shardCountBytes+shardOffsetBytes*(i+1):]))
		if end < previous || end > uint64(len(s.data)) {
			errs = append(errs, &SampleError{Shard: s.name, Sample: int64(i), Err: fmt.Errorf("%w: it lies from byte %d to %d of a file of %d", ErrFormat, previous, end, len(s.data))})
			break // the others would only repeat it
		}
		previous = end
	}
	return errors.Join(errs...)
}
