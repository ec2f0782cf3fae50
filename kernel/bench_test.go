package kernel

import (
	"testing"

	"gomosaic/kernel/host"
)

// nowhere is an output for cells whose output does not matter.
type nowhere struct{}

func (nowhere) Stream(name, text string)                                      {}
func (nowhere) Display(data, metadata, transient map[string]any, update bool) {}
func (nowhere) Result(data, metadata map[string]any)                          {}
func (nowhere) ClearOutput(wait bool)                                         {}
func (nowhere) Payload(map[string]any)                                        {}
func (nowhere) Input(prompt string, password bool) (string, error)            { return "", nil }

// BenchmarkCells is the time of one cell, from its text to its end, in a warm session of the real binary. Each cell's
// plugin links what its imports reach, so that the times tell what the packages weigh.
func BenchmarkCells(b *testing.B) {
	s, err := host.Start(b.Context(), host.Options{Binary: gomosaic(b), ModuleDir: moduleDir(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	count := 0
	for _, bench := range []struct{ name, code string }{
		{"trivial", "x := 1\nx + 1"},
		{"display", "show := display.Display\n_ = show"},
		{"mdslib", "names := mdslib.HashNames()\nlen(names)"},
		{"streamlib", "type l = streamlib.LoaderOptions\n_ = streamlib.NewStreamingDataLoader"},
		{"torch, nn, distributor", "type m interface { nn.Module }\n_ = torch.CUDAAvailable\nrun := func() { distributor.RunProgram(ctx, distributor.TorchDistributor{}, \"\") }\n_ = run"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				count++
				if err := s.Execute(b.Context(), bench.code, count, nowhere{}); err != nil {
					b.Fatal(err, err.(*host.CellError).Text())
				}
			}
		})
	}
}
