package mdslib

// The codecs that are always there and the library's: gz, zstd.

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// gzipCodec writes no time into its files, so that equal input gives equal ones.
type gzipCodec struct{}

func (gzipCodec) Compressor(w io.Writer, level int, _ int64) (io.WriteCloser, error) {
	z, err := gzip.NewWriterLevel(w, level)
	return gzipWriter{z}, err
}

type gzipWriter struct{ *gzip.Writer }

func (z gzipWriter) Again(w io.Writer, _ int64) bool {
	z.Reset(w)
	return true
}

func (gzipCodec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) { return gzip.NewReader(r) }

// zstdCodec maps zstd's 22 levels to the four this encoder has: 1–2 fastest, 3–5 default, 6–9 better, 10–22 best. A file
// is one frame without a checksum, as the reference writes, that states its size, which Python's decoder wants. Windows are
// zstd's own: this encoder's are up to eight times as wide, which costs memory and finds what the reference does not.
type zstdCodec struct{}

func (zstdCodec) Compressor(w io.Writer, level int, size int64) (io.WriteCloser, error) {
	window := zstdWindow(level, size)
	small := zstdSmallHistory(level, size)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(small))
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return emptyZstd{w, enc}, nil
	}
	enc.ResetContentSize(w, size)
	return zstdWriter{enc, level, window, small}, nil
}

// zstdSmallHistory tells whether the encoder keeps one window and not two, which makes it move what it keeps at each block:
// levels as slow as those from 10 on do not feel that, and a file that fits into one window never moves.
func zstdSmallHistory(level int, size int64) bool {
	return level > 9 || size <= int64(zstdWindow(level, size))
}

type zstdWriter struct {
	*zstd.Encoder
	level, window int
	small         bool
}

func (z zstdWriter) Again(w io.Writer, size int64) bool {
	if size == 0 || zstdWindow(z.level, size) > z.window || z.small && !zstdSmallHistory(z.level, size) {
		return false
	}
	z.ResetContentSize(w, size)
	return true
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
