// Command train is our half of the training benchmark: epochs of mobilenet_v2 over an MDS data set, as bench/train/measure.py
// asks; peer.py is the other half.
//
//	train data DIR SAMPLES   writes the data set
//	train run JOB            JOB as JSON; prints one JSON object for each of its cases
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib"
	"gomosaic/notebooks/flowers"
	"gomosaic/streamlib"
	"gomosaic/streamlib/transforms"
	"gomosaic/trainlib/feed"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
)

// job is what both halves are asked for.
type job struct {
	Data   string `json:"data"` // folder of the data set
	Device string `json:"device"`
	Cases  []struct {
		Name      string `json:"name"`
		BatchSize int    `json:"batch_size"`
		Pixels    int    `json:"pixels"`
		BFloat16  bool   `json:"bfloat16"` // under autocast
		Epochs    int    `json:"epochs"`   // the first warms up
		Steps     int    `json:"steps"`    // of the step alone, on one batch that stays
	} `json:"cases"`
}

// outcome is what both halves print for a case.
type outcome struct {
	Name         string    `json:"name"`
	Samples      int       `json:"samples"`       // of an epoch
	EpochSeconds []float64 `json:"epoch_seconds"` // without the first
	WaitSeconds  []float64 `json:"wait_seconds"`  // of these, until the loop had its next batch
	StepSeconds  float64   `json:"step_seconds"`
	Loss         float64   `json:"loss"` // of the last step
}

func main() {
	runtime.LockOSThread()
	err := errors.New("usage: train data DIR SAMPLES, or train run JOB")
	switch {
	case len(os.Args) == 4 && os.Args[1] == "data":
		err = writeData(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "run":
		if e := torch.Try(func() { err = run(os.Args[2]) }); e != nil {
			err = e
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeData writes the tutorial's pictures, enlarged to what a camera's thumbnail has, as often as it takes to have so many
// samples.
func writeData(dir, samples string) error {
	n, err := strconv.Atoi(samples)
	if err != nil {
		return err
	}
	pictures := dir + "-pictures"
	if err := flowers.Generate(context.Background(), pictures, flowers.Options{}); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(pictures, "*", "*.jpg"))
	if err != nil {
		return err
	}
	images := make([][]byte, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for i, file := range files {
		group.Go(func() (err error) {
			images[i], err = enlarged(file)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	kinds := map[string]int64{}
	for i, kind := range flowers.Kinds() {
		kinds[kind] = int64(i)
	}
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"image": "jpeg", "label": "int64"}, SizeLimit: "64mb"})
	if err != nil {
		return err
	}
	for i := range n {
		at := i * 7919 % len(files) // a prime: the kinds take turns
		if err := w.Write(mdslib.Sample{"image": images[at], "label": kinds[filepath.Base(filepath.Dir(files[at]))]}); err != nil {
			return err
		}
	}
	return w.Close()
}

// enlarged is a JPEG file drawn to 500 by 375 pixels, ImageNet's usual size.
func enlarged(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	small, err := jpeg.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	const width, height = 500, 375
	large, from := image.NewRGBA(image.Rect(0, 0, width, height)), small.Bounds()
	for y := range height {
		for x := range width {
			large.Set(x, y, small.At(from.Min.X+x*from.Dx()/width, from.Min.Y+y*from.Dy()/height))
		}
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, large, &jpeg.Options{Quality: 90})
	return b.Bytes(), err
}

func run(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	device, err := torch.ParseDevice(j.Device)
	if err != nil {
		return err
	}
	ctx := context.Background()
	for _, c := range j.Cases {
		dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{
			Local: j.Data, Shuffle: true, BatchSize: c.BatchSize,
			Transforms: transforms.Image("image",
				transforms.RandomResizedCrop(c.Pixels, transforms.RandomResizedCropOptions{Scale: [2]float64{0.6, 1}}),
				transforms.RandomHorizontalFlip(0.5),
				transforms.Normalize(transforms.ImageNetMean, transforms.ImageNetStd)),
		})
		if err != nil {
			return err
		}
		loader := streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{DropLast: true})
		torch.ManualSeed(1)
		model := models.MobileNetV2(models.Options{Classes: len(flowers.Kinds())}).To(device)
		opt := optim.SGD(model.Parameters(), optim.SGDOptions{LR: 0.01, Momentum: 0.9})
		step := func(images, labels *torch.Tensor) (loss *torch.Tensor) {
			forward := func() { loss = nn.CrossEntropy(model.Forward(images), labels) }
			if c.BFloat16 {
				torch.Autocast(device, torch.BFloat16, forward)
			} else {
				forward()
			}
			opt.ZeroGrad()
			loss.Backward()
			opt.Step()
			return loss
		}

		out := outcome{Name: c.Name}
		for epoch := range c.Epochs {
			began := time.Now()
			waiting, wait := began, time.Duration(0)
			out.Samples = 0
			for batch, err := range feed.Batches(ctx, loader, device) {
				if err != nil {
					return err
				}
				wait += time.Since(waiting)
				out.Loss = step(batch.Tensor("image"), batch.Tensor("label")).Item()
				out.Samples += batch.Samples
				waiting = time.Now()
			}
			wait += time.Since(waiting)
			if epoch > 0 {
				out.EpochSeconds = append(out.EpochSeconds, time.Since(began).Seconds())
				out.WaitSeconds = append(out.WaitSeconds, wait.Seconds())
			}
		}
		torch.Step(func() {
			images, labels := torch.Randn(c.BatchSize, 3, c.Pixels, c.Pixels).To(device), torch.Zeros(c.BatchSize).ToDType(torch.Int64).To(device)
			steps := func(n int) time.Duration {
				torch.Synchronize(device)
				began := time.Now()
				for range n {
					torch.Step(func() { step(images, labels) })
				}
				torch.Synchronize(device)
				return time.Since(began)
			}
			steps(c.Steps/4 + 1)
			out.StepSeconds = steps(c.Steps).Seconds() / float64(c.Steps)
		})
		line, err := json.Marshal(out)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", line)
		if err := dataset.Close(); err != nil {
			return err
		}
	}
	return nil
}
