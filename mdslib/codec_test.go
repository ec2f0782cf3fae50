package mdslib_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/codec/brotli" // for all tests of mdslib
	_ "gomosaic/mdslib/codec/bzip2"
)

// compressions has every algorithm once.
var compressions = []string{"br:5", "bz2", "gz", "snappy", "zstd"}

// writeShards writes a data set of text that compresses and of noise that does not, and returns its shard files' bytes.
func writeShards(t testing.TB, dir, compression string) []byte {
	t.Helper()
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"x": "bytes"}, Compression: compression, Hashes: []string{"sha1"}, SizeLimit: "none"})
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 40 {
		x := bytes.Repeat([]byte("mosaic data shard "), i*100)
		if i%2 == 1 {
			noise.Read(x)
		}
		if err := w.Write(mdslib.Sample{"x": x}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	algo, _, _ := strings.Cut(compression, ":")
	packed, err := os.ReadFile(filepath.Join(dir, "shard.00000.mds."+algo))
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestCodecs holds each codec to the interface's rules.
func TestCodecs(t *testing.T) {
	for _, compression := range compressions {
		t.Run(compression, func(t *testing.T) {
			dir := t.TempDir()
			first := writeShards(t, filepath.Join(dir, "a"), compression)
			if !bytes.Equal(first, writeShards(t, filepath.Join(dir, "b"), compression)) {
				t.Error("equal input gives different files")
			}
			report, err := mdslib.Verify(t.Context(), filepath.Join(dir, "a"), mdslib.VerifyOptions{})
			if err != nil || report.Err() != nil || report.Samples != 40 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

// TestReusedCompressors: a compressor that goes on with another shard makes the file of a new one, after larger and smaller
// ones, too.
func TestReusedCompressors(t *testing.T) {
	noise := make([]byte, 50_000)
	rand.NewChaCha8([32]byte{2}).Read(noise)
	for _, compression := range []string{"br:1", "br:5", "br:11", "bz2", "gz", "snappy", "zstd:1", "zstd", "zstd:7", "zstd:19"} {
		dir := t.TempDir()
		w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"x": "bytes"}, Compression: compression, SizeLimit: "400kb"})
		if err != nil {
			t.Fatal(err)
		}
		for shard := range 5 {
			for i := range 400_000 / 50_200 {
				x := append(bytes.Repeat([]byte{byte(i)}, 200), noise...)
				if shard == 2 {
					x = append(x[:len(x)/2], make([]byte, len(x)/2)...)
				}
				if err := w.Write(mdslib.Sample{"x": x}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Write(mdslib.Sample{"x": make([]byte, 40_000)}); err != nil { // fills the shard
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		shards := w.Index().Shards
		if len(shards) != 5 {
			t.Fatalf("%s: %d shards", compression, len(shards))
		}
		first, err := os.ReadFile(filepath.Join(dir, shards[0].ZipData.Basename))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{1, 3, 4} {
			if again, err := os.ReadFile(filepath.Join(dir, shards[i].ZipData.Basename)); err != nil || !bytes.Equal(first, again) {
				t.Errorf("%s: shard %d, %d bytes, is not as the first, %d bytes, of the same samples (%v)", compression, i, len(again), len(first), err)
			}
		}
		if report, err := mdslib.Verify(t.Context(), dir, mdslib.VerifyOptions{}); err != nil || report.Err() != nil {
			t.Errorf("%s: %+v, %v", compression, report, err)
		}
	}
}

// damaged decompresses bytes that may be anything: the file is there, or an error, never both.
func damaged(t *testing.T, packed []byte, compression string, rawBytes int64) {
	dir := t.TempDir()
	zip, raw := filepath.Join(dir, "zip"), filepath.Join(dir, "raw")
	if err := os.WriteFile(zip, packed, 0o666); err != nil {
		t.Fatal(err)
	}
	err := mdslib.Decompress(t.Context(), raw, zip, compression, rawBytes)
	if _, missing := os.Stat(raw); (err == nil) != (missing == nil) {
		t.Errorf("%s: error %v, and the file is there: %v", compression, err, missing == nil)
	}
}

func FuzzDecompress(f *testing.F) {
	for i, compression := range compressions {
		packed := writeShards(f, f.TempDir(), compression)
		f.Add(uint8(i), packed[:min(len(packed), 3000)])
		f.Add(uint8(i), []byte{})
		flipped := bytes.Clone(packed[:min(len(packed), 3000)])
		for at := 7; at < len(flipped); at += 101 {
			flipped[at] ^= 0x55
		}
		f.Add(uint8(i), flipped)
	}
	f.Fuzz(func(t *testing.T, algorithm uint8, packed []byte) {
		damaged(t, packed, compressions[int(algorithm)%len(compressions)], 1<<16)
	})
}

func TestRegisterCodec(t *testing.T) {
	for _, name := range []string{"zstd", "br", "lz4", ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RegisterCodec(%q) took it", name)
				}
			}()
			mdslib.RegisterCodec(name, struct{ mdslib.Codec }{})
		}()
	}
}
