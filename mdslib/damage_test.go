package mdslib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shardOf is a data set of one shard, whose files can be replaced.
type shardOf struct {
	dir   string
	info  ShardInfo
	codec compression
}

const hostileSamples = 50

// eachShard calls f with a shard of every format, stored in every way.
func eachShard(t *testing.T, hashes []string, f func(t *testing.T, s *shardOf)) {
	var text, mds []Sample
	for i := range hostileSamples {
		text = append(text, Sample{"num": i, "word": strings.Repeat("word ", i%7), "val": float64(i) / 3})
		mds = append(mds, Sample{"data": bytes.Repeat([]byte{byte(i), 7}, i), "id": i, "list": []int32{int32(i), 1}})
	}
	for _, format := range []string{"mds", "json", "csv", "tsv", "xsv"} {
		for _, codec := range []string{"", "br:5", "bz2", "gz", "snappy", "zstd"} {
			t.Run(format+" "+codec, func(t *testing.T) {
				opts, samples := MDSOptions{Format: format, Columns: textColumns, Compression: codec, Hashes: hashes, SizeLimit: "none"}, text
				switch format {
				case "mds":
					opts.Columns, samples = Columns{"data": "bytes", "id": "int64", "list": "ndarray"}, mds
				case "xsv":
					opts.Separator = " | "
				}
				s := &shardOf{dir: writeAll(t, opts, samples)}
				index, err := ReadIndex(s.dir)
				if err != nil {
					t.Fatal(err)
				}
				if s.codec, err = parseCompression(codec); err != nil {
					t.Fatal(err)
				}
				s.info = index.Shards[0]
				f(t, s)
			})
		}
	}
}

// stored returns the names of the shard's files as they lie there, and of their raw contents.
func (s *shardOf) stored() (files, raw []FileInfo) {
	for _, p := range s.info.parts() {
		file := p.raw
		if p.zip != nil {
			file = *p.zip
		}
		files, raw = append(files, file), append(raw, p.raw)
	}
	return files, raw
}

// put replaces the contents of one of the shard's files, sizes in the index included; claimed is what that says of the raw
// one.
func (s *shardOf) put(t *testing.T, file int, packed []byte, claimed int64) {
	t.Helper()
	files, raws := s.stored()
	info := s.info
	raw, zip := &info.RawData, &info.ZipData
	if strings.HasSuffix(raws[file].Basename, metaSuffix) {
		meta := *info.RawMeta
		info.RawMeta = &meta
		raw, zip = &meta, &info.ZipMeta
	}
	raw.Bytes = claimed
	if *zip != nil {
		compressed := **zip
		compressed.Bytes = int64(len(packed))
		*zip = &compressed
	}
	text, err := (&Index{Shards: []ShardInfo{info}}).AppendJSON(nil)
	if err := errors.Join(err, os.WriteFile(filepath.Join(s.dir, IndexName), text, 0o666), os.WriteFile(filepath.Join(s.dir, files[file].Basename), packed, 0o666)); err != nil {
		t.Fatal(err)
	}
}

// pack compresses as the shard's files are.
func (s *shardOf) pack(t *testing.T, raw []byte) []byte {
	t.Helper()
	if s.codec.name == "" {
		return raw
	}
	var packed bytes.Buffer
	w, err := s.codec.compressor(&packed, int64(len(raw)))
	if err == nil {
		_, err = w.Write(raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// mostMemory is what reading any damaged shard of the tests may take: windows and tables of the decompressors.
const mostMemory = 48 << 20

// read reads all samples, checks that that took no more memory than it should, and returns the first error, which must name
// the shard.
func (s *shardOf) read(t *testing.T, what string, verify bool) error {
	t.Helper()
	before := heapAllocs()
	d, err := OpenDataset(s.dir, ReadOptions{VerifyHashes: verify})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer d.Close()
	for _, e := range d.All() {
		if err = e; err != nil {
			break
		}
	}
	if used := heapAllocs() - before; used > mostMemory {
		t.Errorf("%s: %d MB of memory", what, used>>20)
	}
	if err != nil && !strings.Contains(err.Error(), "shard.00000."+s.info.Format) {
		t.Errorf("%s: the error does not name the shard: %v", what, err)
	}
	return err
}

// TestDamagedFiles: files that are cut, longer or have a wrong bit are errors that name them, if there are hashes; without
// hashes sizes alone are sure, but reading ends, in bounded memory.
func TestDamagedFiles(t *testing.T) {
	for _, hashes := range [][]string{{"xxh64"}, nil} {
		eachShard(t, hashes, func(t *testing.T, s *shardOf) {
			files, _ := s.stored()
			for _, file := range files {
				path := filepath.Join(s.dir, file.Basename)
				sound, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				try := func(what string, data []byte, sure bool) {
					what = file.Basename + " " + what
					if err := os.WriteFile(path, data, 0o666); err != nil {
						t.Fatal(err)
					}
					err := s.read(t, what, hashes != nil)
					if sure && (!errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), file.Basename)) {
						t.Errorf("%s: %v", what, err)
					}
				}
				for _, n := range []int{0, 1, len(sound) / 2, len(sound) - 1} {
					try(fmt.Sprintf("cut to %d bytes", n), sound[:n], hashes != nil || s.codec.name == "")
				}
				try("longer", append(bytes.Clone(sound), 0), hashes != nil || s.codec.name == "")
				flips := 5
				if os.Getenv("GOMOSAIC_LONG") != "" {
					flips = 200
				}
				for i := range flips {
					flipped := bytes.Clone(sound)
					at := i * len(sound) / flips
					flipped[at] ^= 1 << (i % 8)
					try(fmt.Sprintf("with another bit in byte %d", at), flipped, hashes != nil)
				}
				if err := os.WriteFile(path, sound, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.read(t, "mended", true); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHostileOffsets: numbers that no writer writes, in shards that are sound otherwise, sizes in the index included.
func TestHostileOffsets(t *testing.T) {
	eachShard(t, nil, func(t *testing.T, s *shardOf) {
		parts := s.info.parts()
		head := 0 // which file has the offsets
		for i, p := range parts {
			if strings.HasSuffix(p.raw.Basename, metaSuffix) {
				head = i
			}
		}
		raw := partContents(t, s.dir, s.info.Compression, parts[head])
		config := bytes.IndexByte(raw, '{')
		second := getUint32(raw[8:])
		for _, c := range []struct {
			name   string
			at     int
			value  uint32
			sample string // that the error names; "" for the whole shard
		}{
			{"four billion samples", 0, 0xffffffff, ""},
			{"one sample less", 0, hostileSamples - 1, ""},
			{"first offset beyond the end", 4, 0xfffffff0, ""},
			{"last offset beyond the end", 4 + 4*hostileSamples, 0xffffffff, ""},
			{"last offset before the end", 4 + 4*hostileSamples, second, ""},
			{"offset beyond the end", 12, 0xffffffff, "sample 1"},
			{"offset before the first", 8, 0, "sample 0"},
			{"offsets crossed", 12, second - 1, "sample 1"},
			{"configuration", config, 0x5b5b5b5b, ""},
			{"length of 4 GB", int(second), 0xffffffff, "sample 1"},
		} {
			if c.name == "length of 4 GB" && s.info.Format != "mds" || c.name == "offset before the first" && s.info.Format == "json" {
				continue // none there
			}
			hostile := bytes.Clone(raw)
			binary.LittleEndian.PutUint32(hostile[c.at:], c.value)
			s.put(t, head, s.pack(t, hostile), int64(len(hostile)))
			err := s.read(t, c.name, false)
			if !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), c.sample) {
				t.Errorf("%s: got %v, want ErrFormat of %q", c.name, err, c.sample)
			}
			if report, err := Verify(t.Context(), s.dir, VerifyOptions{}); err != nil || len(report.Problems) == 0 {
				t.Errorf("%s: Verify: %+v, %v", c.name, report, err)
			}
		}
	})
}

// TestBombs: files of a few KB that unpack to many MB, whatever the index says of that, cost no memory.
func TestBombs(t *testing.T) {
	bombs := map[string][]byte{}
	eachShard(t, nil, func(t *testing.T, s *shardOf) {
		if s.codec.name == "" || os.Getenv("GOMOSAIC_LONG") == "" && s.info.Format != "csv" {
			return
		}
		size := int64(50 << 20)
		if s.codec.name == "snappy" {
			size = snappyAtOnce + 1 // an ordinary shard is decompressed in memory
		}
		if bombs[s.codec.name] == nil {
			bombs[s.codec.name] = pack(t, s.codec.text, size)
		}
		files, raw := s.stored()
		for i := range files {
			for claimed, want := range map[int64]error{raw[i].Bytes: ErrChecksum, size: ErrFormat, 5 << 30: ErrFormat} {
				sound, err := os.ReadFile(filepath.Join(s.dir, files[i].Basename))
				if err != nil {
					t.Fatal(err)
				}
				s.put(t, i, bombs[s.codec.name], claimed)
				if err := s.read(t, files[i].Basename, false); !errors.Is(err, want) {
					t.Errorf("%s that unpacks to %d bytes, %d in the index: %v", files[i].Basename, size, claimed, err)
				}
				s.put(t, i, sound, raw[i].Bytes)
			}
		}
		if err := s.read(t, "mended", false); err != nil {
			t.Error(err)
		}
	})
}
