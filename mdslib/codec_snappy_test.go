package mdslib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/snappy"
)

// TestSnappyReader: the reader that goes element by element gives what the library gives at once, whoever made the block.
func TestSnappyReader(t *testing.T) {
	noise := make([]byte, 300_000)
	rand.NewChaCha8([32]byte{}).Read(noise)
	text := bytes.Repeat([]byte("mosaic data shard "), 20_000)
	mixed := append(append(append([]byte{}, noise[:70_000]...), text...), noise[:70_000]...)
	long := binary.AppendUvarint(nil, 1<<20) // a far copy and a literal with three bytes of length
	long = append(append(long, 62<<2, 0xff, 0xff, 0x0f), bytes.Repeat([]byte{7}, 1<<20)...)
	for name, block := range map[string][]byte{
		"nothing": snappy.Encode(nil, nil), "one byte": snappy.Encode(nil, []byte("x")), "noise": snappy.Encode(nil, noise),
		"text": snappy.Encode(nil, text), "mixed": snappy.Encode(nil, mixed), "long literal": long,
		"copy of itself": {6, 0, 'a', 4<<2 | 2, 1, 0}, "far copy": {4, 2 << 2, 'a', 'b', 'c', 0<<2 | 3, 3, 0, 0, 0},
	} {
		want, err := snappy.Decode(nil, block)
		if err != nil {
			t.Fatal(name, err)
		}
		r, err := newSnappyReader(bytes.NewReader(block))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes instead of %d, %v", name, len(got), len(want), err)
		}
	}
}

// FuzzSnappy: the same of any bytes, good or bad, but for what follows a whole block, which the reader leaves alone.
func FuzzSnappy(f *testing.F) {
	f.Add(snappy.Encode(nil, bytes.Repeat([]byte("mosaic "), 300)))
	f.Add([]byte{6, 0, 'a', 4<<2 | 2, 1, 0})
	f.Add([]byte{4, 2 << 2, 'a', 'b', 'c', 3, 3, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 63 << 2, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, block []byte) {
		n, err := snappy.DecodedLen(block)
		if err == nil && n > 1<<20 {
			return
		}
		var want []byte
		if err == nil {
			want, err = snappy.Decode(nil, block)
		}
		r, readErr := newSnappyReader(bytes.NewReader(block))
		var got []byte
		if readErr == nil {
			got, readErr = io.ReadAll(r)
		}
		if err == nil && (readErr != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%d bytes instead of %d: %v", len(got), len(want), readErr)
		}
		if err != nil && readErr == nil && r.r.Buffered() == 0 {
			t.Fatalf("%d bytes of a block that the library refuses: %v", len(got), err)
		}
		if readErr != nil && !errors.Is(readErr, ErrFormat) && !errors.Is(readErr, io.ErrUnexpectedEOF) {
			t.Fatalf("an error of another kind: %v", readErr)
		}
	})
}
