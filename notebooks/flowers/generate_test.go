package flowers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"

	"gomosaic/mdslib/jpeg"
	"gomosaic/streamlib/transforms"
)

// TestBytes pins the drawing: every machine and every later version draws the same pictures until recipe is raised.
func TestBytes(t *testing.T) {
	h := sha256.New()
	s := Options{}.set()
	for _, number := range []int{0, 1, 2, 3, 4, 6, 7, greyNumber, 31, 1799} {
		data, err := s.picture(number)
		if err != nil {
			t.Fatal(err)
		}
		h.Write(data)
	}
	const want = "2c4a2610b3a40b73fc7aec056592135e65e97041d4176857184cb8cf9ec5036a"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("pictures of recipe %d have SHA-256 %s, want %s", recipe, got, want)
	}
}

// TestGenerate: a complete folder, reused, replaced, and never mixed with other files.
func TestGenerate(t *testing.T) {
	ctx, parent := context.Background(), t.TempDir()
	dir := filepath.Join(parent, "a folder", "flowers")
	if err := Generate(ctx, dir, Options{Images: 33}); err != nil {
		t.Fatal(err)
	}
	var headers []jpeg.Header
	sizes := map[[2]int]bool{}
	for number := range 33 {
		data, err := os.ReadFile(filepath.Join(dir, name(number)))
		if err != nil {
			t.Fatal(err)
		}
		h, err := jpeg.DecodeHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, h)
		sizes[[2]int{h.Width, h.Height}] = true
	}
	progressive, turned, grey := 0, 0, 0
	for _, h := range headers {
		if h.Progressive {
			progressive++
		}
		if h.Orientation != 1 {
			turned++
		}
		if h.Components == 1 {
			grey++
		}
	}
	if progressive < 5 || turned < 2 || grey != 1 || len(sizes) < 25 {
		t.Errorf("%d progressive, %d turned, %d grey, %d sizes", progressive, turned, grey, len(sizes))
	}
	first := filepath.Join(dir, name(0))
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	again := func(o Options) fs.FileInfo {
		t.Helper()
		if err := Generate(ctx, dir, o); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(first)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if !os.SameFile(before, again(Options{Images: 33})) {
		t.Error("the same set was drawn again")
	}
	if err := os.Remove(filepath.Join(dir, name(17))); err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, again(Options{Images: 33})) {
		t.Error("a set that lacks a file was taken for complete")
	}
	if again(Options{Images: 6, Seed: 9}).Size() == before.Size() {
		t.Error("another seed gave the same picture")
	}
	if left, err := filepath.Glob(filepath.Join(parent, "a folder", ".*")); err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
	other := filepath.Join(parent, "other")
	if err := os.MkdirAll(other, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "precious.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Generate(ctx, other, Options{Images: 5}); err == nil || !strings.Contains(err.Error(), "not generated here") {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := Generate(cancelled, filepath.Join(parent, "never"), Options{Images: 5}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(parent, "never")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a cancelled run left its folder")
	}
}

// TestGenerateTwice: two processes that draw into one folder at once both succeed.
func TestGenerateTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := Generate(context.Background(), dir, Options{Images: 5}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s, err := readSet(dir); err != nil || !s.complete(dir) {
		t.Error(s, err)
	}
}

// TestOrientation: pictures that are stored turned come upright with Decode{ExifTranspose: true}.
func TestOrientation(t *testing.T) {
	const w, h = 3, 2
	upright := []byte("abcdefghijklmnopqr")
	for _, o := range []int{2, 3, 6, 8} {
		pix, sw, sh := stored(upright, w, h, o)
		if back, bw, bh := stored(pix, sw, sh, map[int]int{2: 2, 3: 3, 6: 8, 8: 6}[o]); bw != w || bh != h || !bytes.Equal(back, upright) {
			t.Errorf("orientation %d: %q", o, back)
		}
	}
	s := Options{}.set()
	data, err := s.picture(31) // the second turned one
	if err != nil {
		t.Fatal(err)
	}
	header, err := jpeg.DecodeHeader(data)
	if err != nil || header.Orientation != 6 {
		t.Fatal(header, err)
	}
	_, tw, th, err := transforms.DecodeRGB(data, transforms.Decode{ExifTranspose: true})
	if err != nil || tw != header.Height || th != header.Width {
		t.Error(tw, th, header, err)
	}
}

func TestFolder(t *testing.T) {
	ctx, parent := context.Background(), t.TempDir()
	made, err := Folder(ctx, "", filepath.Join(parent, "made"), Options{Images: 10})
	if err != nil {
		t.Fatal(err)
	}
	sentence, err := Describe(made)
	if want := "Generated data: 10 drawn pictures, not photographs, of daisy, dandelion, roses, sunflowers, tulips (recipe 1, seed 1). Set FLOWERS_DIR to use real ones."; err != nil || sentence != want {
		t.Errorf("%q, %v", sentence, err)
	}
	real := filepath.Join(parent, "real")
	for _, kind := range Kinds()[:2] {
		if _, err := Folder(ctx, real, "", Options{}); err == nil {
			t.Error("a folder without classes was accepted")
		}
		copyFile(t, filepath.Join(made, kind, kind+"_0000.jpg"), filepath.Join(real, kind, "1.JPG"))
		copyFile(t, filepath.Join(made, kind, kind+"_0000.jpg"), filepath.Join(real, "LICENSE.txt"))
	}
	if dir, err := Folder(ctx, real, "", Options{}); err != nil || dir != real {
		t.Error(dir, err)
	}
	if sentence, err = Describe(real); err != nil || !strings.HasSuffix(sentence, "2 JPEG files of daisy, dandelion.") {
		t.Errorf("%q, %v", sentence, err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestSplit: the tutorial's split, pmod(xxhash64("class/file"), 10000) < 9000, leaves at least 1,500 pictures to train and
// 150 to validate. Spark's xxhash64 is XXH64 with seed 42.
func TestSplit(t *testing.T) {
	train, validate := map[string]int{}, map[string]int{}
	total := 0
	for number := range (Options{}).set().Images {
		d := xxhash.NewWithSeed(42)
		io.WriteString(d, filepath.ToSlash(name(number)))
		bucket := int64(d.Sum64()) % 10000
		kind := Kinds()[number%len(Kinds())]
		if (bucket+10000)%10000 < 9000 {
			train[kind]++
			total++
		} else {
			validate[kind]++
		}
	}
	if left := (Options{}).set().Images - total; total < 1500 || left < 150 {
		t.Errorf("%d to train, %d to validate", total, left)
	}
	t.Log(train, validate)
}

// TestColoursTellNothing: a nearest-centroid classifier on colour histograms, 16 bins a channel, stays below half.
func TestColoursTellNothing(t *testing.T) {
	const train, validate, bins = 250, 125, 48
	s := Options{}.set()
	histogram := func(number int) (h [bins]float64) {
		data, err := s.picture(number)
		if err != nil {
			t.Fatal(err)
		}
		var d jpeg.Decoder
		pix, _, err := d.Decode(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range pix {
			h[i%3*16+int(v>>4)] += 3 / float64(len(pix))
		}
		return h
	}
	var centroid [5][bins]float64
	for number := range train {
		for i, v := range histogram(number) {
			centroid[number%5][i] += v / (train / 5)
		}
	}
	right := 0
	for number := train; number < train+validate; number++ {
		h := histogram(number)
		best, least := 0, 0.0
		for k := range centroid {
			distance := 0.0
			for i := range h {
				distance += (h[i] - centroid[k][i]) * (h[i] - centroid[k][i])
			}
			if k == 0 || distance < least {
				best, least = k, distance
			}
		}
		if best == number%5 {
			right++
		}
	}
	t.Logf("%d of %d right", right, validate)
	if right*2 > validate {
		t.Errorf("colour histograms tell %d of %d pictures apart, more than half", right, validate)
	}
}
