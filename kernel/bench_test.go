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

// BenchmarkCells is the time of one cell, from its text to its end, in a warm session of the real binary: with plugins
// that leave out what the host has, and with whole ones, which tell what the packages weigh.
func BenchmarkCells(b *testing.B) {
	for _, mode := range []struct {
		name  string
		whole bool
	}{{"slim", false}, {"whole", true}} {
		s, err := host.Start(b.Context(), host.Options{Binary: gomosaic(b), ModuleDir: moduleDir(b), WholePlugins: mode.whole})
		if err != nil {
			b.Fatal(err)
		}
		count := 0
		for _, bench := range []struct{ name, code string }{
			{"trivial", "x := 1\nx + 1"},
			{"display", "show := display.Display\n_ = show"},
			{"mdslib", "names := mdslib.HashNames()\nlen(names)"},
			{"streamlib", "type l = streamlib.LoaderOptions\n_ = streamlib.NewStreamingDataLoader"},
			{"torch, nn, distributor", "type m interface { nn.Module }\n_ = torch.CUDAAvailable\nrun := func() { distributor.RunProgram(ctx, distributor.TorchDistributor{}, \"\") }\n_ = run"},
			{"arrow, charts", "import (\"github.com/apache/arrow/go/v17/arrow/array\"; \"github.com/go-echarts/go-echarts/v2/charts\")\n_ = array.NewInt64Builder\nbar := charts.NewBar()\n_ = bar.Render"},
		} {
			b.Run(mode.name+"/"+bench.name, func(b *testing.B) {
				for b.Loop() {
					count++
					if err := s.Execute(b.Context(), bench.code, count, nowhere{}); err != nil {
						b.Fatal(err, err.(*host.CellError).Text())
					}
				}
			})
		}
		s.Close()
	}
}
