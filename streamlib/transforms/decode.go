package transforms

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"

	"gomosaic/mdslib/jpeg"
)

// Decode is the first step of [Image], needed only to set its options.
type Decode struct {
	// ExifTranspose turns and mirrors a JPEG as its Exif orientation asks, as Pillow's ImageOps.exif_transpose does.
	// Pillow's Image.open and torchvision's decoders do not.
	ExifTranspose bool
}

func (d Decode) String() string { return fmt.Sprintf("Decode{ExifTranspose: %v}", d.ExifTranspose) }

func (d Decode) apply(w *work) error {
	if w.decoded {
		return errors.New("the image has been decoded already: Decode must be the first step")
	}
	w.exif = d.ExifTranspose
	return w.decode()
}

// decode turns the column's value into pixels, once.
func (w *work) decode() error {
	if w.decoded {
		return nil
	}
	switch v := w.value.(type) {
	case []byte:
		if err := w.decodeFile(v); err != nil {
			return err
		}
	case image.Image:
		w.source.fill(v)
	default:
		return fmt.Errorf("want the bytes of a JPEG or PNG file or an image.Image, got %T", v)
	}
	if w.source.w == 0 || w.source.h == 0 {
		return fmt.Errorf("empty image of %d×%d pixels", w.source.w, w.source.h)
	}
	w.decoded = true
	w.begin()
	return nil
}

// decodeFile decodes an encoded image by its first bytes.
func (w *work) decodeFile(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xD8}):
		pix, header, err := w.decoder.Decode(data, w.source.pix)
		if err != nil {
			return err
		}
		w.source = pixels{pix, header.Width, header.Height}
		if w.exif {
			w.orient(header.Orientation)
		}
		return nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		config, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if int64(config.Width)*int64(config.Height) > jpeg.MaxPixels {
			return fmt.Errorf("png: image of %d×%d pixels exceeds the limit of %d pixels", config.Width, config.Height, jpeg.MaxPixels)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return err
		}
		w.source.fill(img)
		return nil
	}
	return fmt.Errorf("neither a JPEG nor a PNG file: %d bytes that start with %q", len(data), data[:min(len(data), 8)])
}

// DecodeRGB decodes a JPEG or PNG file as [Image] does: width·height·3 bytes in row order.
func DecodeRGB(data []byte, options Decode) (pix []byte, width, height int, err error) {
	var w work
	w.exif = options.ExifTranspose
	if err := w.decodeFile(data); err != nil {
		return nil, 0, 0, fmt.Errorf("transforms: %w", err)
	}
	return w.source.pix, w.source.w, w.source.h, nil
}

// fill takes the colours of an image as Pillow's convert("RGB") does: transparency is dropped, not blended; 16-bit grey is
// cut off at 255 (Pillow reads it as integers) while 16-bit colour loses its lower byte; a palette gives its entries.
func (p *pixels) fill(img image.Image) {
	b := img.Bounds()
	p.allocate(b.Dx(), b.Dy())
	out := p.pix
	put := func(r, g, b byte) {
		out[0], out[1], out[2] = r, g, b
		out = out[3:]
	}
	switch m := img.(type) {
	case *image.Gray:
		for y := range p.h {
			for _, v := range m.Pix[y*m.Stride:][:p.w] {
				put(v, v, v)
			}
		}
	case *image.Gray16:
		for y := range p.h {
			for x := range p.w {
				v := byte(min(m.Gray16At(b.Min.X+x, b.Min.Y+y).Y, 255))
				put(v, v, v)
			}
		}
	case *image.NRGBA:
		for y := range p.h {
			for row := m.Pix[y*m.Stride:][:4*p.w]; len(row) > 0; row = row[4:] {
				put(row[0], row[1], row[2])
			}
		}
	case *image.NRGBA64:
		for y := range p.h {
			for row := m.Pix[y*m.Stride:][:8*p.w]; len(row) > 0; row = row[8:] {
				put(row[0], row[2], row[4])
			}
		}
	case *image.Paletted:
		var entries [256][3]byte
		for i, c := range m.Palette {
			entries[i] = opaque(c)
		}
		for y := range p.h {
			for _, i := range m.Pix[y*m.Stride:][:p.w] {
				put(entries[i][0], entries[i][1], entries[i][2])
			}
		}
	default:
		for y := range p.h {
			for x := range p.w {
				c := opaque(img.At(b.Min.X+x, b.Min.Y+y))
				put(c[0], c[1], c[2])
			}
		}
	}
}
