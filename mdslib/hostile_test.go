package mdslib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// allocated returns the bytes of the heap that f makes the program allocate, freed again or not.
func allocated(f func()) uint64 {
	runtime.GC()
	before := heapAllocs()
	f()
	return heapAllocs() - before
}

// heapAllocs is what the program has allocated so far; small objects may count later.
func heapAllocs() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// pack compresses a shard's head that claims size/4 samples, followed by zeros up to size bytes.
func pack(t *testing.T, compression string, size int64) []byte {
	t.Helper()
	c, err := parseCompression(compression)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := c.compressor(&packed, size)
	if err != nil {
		t.Fatal(err)
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(size/4))
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, size-int64(len(head))))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestZipBomb: a small file that unpacks to far more than the index says costs neither memory nor disk, and a header
// that is a bomb costs RebuildIndex none.
func TestZipBomb(t *testing.T) {
	const size, most = 96 << 20, 48 << 20
	for _, compression := range []string{"br:5", "bz2", "gz", "snappy", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			packed := pack(t, compression, size)
			dir := t.TempDir()
			name := strings.Split(compression, ":")[0]
			zip := filepath.Join(dir, "shard.00000.mds."+name)
			if err := os.WriteFile(zip, packed, 0o666); err != nil {
				t.Fatal(err)
			}
			var err error
			used := allocated(func() { err = Decompress(t.Context(), filepath.Join(dir, "raw"), zip, compression, 1000) })
			if !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), zip) {
				t.Errorf("%d bytes that unpack to %d: %v", len(packed), size, err)
			}
			if used > most {
				t.Errorf("%d MB of memory", used>>20)
			}
			used = allocated(func() { _, err = RebuildIndex(t.Context(), dir, RebuildOptions{}) })
			if err == nil || !strings.Contains(err.Error(), "shard.00000.mds: malformed: it ends within the offsets of its 25165824 samples") || used > most {
				t.Errorf("RebuildIndex: %v, %d MB of memory", err, used>>20)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestImageListBomb: the images of a small list have no more pixels together than one image may have.
func TestImageListBomb(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewPaletted(image.Rect(0, 0, 10_000, 10_000), blackWhite)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	w, err := NewMDSWriter(MDSOptions{Out: dir, Columns: Columns{"frames": "list[png]"}})
	if err != nil {
		t.Fatal(err)
	}
	files := [][]byte{file.Bytes(), file.Bytes(), file.Bytes()}
	if err := errors.Join(w.Write(Sample{"frames": files}), w.Close()); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDataset(dir, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	used := allocated(func() { _, err = d.Get(0) })
	const want = `mdslib: shard.00000.mds: sample 0: column "frames": element 1: malformed: png of 10000 x 10000 pixels, at most 78956970 are decoded`
	if !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), want) || used > 150<<20 {
		t.Errorf("three images of 100 megapixels in %d bytes: %d MB of memory, %v", 3*file.Len(), used>>20, err)
	}
	if long := listPixels(64 << 20); long < 128*1920*1080 {
		t.Errorf("a list of 64 MiB may have %d pixels, less than 128 frames of a film", long)
	}
}
