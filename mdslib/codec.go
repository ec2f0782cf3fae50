package mdslib

// Compression of whole shard files. Names, extensions and levels are mosaicml-streaming's; a compressed file's bytes
// depend on the library that made it, its contents do not.

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// algorithm is one row of the reference's compression table. The file name extension is the name.
type algorithm struct {
	lowest, highest, usual int    // levels; all 0: it has none
	driver                 string // the package that registers its codec; "" for this one
}

var algorithms = map[string]algorithm{
	"br":     {0, 11, 11, "gomosaic/mdslib/codec/brotli"}, // its library reaches net/http
	"bz2":    {1, 9, 9, "gomosaic/mdslib/codec/bzip2"},
	"gz":     {0, 9, 9, ""},
	"snappy": {0, 0, 0, ""},
	"zstd":   {1, 22, 3, ""},
}

// Codec compresses and decompresses whole shard files by one algorithm. Its methods MUST be safe for concurrent use.
type Codec interface {
	// Compressor returns a writer that compresses exactly size bytes onto w, at a level that the algorithm has. Closing
	// it ends the file and leaves w open. Equal input MUST give equal files. A [Reusable] one is used for file after file:
	// its tables and buffers are dear to make.
	Compressor(w io.Writer, level int, size int64) (io.WriteCloser, error)

	// Decompressor returns a reader of the decompressed bytes of r, which should be size bytes; size is below 0 where that
	// is not known. Closing it releases what it holds and leaves r open. Damaged input MUST end in an error, never in a
	// panic; memory MUST be bounded whatever the input claims, where size is known by a small multiple of it.
	Decompressor(r io.Reader, size int64) (io.ReadCloser, error)
}

// Reusable is a compressor that goes on with another file.
type Reusable interface {
	io.WriteCloser
	// Again begins a file of exactly size bytes on w, after the one before was closed or has failed. It returns false, having
	// done nothing, if the compressor was made for smaller files.
	Again(w io.Writer, size int64) bool
}

var codecs = struct {
	sync.RWMutex
	byName map[string]Codec
}{byName: map[string]Codec{"gz": gzipCodec{}, "snappy": snappyCodec{}, "zstd": zstdCodec{}}}

// RegisterCodec makes the codec of "br" or "bz2" known, in the manner of database/sql: each is a package of its own
// below gomosaic/mdslib/codec, so that a program which needs neither does not link them. It panics if the algorithm is
// not one of the reference's, or has a codec.
func RegisterCodec(name string, c Codec) {
	codecs.Lock()
	defer codecs.Unlock()
	if _, known := algorithms[name]; !known || c == nil || codecs.byName[name] != nil {
		panic("mdslib: RegisterCodec: " + name + " is unknown or has a codec, or the codec is nil")
	}
	codecs.byName[name] = c
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

// memoryBytes is the most that compressing a file of so many bytes takes, and reading its head back: measured, with a little
// to spare. TestWriterMemory holds it, FORMAT.md has a table of it.
func (c compression) memoryBytes(size int64) int64 {
	const mega = 1 << 20
	level := int64(c.level)
	window := max(mega, min(size, 4*mega)) // of br
	if level >= 9 && size < 96*mega {
		window = min(window, 2*mega)
	}
	switch c.name {
	case "zstd":
		window = int64(zstdWindow(c.level, size))
		history := 2 * window // the encoder's and the decoder's
		if !zstdSmallHistory(c.level, size) {
			history += window
		}
		switch {
		case level > 9:
			return 38*mega + history
		case level > 5:
			return 7*mega + history
		}
		return 4*mega + history
	case "br":
		switch {
		case level < 7:
			return 4*mega + 82*window/10
		case level < 10:
			return []int64{12, 20, 38}[level-7]*mega + 95*window/10
		}
		return 16*mega + 21*window
	case "bz2":
		return mega + 28*level*mega/10
	case "gz":
		return 2 * mega
	case "snappy":
		return 5 * mega
	}
	return 0
}

// codec returns the algorithm's codec, or an error that names the import which registers it.
func (c compression) codec() (Codec, error) {
	codecs.RLock()
	codec := codecs.byName[c.name]
	codecs.RUnlock()
	if codec == nil {
		return nil, fmt.Errorf("mdslib: the codec of compression %q is not linked into this program: import _ %q", c.text, algorithms[c.name].driver)
	}
	return codec, nil
}

func (c compression) compressor(w io.Writer, size int64) (io.WriteCloser, error) {
	codec, err := c.codec()
	if err != nil {
		return nil, err
	}
	return codec.Compressor(w, c.level, size)
}

// decompressor is a reader of the contents of r, of r itself without compression. size is [Codec].Decompressor's.
func (c compression) decompressor(r io.Reader, size int64) (io.ReadCloser, error) {
	if c.name == "" {
		return io.NopCloser(r), nil
	}
	codec, err := c.codec()
	if err != nil {
		return nil, err
	}
	return codec.Decompressor(r, size)
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
	if rawBytes > maxOffset {
		return fmt.Errorf("%w: the index says %d bytes, a shard has at most 4 GiB", ErrFormat, rawBytes)
	}
	raw, err := c.decompressor(&contextReader{ctx, in}, rawBytes)
	if err != nil {
		return err
	}
	defer raw.Close()
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
