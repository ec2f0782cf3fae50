package jpeg

import (
	"image"
	"image/color"
)

// DecodeImage decodes data to a standard image: *image.Gray for grey files, else an opaque *image.RGBA with the pixels of
// Pillow's convert("RGB"). A [Decoder] that is kept saves the allocations.
func DecodeImage(data []byte) (image.Image, error) {
	var d Decoder
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
	w, h := b.Dx(), b.Dy()
	if g, ok := img.(*image.Gray); ok {
		pix := make([]byte, 0, w*h)
		for y := range h {
			pix = append(pix, g.Pix[y*g.Stride:][:w]...)
		}
		return Encode(dst, pix, w, h, options)
	}
	var four []byte // the pixels, where they lie as four bytes each that need no conversion
	var stride int
	switch n := img.(type) {
	case *image.NRGBA:
		four, stride = n.Pix, n.Stride
	case *image.RGBA:
		if n.Opaque() {
			four, stride = n.Pix, n.Stride
		}
	}
	pix := make([]byte, 0, w*h*3)
	for y := range h {
		if four != nil {
			for row := four[y*stride:][:4*w]; len(row) > 0; row = row[4:] {
				pix = append(pix, row[:3]...)
			}
			continue
		}
		for x := range w {
			c := opaque(img.At(b.Min.X+x, b.Min.Y+y))
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return Encode(dst, pix, w, h, options)
}

// opaque returns a colour without its transparency.
func opaque(c color.Color) color.NRGBA {
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}
