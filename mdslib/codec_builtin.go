package mdslib

// The codecs that need no driver: gz, snappy and zstd.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// gzipCodec writes no time into its files, so that equal input gives equal ones.
type gzipCodec struct{}

func (gzipCodec) Compressor(w io.Writer, level int, _ int64) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(w, level)
}

func (gzipCodec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) { return gzip.NewReader(r) }

// zstdCodec maps zstd's 22 levels to the four this encoder has: 1–2 fastest, 3–5 default, 6–9 better, 10–22 best. A file
// is one frame without a checksum, as the reference writes, that states its size, which Python's decoder wants. Windows are
// zstd's own: this encoder's are up to eight times as wide, which costs memory and finds what the reference does not.
type zstdCodec struct{}

func (zstdCodec) Compressor(w io.Writer, level int, size int64) (io.WriteCloser, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(zstdWindow(level, size)))
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return emptyZstd{w, enc}, nil
	}
	enc.ResetContentSize(w, size)
	return enc, nil
}

// zstdWindow is how far back a level looks in so many bytes (lib/compress/clevels.h; beyond 8 MiB it goes up to level 20 there).
func zstdWindow(level int, size int64) int {
	window := 8 << 20
	switch {
	case level < 3:
		window = 1 << 20
	case level < 9:
		window = 2 << 20
	case level < 17:
		window = 4 << 20
	}
	for window > 1<<16 && int64(window)/2 >= size {
		window /= 2
	}
	return window
}

// emptyZstd writes the frame of no bytes: the stream encoder's states no size, which Python's decoder wants.
type emptyZstd struct {
	w   io.Writer
	enc *zstd.Encoder
}

func (emptyZstd) Write(p []byte) (int, error) {
	if len(p) > 0 {
		return 0, fmt.Errorf("mdslib: %d bytes for a zstd file of none", len(p))
	}
	return 0, nil
}

func (e emptyZstd) Close() error {
	_, err := e.w.Write(e.enc.EncodeAll(nil, nil))
	return err
}

func (zstdCodec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) {
	const widestWindow = 1 << 27 // zstd's own widest, of level 22
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(widestWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// snappyCodec keeps one whole file in memory to decompress it, as the block form asks for.
type snappyCodec struct{}

func (snappyCodec) Compressor(w io.Writer, _ int, size int64) (io.WriteCloser, error) {
	return newSnappyWriter(w, size)
}

func (snappyCodec) Decompressor(r io.Reader, size int64) (io.ReadCloser, error) {
	packed, err := io.ReadAll(io.LimitReader(r, maxOffset+1))
	if err != nil {
		return nil, err
	}
	n, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if size >= 0 && int64(n) != size {
		return nil, fmt.Errorf("%w: the snappy block holds %d bytes, the index says %d", ErrChecksum, n, size)
	}
	const bestRatio = 64 // three bytes copy at most 64: more is a lie about the length
	if n > bestRatio*(len(packed)+1) {
		return nil, fmt.Errorf("snappy block of %d bytes claims to hold %d", len(packed), n)
	}
	data, err := snappy.Decode(nil, packed)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
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
