package models_test

import (
	"math"
	"path/filepath"
	"testing"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// A model gives the same on a GPU as on the CPU but for TensorFloat32, which cuDNN's convolutions use, and its checkpoint is
// the same file.
func TestCUDA(t *testing.T) {
	gpu := torchtest.CUDA(t)
	torchtest.Run(t, func() {
		torch.Step(func() {
			build := func() nn.Module {
				torch.ManualSeed(0)
				return models.MobileNetV2(models.Options{Classes: 10})
			}
			torch.ManualSeed(1)
			x, y := torch.Randn(8, 3, 96, 96), torch.FromSlice([]int64{1, 2, 3, 4, 5, 6, 7, 8})
			logits := func(m nn.Module, d torch.Device) *torch.Tensor {
				m.Eval()
				var out *torch.Tensor
				torch.NoGrad(func() { out = m.Forward(x.To(d)).To(torch.CPU) })
				m.Train()
				return out
			}
			losses := func(m nn.Module, d torch.Device) (all []float64) {
				opt := optim.SGD(m.Parameters(), optim.SGDOptions{LR: 0.05, Momentum: 0.9, WeightDecay: 1e-4})
				for range 4 {
					torch.Step(func() {
						opt.ZeroGrad()
						loss := nn.CrossEntropy(m.Forward(x.To(d)), y.To(d))
						loss.Backward()
						opt.Step()
						all = append(all, loss.Item())
					})
				}
				return all
			}
			onCPU, onGPU := build(), build().To(gpu)
			for _, p := range onGPU.NamedParameters() {
				if p.Tensor.Device() != gpu || !p.Tensor.IsLeaf() || !p.Tensor.RequiresGrad() {
					t.Fatalf("%s is on %v after To", p.Name, p.Tensor.Device())
				}
			}
			want := logits(onCPU, torch.CPU)
			if d := logits(onGPU, gpu).Sub(want).Abs().Max().Item() / want.Abs().Max().Item(); !(d < 2e-2) {
				t.Errorf("logits differ by %v", d)
			} else {
				t.Logf("logits differ by %.1e", d)
			}
			cpu, cuda := losses(onCPU, torch.CPU), losses(onGPU, gpu)
			t.Logf("losses %v on the CPU, %v on the GPU", cpu, cuda)
			if math.Abs(cpu[0]-cuda[0]) > 0.2 || cuda[3] > cuda[0] { // dropout draws other numbers there
				t.Errorf("losses %v on the CPU, %v on the GPU", cpu, cuda)
			}

			path := filepath.Join(t.TempDir(), "m.pt")
			if err := checkpoint.Save(path, onGPU.StateDict()); err != nil {
				t.Fatal(err)
			}
			back := models.MobileNetV2(models.Options{Classes: 10, Weights: path, Strict: true})
			if digest(back) != digest(onGPU) {
				t.Error("a checkpoint of the GPU's weights reads otherwise on the CPU")
			}
			again := build().To(gpu)
			if err := again.LoadStateDict(back.StateDict()); err != nil {
				t.Fatal(err)
			}
			if digest(again) != digest(onGPU) || again.Parameters()[0].Device() != gpu {
				t.Error("the CPU's weights loaded into a model on the GPU differ")
			}
			again.To(torch.CPU)
			if !logits(again, torch.CPU).Equal(logits(back, torch.CPU)) {
				t.Error("a model that came back from the GPU gives other logits")
			}
		})
	})
}
