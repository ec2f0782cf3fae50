package display

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"regexp"
	"strings"
	"testing"

	"encoding/base64"
)

// quarters is a picture whose corners are red, green, blue and white.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := [...]color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}[x*2/w+2*(y*2/h)]
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func encodedJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var dataImage = regexp.MustCompile(`src="data:(image/[a-z]+);base64,([^"]*)"`)

// pictures decodes all images of a page.
func pictures(t *testing.T, page string) (list []image.Image) {
	t.Helper()
	for _, m := range dataImage.FindAllStringSubmatch(page, -1) {
		raw, err := base64.StdEncoding.DecodeString(m[2])
		if err != nil {
			t.Fatal(err)
		}
		img, format, err := image.Decode(bytes.NewReader(raw))
		if err != nil || "image/"+format != m[1] {
			t.Fatalf("%s decodes as %s, %v", m[1], format, err)
		}
		list = append(list, img)
	}
	return list
}

func TestGridOfEncodedAndDecoded(t *testing.T) {
	g := EncodedGrid([][]byte{encodedJPEG(t, quarters(500, 375)), []byte("no picture"), encodedJPEG(t, quarters(40, 20))}, []string{"daisy", "roses"})
	page := g.HTML()
	list := pictures(t, page)
	if len(list) != 2 || list[0].Bounds().Max != image.Pt(192, 144) || list[1].Bounds().Max != image.Pt(40, 20) {
		t.Fatalf("thumbnails %d", len(list))
	}
	for _, want := range []string{`alt="sample 0: daisy" width="96" height="72"`, "cannot show: 10 bytes: image: unknown format", `alt="sample 2" width="96" height="48" style="margin:0;image-rendering:pixelated"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %.3000s", want, page)
		}
	}
	wellFormed(t, page)
	if got := pictures(t, ImageGrid([]image.Image{quarters(10, 10).SubImage(image.Rect(5, 5, 10, 10))}, nil).HTML()); got[0].Bounds().Dx() != 5 {
		t.Errorf("a part of an image: %v", got[0].Bounds())
	}
}

func TestGridTellsRightFromWrong(t *testing.T) {
	img := quarters(8, 8)
	g := Grid{Tiles: []Tile{{Image: img, Label: "bag", Predicted: "bag", Score: 0.914}, {Image: img, Label: "bag", Predicted: "shirt", Score: 0.61, Hover: "key=7"}}, Total: 970}
	page := g.HTML()
	for _, want := range []string{"✓", "✗", "3px solid " + GoodInk, "3px solid " + BadInk, "bag → shirt", "0.91", `title="key=7"`, `alt="sample 1: true bag, predicted shirt 0.61"`, "+968 more"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if got := g.String(); got != "970 images, 1 right, 1 wrong" {
		t.Errorf("text %q", got)
	}
}

func TestGridIsBounded(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	for i, state := 0, uint32(1); i < len(noise.Pix); i++ {
		state = state*1664525 + 1013904223
		noise.Pix[i] = byte(state >> 24)
		if i%4 == 3 {
			noise.Pix[i] = 255
		}
	}
	many := Grid{TilePixels: 150, Max: 1000}
	for range 100 {
		many.Tiles = append(many.Tiles, Tile{Image: noise})
	}
	if page := many.HTML(); len(page) > gridBytes+200<<10 || !strings.Contains(page, "more</div>") {
		t.Errorf("%d bytes", len(page))
	}
	small := Grid{Max: 1000}
	for range 100 {
		small.Tiles = append(small.Tiles, Tile{Image: quarters(2, 2)})
	}
	if n := len(pictures(t, small.HTML())); n != 64 {
		t.Errorf("%d pictures, want 64", n)
	}
	small.Max = 0
	if n := len(pictures(t, small.HTML())); n != 32 {
		t.Errorf("%d pictures, want 32", n)
	}
}

// withOrientation puts an EXIF segment into a JPEG.
func withOrientation(raw []byte, o byte, little bool) []byte {
	tiff := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0}
	if little {
		tiff = []byte{'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, o, 0, 0, 0, 0, 0, 0, 0}
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(body) + 2)}, body...)
	return append(append(append([]byte(nil), raw[:2]...), segment...), raw[2:]...)
}

func TestThumbnailIsUpright(t *testing.T) {
	// Where the red corner of the stored picture belongs, by EXIF's eight orientations.
	corners := [...]image.Point{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {1, 0}, {1, 1}, {0, 1}}
	for o := byte(1); o <= 8; o++ {
		raw := withOrientation(encodedJPEG(t, quarters(64, 32)), o, o%2 == 0)
		if got := orientation(raw); got != int(o) {
			t.Fatalf("orientation %d read as %d", o, got)
		}
		img := pictures(t, Grid{Tiles: []Tile{{Encoded: raw}}}.HTML())[0]
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		if (w < h) != (o >= 5) {
			t.Errorf("orientation %d: %d × %d", o, w, h)
		}
		at := corners[o-1]
		r, g, b, _ := img.At(w/4+at.X*w/2, h/4+at.Y*h/2).RGBA()
		if o != 1 && (r>>8 < 200 || g>>8 > 60 || b>>8 > 60) {
			t.Errorf("orientation %d: corner %v is %d %d %d, want red", o, at, r>>8, g>>8, b>>8)
		}
	}
	for _, cut := range []int{2, 5, 12, 20, 30} {
		raw := withOrientation([]byte{0xff, 0xd8}, 6, false)
		if o := orientation(raw[:min(cut, len(raw))]); o < 1 || o > 8 {
			t.Errorf("cut at %d: orientation %d", cut, o)
		}
	}
}

func TestThumbnailKeepsTransparency(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 400, 400))
	page := Grid{Tiles: []Tile{{Image: img}}}.HTML()
	if _, _, _, a := pictures(t, page)[0].At(3, 3).RGBA(); a != 0 {
		t.Errorf("alpha %d", a)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if got := sniff(b.Bytes()); got != MIMETypePNG {
		t.Errorf("sniffed %s", got)
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(withOrientation([]byte{0xff, 0xd8, 0xff, 0xda}, 6, false))
	f.Add(withOrientation([]byte{0xff, 0xd8, 0xff, 0xda}, 3, true))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 10, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I'})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if o := orientation(raw); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}
