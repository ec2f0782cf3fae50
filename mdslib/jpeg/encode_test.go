package jpeg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPillowFiles holds the encoder to the bytes that Pillow writes for the same pixels and options.
func TestPillowFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Pillow  string
		Encoded []struct {
			File        string
			Quality     int
			Subsampling int
			Progressive bool
			Bytes       int
			SHA256      string
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Encoded) < 200 {
		t.Fatalf("golden.json lists %d encoded files only", len(golden.Encoded))
	}
	var d Decoder
	for _, c := range golden.Encoded {
		pix, h, err := d.Decode(readFile(t, c.File), nil)
		if err != nil {
			t.Fatal(err)
		}
		if h.Components == 1 {
			for i := range h.Width * h.Height {
				pix[i] = pix[3*i]
			}
			pix = pix[:h.Width*h.Height]
		}
		o := EncodeOptions{Quality: c.Quality, Progressive: c.Progressive, Subsampling: Subsample444 - Subsampling(c.Subsampling)}
		got, err := Encode(nil, pix, h.Width, h.Height, o)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%s %+v: %d bytes differ from the %d of Pillow %s", c.File, o, len(got), c.Bytes, golden.Pillow)
		}
	}
}

// TestEncodeOrientation: the tag comes back, and the standard library reads the file.
func TestEncodeOrientation(t *testing.T) {
	pix := make([]byte, 24*10*3)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	for o := 1; o <= 8; o++ {
		for _, progressive := range []bool{false, true} {
			data, err := Encode([]byte("kept"), pix, 24, 10, EncodeOptions{Orientation: o, Progressive: progressive})
			if err != nil {
				t.Fatal(err)
			}
			data = bytes.TrimPrefix(data, []byte("kept"))
			h, err := DecodeHeader(data)
			if want := (Header{Width: 24, Height: 10, Components: 3, Progressive: progressive, Orientation: o}); err != nil || h != want {
				t.Errorf("%+v, %v, want %+v", h, err, want)
			}
			img, err := stdjpeg.Decode(bytes.NewReader(data))
			if err != nil || img.Bounds() != image.Rect(0, 0, 24, 10) {
				t.Errorf("image/jpeg: %v", err)
			}
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	pix := make([]byte, 12)
	for _, c := range []struct {
		w, h int
		o    EncodeOptions
		want string
	}{
		{2, 3, EncodeOptions{}, "12 bytes are neither grey nor RGB of 2×3 pixels"},
		{0, 4, EncodeOptions{}, "cannot write an image of 0×4 pixels"},
		{2, 2, EncodeOptions{Quality: 101}, "quality 101 lies outside 1…100"},
		{2, 2, EncodeOptions{Orientation: 9}, "orientation 9 lies outside 1…8"},
		{2, 2, EncodeOptions{Subsampling: 7}, "subsampling 7 is not defined"},
	} {
		if _, err := Encode(nil, pix, c.w, c.h, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// FuzzEncode: whatever the pixels, the file decodes to its size, and the progressive form holds the same coefficients as
// the baseline form, so that both give the same pixels.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("some pixels, repeated"), uint8(17), uint8(9), uint8(75), uint8(0))
	f.Add([]byte{0, 255, 0, 0, 255, 3}, uint8(33), uint8(40), uint8(100), uint8(2))
	f.Add([]byte{1}, uint8(1), uint8(1), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, seed []byte, w, h, quality, mode uint8) {
		width, height := int(w)%70+1, int(h)%70+1
		channels := 3
		if mode&4 != 0 {
			channels = 1
		}
		pix := make([]byte, width*height*channels)
		for i := range pix {
			if len(seed) > 0 {
				pix[i] = seed[i%len(seed)] + byte(i/len(seed)*int(mode))
			}
		}
		o := EncodeOptions{Quality: int(quality)%100 + 1, Subsampling: Subsampling(mode % 3)}
		var d Decoder
		var pixels [2][]byte
		for i := range pixels {
			o.Progressive = i == 1
			data, err := Encode(nil, pix, width, height, o)
			if err != nil {
				t.Fatal(err)
			}
			var header Header
			if pixels[i], header, err = d.Decode(data, nil); err != nil || header.Width != width || header.Height != height {
				t.Fatal(err, header)
			}
		}
		if !slices.Equal(pixels[0], pixels[1]) {
			t.Fatal("baseline and progressive differ")
		}
	})
}

func ExampleEncode() {
	pix := make([]byte, 64*48*3) // a black picture
	data, err := Encode(nil, pix, 64, 48, EncodeOptions{Quality: 90, Progressive: true})
	if err != nil {
		panic(err)
	}
	header, err := DecodeHeader(data)
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(strings.Repeat("#", header.Width/16) + "\n")
	// Output: ####
}
