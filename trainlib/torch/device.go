package torch

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// DeviceKind is the kind of a device, numbered as c10::DeviceType.
type DeviceKind int8

// The kinds of devices that gomosaic knows.
const (
	KindCPU  DeviceKind = 0
	KindCUDA DeviceKind = 1
)

// Device is where a tensor lies: [CPU], or a GPU made by [CUDA]. The zero value is the CPU.
type Device int16

// CPU is the CPU.
const CPU Device = 0

// CUDA is the GPU with the given index, counted among those that CUDA_VISIBLE_DEVICES leaves.
func CUDA(index int) Device { return Device(index + 1) }

// Kind says what the device is.
func (d Device) Kind() DeviceKind {
	if d > 0 {
		return KindCUDA
	}
	return KindCPU
}

// Index is the GPU's index; 0 for the CPU.
func (d Device) Index() int { return max(int(d)-1, 0) }

func (d Device) parts() (kind, index int32) { return int32(d.Kind()), int32(d.Index()) }

// ParseDevice reads "cpu", "cuda" or "cuda:1".
func ParseDevice(s string) (Device, error) {
	kind, index, has := strings.Cut(s, ":")
	n := 0
	if has {
		var err error
		if n, err = strconv.Atoi(index); err != nil || n < 0 || n > 127 {
			return CPU, fmt.Errorf("torch: device %q: want a number after the colon", s)
		}
	}
	switch kind {
	case "cpu":
		return CPU, nil
	case "cuda":
		return CUDA(n), nil
	}
	return CPU, fmt.Errorf("torch: unknown device %q: want cpu, cuda or cuda:N", s)
}

// String is PyTorch's name: "cpu", "cuda:0".
func (d Device) String() string {
	if d.Kind() == KindCUDA {
		return "cuda:" + strconv.Itoa(d.Index())
	}
	return "cpu"
}

// CUDAAvailable reports whether there is a GPU that this libtorch can use: an NVIDIA driver, libtorch_cuda beside libtorch_cpu,
// and at least one device. It never panics: without libtorch it is false.
func CUDAAvailable() bool { return CUDADeviceCount() > 0 }

// CUDADeviceCount is the number of GPUs that this libtorch can use.
func CUDADeviceCount() int {
	l := loaded.lib.Load()
	if l == nil {
		if !hasDriver() {
			return 0
		}
		var err error
		if l, err = load(context.Background()); err != nil {
			return 0
		}
	}
	if !l.cuda {
		return 0
	}
	return int(l.deviceCount(int32(KindCUDA)))
}

// BestDevice is the first GPU, or the CPU where there is none.
func BestDevice() Device {
	if CUDAAvailable() {
		return CUDA(0)
	}
	return CPU
}

// Synchronize waits until a GPU has done all that it was given; on the CPU there is nothing to wait for.
func Synchronize(d Device) {
	if kind, index := d.parts(); d != CPU {
		check("synchronize", lib().synchronize(kind, index))
	}
}

// EmptyCache gives the memory that the GPU allocator holds for later use back to the driver.
func EmptyCache() {
	if CUDAAvailable() {
		check("empty_cache", lib().emptyCache(int32(KindCUDA)))
	}
}

// MemoryStats is how much of a GPU's memory this process's tensors take.
type MemoryStats struct {
	AllocatedBytes     int64 // by tensors, as torch.cuda.memory_allocated()
	PeakAllocatedBytes int64 // the most so far, as torch.cuda.max_memory_allocated()
	ReservedBytes      int64 // taken from the driver, what is kept for later tensors included
	PeakReservedBytes  int64
}

// Memory tells how much memory of a GPU is in use. It needs libtorch 2.11 or newer.
func Memory(d Device) MemoryStats {
	var b [4]int64
	kind, index := d.parts()
	check("memory_stats", lib().memoryStats(kind, index, &b[0]))
	return MemoryStats{b[0], b[1], b[2], b[3]}
}

// ResetPeakMemory makes the peaks of [Memory] begin anew, as torch.cuda.reset_peak_memory_stats().
func ResetPeakMemory(d Device) {
	kind, index := d.parts()
	check("reset_peak_memory_stats", lib().resetPeak(kind, index))
}

// RNGState is the state of a device's default generator, as torch.get_rng_state(): a uint8 tensor that [SetRNGState] and a
// checkpoint take.
func RNGState(d Device) *Tensor {
	var r uintptr
	kind, index := d.parts()
	check("get_rng_state", lib().rngGet(kind, index, &r))
	return wrap(r, 0)
}

// SetRNGState puts the default generator of a device into a state taken by [RNGState].
func SetRNGState(d Device, state *Tensor) {
	kind, index := d.parts()
	check("set_rng_state", lib().rngSet(kind, index, state.handle("set_rng_state")), state)
}
