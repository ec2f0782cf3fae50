package display

// Thumbnail: a picture small enough to stay in a notebook's file. Used by grids and tables.

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// asIs is the size up to which encoded bytes are shown without being made smaller.
const asIs = 6 << 10

// thumbnailHTML is a tile's image, at most pixels wide and high, as an <img>.
func thumbnailHTML(t Tile, pixels int, alt string) (string, error) {
	img := t.Image
	if img == nil {
		if len(t.Encoded) == 0 {
			return "", errors.New("no image")
		}
		mimeType := sniff(t.Encoded)
		switch config, _, err := image.DecodeConfig(bytes.NewReader(t.Encoded)); {
		case err != nil && (mimeType == "image/webp" || mimeType == "image/gif") && len(t.Encoded) <= 256<<10:
			return imgElement(mimeType, t.Encoded, pixels, pixels, false, alt, t.Hover), nil // the browser knows more formats
		case err != nil:
			return "", fmt.Errorf("%s bytes: %w", groupDigits(len(t.Encoded)), err)
		case config.Width*config.Height > 1<<28:
			return "", fmt.Errorf("%d×%d pixels", config.Width, config.Height)
		case len(t.Encoded) <= asIs && orientation(t.Encoded) == 1:
			w, h := fit(config.Width, config.Height, pixels)
			return imgElement(mimeType, t.Encoded, w, h, max(config.Width, config.Height) <= 64, alt, t.Hover), nil
		}
		decoded, _, err := image.Decode(bytes.NewReader(t.Encoded))
		if err != nil {
			return "", fmt.Errorf("%s bytes: %w", groupDigits(len(t.Encoded)), err)
		}
		img = oriented(decoded, orientation(t.Encoded))
	}
	b := img.Bounds()
	if b.Empty() {
		return "", fmt.Errorf("%d×%d pixels", b.Dx(), b.Dy())
	}
	w, h := fit(b.Dx(), b.Dy(), pixels)
	small := shrink(img, 2*pixels) // two pixels of the picture to one of the page: sharp screens
	var buf bytes.Buffer
	mimeType := MIMETypePNG
	if opaque, known := small.(interface{ Opaque() bool }); max(b.Dx(), b.Dy()) > 96 && known && opaque.Opaque() {
		mimeType = MIMETypeJPEG
		if err := jpeg.Encode(&buf, small, &jpeg.Options{Quality: 85}); err != nil {
			return "", err
		}
	} else if err := png.Encode(&buf, small); err != nil {
		return "", err
	}
	return imgElement(mimeType, buf.Bytes(), w, h, max(b.Dx(), b.Dy()) <= 64, alt, t.Hover), nil
}

// fit is the size in which w × h is shown in a square of pixels; small images are enlarged.
func fit(w, h, pixels int) (int, int) {
	if w >= h {
		return pixels, max(1, h*pixels/w)
	}
	return max(1, w*pixels/h), pixels
}

func imgElement(mimeType string, raw []byte, w, h int, pixelated bool, alt, title string) string {
	style := "margin:0"
	if pixelated {
		style += ";image-rendering:pixelated"
	}
	if title != "" {
		title = fmt.Sprintf(` title="%s"`, html.EscapeString(title))
	}
	return fmt.Sprintf(`<img alt="%s"%s width="%d" height="%d" style="%s" src="data:%s;base64,%s">`,
		html.EscapeString(alt), title, w, h, style, mimeType, base64.StdEncoding.EncodeToString(raw))
}

// shrink averages boxes of pixels until neither side is longer than limit. It leaves a
// smaller image as it is.
func shrink(img image.Image, limit int) image.Image {
	b := img.Bounds()
	if max(b.Dx(), b.Dy()) <= limit {
		return img
	}
	w, h := fit(b.Dx(), b.Dy(), limit)
	src, ok := img.(*image.NRGBA)
	if !ok {
		src = image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(src, src.Bounds(), img, b.Min, draw.Src)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	bounds := src.Bounds()
	for y := range h {
		y0, y1 := y*bounds.Dy()/h, (y+1)*bounds.Dy()/h
		for x := range w {
			x0, x1 := x*bounds.Dx()/w, (x+1)*bounds.Dx()/w
			var r, g, bl, a, n int
			for sy := y0; sy < max(y1, y0+1); sy++ {
				row := src.Pix[src.PixOffset(bounds.Min.X+x0, bounds.Min.Y+sy):]
				for i := 0; i < max(x1-x0, 1)*4; i += 4 {
					alpha := int(row[i+3])
					r, g, bl, a, n = r+int(row[i])*alpha, g+int(row[i+1])*alpha, bl+int(row[i+2])*alpha, a+alpha, n+1
				}
			}
			if a > 0 {
				out.SetNRGBA(x, y, color.NRGBA{uint8(r / a), uint8(g / a), uint8(bl / a), uint8(a / n)})
			}
		}
	}
	return out
}

// orientation is the EXIF orientation (CIPA DC-008, tag 0x0112) of a JPEG, 1 to 8; 1, upright,
// where it says nothing.
func orientation(raw []byte) int {
	if !bytes.HasPrefix(raw, []byte{0xff, 0xd8}) {
		return 1
	}
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff && raw[at+1] != 0xda; {
		size := int(raw[at+2])<<8 | int(raw[at+3])
		if size < 2 || at+2+size > len(raw) {
			return 1
		}
		body := raw[at+4 : at+2+size]
		if raw[at+1] == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(t []byte) int {
	if len(t) < 8 {
		return 1
	}
	u16 := func(at int) int { return int(t[at])<<8 | int(t[at+1]) }
	if t[0] == 'I' {
		u16 = func(at int) int { return int(t[at+1])<<8 | int(t[at]) }
	}
	u32 := func(at int) int {
		if t[0] == 'I' {
			return u16(at+2)<<16 | u16(at)
		}
		return u16(at)<<16 | u16(at+2)
	}
	at := u32(4)
	if at < 8 || at+2 > len(t) {
		return 1
	}
	for i := range u16(at) {
		entry := at + 2 + 12*i
		if entry+12 > len(t) {
			return 1
		}
		if u16(entry) == 0x0112 {
			if v := u16(entry + 8); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// oriented turns a picture upright, as browsers do with a JPEG that they show.
func oriented(img image.Image, orientation int) image.Image {
	if orientation == 1 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		out = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := [...]image.Point{{x, y}, {w - 1 - x, y}, {w - 1 - x, h - 1 - y}, {x, h - 1 - y},
				{y, x}, {h - 1 - y, x}, {h - 1 - y, w - 1 - x}, {y, w - 1 - x}}[orientation-1]
			out.Set(to.X, to.Y, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}
