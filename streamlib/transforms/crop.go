package transforms

import (
	"fmt"
	"math"
)

// CenterCrop cuts size×size pixels from the middle, as torchvision does: an image that is smaller is first surrounded by
// black.
func CenterCrop(size int) Step { return centerCrop(size) }

type centerCrop int

func (c centerCrop) String() string { return fmt.Sprintf("CenterCrop(%d)", int(c)) }

func (c centerCrop) apply(w *work) error {
	see, err := w.visible()
	if err != nil {
		return err
	}
	side := int(c)
	if side <= 0 {
		return fmt.Errorf("the size must be positive, not %d", side)
	}
	if side > see.w || side > see.h {
		w.pad(max(side, see.w), max(side, see.h))
		see = size{max(side, see.w), max(side, see.h)}
	}
	w.cut(rect{roundHalf(see.w - side), roundHalf(see.h - side), side, side})
	return nil
}

// roundHalf returns v/2 rounded to even, as Python's round(v / 2.0).
func roundHalf(v int) int { return int(math.RoundToEven(float64(v) / 2)) }

// pad surrounds the visible image with black up to the given size; the odd column or row goes to the right or below.
func (w *work) pad(width, height int) {
	w.materialise()
	from := w.source
	to := &w.spare
	to.allocate(width, height)
	clear(to.pix)
	left, top := (width-from.w)/2, (height-from.h)/2
	for y := range from.h {
		copy(to.pix[((top+y)*width+left)*3:], from.pix[y*from.w*3:(y+1)*from.w*3])
	}
	w.source, w.spare = w.spare, w.source
	w.begin()
}

// RandomResizedCropOptions are the options of [RandomResizedCrop]; zero values mean torchvision's defaults.
type RandomResizedCropOptions struct {
	Scale [2]float64 // least and greatest part of the image's area that is cut out; default 0.08 to 1
	Ratio [2]float64 // least and greatest width/height of the cut before it is resized; default 3/4 to 4/3

	// HorizontalFirst always resizes rows before columns, as Pillow before 13 did; see [ResizeOptions].
	HorizontalFirst bool
}

// RandomResizedCrop cuts out a random part of the image and resizes it to size×size pixels, drawn as torchvision draws:
// up to ten attempts at an area and a shape, then the largest middle part of an allowed shape.
func RandomResizedCrop(size int, options ...RandomResizedCropOptions) Step {
	c := randomResizedCrop{size: size}
	for _, o := range options {
		c.RandomResizedCropOptions = o
	}
	if c.Scale == [2]float64{} {
		c.Scale = [2]float64{0.08, 1}
	}
	if c.Ratio == [2]float64{} {
		c.Ratio = [2]float64{3. / 4, 4. / 3}
	}
	return c
}

type randomResizedCrop struct {
	size int
	RandomResizedCropOptions
}

func (c randomResizedCrop) String() string {
	return fmt.Sprintf("RandomResizedCrop(%d, scale %v–%v, ratio %.4g–%.4g)", c.size, c.Scale[0], c.Scale[1], c.Ratio[0], c.Ratio[1])
}

func (c randomResizedCrop) apply(w *work) error {
	see, err := w.visible()
	if err != nil {
		return err
	}
	if c.size <= 0 {
		return fmt.Errorf("the size must be positive, not %d", c.size)
	}
	if !(0 < c.Scale[0] && c.Scale[0] <= c.Scale[1]) || !(0 < c.Ratio[0] && c.Ratio[0] <= c.Ratio[1]) {
		return fmt.Errorf("scale and ratio must be positive and in ascending order")
	}
	w.cut(c.draw(&w.random, see))
	w.resize(size{c.size, c.size}, c.HorizontalFirst)
	return nil
}

// draw chooses the rectangle (torchvision.transforms.RandomResizedCrop.get_params). Numbers are float32 where torch draws
// them and float64 where Python computes with them.
func (c randomResizedCrop) draw(r *random, see size) rect {
	low, high := logOf(c.Ratio[0]), logOf(c.Ratio[1])
	for range 10 {
		area := float64(see.w*see.h) * float64(r.uniform(float32(c.Scale[0]), float32(c.Scale[1])))
		aspect := float64(float32(math.Exp(float64(r.uniform(low, high)))))
		cw := int(math.RoundToEven(math.Sqrt(area * aspect)))
		ch := int(math.RoundToEven(math.Sqrt(area / aspect)))
		if 0 < cw && cw <= see.w && 0 < ch && ch <= see.h {
			y := r.below(see.h - ch + 1)
			return rect{r.below(see.w - cw + 1), y, cw, ch}
		}
	}
	cw, ch := see.w, see.h
	switch ratio := float64(see.w) / float64(see.h); {
	case ratio < c.Ratio[0]:
		ch = min(int(math.RoundToEven(float64(cw)/c.Ratio[0])), see.h)
	case ratio > c.Ratio[1]:
		cw = min(int(math.RoundToEven(float64(ch)*c.Ratio[1])), see.w)
	}
	cw, ch = max(cw, 1), max(ch, 1)
	return rect{(see.w - cw) / 2, (see.h - ch) / 2, cw, ch}
}

// logOf is the logarithm as torch computes it, in float32.
func logOf(v float64) float32 { return float32(math.Log(float64(float32(v)))) }
