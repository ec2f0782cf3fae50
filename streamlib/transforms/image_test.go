package transforms

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func apply(t testing.TB, p Transform, value any, d Draw) Array {
	t.Helper()
	sample := map[string]any{"image": value}
	if err := p.Apply(sample, d); err != nil {
		t.Fatal(err)
	}
	return sample["image"].(Array)
}

// TestDraws: a sample's augmentation depends on its Draw alone, whatever ran before or beside it, and every part of the
// Draw matters.
func TestDraws(t *testing.T) {
	data := readFile(t, "landscape.jpg")
	p := Image("image", RandomResizedCrop(20), RandomHorizontalFlip(0.5))
	draws := []Draw{{}, {Seed: 1}, {Epoch: 1}, {Sample: 1}, {Seed: 1, Epoch: 1}, {Seed: 1, Sample: 1}, {Epoch: 1, Sample: 1}}
	want := make([]Array, len(draws))
	for i, d := range draws {
		want[i] = apply(t, p, data, d)
		for j := range i {
			if slices.Equal(want[i].Data, want[j].Data) {
				t.Errorf("%+v and %+v give the same image", draws[i], draws[j])
			}
		}
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 20 {
				i := (round*3 + worker) % len(draws)
				sample := map[string]any{"image": data}
				if err := p.Apply(sample, draws[i]); err != nil {
					t.Error(err)
				} else if !slices.Equal(sample["image"].(Array).Data, want[i].Data) {
					t.Errorf("%+v gave another image in worker %d", draws[i], worker)
				}
			}
		})
	}
	wg.Wait()
}

// TestDrawsAreStable pins the default generator: a run that is resumed with a later version must see the same pixels.
func TestDrawsAreStable(t *testing.T) {
	var r random
	r.start(Draw{Seed: 17, Epoch: 2, Sample: 40})
	var got []uint32
	for range 4 {
		got = append(got, r.uint32())
	}
	if want := []uint32{0x2fe4e944, 0xe17a483e, 0xe442f296, 0xefba63d4}; !slices.Equal(got, want) {
		t.Errorf("draws are %#x, want %#x", got, want)
	}
}

func TestErrors(t *testing.T) {
	good := readFile(t, "landscape.jpg")
	for _, c := range []struct {
		value any
		steps []Step
		want  string
	}{
		{good, []Step{Normalize(ImageNetMean, ImageNetStd), Resize(8)}, `transforms: sample 7: column "image": step 1, Resize(8): comes after Normalize`},
		{good, []Step{Resize(0)}, "the size must be positive, not 0"},
		{good, []Step{nil}, `column "image": step 0 is nil`},
		{good, []Step{Resize(8), Decode{}}, "Decode must be the first step"},
		{good, []Step{Resize(8), TorchRandom(1)}, "must be the first step"},
		{good, []Step{RandomHorizontalFlip(2)}, "the probability must lie in 0…1"},
		{good, []Step{Normalize([3]float32{}, [3]float32{1, 0, 1})}, "a deviation is 0"},
		{good, []Step{RandomResizedCrop(8, RandomResizedCropOptions{Scale: [2]float64{1, 0.5}})}, "in ascending order"},
		{good[:500], nil, `transforms: sample 7: column "image": jpeg: file is truncated`},
		{[]byte("GIF89a…"), nil, `neither a JPEG nor a PNG file: 9 bytes that start with "GIF89a`},
		{int64(3), nil, "want the bytes of a JPEG or PNG file or an image.Image, got int64"},
		{image.NewGray(image.Rect(0, 0, 0, 4)), nil, "empty image of 0×4 pixels"},
	} {
		err := Image("image", c.steps...).Apply(map[string]any{"image": c.value}, Draw{Sample: 7})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	err := Image("picture").Apply(map[string]any{"image": good}, Draw{Sample: 7})
	if err == nil || err.Error() != `transforms: sample 7 has no column "picture"` {
		t.Error(err)
	}
}

// TestImageValues: a decoded image gives what its file gives, whatever Go type holds it.
func TestImageValues(t *testing.T) {
	rect := image.Rect(3, 2, 8, 6) // bounds that do not start at zero
	images := map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"NRGBA": image.NewNRGBA(rect), "RGBA": image.NewRGBA(rect), "NRGBA64": image.NewNRGBA64(rect), "RGBA64": image.NewRGBA64(rect),
	}
	for name, img := range images {
		for y := rect.Min.Y; y < rect.Max.Y; y++ {
			for x := rect.Min.X; x < rect.Max.X; x++ {
				img.Set(x, y, color.NRGBA{uint8(x * 20), uint8(y * 30), uint8(x + y), 255})
			}
		}
		a := apply(t, Image("image"), img, Draw{})
		if !slices.Equal(a.Shape, []int{3, 4, 5}) {
			t.Fatalf("%s: shape %v", name, a.Shape)
		}
		for c, want := range []int{6 * 20, 4 * 30, 10} {
			if got := a.Data[c*20+2*5+3]; got != float32(want)/255 {
				t.Errorf("%s: channel %d is %v, want %d/255", name, c, got, want)
			}
		}
	}
	gray := image.NewGray(rect)
	gray.SetGray(3, 2, color.Gray{Y: 77})
	if a := apply(t, Image("image"), gray, Draw{}); a.Data[0] != float32(77)/255 || a.Data[40] != float32(77)/255 {
		t.Errorf("grey is %v, %v", a.Data[0], a.Data[40])
	}
}

func TestDenormalize(t *testing.T) {
	a := apply(t, Image("image", Resize(40), Normalize(ImageNetMean, ImageNetStd)), readFile(t, "landscape.jpg"), Draw{})
	plain := apply(t, Image("image", Resize(40), ToTensor()), readFile(t, "landscape.jpg"), Draw{})
	batch := append(slices.Clone(a.Data), a.Data...)
	images, err := Denormalize(batch, []int{2, 3, a.Shape[1], a.Shape[2]}, ImageNetMean, ImageNetStd)
	if err != nil || len(images) != 2 {
		t.Fatal(err, len(images))
	}
	h, w := a.Shape[1], a.Shape[2]
	for y := range h {
		for x := range w {
			c := images[1].At(x, y).(color.NRGBA)
			for i, v := range []uint8{c.R, c.G, c.B} {
				if want := uint8(plain.Data[i*h*w+y*w+x]*255 + 0.5); v != want {
					t.Fatalf("pixel %d,%d channel %d is %d, want %d", x, y, i, v, want)
				}
			}
		}
	}
	if _, err := Denormalize(batch, []int{2, 1, h, w}, ImageNetMean, ImageNetStd); err == nil {
		t.Error("one channel is no image")
	}
}

// FuzzImage runs damaged files through a pipeline: an error or a full array, never a panic.
func FuzzImage(f *testing.F) {
	for _, name := range []string{"p4.png", "rgba16.png", "i16.png", "trns.png", "tall.jpg"} {
		f.Add(readFile(f, name), uint8(9))
	}
	f.Fuzz(func(t *testing.T, data []byte, side uint8) {
		if len(data) > 8 && string(data[1:4]) == "PNG" && (len(data) < 24 || data[16]|data[17]|data[18]>>4|data[20]|data[21]|data[22]>>4 != 0) {
			return // sizes of more than 4,095 pixels are only slow
		}
		if len(data) > 2 && data[0] == 0xFF {
			return // mdslib/jpeg has its own target
		}
		size := int(side)%40 + 1
		sample := map[string]any{"image": data}
		if err := Image("image", Resize(size), CenterCrop(size)).Apply(sample, Draw{}); err != nil {
			return
		}
		if got := sample["image"].(Array); fmt.Sprint(got.Shape) != fmt.Sprint([]int{3, size, size}) || len(got.Data) != 3*size*size {
			t.Fatal(got.Shape, len(got.Data))
		}
	})
}

func BenchmarkImage(b *testing.B) {
	data := readFile(b, "landscape.jpg")
	p := Image("image", RandomResizedCrop(96), RandomHorizontalFlip(0.5), Normalize(ImageNetMean, ImageNetStd))
	b.ReportAllocs()
	var i int64
	for b.Loop() {
		apply(b, p, data, Draw{Sample: i})
		i++
	}
}
