// Package brotli is the driver of the shard compression "br". Importing it registers the codec with package mdslib; only
// the cell host, shipped programs and the worker link it, because its library reaches net/http, which cells should not.
package brotli

import (
	"io"
	"math/bits"

	"github.com/andybalholm/brotli"

	"gomosaic/mdslib"
)

func init() { mdslib.RegisterCodec("br", codec{}) }

type codec struct{}

func (codec) Compressor(w io.Writer, level int, size int64) (io.WriteCloser, error) {
	window := windowBits(level, size)
	return writer{brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: level, LGWin: window}), level, window}, nil
}

// windowBits is the binary logarithm of the window: brotli's own 4 MiB, or less where that holds the whole file. From level 9 on it
// is 2 MiB, at the price of 1 % of the ratio of text, where otherwise the library took more memory than the file.
func windowBits(level int, size int64) int {
	const smallest, usual = 17, 22 // below 17 the library takes weaker tables
	most := usual
	if level >= 9 && size < 96<<20 {
		most--
	}
	return min(max(bits.Len64(uint64(size+16)), smallest), most)
}

type writer struct {
	*brotli.Writer
	level, window int
}

func (z writer) Again(w io.Writer, size int64) bool {
	if windowBits(z.level, size) > z.window {
		return false
	}
	z.Reset(w)
	return true
}

func (codec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(brotli.NewReader(r)), nil
}
