package mdslib

// Compression of whole shard files. Names, extensions and levels are mosaicml-streaming's; a compressed file's bytes
// depend on the library that made it, its contents do not.

import (
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	bzip2writer "github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// algorithm is one row of the reference's compression table. The file name extension is the name.
type algorithm struct {
	lowest, highest, usual int // levels; all 0: it has none
}

var algorithms = map[string]algorithm{
	"br":     {0, 11, 11},
	"bz2":    {1, 9, 9},
	"gz":     {0, 9, 9},
	"snappy": {},
	"zstd":   {1, 22, 3},
}

// compression is a parsed Compression text; the zero value stands for none.
type compression struct {
	text  string // as given: it is stored in the shards and the index
	name  string // also the file name extension
	level int
}

func parseCompression(text string) (compression, error) {
	if text == "" || text == "none" {
		return compression{}, nil
	}
	name, levelText, hasLevel := strings.Cut(text, ":")
	a, known := algorithms[name]
	c := compression{text: text, name: name, level: a.usual}
	if hasLevel {
		level, err := strconv.Atoi(levelText)
		if err != nil || a.highest == 0 || level < a.lowest || level > a.highest || strconv.Itoa(level) != levelText {
			known = false
		}
		c.level = level
	}
	if !known {
		return compression{}, fmt.Errorf("mdslib: unknown compression %q: want none, br[:0–11], bz2[:1–9], gz[:0–9], snappy or zstd[:1–22]", text)
	}
	return c, nil
}

// compressor returns a writer that compresses exactly size bytes onto w; Close ends the file without closing w.
//
// zstd's 22 levels fall onto the four this encoder has: 1–2 fastest, 3–5 default, 6–9 better, 10–22 best. gz files carry
// no time, so that equal input gives equal files.
func (c compression) compressor(w io.Writer, size int64) (io.WriteCloser, error) {
	switch c.name {
	case "br":
		return brotli.NewWriterLevel(w, c.level), nil
	case "bz2":
		return bzip2writer.NewWriter(w, &bzip2writer.WriterConfig{Level: c.level})
	case "gz":
		return gzip.NewWriterLevel(w, c.level)
	case "snappy":
		return newSnappyWriter(w, size)
	case "zstd":
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(c.level)), zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false)) // one frame without a checksum, as the reference writes
		if err != nil {
			return nil, err
		}
		enc.ResetContentSize(w, size) // Python's decoder wants the frame to state its size
		return enc, nil
	}
	return nil, fmt.Errorf("mdslib: no compression called %q", c.name)
}

// snappyWriter writes the raw block form of snappy (https://github.com/google/snappy/blob/main/format_description.txt):
// the length once, then elements that never reach back beyond the piece they were made from.
type snappyWriter struct {
	w     io.Writer
	piece []byte
	out   []byte
}

const snappyPiece = 1 << 20

func newSnappyWriter(w io.Writer, size int64) (*snappyWriter, error) {
	if size > math.MaxUint32 {
		return nil, fmt.Errorf("mdslib: snappy holds at most 4 GiB, not %d bytes", size)
	}
	_, err := w.Write(binary.AppendUvarint(nil, uint64(size)))
	return &snappyWriter{w: w}, err
}

func (s *snappyWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), snappyPiece-len(s.piece))
		s.piece, p = append(s.piece, p[:k]...), p[k:]
		if len(s.piece) == snappyPiece {
			if err := s.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (s *snappyWriter) flush() error {
	if len(s.piece) == 0 {
		return nil
	}
	s.out = s2.EncodeSnappy(s.out[:cap(s.out)], s.piece)
	_, lengthBytes := binary.Uvarint(s.out)
	s.piece = s.piece[:0]
	_, err := s.w.Write(s.out[lengthBytes:])
	return err
}

func (s *snappyWriter) Close() error { return s.flush() }

// decompressor returns a reader of the decompressed bytes; done releases it.
func decompressor(r io.Reader, name string) (raw io.Reader, done func(), err error) {
	switch name {
	case "br":
		return brotli.NewReader(r), func() {}, nil
	case "bz2":
		return bzip2.NewReader(r), func() {}, nil
	case "gz":
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	case "snappy":
		packed, err := io.ReadAll(io.LimitReader(r, maxOffset+1))
		if err != nil {
			return nil, nil, err
		}
		n, err := snappy.DecodedLen(packed)
		if err != nil {
			return nil, nil, err
		}
		const bestRatio = 64 // three bytes copy at most 64: more is a lie about the length
		if n > bestRatio*(len(packed)+1) {
			return nil, nil, fmt.Errorf("snappy block of %d bytes claims to hold %d", len(packed), n)
		}
		data, err := snappy.Decode(nil, packed)
		if err != nil {
			return nil, nil, err
		}
		return bytes.NewReader(data), func() {}, nil
	case "zstd":
		const widestWindow = 1 << 27 // zstd's own widest, of level 22
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(widestWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return nil, nil, fmt.Errorf("mdslib: no compression called %q", name)
}

// Decompress writes the contents of the compressed file src to the file dst, through a temporary file beside dst that is
// renamed when whole. algo is a shard's Compression, for example "zstd" or "zstd:7". Contents of any other size than
// rawBytes are an error that wraps [ErrChecksum], found without writing more; rawBytes below 0 allows up to 4 GiB.
func Decompress(ctx context.Context, dst, src, algo string, rawBytes int64) (err error) {
	c, err := parseCompression(algo)
	if err != nil {
		return err
	}
	in, err := os.Open(src)
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	defer in.Close()
	out, err := createTemp(dst)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(out.Name())
		}
	}()
	if err := decompressTo(ctx, out, in, c, rawBytes); err != nil {
		return fmt.Errorf("mdslib: decompress %s: %w", src, err)
	}
	return publish(out, dst)
}

func decompressTo(ctx context.Context, out io.Writer, in io.Reader, c compression, rawBytes int64) error {
	raw, done := io.Reader(&contextReader{ctx, in}), func() {}
	if c.name != "" {
		var err error
		if raw, done, err = decompressor(raw, c.name); err != nil {
			return err
		}
	}
	defer done()
	limit := rawBytes
	if limit < 0 {
		limit = maxOffset
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{io.LimitReader(raw, limit+1)}, make([]byte, 1<<18))
	if err != nil {
		return err
	}
	if n > limit || rawBytes >= 0 && n != rawBytes {
		return fmt.Errorf("%w: %d bytes or more come out, the index says %d", ErrChecksum, n, rawBytes)
	}
	return nil
}
