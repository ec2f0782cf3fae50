package mdslib

// Image columns that hold an encoded file (jpeg, png) and lists of images. JPEG is read and written by package jpeg: the
// pixels are Pillow's, and so are the bytes, as the reference writes them. encoding_pil.go has the raw form.

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"

	"gomosaic/mdslib/jpeg"
)

// maxPixels bounds what a decoder may allocate for one image: Pillow's own limit (twice Image.MAX_IMAGE_PIXELS).
const maxPixels = 178_956_970

// appender is an io.Writer onto a byte slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func asImage(v any) (image.Image, error) {
	img, ok := v.(image.Image)
	if !ok {
		return nil, wantGot("image.Image or its encoded bytes", v)
	}
	if b := img.Bounds(); b.Empty() {
		return nil, fmt.Errorf("image of %d x %d pixels", b.Dx(), b.Dy())
	}
	return img, nil
}

// asStandardImage is asImage for encoders that know only the standard library's types.
func asStandardImage(v any) (image.Image, error) {
	p, ok := v.(*PILImage)
	if !ok || p == nil {
		return asImage(v)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return pilToGo(p), nil
}

func appendJPEG(dst []byte, v any) ([]byte, error) {
	img, err := asStandardImage(v)
	if err != nil {
		return nil, err
	}
	if !jpeg.Opaque(img) {
		return nil, fmt.Errorf("JPEG holds no transparency: convert the %T or use png", img)
	}
	return jpeg.EncodeImage(dst, img, jpeg.EncodeOptions{}) // Pillow's defaults, which the reference writes with
}

func appendPNG(dst []byte, v any) ([]byte, error) {
	img, err := asStandardImage(v)
	if err != nil {
		return nil, err
	}
	out := appender{dst}
	if err := png.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.b, nil
}

// imageDecoder decodes one image, of at most so many pixels.
type imageDecoder func(data []byte, mostPixels int) (image.Image, error)

// decodeImage decodes a JPEG or PNG file whatever the column's name: as in the reference, a jpeg column may hold PNG
// files. A JPEG becomes an *image.Gray or an opaque *image.RGBA with the pixels of Pillow's convert("RGB"); a PNG what
// image/png makes of it. want is named in errors.
func decodeImage(want string) imageDecoder {
	return func(data []byte, mostPixels int) (image.Image, error) {
		if bytes.HasPrefix(data, []byte("\xff\xd8")) {
			decoder := jpeg.Decoder{MaxPixels: mostPixels}
			img, err := decoder.DecodeImage(data)
			if err != nil {
				return nil, fmt.Errorf("%w: %s of %d bytes: %w", ErrFormat, want, len(data), err)
			}
			return img, nil
		}
		config, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %s of %d bytes: %w", ErrFormat, want, len(data), err)
		}
		if config.Width < 1 || config.Height < 1 || config.Width > mostPixels/config.Height {
			return nil, fmt.Errorf("%w: %s of %d x %d pixels, at most %d are decoded", ErrFormat, want, config.Width, config.Height, mostPixels)
		}
		img, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %s of %d bytes: %w", ErrFormat, want, len(data), err)
		}
		return img, nil
	}
}

// one is the decoding of a column of single images.
func (decode imageDecoder) one(data []byte) (any, error) {
	img, err := decode(data, maxPixels)
	if err != nil {
		return nil, err
	}
	return img, nil
}

// Lists of images:
//
//	[0: 4] [n: 4] [n sizes: 4 each] [images]   list[…]: reserved = 4
//	       [n: 4] [n sizes: 4 each] [images]   jpeg_array, jpegarray: reserved = 0

// imageList is the encoding of lists of what appendOne and decodeOne write and read.
func imageList(appendOne func([]byte, any) ([]byte, error), decodeOne imageDecoder, reserved int) *Encoding {
	split := func(data []byte) ([][]byte, error) { return splitImageList(data, reserved) }
	return &Encoding{append: appendImageList(appendOne, reserved), decode: decodeImageList(decodeOne, split), split: split}
}

func appendImageList(element func([]byte, any) ([]byte, error), reserved int) func([]byte, any) ([]byte, error) {
	return func(dst []byte, v any) ([]byte, error) {
		var items []any
		switch v := v.(type) {
		case []image.Image:
			for _, img := range v {
				items = append(items, img)
			}
		case [][]byte:
			for _, b := range v {
				items = append(items, b)
			}
		case []any:
			items = v
		default:
			return nil, wantGot("[]image.Image or [][]byte", v)
		}
		dst = append(dst, make([]byte, reserved)...)
		dst = appendBits(dst, uint64(len(items)), 4)
		sizes := len(dst)
		dst = append(dst, make([]byte, 4*len(items))...)
		for i, item := range items {
			before := len(dst)
			if b, ok := item.([]byte); ok {
				dst = append(dst, b...)
			} else {
				var err error
				if dst, err = element(dst, item); err != nil {
					return nil, fmt.Errorf("element %d: %w", i, err)
				}
			}
			if len(dst)-before > math.MaxUint32 {
				return nil, fmt.Errorf("element %d has %d bytes, at most 4 GiB fit", i, len(dst)-before)
			}
			putUint32(dst[sizes+4*i:], uint32(len(dst)-before))
		}
		return dst, nil
	}
}

// listPixels is the number of pixels that the images of a list may have together: as many as one image, or where that is
// more 64 a byte, several times what photographs have. Otherwise a small list of images that are all one colour would
// decode to any amount of memory.
func listPixels(listBytes int) int { return max(maxPixels, 64*listBytes) }

func decodeImageList(element imageDecoder, split func([]byte) ([][]byte, error)) func([]byte) (any, error) {
	return func(data []byte) (any, error) {
		blobs, err := split(data)
		if err != nil {
			return nil, err
		}
		images := make([]image.Image, len(blobs))
		most := listPixels(len(data))
		left := most
		for i, blob := range blobs {
			img, err := element(blob, min(max(left, 1), maxPixels))
			if err != nil && left < maxPixels {
				err = fmt.Errorf("%w (a list of %d bytes may have %d pixels, and the images before have %d)", err, len(data), most, most-left)
			}
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
			images[i] = img
			left -= img.Bounds().Dx() * img.Bounds().Dy()
		}
		return images, nil
	}
}

// splitImageList returns the elements' bytes, which alias data.
func splitImageList(data []byte, reserved int) ([][]byte, error) {
	if len(data) < reserved+4 {
		return nil, fmt.Errorf("%w: image list of %d bytes", ErrFormat, len(data))
	}
	n := uint64(getUint32(data[reserved:]))
	sizes := data[reserved+4:]
	if 4*n > uint64(len(sizes)) {
		return nil, fmt.Errorf("%w: list of %d images in %d bytes", ErrFormat, n, len(data))
	}
	body := sizes[4*n:]
	blobs := make([][]byte, n)
	for i := range blobs {
		size := uint64(getUint32(sizes[4*i:]))
		if size > uint64(len(body)) {
			return nil, fmt.Errorf("%w: image %d of %d has %d bytes, but only %d are left", ErrFormat, i, n, size, len(body))
		}
		blobs[i], body = body[:size:size], body[size:]
	}
	if len(body) != 0 {
		return nil, fmt.Errorf("%w: %d bytes are left over after %d images", ErrFormat, len(body), n)
	}
	return blobs, nil
}
