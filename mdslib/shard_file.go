package mdslib

// One shard on its way to disk: filled by the writer, then compressed, hashed and written on another core.
//
//	offset     bytes     content (integers little-endian)
//	0          4         uint32 N, the number of samples
//	4          4(N+1)    uint32 offsets from the start of the file; the first is where samples begin, the last the file size
//	4+4(N+1)   config    JSON text, Python's json.dumps(config, sort_keys=True)
//	off[0]     …         the samples, back to back
//
// text_format.go has the two files of the text formats.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	shardCountBytes  = 4 // N
	shardOffsetBytes = 4 // each offset
	smallestChunk    = 1 << 16
	largestChunk     = 1 << 20
)

// rawShard collects the samples of one shard. Its memory is kept in chunks, so that growing copies nothing and a shard
// takes its own size, not twice that; it is reused for the next shard but one.
type rawShard struct {
	chunks [][]byte // full ones, then the one being filled, then empty ones for reuse
	at     int      // chunk being filled
	ends   []uint32 // end of each sample, counted from the first sample's start
	bytes  int64    // of all samples
	zstd   *zstd.Encoder
}

func (r *rawShard) reset() {
	for i := range r.chunks {
		r.chunks[i] = r.chunks[i][:0]
	}
	r.at, r.bytes, r.ends = 0, 0, r.ends[:0]
}

// add appends a sample's bytes, which are copied.
func (r *rawShard) add(sample []byte) {
	r.bytes += int64(len(sample))
	r.ends = append(r.ends, uint32(r.bytes))
	for len(sample) > 0 {
		if r.at == len(r.chunks) {
			size := min(largestChunk, max(smallestChunk, int(r.bytes)))
			r.chunks = append(r.chunks, make([]byte, 0, size))
		}
		chunk := r.chunks[r.at]
		if len(chunk) == cap(chunk) {
			r.at++
			continue
		}
		n := min(len(sample), cap(chunk)-len(chunk))
		r.chunks[r.at] = append(chunk, sample[:n]...)
		sample = sample[n:]
	}
}

// headBytes is the size of a shard's part before the samples.
func headBytes(samples, config int) int64 {
	return int64(shardCountBytes) + shardOffsetBytes*(int64(samples)+1) + int64(config)
}

// head returns an mds shard's bytes before the samples.
func (r *rawShard) head(config []byte) []byte {
	return r.offsets(headBytes(len(r.ends), len(config)), config)
}

// offsets returns the number of samples, their offsets in a file in which the first stands at first, and the configuration:
// the head of an mds shard and the whole meta file of a text shard.
func (r *rawShard) offsets(first int64, config []byte) []byte {
	out := make([]byte, 0, headBytes(len(r.ends), len(config)))
	out = appendBits(out, uint64(len(r.ends)), shardCountBytes)
	out = appendBits(out, uint64(first), shardOffsetBytes)
	for _, end := range r.ends {
		out = appendBits(out, uint64(first)+uint64(end), shardOffsetBytes)
	}
	return append(out, config...)
}

// writeTo writes head and samples.
func (r *rawShard) writeTo(w io.Writer, head []byte) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, chunk := range r.chunks {
		if len(chunk) == 0 {
			break
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// store writes the shard as dir/base and what belongs to it, as w's options say, and completes info. A file counts only
// after its head was read back.
func (r *rawShard) store(dir, base string, w *MDSWriter, info *ShardInfo) (err error) {
	info.Samples = len(r.ends)
	if w.schema.text == nil {
		info.RawData, info.ZipData, err = r.storeFile(dir, base, r.head(w.config), w.codec, w.shard.Hashes)
		return err
	}
	info.RawData, info.ZipData, err = r.storeFile(dir, base, w.header, w.codec, w.shard.Hashes)
	if err != nil {
		return err
	}
	var meta FileInfo
	meta, info.ZipMeta, err = new(rawShard).storeFile(dir, base+metaSuffix, r.offsets(int64(len(w.header)), w.config), w.codec, w.shard.Hashes)
	info.RawMeta = &meta
	return err
}

// storeFile writes head and samples as dir/base, hashed on other cores and compressed if c says so.
func (r *rawShard) storeFile(dir, base string, head []byte, c compression, hashes []string) (raw FileInfo, zip *FileInfo, err error) {
	raw = FileInfo{Basename: base, Bytes: int64(len(head)) + r.bytes}
	var hashing sync.WaitGroup
	digest := newDigests(hashes)
	for name, h := range digest {
		hashing.Go(func() { r.writeTo(digests{name: h}, head) })
	}
	path := filepath.Join(dir, base)
	stored := raw.Bytes
	if c.name != "" {
		zip = &FileInfo{Basename: base + "." + c.name}
		path += "." + c.name
	}
	f, err := os.Create(path)
	if err == nil {
		if zip == nil {
			err = r.writeTo(f, head)
		} else {
			err = r.compressTo(f, head, c, hashes, raw.Bytes, zip)
			stored = zip.Bytes
		}
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		} else if err = rereadHead(path, head, c, stored); err != nil {
			err = fmt.Errorf("read back %s: %w", path, err)
		}
	}
	hashing.Wait()
	raw.Hashes = digest.hex()
	if err != nil {
		return raw, zip, fmt.Errorf("mdslib: %w", err)
	}
	return raw, zip, nil
}

// counter counts the bytes written through it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func (r *rawShard) compressTo(f *os.File, head []byte, c compression, hashes []string, rawBytes int64, zip *FileInfo) error {
	var size counter
	packed := newDigests(hashes)
	buffer := bufio.NewWriterSize(io.MultiWriter(f, packed, &size), 1<<18)
	var z io.WriteCloser
	var err error
	if c.name == "zstd" && r.zstd != nil && rawBytes > 0 { // its tables are dear to make for every shard
		r.zstd.ResetContentSize(buffer, rawBytes)
		z = r.zstd
	} else if z, err = c.compressor(buffer, rawBytes); err != nil {
		return err
	}
	r.zstd, _ = z.(*zstd.Encoder)
	if err := errors.Join(r.writeTo(z, head), z.Close(), buffer.Flush()); err != nil {
		return err
	}
	zip.Bytes, zip.Hashes = size.n, packed.hex()
	return nil
}

// rereadHead compares a stored shard's size and header with what was meant to be written.
func rereadHead(path string, head []byte, c compression, bytesStored int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if stat, err := f.Stat(); err != nil || stat.Size() != bytesStored {
		return errors.Join(err, fmt.Errorf("%w: the file does not have the %d bytes written", ErrChecksum, bytesStored))
	}
	r, err := c.decompressor(f, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	got := make([]byte, len(head))
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	if !bytes.Equal(got, head) {
		return fmt.Errorf("%w: the header is not the one written", ErrChecksum)
	}
	return nil
}
