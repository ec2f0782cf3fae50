package transforms

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// goldenCase is a pipeline and what torchvision over Pillow makes of files with it; testdata/make.py is the recipe.
type goldenCase struct {
	Steps     [][]any
	Normalize bool
	Seed      *uint64
	Results   []struct {
		File   string
		Shape  []int
		SHA256 string
	}
}

func (c goldenCase) pipeline(t *testing.T) Transform {
	t.Helper()
	var steps []Step
	if c.Seed != nil {
		steps = append(steps, TorchRandom(*c.Seed))
	}
	for _, s := range c.Steps {
		n := func(i int) float64 { return s[i].(float64) }
		switch s[0] {
		case "Resize":
			steps = append(steps, Resize(int(n(1))))
		case "ResizeTo":
			steps = append(steps, ResizeTo(int(n(1)), int(n(2))))
		case "CenterCrop":
			steps = append(steps, CenterCrop(int(n(1))))
		case "RandomResizedCrop":
			steps = append(steps, RandomResizedCrop(int(n(1)), RandomResizedCropOptions{Scale: [2]float64{n(2), n(3)}, Ratio: [2]float64{n(4), n(5)}}))
		case "RandomHorizontalFlip":
			steps = append(steps, RandomHorizontalFlip(n(1)))
		case "ExifTranspose":
			steps = append(steps, Decode{ExifTranspose: true})
		default:
			t.Fatalf("unknown step %v", s)
		}
	}
	if c.Normalize {
		steps = append(steps, Normalize(ImageNetMean, ImageNetStd))
	}
	return Image("image", steps...)
}

// TestTorchvisionBits holds whole pipelines to torchvision over Pillow, every float32 to the bit, the random ones by
// drawing as torch does.
func TestTorchvisionBits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Pillow, Torchvision string
		Cases               []goldenCase
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	images := 0
	for _, c := range golden.Cases {
		p := c.pipeline(t)
		for i, want := range c.Results {
			data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(want.File)))
			if err != nil {
				t.Fatal(err)
			}
			sample := map[string]any{"image": data}
			if err := p.Apply(sample, Draw{Sample: int64(i)}); err != nil {
				t.Errorf("%v: %s: %v", c.Steps, want.File, err)
				continue
			}
			got := sample["image"].(Array)
			if !slices.Equal(got.Shape, want.Shape) {
				t.Errorf("%v: %s: shape %v, want %v", c.Steps, want.File, got.Shape, want.Shape)
			} else if sum := digest(got.Data); sum != want.SHA256 {
				t.Errorf("%v: %s (result %d): values differ from torchvision %s with Pillow %s", c.Steps, want.File, i, golden.Torchvision, golden.Pillow)
			}
			images++
		}
	}
	if images < 200 {
		t.Errorf("only %d images compared", images)
	}
}

// digest is the SHA-256 of the values' little-endian bytes.
func digest(values []float32) string {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		u := math.Float32bits(v)
		b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func ExampleImage() {
	train := Image("image", RandomResizedCrop(96), RandomHorizontalFlip(0.5), Normalize(ImageNetMean, ImageNetStd))
	data, err := os.ReadFile("testdata/landscape.jpg")
	if err != nil {
		panic(err)
	}
	sample := map[string]any{"image": data, "label": int64(3)}
	if err := train.Apply(sample, Draw{Seed: 17, Epoch: 2, Sample: 40}); err != nil {
		panic(err)
	}
	fmt.Println(sample["image"].(Array).Shape)
	// Output: [3 96 96]
}

// TestHorizontalFirst holds the option to a Pillow before 13, and makes sure that it matters.
func TestHorizontalFirst(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "golden_old.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Pillow string
		Cases  []struct {
			File          string
			Height, Width int
			SHA256        string
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	different := 0
	for _, c := range golden.Cases {
		sum := func(o ResizeOptions) string {
			images, err := apply(t, Image("image", ResizeTo(c.Height, c.Width, o)), readFile(t, c.File), Draw{}).Images([3]float32{}, [3]float32{})
			if err != nil {
				t.Fatal(err)
			}
			var pix []byte
			for i, v := range images[0].(*image.NRGBA).Pix {
				if i%4 < 3 {
					pix = append(pix, v)
				}
			}
			s := sha256.Sum256(pix)
			return hex.EncodeToString(s[:])
		}
		if sum(ResizeOptions{HorizontalFirst: true}) != c.SHA256 {
			t.Errorf("%s to %d×%d: pixels differ from Pillow %s", c.File, c.Height, c.Width, golden.Pillow)
		}
		if sum(ResizeOptions{}) != c.SHA256 {
			different++
		}
	}
	if different == 0 {
		t.Error("no case shows the difference to Pillow 13")
	}
}
