package mdslib

// The pil encoding: pixels as Pillow's Image.tobytes() gives them.
//
//	[width: 4] [height: 4] [length of mode: 4] [mode] [pixels, row by row]

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
)

// pilModes are the Pillow modes with their bytes per pixel; mode "1" packs eight pixels a byte, each row padded.
var pilModes = map[string]int{
	"1": 0, "L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4, "RGBX": 4, "CMYK": 4, "YCbCr": 3, "I": 4, "F": 4, "I;16": 2,
}

// PILImage is an image in one of Pillow's modes, pixels as Image.tobytes() gives them. Decoding a pil column gives one
// for the modes that no standard Go image holds exactly ("I": int32, "F": float32); as an image.Image those show their
// values clipped to 0…255, as Pillow's convert("L") does. Encoding takes one of any mode.
type PILImage struct {
	Mode          string
	Width, Height int
	Pix           []byte
}

// pilBytes returns the number of pixel bytes, or an error for an unknown mode or absurd size.
func pilBytes(mode string, width, height int) (int, error) {
	perPixel, ok := pilModes[mode]
	if !ok {
		return 0, fmt.Errorf("unknown Pillow mode %q", mode)
	}
	if width < 1 || height < 1 || width > maxPixels/height {
		return 0, fmt.Errorf("image of %d x %d pixels, at most %d are allowed", width, height, maxPixels)
	}
	if mode == "1" {
		return (width + 7) / 8 * height, nil
	}
	return width * height * perPixel, nil
}

// check compares the number of pixel bytes with mode and size.
func (p *PILImage) check() error {
	n, err := pilBytes(p.Mode, p.Width, p.Height)
	if err == nil && len(p.Pix) != n {
		err = fmt.Errorf("PILImage %s of %d x %d has %d bytes of pixels instead of %d", p.Mode, p.Width, p.Height, len(p.Pix), n)
	}
	return err
}

// ColorModel is grey for the one-channel modes.
func (p *PILImage) ColorModel() color.Model {
	switch p.Mode {
	case "1", "L", "P", "I", "F":
		return color.GrayModel
	case "I;16":
		return color.Gray16Model
	}
	return color.NRGBAModel
}

// Bounds starts at (0, 0).
func (p *PILImage) Bounds() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// At returns a pixel's colour.
func (p *PILImage) At(x, y int) color.Color {
	if !image.Pt(x, y).In(p.Bounds()) {
		return color.Gray{}
	}
	n := y*p.Width + x
	switch p.Mode {
	case "1":
		if p.Pix[y*((p.Width+7)/8)+x/8]>>(7-x%8)&1 == 1 {
			return color.Gray{Y: 255}
		}
		return color.Gray{}
	case "I":
		v := int32(getUint32(p.Pix[4*n:]))
		return color.Gray{Y: uint8(max(0, min(255, v)))}
	case "F":
		v := math.Float32frombits(getUint32(p.Pix[4*n:]))
		return color.Gray{Y: uint8(max(0, min(255, v)))}
	case "I;16":
		return color.Gray16{Y: binary.LittleEndian.Uint16(p.Pix[2*n:])}
	case "LA":
		return color.NRGBA{p.Pix[2*n], p.Pix[2*n], p.Pix[2*n], p.Pix[2*n+1]}
	case "RGB":
		return color.NRGBA{p.Pix[3*n], p.Pix[3*n+1], p.Pix[3*n+2], 255}
	case "RGBA":
		return color.NRGBA{p.Pix[4*n], p.Pix[4*n+1], p.Pix[4*n+2], p.Pix[4*n+3]}
	case "RGBX":
		return color.NRGBA{p.Pix[4*n], p.Pix[4*n+1], p.Pix[4*n+2], 255}
	case "CMYK":
		return color.CMYK{C: p.Pix[4*n], M: p.Pix[4*n+1], Y: p.Pix[4*n+2], K: p.Pix[4*n+3]}
	case "YCbCr":
		return color.YCbCr{Y: p.Pix[3*n], Cb: p.Pix[3*n+1], Cr: p.Pix[3*n+2]}
	}
	return color.Gray{Y: p.Pix[n]}
}

func appendPIL(dst []byte, v any) ([]byte, error) {
	img, err := asImage(v)
	if err != nil {
		return nil, err
	}
	if p, ok := img.(*PILImage); ok {
		if err := p.check(); err != nil {
			return nil, err
		}
		return append(appendPILHead(dst, p.Mode, p.Width, p.Height), p.Pix...), nil
	}
	b := img.Bounds()
	mode := pilMode(img)
	if _, err := pilBytes(mode, b.Dx(), b.Dy()); err != nil {
		return nil, err
	}
	return appendPILPixels(appendPILHead(dst, mode, b.Dx(), b.Dy()), img, mode), nil
}

func appendPILHead(dst []byte, mode string, width, height int) []byte {
	dst = appendBits(dst, uint64(width), 4)
	dst = appendBits(dst, uint64(height), 4)
	return append(appendBits(dst, uint64(len(mode)), 4), mode...)
}

var blackWhite = color.Palette{color.Gray{Y: 0}, color.Gray{Y: 255}}

// pilMode chooses the mode that holds a Go image: decoding gives the same Go type again.
func pilMode(img image.Image) string {
	switch img := img.(type) {
	case *image.Gray:
		return "L"
	case *image.Gray16:
		return "I;16"
	case *image.NRGBA:
		return "RGBA"
	case *image.CMYK:
		return "CMYK"
	case *image.Paletted:
		if len(img.Palette) == 2 && img.Palette[0] == blackWhite[0] && img.Palette[1] == blackWhite[1] {
			return "1"
		}
	}
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		return "RGB"
	}
	return "RGBA"
}

func appendPILPixels(dst []byte, img image.Image, mode string) []byte {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		switch img := img.(type) {
		case *image.Gray:
			at := img.PixOffset(b.Min.X, y)
			dst = append(dst, img.Pix[at:at+b.Dx()]...)
			continue
		case *image.NRGBA:
			at := img.PixOffset(b.Min.X, y)
			dst = append(dst, img.Pix[at:at+4*b.Dx()]...)
			continue
		case *image.CMYK:
			at := img.PixOffset(b.Min.X, y)
			dst = append(dst, img.Pix[at:at+4*b.Dx()]...)
			continue
		case *image.RGBA:
			if mode == "RGB" {
				for at := img.PixOffset(b.Min.X, y); len(img.Pix[at:]) >= 4 && at < img.PixOffset(b.Max.X, y); at += 4 {
					dst = append(dst, img.Pix[at], img.Pix[at+1], img.Pix[at+2])
				}
				continue
			}
		case *image.Paletted:
			if mode == "1" {
				packed := make([]byte, (b.Dx()+7)/8)
				for x := range b.Dx() {
					packed[x/8] |= img.ColorIndexAt(b.Min.X+x, y) & 1 << (7 - x%8)
				}
				dst = append(dst, packed...)
				continue
			}
		}
		for x := b.Min.X; x < b.Max.X; x++ {
			if mode == "I;16" {
				dst = appendBits(dst, uint64(color.Gray16Model.Convert(img.At(x, y)).(color.Gray16).Y), 2)
				continue
			}
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if dst = append(dst, c.R, c.G, c.B); mode == "RGBA" {
				dst = append(dst, c.A)
			}
		}
	}
	return dst
}

// decodePIL reads pixels that lie there as they are: their number needs no other bound.
func decodePIL(data []byte, _ int) (image.Image, error) {
	if len(data) < 12 {
		return nil, fmt.Errorf("%w: pil image of %d bytes", ErrFormat, len(data))
	}
	width, height, modeBytes := int(getUint32(data)), int(getUint32(data[4:])), int(getUint32(data[8:]))
	if modeBytes > len(data)-12 || modeBytes > 16 {
		return nil, fmt.Errorf("%w: pil image with a mode of %d bytes", ErrFormat, modeBytes)
	}
	mode, pix := string(data[12:12+modeBytes]), data[12+modeBytes:]
	n, err := pilBytes(mode, width, height)
	if err != nil {
		return nil, fmt.Errorf("%w: pil: %w", ErrFormat, err)
	}
	if len(pix) != n {
		return nil, fmt.Errorf("%w: pil image %s of %d x %d with %d bytes of pixels instead of %d", ErrFormat, mode, width, height, len(pix), n)
	}
	return pilToGo(&PILImage{Mode: mode, Width: width, Height: height, Pix: append([]byte(nil), pix...)}), nil
}

// pilToGo returns the standard image that holds p exactly, or p itself. It may keep p's pixels.
func pilToGo(p *PILImage) image.Image {
	r := p.Bounds()
	switch p.Mode {
	case "1":
		img := image.NewPaletted(r, blackWhite)
		for y := range p.Height {
			row := p.Pix[y*((p.Width+7)/8):]
			for x := range p.Width {
				img.Pix[y*img.Stride+x] = row[x/8] >> (7 - x%8) & 1
			}
		}
		return img
	case "L", "P": // tobytes() has no palette: of mode P the indices are left, here as grey
		return &image.Gray{Pix: p.Pix, Stride: p.Width, Rect: r}
	case "LA":
		img := image.NewNRGBA(r)
		for i := range p.Width * p.Height {
			grey, alpha := p.Pix[2*i], p.Pix[2*i+1]
			copy(img.Pix[4*i:], []byte{grey, grey, grey, alpha})
		}
		return img
	case "RGB", "RGBX":
		img := image.NewRGBA(r)
		step := pilModes[p.Mode]
		for i := range p.Width * p.Height {
			copy(img.Pix[4*i:], p.Pix[step*i:step*i+3])
			img.Pix[4*i+3] = 255
		}
		return img
	case "RGBA":
		return &image.NRGBA{Pix: p.Pix, Stride: 4 * p.Width, Rect: r}
	case "CMYK":
		return &image.CMYK{Pix: p.Pix, Stride: 4 * p.Width, Rect: r}
	case "YCbCr":
		img := image.NewYCbCr(r, image.YCbCrSubsampleRatio444)
		for i := range p.Width * p.Height {
			img.Y[i], img.Cb[i], img.Cr[i] = p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2]
		}
		return img
	case "I;16":
		img := image.NewGray16(r)
		for i := range p.Width * p.Height {
			img.Pix[2*i], img.Pix[2*i+1] = p.Pix[2*i+1], p.Pix[2*i]
		}
		return img
	}
	return p
}
