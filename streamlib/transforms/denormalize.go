package transforms

import (
	"fmt"
	"image"
)

// Denormalize turns normalised values back into images for display: data is [3, height, width] or
// [batch, 3, height, width] as shape says, mean and std are those of the [Normalize] step (zero values for none). Values
// outside 0…255 are cut off.
func Denormalize(data []float32, shape []int, mean, std [3]float32) ([]image.Image, error) {
	if len(shape) == 3 {
		shape = append([]int{1}, shape...)
	}
	if len(shape) != 4 || shape[1] != 3 || shape[0]*shape[1]*shape[2]*shape[3] != len(data) {
		return nil, fmt.Errorf("transforms: %d values of shape %v are no images: want [3, height, width] or [batch, 3, height, width]", len(data), shape)
	}
	if std == [3]float32{} {
		std = [3]float32{1, 1, 1}
	}
	h, w := shape[2], shape[3]
	images := make([]image.Image, shape[0])
	for i := range images {
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		for c := range 3 {
			plane := data[(i*3+c)*h*w:][:h*w]
			for j, v := range plane {
				img.Pix[4*j+c] = byte(min(max((v*std[c]+mean[c])*255+0.5, 0), 255))
			}
		}
		for j := range h * w {
			img.Pix[4*j+3] = 255
		}
		images[i] = img
	}
	return images, nil
}

// Images is [Denormalize] of a result of [Image].
func (a Array) Images(mean, std [3]float32) ([]image.Image, error) {
	return Denormalize(a.Data, a.Shape, mean, std)
}
