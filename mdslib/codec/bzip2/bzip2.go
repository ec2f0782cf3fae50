// Package bzip2 is the driver of the shard compression "bz2". Importing it registers the codec with package mdslib; only
// the cell host, shipped programs and the worker link it. Files are read by the standard library, which cannot write them.
package bzip2

import (
	"compress/bzip2"
	"io"

	bzip2writer "github.com/dsnet/compress/bzip2"

	"gomosaic/mdslib"
)

func init() { mdslib.RegisterCodec("bz2", codec{}) }

type codec struct{}

func (codec) Compressor(w io.Writer, level int, _ int64) (io.WriteCloser, error) {
	return bzip2writer.NewWriter(w, &bzip2writer.WriterConfig{Level: level})
}

func (codec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(bzip2.NewReader(r)), nil
}
