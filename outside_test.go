package gomosaic_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outsideProgram writes a data set and streams it, as a program of another module does.
const outsideProgram = `package main

import (
	"context"
	"fmt"
	"os"

	"gomosaic/mdslib"
	"gomosaic/streamlib"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: dir, Columns: mdslib.Columns{"x": "int64"}, Compression: "zstd"})
	if err != nil {
		return err
	}
	for i := range 10 {
		if err := w.Write(mdslib.Sample{"x": int64(i)}); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Local: dir, BatchSize: 4})
	if err != nil {
		return err
	}
	defer dataset.Close()
	for batch, err := range streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{}).Batches(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(batch.Columns["x"].Data)
	}
	return nil
}
`

// TestOutsideModule follows the README's "Without a notebook": a module of somebody else's imports the packages by a replace
// line, in a folder with a space in its name, and fetches nothing that this module does not have already.
func TestOutsideModule(t *testing.T) {
	clone, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "another module")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	goMod := "module example.com/outside\n\ngo 1.26\n\nrequire gomosaic v0.0.0\n\nreplace gomosaic => \"" + clone + "\"\n"
	for name, text := range map[string]string{"go.mod": goMod, "main.go": outsideProgram} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	out := run("run", ".", filepath.Join(dir, "data"))
	if !strings.HasSuffix(out, "[0 1 2 3]\n[4 5 6 7]\n[8 9]\n") {
		t.Errorf("the program prints:\n%s", out)
	}
}
