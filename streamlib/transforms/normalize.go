package transforms

import (
	"errors"
	"fmt"
)

// ImageNetMean and ImageNetStd are the channel means and deviations (red, green, blue, of values in 0…1) that torchvision's
// pretrained models expect.
var (
	ImageNetMean = [3]float32{0.485, 0.456, 0.406}
	ImageNetStd  = [3]float32{0.229, 0.224, 0.225}
)

// Normalize gives each channel (x/255 − mean)/std in float32, in this order of operations: the bits of torchvision's
// ToTensor followed by Normalize. It must be the last step.
func Normalize(mean, std [3]float32) Step {
	n := &normalisation{mean: mean, std: std}
	for c := range 3 {
		for v := range 256 {
			x := float32(v) / 255
			x -= mean[c]
			n.table[c][v] = x / std[c]
		}
	}
	return n
}

// normalisation maps a channel's byte to its float.
type normalisation struct {
	mean, std [3]float32
	table     [3][256]float32
}

// unitScale is what an image gets that no Normalize step follows.
var unitScale = *Normalize([3]float32{}, [3]float32{1, 1, 1}).(*normalisation)

func (n *normalisation) String() string { return fmt.Sprintf("Normalize(%v, %v)", n.mean, n.std) }

func (n *normalisation) apply(w *work) error {
	if w.normal != nil {
		return errors.New("the image is normalised already")
	}
	for _, s := range n.std {
		if s == 0 {
			return errors.New("a deviation is 0")
		}
	}
	w.normal, w.final = n, "Normalize"
	return w.decode()
}

// ToTensor scales to 0…1. [Image] does so anyway; the step is there for those who port a torchvision list line by line.
func ToTensor() Step { return toTensor{} }

type toTensor struct{}

func (toTensor) String() string { return "ToTensor()" }

func (toTensor) apply(w *work) error {
	if w.final != "" {
		return fmt.Errorf("comes after %s", w.final)
	}
	w.final = "ToTensor"
	return w.decode()
}
