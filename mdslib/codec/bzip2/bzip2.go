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

func (codec) Compressor(w io.Writer, level int, size int64) (io.WriteCloser, error) {
	enough := enough(level, size)
	z, err := bzip2writer.NewWriter(w, &bzip2writer.WriterConfig{Level: enough})
	return writer{z, level, enough}, err
}

// enough is level, or the one whose blocks, of 100,000 bytes a level, hold the whole file: the others only take more memory.
func enough(level int, size int64) int {
	return int(min(int64(level), max(1, (size+99_999)/100_000)))
}

type writer struct {
	*bzip2writer.Writer
	wanted, level int
}

func (z writer) Again(w io.Writer, size int64) bool {
	return enough(z.wanted, size) <= z.level && z.Reset(w) == nil
}

func (codec) Decompressor(r io.Reader, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(bzip2.NewReader(r)), nil
}
