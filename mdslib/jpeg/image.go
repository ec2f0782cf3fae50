package jpeg

import (
	"encoding/binary"
	"image"
	"image/color"
)

// DecodeImage decodes data to a standard image: *image.Gray for grey files, else an opaque *image.RGBA with the pixels of
// Pillow's convert("RGB"). A [Decoder] that is kept saves the allocations.
func DecodeImage(data []byte) (image.Image, error) { return new(Decoder).DecodeImage(data) }

// DecodeImage is the function of that name, within d's limit.
func (d *Decoder) DecodeImage(data []byte) (image.Image, error) {
	pix, h, err := d.Decode(data, nil)
	if err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, h.Width, h.Height)
	if h.Components == 1 {
		img := image.NewGray(bounds)
		for i := range img.Pix {
			img.Pix[i] = pix[3*i]
		}
		return img, nil
	}
	img := image.NewRGBA(bounds)
	for i := range h.Width * h.Height {
		to := img.Pix[4*i : 4*i+4 : 4*i+4]
		to[0], to[1], to[2], to[3] = pix[3*i], pix[3*i+1], pix[3*i+2], 255
	}
	return img, nil
}

// EncodeImage appends the file of a standard image to dst: grey for *image.Gray, else colour; transparency is dropped.
func EncodeImage(dst []byte, img image.Image, options EncodeOptions) ([]byte, error) {
	b := img.Bounds()
	p := pixels{width: b.Dx(), height: b.Dy()}
	if err := options.complete(p.width, p.height); err != nil {
		return dst, err
	}
	switch m := img.(type) { // pixels are taken from where they lie, if they need no conversion
	case *image.Gray:
		p.data, p.stride, p.step = m.Pix, m.Stride, 1
	case *image.NRGBA:
		p.data, p.stride, p.step = m.Pix, m.Stride, 4
	case *image.RGBA:
		if Opaque(m) {
			p.data, p.stride, p.step = m.Pix, m.Stride, 4
		}
	}
	if p.data == nil {
		p.step, p.stride = 3, 3*p.width
		p.data = make([]byte, 0, p.stride*p.height)
		for y := range p.height {
			for x := range p.width {
				c := opaque(img.At(b.Min.X+x, b.Min.Y+y))
				p.data = append(p.data, c.R, c.G, c.B)
			}
		}
	}
	return encode(dst, p, options), nil
}

// Opaque tells whether an image has no transparent pixel, as the Opaque methods of the standard images do, but quicker; of
// an image without such a method it says true.
func Opaque(img image.Image) bool {
	b := img.Bounds()
	switch m := img.(type) {
	case *image.NRGBA:
		return opaquePixels(m.Pix, m.Stride, b.Dx(), b.Dy())
	case *image.RGBA:
		return opaquePixels(m.Pix, m.Stride, b.Dx(), b.Dy())
	case interface{ Opaque() bool }:
		return m.Opaque()
	}
	return true
}

// opaquePixels tells whether every fourth byte of the rows is 255. Two pixels make a word, four words a step.
func opaquePixels(pix []byte, stride, width, height int) bool {
	const alphas = 0xFF000000_FF000000
	for y := range height {
		row := pix[y*stride:][:4*width]
		all := uint64(alphas)
		for ; len(row) >= 32; row = row[32:] {
			all &= binary.LittleEndian.Uint64(row) & binary.LittleEndian.Uint64(row[8:]) &
				binary.LittleEndian.Uint64(row[16:]) & binary.LittleEndian.Uint64(row[24:])
		}
		for ; len(row) > 0; row = row[4:] {
			all &= uint64(row[3])<<24 | alphas&^(0xFF<<24)
		}
		if all != alphas {
			return false
		}
	}
	return true
}

// opaque returns a colour without its transparency.
func opaque(c color.Color) color.NRGBA {
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}
