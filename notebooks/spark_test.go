//go:build spark

package notebooks_test

// The tutorial on Spark: make test-spark.

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcome is what a run of the tutorial came to.
type outcome struct {
	Losses, Distributed []float64 // of each step, sections 4 and 5
	Right, Samples      int       // of section 5
	samples             map[string][]string
	text                string   // what section 5 printed
	tables              []string // the lines of the tables that sections 1 and 2 show
}

// runOn executes a small form of the tutorial with SPARK_REMOTE set, and a cell at its end that writes the losses to a file.
func runOn(t *testing.T, remote, flowers string) outcome {
	t.Helper()
	b, err := os.ReadFile(tutorial + ".ipynb")
	if err != nil {
		t.Fatal(err)
	}
	var nb map[string]any
	if err := json.Unmarshal(b, &nb); err != nil {
		t.Fatal(err)
	}
	nb["cells"] = append(nb["cells"].([]any), map[string]any{
		"cell_type": "code", "id": "outcome", "metadata": map[string]any{}, "outputs": []any{}, "execution_count": nil,
		"source": "import \"encoding/json\"\n" + `check(os.WriteFile(filepath.Join(outDir, "outcome.json"), check1(json.Marshal(map[string]any{
	"Losses": losses, "Distributed": distributed.Losses, "Right": distributed.Validation.Right, "Samples": distributed.Validation.Samples,
})), 0o666))`,
	})
	out := t.TempDir()
	path := filepath.Join(out, "tutorial.ipynb")
	if b, err = json.Marshal(nb); err == nil {
		err = os.WriteFile(path, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	executed := filepath.Join(out, "executed.ipynb")
	cmd := exec.CommandContext(t.Context(), "../.venv/bin/gomosaic", "run", path, "-o", executed)
	cmd.Env = append(os.Environ(), "SPARK_REMOTE="+remote, "FLOWERS_DIR="+flowers, "OUT_DIR="+out,
		"IMAGE_SIZE=32", "BATCH_SIZE=16", "NUM_EPOCHS=2", "MAX_TRAIN=128", "MAX_VAL=16", "NUM_PROCESSES=2")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v:\n%s", remote, err, b)
	}
	t.Logf("%s: %.0f s", remote, time.Since(start).Seconds())
	o := outcome{samples: map[string][]string{}, text: shown(readNotebook(t, executed).sections()[5], "text")}
	if b, err = os.ReadFile(filepath.Join(out, "outcome.json")); err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil {
		t.Fatal(err)
	}
	sections := readNotebook(t, executed).sections()
	for line := range strings.Lines(shown(append(sections[1], sections[2]...), "text")) {
		if strings.HasPrefix(line, "+-") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, " |-- ") {
			o.tables = append(o.tables, strings.TrimRight(line, "\n"))
		}
	}
	for _, split := range []string{"train", "val"} {
		o.samples[split] = samplesOf(t, filepath.Join(out, "data", split))
	}
	return o
}

// TestTutorialOnSpark: with a server of two executors, sections 1, 2 and 5 run there, and all comes out as it does here: the
// tables that are shown, the samples in the shards in their order, and every loss to the bit.
func TestTutorialOnSpark(t *testing.T) {
	flowers := filepath.Join(t.TempDir(), "flowers")
	if b, err := exec.CommandContext(t.Context(), "go", "run", "./flowers/cmd/genflowers", "-images", "200", flowers).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	here, there := runOn(t, "local", flowers), runOn(t, "spark-local:local-cluster[2,1,1024]", flowers)
	for split, want := range map[string]int{"train": 128, "val": 16} {
		if got := there.samples[split]; !slices.Equal(got, here.samples[split]) || len(got) != want {
			t.Errorf("%s: %d samples on Spark, %d here, or others", split, len(got), len(here.samples[split]))
		}
	}
	if len(there.tables) < 20 || !slices.Equal(there.tables, here.tables) {
		t.Errorf("tables\non Spark\n%s\nhere\n%s", strings.Join(there.tables, "\n"), strings.Join(here.tables, "\n"))
	}
	if len(there.Losses) != 16 || !slices.Equal(there.Losses, here.Losses) {
		t.Errorf("losses in one process\non Spark %v\nhere     %v", there.Losses, here.Losses)
	}
	if len(there.Distributed) != 8 || !slices.Equal(there.Distributed, here.Distributed) || there.Right != here.Right || there.Samples != 16 {
		t.Errorf("losses on two executors\non Spark %v, %d of %d right\nhere     %v, %d of %d right", there.Distributed, there.Right, there.Samples, here.Distributed, here.Right, here.Samples)
	}
	for _, rank := range []string{"[0] epoch 1: loss ", "[1] epoch 1: loss "} {
		if !strings.Contains(there.text, rank) {
			t.Errorf("section 5 lacks %q:\n%s", rank, there.text)
		}
	}
}
