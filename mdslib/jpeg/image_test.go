package jpeg

import (
	"bytes"
	"image"
	"image/color"
	"testing"
)

func TestDecodeImage(t *testing.T) {
	grey, err := DecodeImage(readFile(t, "grey.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := grey.(*image.Gray); !ok || g.Rect != image.Rect(0, 0, 45, 37) {
		t.Errorf("%T %v", grey, grey.Bounds())
	}
	img, err := DecodeImage(readFile(t, "cmyk.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	pix, h, err := d.Decode(readFile(t, "cmyk.jpg"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for y := range h.Height {
		for x := range h.Width {
			p := pix[(y*h.Width+x)*3:]
			if want := (color.RGBA{p[0], p[1], p[2], 255}); img.At(x, y) != want {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, img.At(x, y), want)
			}
		}
	}
	if _, err := DecodeImage(readFile(t, "bad_truncated.jpg")); err != ErrTruncated {
		t.Error(err)
	}
}

// TestEncodeImage: the type that holds the pixels does not matter, nor where its bounds start.
func TestEncodeImage(t *testing.T) {
	bounds := image.Rect(-3, 4, 30, 25)
	n, rgba, gray := image.NewNRGBA(bounds), image.NewRGBA(bounds), image.NewGray(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.NRGBA{uint8(x * 7), uint8(y * 9), uint8(x * y), 255}
			n.Set(x, y, c)
			rgba.Set(x, y, c)
			gray.Set(x, y, c)
		}
	}
	a, err := EncodeImage(nil, n, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := EncodeImage(nil, rgba, EncodeOptions{})
	if err != nil || !bytes.Equal(a, b) {
		t.Error("NRGBA and RGBA give different files", err)
	}
	rgba.Set(0, 10, color.NRGBA{200, 100, 50, 128})
	n.Set(0, 10, color.NRGBA{200, 100, 50, 255})
	if a, err = EncodeImage(nil, n, EncodeOptions{}); err != nil {
		t.Fatal(err)
	}
	if b, err = EncodeImage(nil, rgba, EncodeOptions{}); err != nil || !bytes.Equal(a, b) {
		t.Error("transparency is not dropped", err)
	}
	if a, err = EncodeImage(nil, gray, EncodeOptions{}); err != nil {
		t.Fatal(err)
	}
	if h, err := DecodeHeader(a); err != nil || h.Components != 1 || h.Width != 33 || h.Height != 21 {
		t.Error(h, err)
	}
}
