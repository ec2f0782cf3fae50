package mdslib

// The raw block form of snappy, which has no frames: https://github.com/google/snappy/blob/main/format_description.txt.

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
)

// snappyCodec decompresses at once what is known to be of an ordinary shard's size, which is fast, and else as far as it is
// read: a file's head, or a file that unpacks to gigabytes, does not cost the memory of the file.
type snappyCodec struct{}

// snappyAtOnce is the most that comes out of a block that is decompressed at once.
const snappyAtOnce = 64 << 20

func (snappyCodec) Compressor(w io.Writer, _ int, size int64) (io.WriteCloser, error) {
	return newSnappyWriter(w, size)
}

func (snappyCodec) Decompressor(r io.Reader, size int64) (io.ReadCloser, error) {
	if size < 0 || size > snappyAtOnce {
		reader, err := newSnappyReader(r)
		if err == nil && size >= 0 && reader.size != uint64(size) {
			err = fmt.Errorf("%w: the snappy block holds %d bytes, the index says %d", ErrChecksum, reader.size, size)
		}
		return io.NopCloser(reader), err
	}
	packed, err := io.ReadAll(io.LimitReader(r, int64(snappy.MaxEncodedLen(int(size)))+1))
	if err != nil {
		return nil, err
	}
	n, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if int64(n) != size {
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

// snappyReader decompresses a block element by element. It keeps snappyReach of what it has read, for copies to refer to.
type snappyReader struct {
	r    *bufio.Reader
	size uint64 // of the whole, as the block says
	gone uint64 // what was read and is not kept
	out  []byte
	at   int // what of out was read

	literal uint64 // bytes of a literal that are still to come
}

// snappyReach is how far back a copy may refer. Google's encoder, which the reference uses, reaches back by 64 KiB.
const snappyReach = 4 << 20

// left is what is still to come.
func (s *snappyReader) left() uint64 { return s.size - s.gone - uint64(len(s.out)) }

func newSnappyReader(r io.Reader) (*snappyReader, error) {
	s := &snappyReader{r: bufio.NewReader(r)}
	const longest = 5 // bytes of the length
	head, err := s.r.Peek(longest)
	size, n := binary.Uvarint(head)
	if n <= 0 || size > math.MaxUint32 {
		return nil, fmt.Errorf("%w: snappy block without a length (%v)", ErrFormat, err)
	}
	s.size = size
	_, err = s.r.Discard(n)
	return s, err
}

func (s *snappyReader) Read(p []byte) (int, error) {
	for s.at == len(s.out) && len(p) > 0 {
		if s.left() == 0 {
			return 0, io.EOF
		}
		if len(s.out) >= 2*snappyReach {
			n := copy(s.out, s.out[len(s.out)-snappyReach:])
			s.gone += uint64(len(s.out) - n)
			s.out, s.at = s.out[:n], n
		}
		if err := s.element(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, fmt.Errorf("snappy block after %d of %d bytes: %w", s.gone+uint64(len(s.out)), s.size, err)
		}
	}
	n := copy(p, s.out[s.at:])
	s.at += n
	return n, nil
}

// element appends what the next element stands for, or a piece of a literal.
func (s *snappyReader) element() error {
	if s.literal > 0 {
		end := len(s.out)
		s.out = append(s.out, make([]byte, min(s.literal, 1<<16))...)
		n, err := io.ReadFull(s.r, s.out[end:])
		s.out, s.literal = s.out[:end+n], s.literal-uint64(n)
		return err
	}
	tag, err := s.r.ReadByte()
	if err != nil {
		return err
	}
	var n, back uint64
	switch tag & 3 {
	case 0: // a literal; long ones have their length in up to four bytes more
		if n = uint64(tag>>2) + 1; n > 60 {
			if n, err = s.number(int(n - 60)); err != nil {
				return err
			}
			n++
		}
		if n > s.left() {
			return fmt.Errorf("%w: a literal of %d bytes", ErrFormat, n)
		}
		s.literal = n
		return nil
	case 1:
		n = uint64(tag>>2&7) + 4
		if back, err = s.number(1); err == nil {
			back |= uint64(tag>>5) << 8
		}
	case 2:
		n = uint64(tag>>2) + 1
		back, err = s.number(2)
	case 3:
		n = uint64(tag>>2) + 1
		back, err = s.number(4)
	}
	if err != nil {
		return err
	}
	if back == 0 || back > uint64(len(s.out)) || n > s.left() {
		return fmt.Errorf("%w: a copy of %d bytes from %d back", ErrFormat, n, back)
	}
	for from := len(s.out) - int(back); n > 0; n-- { // byte by byte: it may read what it writes
		s.out = append(s.out, s.out[from])
		from++
	}
	return nil
}

// number reads a little-endian number of n bytes.
func (s *snappyReader) number(n int) (v uint64, err error) {
	for i := range n {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// snappyWriter writes a block: the length once, then elements that never reach back beyond the piece they were made from.
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
