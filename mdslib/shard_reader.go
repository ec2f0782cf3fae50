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

// Shard is an open raw (decompressed) shard, of MDS or a text format. It is safe for concurrent use and takes no lock: the
// file is mapped and a sample is copied out of the mapping, so what is returned is the caller's. The file may be removed
// while it is open.
type Shard struct {
	name    string // for errors
	data    []byte // the whole data file, mapped
	meta    []byte // the whole meta file of a text format, mapped; nil for mds
	table   []byte // the offsets of the samples, one more than there are: part of data or meta
	samples int
	first   uint32 // where samples begin
	schema  *schema
	users   atomic.Int64 // reads in flight, plus one while open
	closed  atomic.Bool
}

// OpenShard opens the raw shard file path; a text shard's meta file must lie beside it. info is its entry in the index,
// whose number of samples, size and columns the file's own header must agree with; with info nil the header alone counts.
// Errors about the file wrap [ErrFormat], or [ErrChecksum] if its size is not the index's.
func OpenShard(path string, info *ShardInfo) (*Shard, error) {
	s := &Shard{name: filepath.Base(path)}
	s.users.Store(1)
	metaPath, text := path+metaSuffix, filepath.Ext(path) != ".mds"
	var dataInfo, metaInfo *FileInfo
	if info != nil {
		dataInfo, metaInfo, text = &info.RawData, info.RawMeta, info.Format != "mds"
		if metaInfo != nil {
			metaPath = filepath.Join(filepath.Dir(path), filepath.Base(filepath.FromSlash(metaInfo.Basename)))
		}
	}
	var err error
	if s.data, err = mapShardFile(path, dataInfo); err == nil && text {
		s.meta, err = mapShardFile(metaPath, metaInfo)
	}
	if err == nil {
		if err = guard(func() error { return s.readHead(info) }); err != nil {
			err = fmt.Errorf("mdslib: %s: %w", s.name, err)
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// mapShardFile maps one of a shard's files, whose size must be that of its entry in the index, if there is one. An empty file
// is no nil.
func mapShardFile(path string, info *FileInfo) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	name := filepath.Base(path)
	if info != nil && stat.Size() != info.Bytes {
		return nil, fmt.Errorf("mdslib: %s: %w: %d bytes, the index says %d", name, ErrChecksum, stat.Size(), info.Bytes)
	}
	if stat.Size() > maxOffset || !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("mdslib: %s: %w: no file of at most 4 GiB", name, ErrFormat)
	}
	if stat.Size() == 0 {
		return []byte{}, nil
	}
	data, err := mapFile(f, stat.Size())
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	return data, nil
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

// mostConfigBytes bounds the configuration of a shard: what it holds is read into memory.
const mostConfigBytes = 1 << 26

// readHead checks the frame of the offsets and the configuration, which lie in the data file of mds and in the meta file of
// text.
func (s *Shard) readHead(info *ShardInfo) error {
	mds := s.meta == nil
	head := s.meta
	if mds {
		head = s.data
	}
	size := uint64(len(head))
	if size < shardCountBytes+shardOffsetBytes {
		return fmt.Errorf("%w: a file of %d bytes is no shard", ErrFormat, size)
	}
	n := uint64(getUint32(head))
	tableEnd := shardCountBytes + shardOffsetBytes*(n+1)
	if tableEnd > size {
		return fmt.Errorf("%w: %d samples do not fit into %d bytes", ErrFormat, n, size)
	}
	s.table = head[shardCountBytes:tableEnd]
	s.samples, s.first = int(n), getUint32(s.table)
	first, last, end := uint64(s.first), uint64(getUint32(s.table[shardOffsetBytes*n:])), uint64(len(s.data))
	if first > end || last != end || mds && first < tableEnd {
		return fmt.Errorf("%w: samples from byte %d to %d in a file of %d bytes with %d samples", ErrFormat, first, last, end, n)
	}
	config := head[tableEnd:]
	if mds {
		config = head[tableEnd:first]
	}
	if len(config) > mostConfigBytes {
		return fmt.Errorf("%w: a configuration of %d bytes", ErrFormat, len(config))
	}
	own, err := parseConfig(config)
	if err == nil && mds != (own.Format == "mds") {
		err = fmt.Errorf("a shard of format %q", own.Format)
	}
	if err != nil {
		return fmt.Errorf("%w header: %w", ErrFormat, err)
	}
	if info != nil {
		if info.Samples != s.samples {
			return fmt.Errorf("%w: %d samples, the index says %d", ErrFormat, n, info.Samples)
		}
		if own.Format != info.Format || own.Newline != info.Newline || own.Separator != info.Separator ||
			!slices.Equal(own.ColumnNames, info.ColumnNames) || !slices.Equal(own.ColumnEncodings, info.ColumnEncodings) {
			return fmt.Errorf("%w: %s with columns %v, the index says %s with %v", ErrFormat, own.Format, own.Columns(), info.Format, info.Columns())
		}
	}
	if s.schema, err = own.schema(); err != nil || mds {
		return err
	}
	if header := s.schema.text.headerLine(own.ColumnNames); string(s.data[:first]) != header {
		return fmt.Errorf("%w: the file begins with %s instead of its columns' names", ErrFormat, quote(s.data[:first]))
	}
	return nil
}

// schema resolves the columns of a shard; the stored sizes of those of mds must be those of their encodings.
func (s *ShardInfo) schema() (*schema, error) {
	text, err := newTextFormat(s.Format, s.Newline, s.Separator)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if text != nil {
		return text.schema(s.ColumnNames, s.ColumnEncodings)
	}
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
	return errors.Join(unmapFile(s.data), unmapFile(s.meta))
}

// Close gives the mapping back once the reads in flight are done; later reads return [ErrClosed].
func (s *Shard) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.release()
}

// Name returns the file's name without its folder.
func (s *Shard) Name() string { return s.name }

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
	begin, end, err := s.bounds(i)
	if err != nil {
		return dst, err
	}
	return append(dst, s.data[begin:end]...), nil
}

// view calls use with sample i's bytes where they lie in the mapping: use must copy what it keeps.
func (s *Shard) view(i int, use func(raw []byte) error) error {
	if i < 0 || i >= s.samples {
		return &SampleError{Shard: s.name, Sample: int64(i), Err: fmt.Errorf("no such sample: the shard has %d", s.samples)}
	}
	if !s.acquire() {
		return ErrClosed
	}
	defer s.release()
	return locate(guard(func() error {
		begin, end, err := s.bounds(i)
		if err != nil {
			return err
		}
		return use(s.data[begin:end:end])
	}), s.name, int64(i))
}

// bounds returns where sample i lies.
func (s *Shard) bounds(i int) (begin, end uint32, err error) {
	at := shardOffsetBytes * i
	begin, end = getUint32(s.table[at:]), getUint32(s.table[at+shardOffsetBytes:])
	if begin < s.first || end < begin || uint64(end) > uint64(len(s.data)) {
		return 0, 0, fmt.Errorf("%w: it lies from byte %d to %d of a file of %d", ErrFormat, begin, end, len(s.data))
	}
	return begin, end, nil
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
		end := uint64(getUint32(s.table[shardOffsetBytes*(i+1):]))
		if end < previous || end > uint64(len(s.data)) {
			errs = append(errs, &SampleError{Shard: s.name, Sample: int64(i), Err: fmt.Errorf("%w: it lies from byte %d to %d of a file of %d", ErrFormat, previous, end, len(s.data))})
			break // the others would only repeat it
		}
		previous = end
	}
	return errors.Join(errs...)
}
