// Package torchtest helps the tests of everything that stands on libtorch: it says plainly when there is none, and runs all
// tensor work of a test binary on one OS thread, as a session does.
package torchtest

import (
	"context"
	"flag"
	"os"
	"runtime"
	"sync"
	"testing"

	"gomosaic/trainlib/torch"
)

// thread is the one goroutine, locked to its OS thread, that runs the bodies of all tests of the binary, one at a time.
var thread struct {
	once sync.Once
	work chan func()
}

// Run calls f on the test binary's libtorch thread and waits for it. Without libtorch the test fails with the command that
// installs it, or is skipped where GOMOSAIC_NO_TORCH=1 says that none is wanted. f may use t as usual, t.Fatal included.
func Run(t testing.TB, f func()) {
	t.Helper()
	Require(t)
	thread.once.Do(func() {
		thread.work = make(chan func())
		go serve()
	})
	done := make(chan any, 1)
	thread.work <- func() {
		finished := false
		defer func() {
			if finished {
				done <- nil
				return
			}
			done <- recover() // nil after t.Fatal, whose Goexit ends this goroutine
		}()
		f()
		finished = true
	}
	if r := <-done; r != nil {
		t.Errorf("panic: %v", r)
	}
}

// serve runs the work; when a test ends the goroutine by t.Fatal, a new one takes its place.
func serve() {
	runtime.LockOSThread()
	defer func() { go serve() }()
	for f := range thread.work {
		f()
	}
}

// Require fails the test where libtorch cannot be loaded, with the command that installs it; see [Run].
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv("GOMOSAIC_NO_TORCH") == "1" {
		t.Skip("GOMOSAIC_NO_TORCH=1: without it, `make setup` installs libtorch and the test runs")
	}
	if err := torch.Load(context.Background()); err != nil {
		t.Fatalf("%v\ninstall it with: make setup", err)
	}
}

// CUDA is the GPU that a test is about; where there is none the test is skipped, which its log says.
func CUDA(t testing.TB) torch.Device {
	t.Helper()
	Require(t)
	if !torch.CUDAAvailable() {
		t.Skip("libtorch sees no GPU")
	}
	return torch.CUDA(0)
}

// Devices are the CPU and, where there is one, a GPU: for tests that hold on both.
func Devices(t testing.TB) []torch.Device {
	t.Helper()
	Require(t)
	if torch.CUDAAvailable() {
		return []torch.Device{torch.CPU, torch.CUDA(0)}
	}
	return []torch.Device{torch.CPU}
}

// Main runs the tests of a package whose examples need libtorch: where GOMOSAIC_NO_TORCH=1 says that none is wanted, the
// examples are left out, which cannot skip themselves.
func Main(m *testing.M) int {
	flag.Parse()
	if f := flag.Lookup("test.run"); os.Getenv("GOMOSAIC_NO_TORCH") == "1" && f != nil && f.Value.String() == "" {
		if err := f.Value.Set("^(Test|Fuzz)"); err != nil {
			panic(err)
		}
	}
	return m.Run()
}
