// Package brotli is the driver of the shard compression "br". Importing it registers the codec with package mdslib; only
// the cell host, shipped programs and the worker link it, because its library reaches net/http, which cells should not.
package brotli

import (
	"io"

	"github.com/andybalholm/brotli"

	"gomosaic/mdslib"
)

func init() { mdslib.RegisterCodec("br", codec{}) }

type codec struct{}

func (codec) Compressor(w io.Writer, level int, _ int64) (io.WriteCloser, error) {
	return brotli.NewWriterLevel(w, level), nil
}

func (codec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(brotli.NewReader(r)), nil
}
