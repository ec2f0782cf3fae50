package mdslib

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestGoldenLimitsAndLevelsWrite(t *testing.T) {
	data, err := os.ReadFile("testdata/golden/writers/lens.json")
	if err != nil {
		t.Fatal(err)
	}
	var inputs struct{ Lens []int }
	if err := json.Unmarshal(data, &inputs); err != nil {
		t.Fatal(err)
	}
	var samples []Sample
	for i, n := range inputs.Lens {
		samples = append(samples, Sample{"b": bytes.Repeat([]byte{byte(i)}, n), "n": i, "a": fmt.Sprint(i)})
	}
	for _, limit := range []string{"None", "1", "300", "1000", "2kb"} {
		t.Run(limit, func(t *testing.T) {
			compareWritten(t, "testdata/golden/writers/limit_"+limit,
				MDSOptions{Columns: Columns{"b": "bytes", "n": "int", "a": "str"}, SizeLimit: limit}, samples)
			got := readAll(t, "testdata/golden/writers/limit_"+limit)
			for i, want := range samples {
				if s := got[i]; len(got) != len(samples) || s["n"] != int64(i) || s["a"] != want["a"] || !bytes.Equal(s["b"].([]byte), want["b"].([]byte)) {
					t.Fatalf("sample %d of %d: got %v, want %v", i, len(got), s, want)
				}
			}
		})
	}
	for _, level := range []string{"br:0", "bz2:1", "gz:0", "gz:6", "zstd:1", "zstd:19"} {
		t.Run(level, func(t *testing.T) {
			dir := "testdata/golden/writers/level_" + strings.ReplaceAll(level, ":", "_")
			var first []Sample
			for _, s := range samples[:10] {
				first = append(first, Sample{"b": s["b"]})
			}
			compareWritten(t, dir, MDSOptions{Columns: Columns{"b": "bytes"}, Compression: level, Hashes: []string{"xxh3_64"}, SizeLimit: "1000"}, first)
			if got := readAll(t, dir); !reflect.DeepEqual(got, first) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// numbers are the samples from first to below end of a column n.
func numbers(first, end int64) []Sample {
	var samples []Sample
	for n := first; n < end; n++ {
		samples = append(samples, Sample{"n": n})
	}
	return samples
}

// TestGoldenMerge writes the partitions anew and merges them, in both forms; partition p has the numbers from 100 p on.
func TestGoldenMerge(t *testing.T) {
	want, err := os.ReadFile("testdata/golden/writers/merged/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var samples []Sample
	for p := range int64(3) {
		part := numbers(100*p, 100*p+30)
		samples = append(samples, part...)
		opts := MDSOptions{Columns: Columns{"n": "int"}, Hashes: []string{"sha1"}, SizeLimit: "200"}
		if p == 2 {
			opts.Compression = "zstd"
		}
		compareWritten(t, fmt.Sprint("testdata/golden/writers/merged/", p), opts, part)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/golden/writers/merged")); err != nil {
		t.Fatal(err)
	}
	for name, merge := range map[string]func(dir string) error{
		"root": func(dir string) error { return MergeIndex(t.Context(), dir, MergeOptions{}) },
		"list": func(dir string) error {
			return MergeIndexFiles(t.Context(), []string{dir + "/0/index.json", dir + "/1/", dir + "/0/index.json", dir + "/2"}, dir, MergeOptions{})
		},
	} {
		os.Remove(filepath.Join(dir, IndexName))
		if err := merge(dir); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, dir); !reflect.DeepEqual(got, samples) {
			t.Errorf("%s: got %v", name, got)
		}
		if got, err := os.ReadFile(filepath.Join(dir, IndexName)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: error %v\n got %s\nwant %s", name, err, got, want)
		}
	}
	if got := readAll(t, "testdata/golden/writers/merged"); !reflect.DeepEqual(got, samples) {
		t.Errorf("got %v", got)
	}
}

// TestGoldenRemote: what out=(local, remote) leaves at the remote is to the byte what it left there in the reference, and
// nothing stays behind locally.
func TestGoldenRemote(t *testing.T) {
	const golden = "testdata/golden/writers/remote_tuple"
	samples := numbers(0, 20)
	if got := readAll(t, golden); !reflect.DeepEqual(got, samples) {
		t.Fatalf("got %v", got)
	}
	opts := MDSOptions{Columns: Columns{"n": "int"}, SizeLimit: "100", Out: filepath.Join(t.TempDir(), "local"), Remote: filepath.Join(t.TempDir(), "remote")}
	writeAll(t, opts, samples)
	if got, want := names(t, opts.Remote), names(t, golden); !reflect.DeepEqual(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	for _, name := range names(t, golden) {
		got, err := os.ReadFile(filepath.Join(opts.Remote, name))
		want, err2 := os.ReadFile(filepath.Join(golden, name))
		if err != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := os.Stat(opts.Out); err == nil {
		t.Errorf("%s is left", opts.Out)
	}
}

// TestGoldenPILModes writes and reads an image of each of Pillow's modes as the reference did.
func TestGoldenPILModes(t *testing.T) {
	const golden = "testdata/golden/pil_modes"
	var file struct {
		Samples []struct {
			Mode   string
			Size   []int
			Pixels string
		}
	}
	data, err := os.ReadFile(golden + "/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	// the modes that Go has no image for, and the one that it reads and writes in their place, with its pixels
	replaced := map[string]func(pix []byte) (string, []byte){
		"P":    func(pix []byte) (string, []byte) { return "L", pix },
		"LA":   func(pix []byte) (string, []byte) { return "RGBA", regroup(pix, 2, 0, 0, 0, 1) },
		"RGBX": func(pix []byte) (string, []byte) { return "RGB", regroup(pix, 4, 0, 1, 2) },
	}
	var samples []Sample
	for _, want := range file.Samples {
		samples = append(samples, Sample{"mode": want.Mode, "x": &PILImage{Mode: want.Mode, Width: want.Size[0], Height: want.Size[1], Pix: unhex(t, want.Pixels)}})
	}
	compareWritten(t, golden+"/data", MDSOptions{Columns: Columns{"mode": "str", "x": "pil"}, Hashes: []string{"sha1"}, SizeLimit: "none"}, samples)
	for i, s := range readAll(t, golden+"/data") {
		want := file.Samples[i]
		mode, pix := want.Mode, unhex(t, want.Pixels)
		if replace := replaced[mode]; replace != nil {
			mode, pix = replace(pix)
		}
		switch img := s["x"].(type) {
		case *image.YCbCr: // each plane of its own
			for k := range img.Y {
				if got := []byte{img.Y[k], img.Cb[k], img.Cr[k]}; mode != "YCbCr" || !bytes.Equal(got, pix[3*k:3*k+3]) {
					t.Fatalf("%s: pixel %d is %v", want.Mode, k, got)
				}
			}
		case image.Image:
			got, err := appendPIL(nil, img)
			if wanted := append(appendPILHead(nil, mode, want.Size[0], want.Size[1]), pix...); err != nil || !bytes.Equal(got, wanted) {
				t.Errorf("%s: got %T %x, %v, want %x", want.Mode, img, got, err, wanted)
			}
		}
	}
}

// regroup makes pixels of the given channels out of pixels of n bytes.
func regroup(pix []byte, n int, channels ...int) []byte {
	var out []byte
	for ; len(pix) > 0; pix = pix[n:] {
		for _, c := range channels {
			out = append(out, pix[c])
		}
	}
	return out
}
