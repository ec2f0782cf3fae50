package dist_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// trainOnGPU trains three steps with DDP over NCCL and, from the same start, without; both must come to the same. It returns
// the device of the group.
func trainOnGPU(ctx context.Context, w dist.World) (string, error) {
	torch.UseDeterministicAlgorithms(true)
	group, err := dist.Init(ctx, w, dist.GroupOptions{TimeoutSeconds: 60})
	if err != nil {
		return "", err
	}
	defer group.Close()
	gpu := group.Device()
	sums, err := group.Sum(1.5, 2)
	if err != nil || sums[0] != 1.5*float64(w.Size) {
		return "", fmt.Errorf("Sum = %v, %v", sums, err)
	}
	x := torch.FromSlice([]float32{float32(w.Rank), 7}).To(gpu)
	if err := group.Broadcast(0, x); err != nil || torch.ToSlice[float32](x)[0] != 0 {
		return "", fmt.Errorf("Broadcast: %v, %v", x, err)
	}
	all, err := group.AllGather(x)
	if err != nil || len(all) != w.Size || !all[0].Equal(x) {
		return "", fmt.Errorf("AllGather: %v, %v", all, err)
	}
	cpu := torch.FromSlice([]float32{3})
	if err := group.AllReduce(cpu); err != nil || cpu.Item() != 3*float64(w.Size) {
		return "", fmt.Errorf("AllReduce of a CPU tensor: %v, %v", cpu, err)
	}
	if err := group.Barrier(); err != nil {
		return "", err
	}

	torch.ManualSeed(1)
	images, labels := torch.Randn(4, 3, 64, 64).To(gpu), torch.FromSlice([]int64{0, 3, 1, 4}).To(gpu)
	train := func(model nn.Module) {
		opt := optim.SGD(model.Parameters(), optim.SGDOptions{LR: 0.01, Momentum: 0.9})
		for step := range 3 {
			torch.Step(func() {
				torch.ManualSeed(int64(step))
				opt.ZeroGrad()
				nn.CrossEntropy(model.Forward(images), labels).Backward()
				opt.Step()
			})
		}
	}
	build := func() nn.Module {
		torch.ManualSeed(5)
		return models.MobileNetV2(models.Options{Classes: 5}).To(gpu)
	}
	alone, model := build(), build()
	train(alone)
	ddp, err := dist.DDP(model, group)
	if err != nil {
		return "", err
	}
	defer ddp.Close()
	train(ddp)
	want := alone.StateDict()
	for name, got := range model.StateDict().All() {
		if !got.Equal(want.Get(name)) {
			return "", fmt.Errorf("%s differs from training without DDP", name)
		}
	}
	return gpu.String(), group.Barrier()
}

// TestNCCL: one rank on the GPU, joined by NCCL and Gloo.
func TestNCCL(t *testing.T) {
	torchtest.CUDA(t)
	d := distributor.TorchDistributor{NumProcesses: 1, LocalMode: true, UseGPU: true, Env: []string{"CUBLAS_WORKSPACE_CONFIG=:4096:8"}, Log: logTo(t)}
	device, err := distributor.Run(t.Context(), d, trainOnGPU)
	if err != nil || device != "cuda:0" {
		t.Errorf("device %q, %v", device, err)
	}
}

// shareGPU is a rank that takes the first GPU, whoever else has it.
func shareGPU(ctx context.Context, w dist.World) (struct{}, error) {
	w.LocalRank, w.LocalSize = 0, 1
	group, err := dist.Init(ctx, w, dist.GroupOptions{TimeoutSeconds: 60})
	if err != nil {
		return struct{}{}, err
	}
	defer group.Close()
	_, err = group.Sum(1)
	return struct{}{}, err
}

// TestRanksOfOneGPU: NCCL refuses a GPU that two ranks share, and the error says which.
func TestRanksOfOneGPU(t *testing.T) {
	torchtest.CUDA(t)
	d := distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Env: []string{"CUDA_VISIBLE_DEVICES=0"}, Log: logTo(t)}
	_, err := distributor.Run(t.Context(), d, shareGPU)
	if err == nil || !strings.Contains(err.Error(), "Duplicate GPU") {
		t.Errorf("err = %v", err)
	}
	d = distributor.TorchDistributor{NumProcesses: torch.CUDADeviceCount() + 1, LocalMode: true, UseGPU: true}
	if _, err := distributor.Run(t.Context(), d, shareGPU); err == nil || !strings.Contains(err.Error(), "one GPU a rank") {
		t.Errorf("more ranks than GPUs: %v", err)
	}
}

// onWhichDevice is where a rank computes, by two ways of asking.
func onWhichDevice(ctx context.Context, w dist.World) (string, error) {
	group, err := dist.Init(ctx, w, dist.GroupOptions{TimeoutSeconds: 60})
	if err != nil {
		return "", err
	}
	defer group.Close()
	return fmt.Sprint(group.Device(), " ", torch.BestDevice()), nil
}

// TestCPURanks: without UseGPU a rank computes on the CPU, whatever the machine has.
func TestCPURanks(t *testing.T) {
	torchtest.Require(t)
	device, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 1, LocalMode: true, Log: logTo(t)}, onWhichDevice)
	if err != nil || device != "cpu cpu" {
		t.Errorf("devices %q, %v", device, err)
	}
}

// TestTooFewGPUs: a rank that is to have a GPU and has none says so, and doesn't compute on the CPU.
func TestTooFewGPUs(t *testing.T) {
	torchtest.Require(t)
	t.Setenv(dist.EnvUseGPU, "1")
	n := torch.CUDADeviceCount() + 1
	_, err := dist.Init(t.Context(), dist.World{Rank: 0, Size: n, LocalSize: n, MasterAddr: "127.0.0.1"}, dist.GroupOptions{})
	if want := fmt.Sprintf("rank 0 of %d is to have a GPU, but libtorch sees %d", n, n-1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("err = %v, want %q", err, want)
	}
}
