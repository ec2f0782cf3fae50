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
	"context"
	"encoding/binary"
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
)

// rawShard collects the samples of one shard.
type rawShard struct {
	samples chunkList // their bytes
	ends    chunkList // where each ends, counted from the first one's start: uint32, little-endian
}

func newRawShard(m *shardMemory) *rawShard {
	return &rawShard{samples: chunkList{memory: m}, ends: chunkList{memory: m}}
}

// add appends a sample's bytes, which are copied. It may wait for memory.
func (r *rawShard) add(ctx context.Context, sample []byte) error {
	if err := r.samples.append(ctx, sample); err != nil {
		return err
	}
	var end [shardOffsetBytes]byte
	putUint32(end[:], uint32(r.samples.bytes))
	return r.ends.append(ctx, end[:])
}

// len returns the number of samples.
func (r *rawShard) len() int { return int(r.ends.bytes / shardOffsetBytes) }

// headBytes is the size of a shard's part before the samples.
func headBytes(samples, config int) int64 {
	return int64(shardCountBytes) + shardOffsetBytes*(int64(samples)+1) + int64(config)
}

// writeOffsets writes the number of samples, their offsets in a file in which the first stands at first, and the
// configuration: the head of an mds shard and the whole meta file of a text shard.
func (r *rawShard) writeOffsets(w io.Writer, first int64, config []byte) error {
	buffer := make([]byte, 0, 1<<15)
	buffer = appendBits(buffer, uint64(r.len()), shardCountBytes)
	buffer = appendBits(buffer, uint64(first), shardOffsetBytes)
	err := r.ends.each(func(ends []byte) error {
		for ; len(ends) > 0; ends = ends[shardOffsetBytes:] {
			if len(buffer)+shardOffsetBytes > cap(buffer) {
				if _, err := w.Write(buffer); err != nil {
					return err
				}
				buffer = buffer[:0]
			}
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(first)+getUint32(ends))
		}
		return nil
	})
	if err == nil {
		_, err = w.Write(buffer)
	}
	if err == nil {
		_, err = w.Write(config)
	}
	return err
}

// shardFile is one file of a shard: a head, and the samples unless it is a meta file.
type shardFile struct {
	base      string
	head      func(io.Writer) error
	headBytes int64
	samples   *chunkList
}

// writeTo writes head and samples, as one of the samples' readers.
func (f *shardFile) writeTo(w io.Writer) error {
	err := f.head(w)
	if err == nil && f.samples != nil {
		err = f.samples.drain(func(p []byte) error {
			_, err := w.Write(p)
			return err
		})
	}
	return err
}

// storer is what storing a shard leaves for the next: tables and windows are dear to make for every one.
type storer struct {
	compressor Reusable
	unzstd     *zstd.Decoder // reads heads back
	buffer     *bufio.Writer // before the file, of compressed ones
}

// lend makes the memory of a shard that is full, and will be stored, such that comes back.
func (r *rawShard) lend(hashes []string) {
	r.samples.lend(1 + len(newDigests(hashes)))
	r.ends.lend(1)
}

// store writes the shard, which is lent, as dir/base and what belongs to it, as w's options say, and completes info. A file
// counts only after its head was read back. The shard's memory is given back.
func (r *rawShard) store(dir, base string, w *MDSWriter, s *storer, info *ShardInfo) (err error) {
	defer r.ends.release()
	defer r.samples.release()
	info.Samples = r.len()
	data := shardFile{base: base, samples: &r.samples}
	if w.schema.text == nil {
		data.headBytes = headBytes(r.len(), len(w.config))
		data.head = func(to io.Writer) error { return r.writeOffsets(to, data.headBytes, w.config) }
	} else {
		data.headBytes = int64(len(w.header))
		data.head = func(to io.Writer) error { _, err := to.Write(w.header); return err }
	}
	info.RawData, info.ZipData, err = s.store(dir, &data, w.codec, w.shard.Hashes)
	if err != nil || w.schema.text == nil {
		return err
	}
	meta := shardFile{base: base + metaSuffix, headBytes: headBytes(r.len(), len(w.config))}
	meta.head = func(to io.Writer) error { return r.writeOffsets(to, data.headBytes, w.config) }
	raw, zip, err := s.store(dir, &meta, w.codec, w.shard.Hashes)
	info.RawMeta, info.ZipMeta = &raw, zip
	return err
}

// store writes a file into dir, hashed on other cores and compressed if c says so.
func (s *storer) store(dir string, file *shardFile, c compression, hashes []string) (raw FileInfo, zip *FileInfo, err error) {
	raw = FileInfo{Basename: file.base, Bytes: file.headBytes}
	if file.samples != nil {
		raw.Bytes += file.samples.bytes
	}
	var hashing sync.WaitGroup
	digest := newDigests(hashes)
	for name, h := range digest {
		hashing.Go(func() { file.writeTo(digests{name: h}) })
	}
	path := filepath.Join(dir, file.base)
	stored := raw.Bytes
	if c.name != "" {
		zip = &FileInfo{Basename: file.base + "." + c.name}
		path += "." + c.name
	}
	f, err := os.Create(path)
	if err == nil {
		if zip == nil {
			err = file.writeTo(f)
		} else {
			err = s.compress(f, file, c, hashes, raw.Bytes, zip)
			stored = zip.Bytes
		}
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		} else if err = s.rereadHead(path, file, c, stored); err != nil {
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

// compress writes a file compressed by c, and completes zip.
func (s *storer) compress(f *os.File, file *shardFile, c compression, hashes []string, rawBytes int64, zip *FileInfo) error {
	var size counter
	packed := newDigests(hashes)
	if s.buffer == nil {
		s.buffer = bufio.NewWriterSize(nil, 1<<18)
	}
	buffer := s.buffer
	buffer.Reset(io.MultiWriter(f, packed, &size))
	var z io.WriteCloser = s.compressor
	if s.compressor == nil || !s.compressor.Again(buffer, rawBytes) {
		var err error
		s.compressor = nil // before there are two
		if z, err = c.compressor(buffer, rawBytes); err != nil {
			return err
		}
		s.compressor, _ = z.(Reusable)
	}
	if err := errors.Join(file.writeTo(z), z.Close(), buffer.Flush()); err != nil {
		return err
	}
	zip.Bytes, zip.Hashes = size.n, packed.hex()
	return nil
}

// rereadHead compares a stored file's size and head with what was meant to be written.
func (s *storer) rereadHead(path string, file *shardFile, c compression, bytesStored int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if stat, err := f.Stat(); err != nil || stat.Size() != bytesStored {
		return errors.Join(err, fmt.Errorf("%w: the file does not have the %d bytes written", ErrChecksum, bytesStored))
	}
	if c.name == "zstd" {
		if s.unzstd == nil {
			if s.unzstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)); err != nil {
				return err
			}
		}
		if err := s.unzstd.Reset(f); err != nil {
			return err
		}
		return file.head(&comparer{r: s.unzstd})
	}
	r, err := c.decompressor(f, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	return file.head(&comparer{r: r})
}

// comparer compares what is written to it with what r reads.
type comparer struct {
	r   io.Reader
	got []byte
}

func (c *comparer) Write(p []byte) (int, error) {
	c.got = append(c.got[:0], p...)
	if _, err := io.ReadFull(c.r, c.got); err != nil {
		return 0, err
	}
	if !bytes.Equal(c.got, p) {
		return 0, fmt.Errorf("%w: the header is not the one written", ErrChecksum)
	}
	return len(p), nil
}
