package jpeg

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// golden is testdata/golden.json: what Pillow makes of each file. testdata/make.py is the recipe.
type golden struct {
	Pillow string
	Files  map[string]struct {
		Size        [2]int
		Orientation int
		SHA256      string
		Error       string
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Files) < 80 {
		t.Fatalf("golden.json lists %d files only", len(g.Files))
	}
	return g
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPillowPixels decodes every file with one Decoder, so that buffers left by a file meet the next, and compares each
// pixel with Pillow's.
func TestPillowPixels(t *testing.T) {
	g := readGolden(t)
	var d Decoder
	var pix []byte
	for round := range 2 {
		for name, want := range g.Files {
			data := readFile(t, name)
			var header Header
			var err error
			pix, header, err = d.Decode(data, pix)
			if name == "bad_arithmetic.jpg" { // libjpeg-turbo decodes this coding, and this package does not
				var unsupported UnsupportedError
				if !errors.As(err, &unsupported) {
					t.Errorf("%s: %v, want an UnsupportedError", name, err)
				}
				continue
			}
			if want.Error != "" {
				if err == nil {
					t.Errorf("%s: decoded, Pillow %s says %s", name, g.Pillow, want.Error)
				} else if round == 0 {
					t.Logf("%s: %v (Pillow: %s)", name, err, want.Error)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if header.Width != want.Size[0] || header.Height != want.Size[1] || header.Orientation != want.Orientation {
				t.Errorf("%s: %+v, want size %v and orientation %d", name, header, want.Size, want.Orientation)
			}
			if sum := sha256.Sum256(pix); hex.EncodeToString(sum[:]) != want.SHA256 {
				t.Errorf("%s: pixels differ from Pillow %s", name, g.Pillow)
			}
			if cap(pix)-len(pix) < spare {
				t.Errorf("%s: %d spare bytes", name, cap(pix)-len(pix))
			}
		}
	}
}

// FuzzDecode holds the decoder to its promises on damaged data: no panic, no endless work, and pixels that fit the header.
func FuzzDecode(f *testing.F) {
	for name := range readGolden(f).Files {
		f.Add(readFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Decoder{MaxPixels: 1 << 16}
		pix, header, err := d.Decode(data, nil)
		if err == nil && len(pix) != header.Width*header.Height*3 {
			t.Fatalf("%d bytes for %d×%d pixels", len(pix), header.Width, header.Height)
		}
	})
}

func TestSizeLimit(t *testing.T) {
	data := readFile(t, "grey.jpg")
	d := Decoder{MaxPixels: 45*37 - 1}
	if _, _, err := d.Decode(data, nil); err == nil || err.Error() != "jpeg: image of 45×37 pixels exceeds the limit of 1664 pixels" {
		t.Error(err)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := readFile(b, "quality_75.jpg")
	var d Decoder
	var pix []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if pix, _, err = d.Decode(data, pix); err != nil {
			b.Fatal(err)
		}
	}
}
