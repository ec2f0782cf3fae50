package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch/torchtest"
)

func TestMain(m *testing.M) { os.Exit(torchtest.Main(m)) }

func Example() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.pt")
	model := nn.Linear(3, 2)
	if err := checkpoint.Save(path, model.StateDict()); err != nil { // torch.load(path, weights_only=True) reads it
		panic(err)
	}
	entries, err := checkpoint.Inspect(path)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		fmt.Println(e.Name, e.DType, e.Shape)
	}
	// Output:
	// weight float32 [2 3]
	// bias float32 [2]
}
